"""A program for simulated consoles: each of its packets is told from all others, so that a repeat is seen at once.

Its key pictures are told from each other, too, wherever an engine puts them that makes a faster stream of them
(ISO/IEC 13818-1, 2.4: tables, clock and pictures are where a real program has them; nobody could decode them).
"""

import random
import struct
from hashlib import sha256

from media_network.packets import TICK_HZ, TS_PACKET_BYTES
from media_network.program import Program, make_program
from media_network.segment_index import KeyPicture, index_of
from media_network.segment_table import Segment, SegmentTable
from media_network.transport_stream import CLOCK_HZ, PAT_PID, SYNC_BYTE, Packets, with_clock

_MAGIC = b"film"
_TAIL = struct.Struct(">4sI")
"""With which each packet of the film ends: nothing that an engine makes of it has that at this place throughout."""
_MAP_PID, _VIDEO_PID, _NULL_PID = 0x1000, 0x100, 0x1FFF
_PICTURES_A_SEGMENT, _PICTURE_PACKETS = 4, 5
_PES_HEADER = bytes.fromhex("000001e00000800000")
_ASSOCIATION = bytes.fromhex("0001c100000001") + (0xE000 | _MAP_PID).to_bytes(2, "big")
_MAP = bytes.fromhex("0001c10000e100f0001b") + (0xE000 | _VIDEO_PID).to_bytes(2, "big") + b"\xf0\x00"
"""What a PAT and a PMT say: one program, which is one video stream (2.4.4.3, 2.4.4.8)."""
_PICTURE = struct.Struct(">8sI")
_PICTURE_MAGIC = b"\x00\x00\x01\x00film"


def make_film(
    rng: random.Random, *, segments: int, segment_ms: int, rate_bps: int, name: str = "film", indexed: bool = False
) -> tuple[Program, list[bytes]]:
    """A program and its segments' bytes: packets as long as a transport stream's, with their number inside."""
    contents: list[bytes] = []
    numbered = 0
    for segment in range(segments):
        count = rate_bps * segment_ms // (8 * 1000 * TS_PACKET_BYTES) + rng.randrange(7)
        contents.append(_content(rng, segment, numbered, count, rate_bps))
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
    """The index of a segment."""
    return index_of([content], _key_pictures(content)).octets()


def packet_numbers(datagram: bytes) -> list[int] | None:
    """The numbers of the packets in a datagram; None if it is none of the film itself."""
    ends = range(TS_PACKET_BYTES - _TAIL.size, len(datagram), TS_PACKET_BYTES)
    tails = [_TAIL.unpack_from(datagram, at) for at in ends]
    return [number for _, number in tails] if all(magic == _MAGIC for magic, _ in tails) else None


def picture_number(payload: bytes) -> int | None:
    """The number of the picture that begins with this payload of a packet; None: none does."""
    at = payload.find(_PICTURE_MAGIC)
    if at < 0 or len(payload) < at + _PICTURE.size:
        return None
    return int(_PICTURE.unpack_from(payload, at)[1])


def _content(rng: random.Random, segment: int, first: int, count: int, rate_bps: int) -> bytes:
    """Tables, then pictures at even distances, the first one at once; between them null packets."""
    packets = [_packet(0, _NULL_PID, 0x10, rng.randbytes(TS_PACKET_BYTES - 4)) for _ in range(count)]
    packets[0], packets[1] = _table(PAT_PID, 0x00, _ASSOCIATION), _table(_MAP_PID, 0x02, _MAP)
    for picture in range(_PICTURES_A_SEGMENT):
        begins = max(2, picture * count // _PICTURES_A_SEGMENT)
        number = segment * _PICTURES_A_SEGMENT + picture
        clock = (first + begins) * TS_PACKET_BYTES * 8 * CLOCK_HZ // rate_bps
        packets[begins] = _picture_begins(rng, number, clock)
        for more in range(1, _PICTURE_PACKETS):
            packets[begins + more] = _packet(0, _VIDEO_PID, 0x10, rng.randbytes(TS_PACKET_BYTES - 4))
    return b"".join(
        packet[: TS_PACKET_BYTES - _TAIL.size] + _TAIL.pack(_MAGIC, first + place)
        for place, packet in enumerate(packets)
    )


def _packet(first: int, pid: int, control: int, rest: bytes) -> bytes:
    """Of a PID; `first` is 0x40 where a table or a picture begins."""
    return bytes([SYNC_BYTE, first | pid >> 8, pid & 0xFF, control]) + rest


def _table(pid: int, table: int, body: bytes) -> bytes:
    """In a packet of its own. Nobody here looks at its CRC."""
    section = bytes([0, table]) + (0xB000 | len(body) + 4).to_bytes(2, "big") + body + bytes(4)
    return _packet(0x40, pid, 0x10, section.ljust(TS_PACKET_BYTES - 4, b"\xff"))


def _picture_begins(rng: random.Random, number: int, clock: int) -> bytes:
    """With the clock, and the mark that decoding can begin here (2.4.3.5)."""
    begun = bytes([7, 0x50]) + bytes(6) + _PES_HEADER + _PICTURE.pack(_PICTURE_MAGIC, number)
    return with_clock(_packet(0x40, _VIDEO_PID, 0x30, begun + rng.randbytes(TS_PACKET_BYTES - 4 - len(begun))), clock)


def _key_pictures(content: bytes) -> list[KeyPicture]:
    """Where the pictures of a segment are."""
    packets = Packets(content)
    begins = [at for at in packets.unit_starts() if packets.pid(at) == _VIDEO_PID]
    return [KeyPicture(at, _PICTURE_PACKETS, ticks=place, idr=True) for place, at in enumerate(begins)]


def _segment(number: int, content: bytes, rate_bps: int, *, indexed: bool) -> Segment:
    return Segment(
        number=number,
        length_bytes=len(content),
        duration_ticks=len(content) * 8 * TICK_HZ // rate_bps,
        sha256=sha256(content).hexdigest(),
        index=sha256(index_octets(content)).hexdigest() if indexed else None,
    )
