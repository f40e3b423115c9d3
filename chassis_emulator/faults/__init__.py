"""Faults on purpose: what can go wrong in a network, where it is now, and what it does to lines, blades and air."""
