"""Address 20h: the management board's own sensors, event log and commands."""
