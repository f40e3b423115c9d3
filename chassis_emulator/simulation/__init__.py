"""Whole networks of real agents in virtual time: a seeded event loop, and a network, disks and lines that fail.

`simulation.Simulation` is the door. The same seed gives the same run, event for event.
"""
