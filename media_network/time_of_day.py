"""The time of day as messages and files have it."""

import time


def now_ms() -> int:
    """Milliseconds since 1970, UTC. Looked up at every call: a simulation puts its own date in place of `time.time`."""
    return int(time.time() * 1000)
