"""What is in memory of a turn at another speed: the next pictures, read from the segment as they are needed."""

from collections import deque

from blade_agent.main_board.engine.sending.read_ahead import SegmentPart
from blade_agent.main_board.engine.sending.trick_stream import TrickStream, frame_of
from media_network.packets import DATAGRAM_BYTES, TS_PACKET_BYTES
from media_network.segment_index import SegmentIndex
from media_network.trick import Trick

_AHEAD_S = 0.5
_HEAD_PACKETS = 64
"""The tables and the clock stand at the beginning of a segment, where it has no picture."""


class TrickPlay:
    """The bytes of a turn from a cursor on, as far as they have been made: as `ReadAhead` has those of a segment."""

    def __init__(self, index: SegmentIndex, trick: Trick, rate_bps: int, length_bytes: int) -> None:
        self.packets = trick.packets
        """Of the turn."""
        self._index = index
        self._trick = trick
        self._rate_bps = rate_bps
        self._length_bytes = length_bytes
        self._ahead_bytes = max(DATAGRAM_BYTES, int(rate_bps / 8 * _AHEAD_S))
        self._begin()

    def _begin(self) -> None:
        self._stream = TrickStream(self._index.key_pictures, self._trick, self._rate_bps)
        self._next = -1
        """The picture to be made next; -1: the beginning of the segment has to be read first."""
        self._asked: SegmentPart | None = None
        self._filled: deque[memoryview] = deque()
        self._rest = b""
        """What has been made and is no whole datagram yet."""
        self._made = 0
        self._taken = 0
        self._skip = 0
        """So many bytes are made only for what follows them."""

    def seek(self, offset: int) -> None:
        """Go on at another place: what comes there follows from all that lies before."""
        if offset < self._taken:
            self._begin()
        self._skip = offset - self._taken
        self._skip_filled()

    def ask(self, readable_bytes: int) -> SegmentPart | None:
        """The part of the segment to read next; None while one is being read, enough is there, or it has not come."""
        is_enough = sum(map(len, self._filled)) >= self._ahead_bytes
        if self._asked or is_enough or self._next >= len(self._stream.shown):
            return None
        offset, end = self._part()
        if end > readable_bytes:
            return None
        self._asked = SegmentPart(offset, memoryview(bytearray(end - offset)))
        return self._asked

    def put(self, part: SegmentPart) -> None:
        """Take what has been read for `ask`."""
        if part is not self._asked:
            return
        self._asked = None
        data = bytes(part.buffer)
        if self._next < 0:
            self._stream.frame = frame_of(data, self._trick, self._rate_bps)
            made = self._stream.lead()
        else:
            made = self._stream.show(self._next, data)
        self._next = self._next + 1 if self._stream.frame else len(self._stream.shown)
        self._fill(made)

    def take(self, length_bytes: int) -> memoryview:
        """Up to `length_bytes` of the next bytes, in whole datagrams; none if they have not been made yet."""
        if not self._filled:
            return memoryview(b"")
        first = self._filled[0]
        taken, rest = first[:length_bytes], first[length_bytes:]
        if rest:
            self._filled[0] = rest
        else:
            self._filled.popleft()
        self._taken += len(taken)
        return taken

    @property
    def is_ready(self) -> bool:
        """Whether there is something to send."""
        return bool(self._filled)

    def needs(self) -> list[tuple[int, int]]:
        """Of each picture that has yet to be made: the packet of the turn with which it begins, and up to which byte
        the segment has to be here for it."""
        waiting = self._stream.shown[max(0, self._next) :]
        return [(one.first, (one.picture.first_packet + one.picture.packets) * TS_PACKET_BYTES) for one in waiting]

    def _part(self) -> tuple[int, int]:
        pictures = self._index.key_pictures
        if self._next < 0:
            head = pictures[0].first_packet + pictures[0].packets if pictures else _HEAD_PACKETS
            return 0, min(head * TS_PACKET_BYTES, self._length_bytes)
        picture = self._stream.shown[self._next].picture
        offset = picture.first_packet * TS_PACKET_BYTES
        return offset, min(offset + picture.packets * TS_PACKET_BYTES, self._length_bytes)

    def _fill(self, made: bytes) -> None:
        whole_turn = self._trick.packets * TS_PACKET_BYTES
        self._made += len(made)
        pending = self._rest + made
        over = self._made % DATAGRAM_BYTES if self._made < whole_turn else 0
        cut = max(0, len(pending) - over)
        self._rest = pending[cut:]
        if cut:
            self._filled.append(memoryview(pending[:cut]))
        self._skip_filled()

    def _skip_filled(self) -> None:
        while self._skip and self._filled:
            self._skip -= len(self.take(self._skip))
