"""Pushing streams to consoles by UDP, and handing them over from engine to engine (claims 16 and 17)."""
