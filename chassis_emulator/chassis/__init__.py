"""An emulated chassis that lives: slots that blades are pulled from and put into, their loads, heat and power."""
