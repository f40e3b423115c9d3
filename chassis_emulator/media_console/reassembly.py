"""The segments of a program out of a stream of datagrams that carries no numbers.

As long as nothing is lost a segment ends where its length says. After a loss that place is unknown; the stream is in
step again with the next run of datagrams that begins like a segment, has the length of one and hashes to it.
Of several segments damaged in a row nobody can say whose bytes are whose: they are counted to the first ones first.
"""

from bisect import bisect_left
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile

from chassis_emulator.media_console.reception import ReceivedSegment
from media_network.program import TS_PACKET_BYTES, Program, Segment

_PAT_HEADER = b"\x47\x40\x00"
"""Sync byte, payload unit start, PID 0 (ISO/IEC 13818-1, 2.4.3.2): what every segment of a program begins with."""

_SEGMENTS_AHEAD = 6
"""How many segments may be damaged in a row and the stream still come into step; bounds what is kept in memory."""


@dataclass(frozen=True)
class _Piece:
    position: int
    """Of its first byte, in the stream as received."""
    data: bytes
    source: str


class Reassembly:
    """Datagrams in, in the order of their arrival; received segments out."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._pieces: list[_Piece] = []
        self._digest = sha256()
        self._source = ""
        self.segments: list[ReceivedSegment] = []
        """Those whose fate is settled."""
        self.bytes = 0
        self.strays = 0
        self.hand_overs = 0

    @property
    def is_whole(self) -> bool:
        """Whether as many bytes came as the program has."""
        return self.bytes == self._program.length_bytes

    @property
    def sha256(self) -> str:
        """Of everything accepted."""
        return self._digest.hexdigest()

    def feed(self, datagram: bytes, source: str) -> bool:
        """Take a datagram. False, and not taken, if it cannot be one of the stream's."""
        surplus = self.bytes + len(datagram) > self._program.length_bytes
        if surplus or not datagram or len(datagram) % TS_PACKET_BYTES:
            self.strays += 1
            return False
        if source != self._source:
            self.hand_overs += bool(self._source)
            self._source = source
        self._pieces.append(_Piece(self.bytes, datagram, source))
        self._digest.update(datagram)
        self.bytes += len(datagram)
        self._settle()
        return True

    def finish(self, *, stopped: bool) -> None:
        """Nothing more will come: settle what has begun, and, unless it was stopped, what never came, as damaged."""
        while self._open_segments and (self._pieces or not stopped):
            self._give_up(self._open_segments[0])

    @property
    def _open_segments(self) -> tuple[Segment, ...]:
        first = len(self.segments)
        return self._program.segments[first : first + _SEGMENTS_AHEAD]

    def _settle(self) -> None:
        for segment in self._open_segments:
            first = self._intact_run(segment)
            if first is not None:
                self._settle_damaged_before(segment, first)
                self._close(segment, len(self._pieces))
                return
        kept = self.bytes - self._pieces[0].position
        if kept >= sum(segment.length_bytes for segment in self._open_segments) and len(self._open_segments) > 1:
            self._give_up(self._open_segments[0])

    def _intact_run(self, segment: Segment) -> int | None:
        """Index of the piece from which on all pieces are this segment, or None."""
        position = self.bytes - segment.length_bytes
        first = self._index_at(position)
        if first is None:
            return None
        in_step = first == 0 and segment.number == len(self.segments)
        if not in_step and not self._pieces[first].data.startswith(_PAT_HEADER):
            return None
        return first if self._hash(first, len(self._pieces)) == segment.sha256 else None

    def _index_at(self, position: int) -> int | None:
        index = bisect_left(self._pieces, position, key=lambda piece: piece.position)
        return index if index < len(self._pieces) and self._pieces[index].position == position else None

    def _hash(self, first: int, end: int) -> str:
        digest = sha256()
        for piece in self._pieces[first:end]:
            digest.update(piece.data)
        return digest.hexdigest()

    def _settle_damaged_before(self, segment: Segment, first: int) -> None:
        pieces_left = first
        while len(self.segments) < segment.number:
            damaged = self._open_segments[0]
            is_last = damaged.number == segment.number - 1
            count = pieces_left if is_last else min(pieces_left, self._pieces_within(damaged.length_bytes))
            self._close(damaged, count)
            pieces_left -= count
        # Pieces before the first damaged segment's end, but of none: a datagram that came twice.
        del self._pieces[:pieces_left]

    def _give_up(self, segment: Segment) -> None:
        self._close(segment, self._pieces_within(segment.length_bytes))

    def _pieces_within(self, length_bytes: int) -> int:
        """How many of the first pieces are no longer than that together; at least one, if there is any."""
        begin = self._pieces[0].position if self._pieces else 0
        fitting = (piece.position + len(piece.data) - begin <= length_bytes for piece in self._pieces)
        return max(min(1, len(self._pieces)), sum(takewhile(bool, fitting)))

    def _close(self, segment: Segment, count: int) -> None:
        """Settle a segment with the first `count` pieces."""
        pieces, digest = self._pieces[:count], self._hash(0, count)
        sources = list(dict.fromkeys(piece.source for piece in pieces))
        received = ReceivedSegment(
            number=segment.number,
            engine=pieces[-1].source if pieces else "",
            bytes=sum(len(piece.data) for piece in pieces),
            sha256=digest,
            intact=digest == segment.sha256,
            earlier=tuple(source for source in sources if source != pieces[-1].source),
        )
        self.segments.append(received)
        del self._pieces[:count]
