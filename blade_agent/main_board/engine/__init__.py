"""The media engine: it stores segments, copies them from other engines, and streams them to consoles."""
