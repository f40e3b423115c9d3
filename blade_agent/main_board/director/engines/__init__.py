"""The engines of the station: who is there, how loaded, and which to choose."""
