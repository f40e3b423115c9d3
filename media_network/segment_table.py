"""The segments of a program, as rows of fixed length (docs/protocols/program.md, "Segment table")."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import starmap
from struct import Struct as Layout
from typing import Annotated, NamedTuple, overload

from msgspec import Meta, Struct

from media_network.fields import Count, Sha256
from media_network.packets import TICKS_PER_MS, TS_PACKET_BYTES, datagrams_of

SEGMENTS_MAX = 1_000_000
"""Of a program: more than a year of seconds would take."""

_MAGIC, _LAYOUT = b"MSTB", 1
_HEAD = Layout(">4sHHII")
_ROW = Layout(">QQIIII32s32s")
_COUNT = Layout(">I")
_PACKETS_AT, _TICKS_AT = 20, 24
_NO_INDEX = bytes(32)


class BadTable(ValueError):
    """These bytes are no segment table; the message says why."""


class Segment(Struct, frozen=True, kw_only=True):
    """One segment of a program: what is stored, located, copied and streamed."""

    number: Count
    """Position in the program, from 0."""
    length_bytes: Annotated[int, Meta(gt=0, lt=2**32 * TS_PACKET_BYTES, multiple_of=TS_PACKET_BYTES)]
    duration_ticks: Annotated[int, Meta(gt=0, lt=2**32)]
    sha256: Sha256
    index: Sha256 | None = None
    """Digest of its index; None: it has none, and is only believed when it is whole."""

    @property
    def packets(self) -> int:
        """Transport stream packets in the segment."""
        return self.length_bytes // TS_PACKET_BYTES

    @property
    def duration_ms(self) -> int:
        """Playing time, to the nearest millisecond."""
        return round(self.duration_ticks / TICKS_PER_MS)


class Before(NamedTuple):
    """What of a program lies before a segment."""

    packets: int
    ticks: int
    datagrams: int


class SegmentTable(Sequence[Segment]):
    """A table that holds: its sums are right, and its digest names it."""

    def __init__(self, octets: bytes) -> None:
        """Raises `BadTable`."""
        self.octets = octets
        self._rows = _check_head(octets)
        self.longest_ticks = 0
        """Of the segment that plays for longest."""
        self._end = self._check_sums()

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> "SegmentTable":
        """The table of segments in order, from number 0. Raises `BadTable`."""
        before = Before(0, 0, 0)
        rows = []
        for number, segment in enumerate(segments):
            if segment.number != number:
                raise BadTable(f"segment {segment.number} stands at {number}")
            index = bytes.fromhex(segment.index) if segment.index else _NO_INDEX
            own = (segment.packets, segment.duration_ticks, 0, bytes.fromhex(segment.sha256), index)
            rows.append(_ROW.pack(*before, *own))
            before = _past(before, segment.packets, segment.duration_ticks)
        return cls(_HEAD.pack(_MAGIC, _LAYOUT, _ROW.size, len(rows), 0) + b"".join(rows))

    def __len__(self) -> int:
        return self._rows

    @overload
    def __getitem__(self, number: int) -> Segment: ...
    @overload
    def __getitem__(self, number: slice) -> list[Segment]: ...
    def __getitem__(self, number: int | slice) -> Segment | list[Segment]:
        if isinstance(number, slice):
            return [self._segment(one) for one in range(*number.indices(self._rows))]
        if not -self._rows <= number < self._rows:
            raise IndexError(f"there are {self._rows} segments")
        return self._segment(number % self._rows)

    def __iter__(self) -> Iterator[Segment]:
        return map(self._segment, range(self._rows))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SegmentTable) and self.octets == other.octets

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"<{self._rows} segments, {self._end.ticks} ticks>"

    @cached_property
    def sha256(self) -> str:
        """Digest of the table: its name."""
        return hashlib.sha256(self.octets).hexdigest()

    @property
    def length_bytes(self) -> int:
        """Of all segments."""
        return self._end.packets * TS_PACKET_BYTES

    @property
    def duration_ticks(self) -> int:
        """Of all segments."""
        return self._end.ticks

    def before(self, number: int) -> Before:
        """What lies before a segment; before the end with one more than the last number."""
        if number == self._rows:
            return self._end
        packets, ticks, datagrams, *_ = _ROW.unpack_from(self.octets, self._offset(number))
        return Before(packets, ticks, datagrams)

    def packets(self, number: int) -> int:
        """Transport stream packets of a segment, from 0 on."""
        return int(_COUNT.unpack_from(self.octets, self._offset(number) + _PACKETS_AT)[0])

    def ticks(self, number: int) -> int:
        """How long a segment plays, from 0 on."""
        return int(_COUNT.unpack_from(self.octets, self._offset(number) + _TICKS_AT)[0])

    def advance(self, segment: int, packet: int, by_packets: int) -> tuple[int, int] | None:
        """The segment and packet that lie `by_packets` further on, or None past the end."""
        if segment >= self._rows:
            return None
        place = self.before(segment).packets + packet + by_packets
        if place >= self._end.packets:
            return None
        found = bisect_right(range(self._rows), place, key=lambda number: self.before(number).packets) - 1
        return found, place - self.before(found).packets

    def _segment(self, number: int) -> Segment:
        _, _, _, packets, ticks, _, sha256, index = _ROW.unpack_from(self.octets, self._offset(number))
        return Segment(
            number=number,
            length_bytes=packets * TS_PACKET_BYTES,
            duration_ticks=ticks,
            sha256=sha256.hex(),
            index=None if index == _NO_INDEX else index.hex(),
        )

    @staticmethod
    def _offset(number: int) -> int:
        return _HEAD.size + number * _ROW.size

    def _check_sums(self) -> Before:
        """Gives what lies before the end, and notes the longest. Raises `BadTable`."""
        before = Before(0, 0, 0)
        for number, row in enumerate(starmap(_Row, _ROW.iter_unpack(memoryview(self.octets)[_HEAD.size :]))):
            if row[:3] != before:
                raise BadTable(f"what it says to lie before segment {number} is not the sum of what does")
            if not (row.packets and row.ticks) or row.reserved:
                raise BadTable(f"segment {number} is empty, or of a newer layout")
            before = _past(before, row.packets, row.ticks)
            self.longest_ticks = max(self.longest_ticks, row.ticks)
        return before


class _Row(NamedTuple):
    packets_before: int
    ticks_before: int
    datagrams_before: int
    packets: int
    ticks: int
    reserved: int
    sha256: bytes
    index_sha256: bytes


def _past(before: Before, packets: int, ticks: int) -> Before:
    return Before(before.packets + packets, before.ticks + ticks, before.datagrams + datagrams_of(packets))


def _check_head(octets: bytes) -> int:
    """Gives how many rows there are. Raises `BadTable`."""
    if len(octets) < _HEAD.size:
        raise BadTable("it is shorter than its head")
    magic, layout, row_bytes, rows, reserved = _HEAD.unpack_from(octets)
    if (magic, layout, row_bytes, reserved) != (_MAGIC, _LAYOUT, _ROW.size, 0):
        raise BadTable("it is no segment table, or one of a newer layout")
    if not 0 < rows <= SEGMENTS_MAX:
        raise BadTable(f"it says to have {rows} segments")
    if len(octets) != _HEAD.size + rows * _ROW.size:
        raise BadTable(f"{rows} segments do not take {len(octets)} bytes")
    return int(rows)


def table_bytes(segments: int) -> int:
    """Length of the table of so many segments."""
    return _HEAD.size + segments * _ROW.size
