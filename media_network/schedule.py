"""The schedule that every engine keeps to when it sends a stream.

A director that has lost an engine guesses from it how far a stream can have got, so it binds both.
"""

TICK_S = 0.04
"""Engines send their streams a tick at a time: what is due until the next one, no sooner and no faster."""

CATCH_UP_MAX_S = 0.1
"""How far a stream that was held up is sent faster than its rate to catch up; beyond that it stays late."""
