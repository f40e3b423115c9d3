"""Segments on the disks of the I/O channels."""
