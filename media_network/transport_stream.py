"""MPEG transport stream packets (ISO/IEC 13818-1, 2.4), as much of them as cutting a program needs.

No I/O. A batch of packets is searched by strides and patterns, never packet by packet: most of them say nothing here.
"""

import re
from collections.abc import Callable, Iterator

from media_network.packets import TS_PACKET_BYTES

SYNC_BYTE = 0x47
PAT_PID = 0x0000
CLOCK_HZ = 27_000_000
"""Frequency of the system clock, in which a PCR counts."""
TIME_STAMP_HZ = 90_000
"""Frequency in which presentation time stamps count."""
TIME_STAMP_TURN = 1 << 33
"""Time stamps begin again at 0 after so many ticks (26.5 hours)."""

_NULL_PID = 0x1FFF
NULL_PACKET = bytes([SYNC_BYTE, _NULL_PID >> 8, _NULL_PID & 0xFF, 0x10]).ljust(188, b"\xff")
_TABLE_PIDS = 0x20  # 2.4.3.3, table 2-3: PAT, CAT, and by ETSI EN 300 468 SDT, EIT and their like
_VIDEO_STREAM_TYPES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x24})  # MPEG-1, -2, -4 part 2, H.264, H.265
_VIDEO_STREAM_IDS = range(0xE0, 0xF0)  # table 2-22


def _one_of(accepts: Callable[[int], bool]) -> bytes:
    """Pattern of one byte that `accepts`."""
    return b"[" + b"".join(re.escape(bytes([byte])) for byte in range(256) if accepts(byte)) + b"]"


_UNIT_START = re.compile(_one_of(lambda high: bool(high & 0x40)))
_ADAPTATION = re.compile(_one_of(lambda control: bool(control & 0x20)))
_NULL = _one_of(lambda high: high & 0x1F == _NULL_PID >> 8) + b"\xff."
_TABLE = _one_of(lambda high: high & 0x1F == 0) + _one_of(lambda low: low < _TABLE_PIDS) + b"."
_NO_PAYLOAD = b".." + _one_of(lambda control: not control & 0x10)
_QUIET = re.compile(b"(?:" + b"|".join((_NULL, _TABLE, _NO_PAYLOAD)) + b")*+", re.DOTALL)


class Packets:
    """A batch of whole packets; an index counts packets from 0.

    `data` holds whole packets only. What the packets say is never trusted: lengths that point outside are read as
    nothing there.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = len(data) // TS_PACKET_BYTES

    def out_of_step(self) -> int | None:
        """Index of the first packet that does not begin with the sync byte."""
        wrong = self.data[::TS_PACKET_BYTES].lstrip(bytes([SYNC_BYTE]))
        return self.count - len(wrong) if wrong else None

    def unit_starts(self) -> Iterator[int]:
        """Indexes of the packets in which a table or an elementary stream packet begins (payload_unit_start)."""
        return (match.start() for match in _UNIT_START.finditer(self.data[1::TS_PACKET_BYTES]))

    def clock_references(self) -> Iterator[tuple[int, int]]:
        """Index and PCR (in 1 / `CLOCK_HZ`) of each packet that has one."""
        for match in _ADAPTATION.finditer(self.data[3::TS_PACKET_BYTES]):
            field = self._adaptation_field(match.start())
            if len(field) >= 7 and field[0] & 0x10:
                bits = int.from_bytes(field[1:7], "big")
                yield match.start(), (bits >> 15) * 300 + (bits & 0x1FF)

    def quiet(self, begin: int, end: int) -> bool:
        """Whether the packets between are null packets, service tables or without payload: nothing to play."""
        if begin >= end:
            return True
        heads = bytearray(3 * (end - begin))
        for place in range(3):
            first = begin * TS_PACKET_BYTES + 1 + place
            heads[place::3] = self.data[first : end * TS_PACKET_BYTES : TS_PACKET_BYTES]
        return _QUIET.fullmatch(heads) is not None

    def pid(self, index: int) -> int:
        """Packet identifier."""
        first = index * TS_PACKET_BYTES
        return int.from_bytes(self.data[first + 1 : first + 3], "big") & 0x1FFF

    def random_access(self, index: int) -> bool:
        """The random access indicator: decoding can begin here."""
        field = self._adaptation_field(index)
        return bool(field) and bool(field[0] & 0x40)

    def payload(self, index: int) -> bytes:
        """What follows header and adaptation field; empty where there is none."""
        first = index * TS_PACKET_BYTES
        control = self.data[first + 3]
        if not control & 0x10:
            return b""
        header = 5 + self.data[first + 4] if control & 0x20 else 4
        return self.data[first + header : first + TS_PACKET_BYTES]

    def _adaptation_field(self, index: int) -> bytes:
        """Flags of the adaptation field and what follows them."""
        first = index * TS_PACKET_BYTES
        if not self.data[first + 3] & 0x20:
            return b""
        return self.data[first + 5 : first + min(5 + self.data[first + 4], TS_PACKET_BYTES)]


def program_map_pid(payload: bytes) -> int | None:
    """PID of the first program's map, from the payload of a PAT packet (2.4.4.3)."""
    section = _section(payload, table_id=0x00)
    for place in range(5, len(section) - 3, 4):
        if section[place : place + 2] != b"\x00\x00":  # program 0 is the network information table
            return int.from_bytes(section[place + 2 : place + 4], "big") & 0x1FFF
    return None


