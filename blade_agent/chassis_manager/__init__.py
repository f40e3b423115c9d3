"""The chassis manager: the other end of the backplane. It brings blades into service and gives them their roles.

`Chassis` decides and does no I/O; `ChassisManager` runs it on lines, in the event loop.
"""
