"""The pace of a serial line: a pseudo-terminal has none, and code that was only run on one hides its timing faults."""

from collections import deque

FIFO_BYTES = 4096
"""What a sender may have written before its tty makes it wait, as the kernel's own."""
_BITS_A_BYTE = 10
"""A start bit, eight data bits, a stop bit."""
_TICK_S = 0.001
"""The event loop wakes no oftener; bytes due meanwhile are delivered together."""


class Wire:
    """One direction of a line: bytes in, and out again when the last of their bits has passed. Does no I/O.

    Times are seconds on any clock that does not go back.
    """

    def __init__(self, baud_rate: int) -> None:
        self._byte_s = _BITS_A_BYTE / baud_rate
        self._waiting: deque[bytes] = deque()
        self._in_flight = 0
        self._free_at = 0.0

    @property
    def in_flight(self) -> int:
        """Bytes accepted and not yet delivered."""
        return self._in_flight

    @property
    def full(self) -> bool:
        """Whether the sender must wait."""
        return self._in_flight >= FIFO_BYTES

    def push(self, data: bytes, now: float) -> None:
        """Accept bytes from the sender."""
        if not self._in_flight:
            self._free_at = max(self._free_at, now)
        self._waiting.append(data)
        self._in_flight += len(data)

    def due(self, now: float) -> bytes:
        """The bytes that have passed by `now`."""
        # A clock read a rounding error early must not cost the byte a whole tick.
        passed = min(self._in_flight, int((now - self._free_at) / self._byte_s + 1e-6))
        if passed <= 0:
            return b""
        self._in_flight -= passed
        self._free_at += passed * self._byte_s
        return self._take(passed)

    def next_at(self, now: float) -> float | None:
        """When to call `due` again: the end of what is in flight, but no later than a tick; None if nothing is."""
        if not self._in_flight:
            return None
        first, last = self._free_at + self._byte_s, self._free_at + self._in_flight * self._byte_s
        return max(first, min(last, now + _TICK_S))

    def _take(self, count: int) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            chunk = self._waiting.popleft()
            room = count - len(taken)
            taken += chunk[:room]
            if len(chunk) > room:
                self._waiting.appendleft(chunk[room:])
        return bytes(taken)
