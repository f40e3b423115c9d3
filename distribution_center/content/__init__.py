"""Content: from a provider's file to a program at the home media station, and into service (claims 2 and 11)."""