def video_pid(payload: bytes) -> int | None:
    """PID of the first video stream, from the payload of a PMT packet (2.4.4.8); the map fits one packet."""
    section = _section(payload, table_id=0x02)
    place = 9 + (int.from_bytes(section[7:9], "big") & 0xFFF)
    while place + 5 <= len(section):
        if section[place] in _VIDEO_STREAM_TYPES:
            return int.from_bytes(section[place + 1 : place + 3], "big") & 0x1FFF
        place += 5 + (int.from_bytes(section[place + 3 : place + 5], "big") & 0xFFF)
    return None


def presentation_time(payload: bytes) -> int | None:
    """Presentation time stamp (1 / `TIME_STAMP_HZ`) of the elementary stream packet that begins here (2.4.3.6)."""
    if len(payload) < 14 or payload[:3] != b"\x00\x00\x01" or not payload[7] & 0x80:
        return None
    high, middle, low = payload[9], int.from_bytes(payload[10:12], "big"), int.from_bytes(payload[12:14], "big")
    return (high >> 1 & 0x7) << 30 | middle >> 1 << 15 | low >> 1


def elementary_bytes(payload: bytes) -> bytes:
    """What follows the header of the elementary stream packet of video that begins here (2.4.3.6); empty: none does."""
    if len(payload) < 9 or payload[:3] != b"\x00\x00\x01" or payload[3] not in _VIDEO_STREAM_IDS:
        return b""
    return payload[9 + payload[8] :]


def decoding_time(payload: bytes) -> int | None:
    """Decoding time stamp (1 / `TIME_STAMP_HZ`) of the elementary stream packet that begins here, or of what is its."""
    presented = presentation_time(payload)
    if presented is None or not payload[7] & 0x40:
        return presented
    return presentation_time(payload[:9] + payload[14:] + bytes(5))


def with_clock(packet: bytes, reference: int) -> bytes:
    """A packet that has room for a clock reference, with this one (2.4.3.5)."""
    base, extension = divmod(reference % (TIME_STAMP_TURN * 300), 300)
    return packet[:6] + (base << 15 | 0x3F << 9 | extension).to_bytes(6, "big") + packet[12:]


def with_counter(packet: bytes, counter: int) -> bytes:
    """A packet with another continuity counter."""
    return packet[:3] + bytes([packet[3] & 0xF0 | counter & 0xF]) + packet[4:]


def time_between(earlier: int, later: int) -> int:
    """Ticks from one time stamp to another, the shorter way round the turn; negative when `later` is before."""
    half = TIME_STAMP_TURN // 2
    return (later - earlier + half) % TIME_STAMP_TURN - half


def _section(payload: bytes, *, table_id: int) -> bytes:
    """Body of the table section that begins in this payload, after its length and without its CRC (2.4.4.1)."""
    if not payload:
        return b""
    section = payload[1 + payload[0] :]
    if len(section) < 3 or section[0] != table_id:
        return b""
    end = 3 + (int.from_bytes(section[1:3], "big") & 0xFFF)
    return section[3 : end - 4] if end <= len(section) else b""


def one_stream_map(payload: bytes) -> bytes | None:
    """A PMT that has nothing but the first video stream of this one, as the payload of a packet (2.4.4.8); its version
    is another, so that whoever reads both looks again. None: there is none."""
    section = _section(payload, table_id=0x02)
    place = 9 + (int.from_bytes(section[7:9], "big") & 0xFFF)
    while place + 5 <= len(section):
        end = place + 5 + (int.from_bytes(section[place + 3 : place + 5], "big") & 0xFFF)
        if section[place] in _VIDEO_STREAM_TYPES:
            version = (section[2] >> 1 & 0x1F) + 1 & 0x1F
            body = section[:2] + bytes([0xC1 | version << 1, 0, 0])
            body += section[place + 1 : place + 3] + b"\xf0\x00" + section[place:end]
            whole = b"\x02" + (0xB000 | len(body) + 4).to_bytes(2, "big") + body
            return b"\x00" + whole + _crc(whole).to_bytes(4, "big")
        place = end
    return None


def _crc(data: bytes) -> int:
    """The CRC of a section (annex A)."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value
