"""A program for simulated consoles: each of its packets is told from all others, so that a repeat is seen at once."""

import random
import struct
from hashlib import sha256

from media_network.packets import TICK_HZ, TS_PACKET_BYTES
from media_network.program import Program, make_program
from media_network.segment_index import index_of
from media_network.segment_table import Segment, SegmentTable

_NUMBER_AT = 8
_RANDOM_BYTES = TS_PACKET_BYTES - _NUMBER_AT - 4


def make_film(
    rng: random.Random, *, segments: int, segment_ms: int, rate_bps: int, name: str = "film", indexed: bool = False
) -> tuple[Program, list[bytes]]:
    """A program and its segments' bytes: packets as long as a transport stream's, with their number inside."""
    contents: list[bytes] = []
    numbered = 0
    for _ in range(segments):
        count = rate_bps * segment_ms // (8 * 1000 * TS_PACKET_BYTES) + rng.randrange(7)
        contents.append(b"".join(_packet(numbered + place, rng, first=place == 0) for place in range(count)))
        numbered += count
    segments_made = (_segment(number, content, rate_bps, indexed=indexed) for number, content in enumerate(contents))
    program = make_program(
        SegmentTable.of(segments_made),
        program=name,
        title="A film",
        rate_bps=rate_bps,
        sha256=sha256(b"".join(contents)).hexdigest(),
    )
    return program, contents


def index_octets(content: bytes) -> bytes:
    """The index of a segment: there are no pictures in it."""
    return index_of([content], ()).octets()


def packet_numbers(datagram: bytes) -> list[int]:
    """The numbers of the packets in a datagram."""
    starts = range(_NUMBER_AT, len(datagram), TS_PACKET_BYTES)
    return [struct.unpack_from(">I", datagram, start)[0] for start in starts]


def _packet(number: int, rng: random.Random, *, first: bool) -> bytes:
    """A program association table's header begins a segment, a null packet's all others (ISO/IEC 13818-1, 2.4.3)."""
    header = bytes((0x47, 0x40, 0x00, 0x10)) if first else bytes((0x47, 0x1F, 0xFF, 0x10))
    return header + bytes(4) + struct.pack(">I", number) + rng.randbytes(_RANDOM_BYTES)


def _segment(number: int, content: bytes, rate_bps: int, *, indexed: bool) -> Segment:
    return Segment(
        number=number,
        length_bytes=len(content),
        duration_ticks=len(content) * 8 * TICK_HZ // rate_bps,
        sha256=sha256(content).hexdigest(),
        index=sha256(index_octets(content)).hexdigest() if indexed else None,
    )
