"""How many bytes of requests a server holds at once: any peer may send as much as a verb takes, over any connection."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

HELD_BYTES_MAX = 64 * 1024 * 1024
HELD_BYTES_OF_A_HOST_MAX = 24 * 1024 * 1024
"""More than the largest message, less than the half of all."""


class BodyBudget:
    """Counts what is held, by host."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self._of_host: Counter[str] = Counter()

    @contextmanager
    def hold(self, host: str, size_bytes: int) -> Iterator[bool]:
        """Count a body while the context lasts; gives whether there is room for it."""
        room = (
            self.held_bytes + size_bytes <= HELD_BYTES_MAX
            and self._of_host[host] + size_bytes <= HELD_BYTES_OF_A_HOST_MAX
        )
        held = size_bytes if room else 0
        self.held_bytes += held
        self._of_host[host] += held
        try:
            yield room
        finally:
            self.held_bytes -= held
            self._of_host[host] -= held
            if not self._of_host[host]:
                del self._of_host[host]
