"""Faults on purpose: what can go wrong in a network, where, and which of it is on now."""
