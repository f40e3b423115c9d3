"""The segments of a program out of a stream of datagrams that carries no numbers.

As long as nothing is lost a segment ends where its length says. After a loss that place is unknown; the stream is in
step again with the next run of datagrams that begins like a segment, has the length of one and hashes to it.
Of several segments damaged in a row nobody can say whose bytes are whose: they are counted to the first ones first.

What a segment is like is told when its turn has begun, so its bytes come first and are kept until then. A segment that
was never sent is never told, nor is one whose turn only a director knew that is gone.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from chassis_emulator.media_console.reception import ReceivedSegment
from media_network.messages.watching import ProgramPoint
from media_network.packets import TS_PACKET_BYTES
from media_network.program_header import ProgramHeader
from media_network.segment_table import Segment

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

_PAT_HEADER = b"\x47\x40\x00"
"""Sync byte, payload unit start, PID 0 (ISO/IEC 13818-1, 2.4.3.2): what every segment of a program begins with."""

_SEGMENTS_AHEAD = 6
"""How many segments may be damaged in a row and the stream still come into step; bounds what is kept in memory."""

BEGINNING = ProgramPoint(segment=0, packet=0, packets=0, at_ms=0)

KEPT_BYTES_MAX = 64 * 1024 * 1024
"""So much is kept while segments have yet to be told: 100 s at 5 Mbit/s. No engine sends so long without a director."""


@dataclass(frozen=True)
class _Piece:
    position: int
    """Of its first byte, in the stream as received."""
    data: bytes
    source: str


class EarlierRun(Protocol):
    """The run before, of which the digest and the source go on."""

    source: str

    def digest(self) -> "HASH":
        """Of everything accepted so far."""
        ...


class Reassembly:
    """Datagrams in, in the order of their arrival, and what the segments are like; received segments out."""

    def __init__(
        self,
        program: ProgramHeader,
        after: EarlierRun | None = None,
        begins: ProgramPoint = BEGINNING,
        *,
        kept_bytes_max: int = KEPT_BYTES_MAX,
    ) -> None:
        """`begins`: where in the program, if the stream has jumped there; its digest goes on from the one `after`."""
        self._program = program
        self._kept_bytes_max = kept_bytes_max
        self._begins = begins
        self._pieces: list[_Piece] = []
        self._told: dict[int, Segment] = {}
        """What is known of the segments that are open, by number."""
        self._newest = begins.segment - 1
        """Number of the last segment that was told."""
        self._digest = after.digest() if after else sha256()
        self.source: str = after.source if after else ""
        """Where the last datagram came from."""
        self.segments: list[ReceivedSegment] = []
        """Those whose fate is settled."""
        self.bytes = 0
        self.strays = 0
        self.hand_overs = 0

    @property
    def reached_bytes(self) -> int:
        """How many bytes of the program lie before what comes next, if nothing was lost."""
        return self._begins.packets * TS_PACKET_BYTES + self.bytes

    @property
    def is_whole(self) -> bool:
        """Whether as many bytes came as the program has from where this began."""
        return self.reached_bytes == self._program.length_bytes

    def digest(self) -> "HASH":
        """Of everything accepted, to go on with."""
        return self._digest.copy()

    @property
    def sha256(self) -> str:
        """Of everything accepted."""
        return self._digest.hexdigest()

    @property
    def is_ahead(self) -> bool:
        """Whether more came than the segments that were told have: another turn has begun."""
        return self._newest < self._program.segments - 1 and self._kept_bytes > _length_bytes(self._told.values())

    def tell(self, segment: Segment) -> None:
        """Take what a segment is like. They are told in order; what is left out will not be told any more."""
        if not self._newest < segment.number < self._program.segments:
            return
        self._newest = segment.number
        if segment.number >= self._first_open:
            self._told[segment.number] = segment
            self._settle_again()

    def feed(self, datagram: bytes, source: str) -> bool:
        """Take a datagram. False, and not taken, if it cannot be one of the stream's."""
        surplus = self.reached_bytes + len(datagram) > self._program.length_bytes
        if surplus or not datagram or len(datagram) % TS_PACKET_BYTES:
            self.strays += 1
            return False
        if source != self.source:
            self.hand_overs += bool(self.source)
            self.source = source
        self._pieces.append(_Piece(self.bytes, datagram, source))
        self._digest.update(datagram)
        self.bytes += len(datagram)
        self._settle(len(self._pieces))
        return True

    def break_off(self, left: ProgramPoint) -> None:
        """The stream has jumped from there: nothing more will come. A segment that it left in its middle is nobody's
        fault."""
        nothing_lost = self.reached_bytes == left.packets * TS_PACKET_BYTES
        self.finish(stopped=True)
        if nothing_lost and left.packet and self.segments and self.segments[-1].number == left.segment:
            self.segments[-1] = replace(self.segments[-1], intact=None)

    def finish(self, *, stopped: bool) -> None:
        """Nothing more will come: settle what has begun, and, unless it was stopped, what never came, as damaged."""
        while self._open and (self._pieces or not stopped):
            self._give_up()
        whole = self.is_whole and self.sha256 == self._program.sha256
        self.segments = [
            replace(one, intact=whole) if one.intact is None and (whole or not one.bytes) else one
            for one in self.segments
        ]

    @property
    def _open(self) -> range:
        """Numbers of the segments that what comes may be of."""
        first = self._first_open
        return range(first, min(first + _SEGMENTS_AHEAD, self._program.segments))

    @property
    def _first_open(self) -> int:
        return self._begins.segment + len(self.segments)

    @property
    def _kept_bytes(self) -> int:
        return self.bytes - self._position(0)

    def _settle_again(self) -> None:
        """More is known of what has come already: look at it as though it came once more."""
        end = 1
        while end <= len(self._pieces):
            end = 1 if self._settle(end) else end + 1

    def _settle(self, end: int) -> bool:
        """Settle a segment that ends with the first `end` pieces, or cannot be waited for; False if there is none."""
        told = [self._told[number] for number in self._open if number in self._told]
        for segment in told:
            first = self._intact_run(segment, end)
            if first is not None:
                self._settle_damaged_before(segment, first)
                self._close(segment.number, end - first)
                return True
        if len(self._open) > 1 and self._is_too_much(self._position(end) - self._position(0), told):
            self._give_up()
            return True
        return False

    def _is_too_much(self, kept_bytes: int, told: list[Segment]) -> bool:
        """Whether the first open segment is certainly damaged, or can be waited for no longer."""
        if len(told) < len(self._open):
            return kept_bytes > self._kept_bytes_max
        return kept_bytes >= _length_bytes(told)

    def _intact_run(self, segment: Segment, end: int) -> int | None:
        """Index of the piece from which on the pieces before `end` are this segment, or None."""
        first = self._index_at(self._position(end) - segment.length_bytes)
        if first is None:
            return None
        in_step = first == 0 and segment.number == self._first_open
        if not in_step and not self._pieces[first].data.startswith(_PAT_HEADER):
            return None
        return first if self._hash(first, end) == segment.sha256 else None

    def _position(self, index: int) -> int:
        """Where a piece begins, or where the last one ends."""
        return self._pieces[index].position if index < len(self._pieces) else self.bytes

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
        while (damaged := self._first_open) < segment.number:
            count = pieces_left if damaged == segment.number - 1 else min(pieces_left, self._share(damaged))
            self._close(damaged, count)
            pieces_left -= count
        # Pieces before the first damaged segment's end, but of none: a datagram that came twice.
        del self._pieces[:pieces_left]

    def _give_up(self) -> None:
        self._close(self._first_open, self._share(self._first_open))

    def _share(self, number: int) -> int:
        """How many of the first pieces are counted to a damaged segment."""
        if number in self._told:
            return self._pieces_within(self._told[number].length_bytes)
        # One that was left out was not sent; one that has yet to be told may be all there is.
        return 0 if number < self._newest else len(self._pieces)

    def _pieces_within(self, length_bytes: int) -> int:
        """How many of the first pieces are no longer than that together; at least one, if there is any."""
        begin = self._position(0)
        fitting = (piece.position + len(piece.data) - begin <= length_bytes for piece in self._pieces)
        return max(min(1, len(self._pieces)), sum(takewhile(bool, fitting)))

    def _close(self, number: int, count: int) -> None:
        """Settle a segment with the first `count` pieces."""
        pieces, digest = self._pieces[:count], self._hash(0, count)
        sources = list(dict.fromkeys(piece.source for piece in pieces))
        segment = self._told.pop(number, None)
        received = ReceivedSegment(
            number=number,
            engine=pieces[-1].source if pieces else "",
            bytes=sum(len(piece.data) for piece in pieces),
            sha256=digest,
            intact=digest == segment.sha256 if segment else None,
            earlier=tuple(source for source in sources if source != pieces[-1].source),
        )
        self.segments.append(received)
        del self._pieces[:count]


def _length_bytes(segments: Iterable[Segment]) -> int:
    return sum(segment.length_bytes for segment in segments)
