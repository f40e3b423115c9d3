"""The turns of streams: their life, and how they are handed over."""
