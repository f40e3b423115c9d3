"""A disk as POSIX has it: what was synced survives a power cut, and of all else any part does."""
