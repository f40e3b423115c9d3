"""Heat, air and power of an emulated chassis. Does no I/O, but for the sysfs trees it puts under the blades."""
