"""Scenarios: a timed list of what goes wrong and what is done, for a live network and for a simulated one."""
