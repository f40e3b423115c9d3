"""Programs that nobody plays: as short as a test wants them."""

from collections.abc import Sequence
from hashlib import sha256

from media_network.packets import TS_PACKET_BYTES
from media_network.program import Program, make_program
from media_network.segment_index import index_of
from media_network.segment_table import Segment, SegmentTable


def program_with(segments: Sequence[Segment], *, published: bool = True, **facts: object) -> Program:
    """A program of these segments; what is not said of its header is usual."""
    usual = {
        "program": "film",
        "version": 1,
        "title": "Film",
        "rate_bps": 1_504_000,
        "sha256": "f" * 64,
        "publish_at_ms": 0 if published else None,
    }
    return make_program(SegmentTable.of(segments), **{**usual, **facts})


def segment_of(content: bytes, number: int = 0, duration_ticks: int = 90_000, *, indexed: bool = False) -> Segment:
    """The segment with this content."""
    return Segment(
        number=number,
        length_bytes=len(content),
        duration_ticks=duration_ticks,
        sha256=sha256(content).hexdigest(),
        index=sha256(index_octets(content)).hexdigest() if indexed else None,
    )


def index_octets(content: bytes) -> bytes:
    """The index of a segment with this content, in which no key picture is known."""
    return index_of([content], ()).octets()


def empty_segments(count: int, packets: int = 1) -> list[Segment]:
    """Segments of some packets, whose content does not matter."""
    return [
        Segment(number=number, length_bytes=packets * TS_PACKET_BYTES, duration_ticks=180_000, sha256=f"{number:064x}")
        for number in range(count)
    ]
