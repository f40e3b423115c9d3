"""What of a segment is in memory: two windows, one being sent and one to come. No I/O.

The windows take turns in two buffers that last as long as the turn: new memory for every window would cost more than
reading it.
"""

from collections import deque
from typing import NamedTuple

from media_network.packets import DATAGRAM_BYTES

_WINDOW_S = 0.5
_WINDOW_BYTES_MIN = 48 * DATAGRAM_BYTES
_WINDOW_BYTES_MAX = 800 * DATAGRAM_BYTES
_WINDOWS = 2


class SegmentPart(NamedTuple):
    """A part of the segment to be read: where it begins, and the memory to fill with it."""

    offset: int
    buffer: memoryview


def window_bytes(rate_bps: int) -> int:
    """Length of a window: half a second of the stream in whole datagrams, within bounds."""
    datagrams = int(rate_bps / 8 * _WINDOW_S) // DATAGRAM_BYTES
    return min(max(datagrams * DATAGRAM_BYTES, _WINDOW_BYTES_MIN), _WINDOW_BYTES_MAX)


class ReadAhead:
    """The bytes of a segment from a cursor on, as far as they have been read."""

    def __init__(self, length_bytes: int, rate_bps: int) -> None:
        self._length_bytes = length_bytes
        self._window_bytes = min(window_bytes(rate_bps), length_bytes)
        self._free: deque[bytearray] = deque()
        self._filled: deque[memoryview] = deque()
        self._sent_to = 0
        self._skip = 0
        """So much of what is read next lies before the place: windows begin where datagrams do."""
        self._asked_to = 0
        self._asked: SegmentPart | None = None
        self._renew_buffers()

    def seek(self, offset: int) -> None:
        """Go on at another place: what was read or is being read for the present one is dropped."""
        skipped = offset - self._sent_to
        if 0 <= skipped < sum(map(len, self._filled)):
            while skipped:
                skipped -= len(self.take(skipped))
            return
        if not skipped:
            return
        self._skip = offset % DATAGRAM_BYTES
        self._sent_to, self._asked_to = offset, offset - self._skip
        self._asked = None
        self._filled.clear()
        # Not the old ones: a read under way may still fill one of them.
        self._renew_buffers()

    def ask(self, readable_bytes: int) -> SegmentPart | None:
        """The part to read next, of a segment that may be read so far; None while one is being read, there is no room,
        or nothing is left."""
        if self._asked or len(self._filled) == _WINDOWS or self._asked_to >= self._length_bytes:
            return None
        length = min(self._window_bytes, readable_bytes - self._asked_to)
        if readable_bytes < self._length_bytes:
            length -= length % DATAGRAM_BYTES
        if length <= 0:
            return None
        buffer = self._free.popleft()
        self._free.append(buffer)
        self._asked = SegmentPart(self._asked_to, memoryview(buffer)[:length])
        self._asked_to += length
        return self._asked

    def put(self, part: SegmentPart) -> None:
        """Take what has been read for `ask`."""
        if part is self._asked:
            self._asked = None
            if wanted := part.buffer[self._skip :]:
                self._filled.append(wanted)
            self._skip = 0

    @property
    def is_ready(self) -> bool:
        """Whether there is something to send."""
        return bool(self._filled)

    def take(self, length_bytes: int) -> memoryview:
        """Up to `length_bytes` of the next bytes; none if they have not been read yet. Use them before the next call.

        Windows end where datagrams do, so that a part never ends within one.
        """
        if not self._filled:
            return memoryview(b"")
        window = self._filled[0]
        taken, rest = window[:length_bytes], window[length_bytes:]
        if rest:
            self._filled[0] = rest
        else:
            self._filled.popleft()
        self._sent_to += len(taken)
        return taken

    def _renew_buffers(self) -> None:
        self._free = deque(bytearray(self._window_bytes) for _ in range(_WINDOWS))
