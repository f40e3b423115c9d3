"""Program information as it was kept before it came in parts: one JSON object with all segments in it.

Whoever has a store of that time reads it once more, and keeps it in parts.
"""

import msgspec
from msgspec import Struct

from media_network.fields import ProgramId, Sha256
from media_network.packets import TICKS_PER_MS
from media_network.program import Program, make_program
from media_network.program_header import TITLE_LENGTH_MAX, StreamOrigin
from media_network.segment_table import Segment, SegmentTable

_PUBLISHED = "published"


class _Segment(Struct):
    number: int
    length_bytes: int
    duration_ms: int
    sha256: Sha256


class _Information(Struct):
    program: ProgramId
    title: str
    rate_bps: int
    sha256: Sha256
    segments: tuple[_Segment, ...]
    state: str = ""
    film_bytes: int | None = None
    streams: tuple[StreamOrigin, ...] = ()
    warnings: tuple[str, ...] = ()


def parse_information(octets: bytes, *, state: str | None = None, published_at_ms: int) -> Program:
    """A program in parts; one in service is so from `published_at_ms` on. Raises `ValueError`.

    `state` is given where that was kept beside the information.
    """
    try:
        known = msgspec.json.decode(octets, type=_Information)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    segments = SegmentTable.of(
        Segment(
            number=one.number,
            length_bytes=one.length_bytes,
            duration_ticks=one.duration_ms * TICKS_PER_MS,
            sha256=one.sha256,
        )
        for one in known.segments
    )
    return make_program(
        segments,
        program=known.program,
        title=known.title[:TITLE_LENGTH_MAX],
        rate_bps=known.rate_bps,
        sha256=known.sha256,
        film_bytes=known.film_bytes,
        streams=known.streams,
        warnings=known.warnings,
        publish_at_ms=published_at_ms if (state or known.state) == _PUBLISHED else None,
    )
