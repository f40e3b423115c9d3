"""A program at hand: its header, and the table of its segments.

A program is one constant-rate MPEG transport stream. It is cut byte-exactly where a PAT, a PMT and a random access
point stand in a row, so that its segments, one after the other, are the file: the SHA-256 of what a player received is
compared with `ProgramHeader.sha256`.
"""

from dataclasses import dataclass
from typing import Any

from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.packets import TICK_HZ
from media_network.program_header import ProgramHeader
from media_network.segment_table import BadTable, Segment, SegmentTable, table_bytes


@dataclass(frozen=True, slots=True)
class Program:
    """Who plays, copies or holds a program has both."""

    header: ProgramHeader
    segments: SegmentTable

    @property
    def name(self) -> ProgramId:
        """What it is called on every wire and in every path."""
        return self.header.program

    @property
    def cut(self) -> Cut:
        """What its segments belong to."""
        return self.header.cut

    @property
    def rate_bps(self) -> int:
        """Rate of the transport stream, null packets included."""
        return self.header.rate_bps


def make_program(segments: SegmentTable, **facts: Any) -> Program:
    """A program of these segments; `facts` are the other fields of its header."""
    header = ProgramHeader(
        **facts,
        peak_bps=max(_rate_bps(segment) for segment in segments),
        length_bytes=segments.length_bytes,
        duration_ticks=segments.duration_ticks,
        segments=len(segments),
        table=segments.sha256,
    )
    return Program(header, segments)


def joined(header: ProgramHeader, octets: bytes) -> Program:
    """A program of a header that is believed and a table from anybody. Raises `BadTable`."""
    if len(octets) > table_bytes(header.segments):
        raise BadTable("it is longer than its program's")
    table = SegmentTable(octets)
    if table.sha256 != header.table:
        raise BadTable("it is another program's, or was changed on its way")
    facts = (len(table), table.length_bytes, table.duration_ticks)
    if facts != (header.segments, header.length_bytes, header.duration_ticks):
        raise BadTable("the header says otherwise")
    return Program(header, table)


def _rate_bps(segment: Segment) -> int:
    return -(-segment.length_bytes * 8 * TICK_HZ // segment.duration_ticks)
