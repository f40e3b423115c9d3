"""Transport stream packets by hand, after ISO/IEC 13818-1."""

from media_network.packets import TS_PACKET_BYTES
from media_network.transport_stream import CLOCK_HZ, TIME_STAMP_TURN

MAP_PID = 0x1000
VIDEO_PID = 0x100
AUDIO_PID = 0x101
CRC = bytes(4)


def packet(
    pid: int, payload: bytes | None = b"", *, start: bool = False, access: bool = False, clock: int | None = None
) -> bytes:
    """One packet; `payload` None: adaptation field only. Stuffed as the standard says."""
    flags = (0x40 if access else 0) | (0x10 if clock is not None else 0)
    field = bytes([flags])
    if clock is not None:
        base, extension = divmod(clock % (TIME_STAMP_TURN * 300), 300)
        field += (base << 15 | 0x3F << 9 | extension).to_bytes(6, "big")
    room = TS_PACKET_BYTES - 5 - len(payload or b"")
    field = field.ljust(room, b"\xff")
    head = bytes([0x47, (0x40 if start else 0) | pid >> 8, pid & 0xFF, 0x20 if payload is None else 0x30])
    return head + bytes([len(field)]) + field + (payload or b"")


def table(pid: int, section: bytes) -> bytes:
    """A packet with one table section."""
    return packet(pid, b"\x00" + section, start=True)


def section(table_id: int, body: bytes) -> bytes:
    return bytes([table_id]) + (0xB000 | len(body) + len(CRC)).to_bytes(2, "big") + body + CRC


PAT = table(0, section(0, bytes.fromhex("0001c10000") + bytes.fromhex("0000e010") + bytes.fromhex("0001f000")))
MAP = table(
    MAP_PID, section(2, bytes.fromhex("0001c10000e100f000") + bytes.fromhex("0fe101f000") + bytes.fromhex("1be100f000"))
)
SERVICES = table(0x11, section(0x42, bytes(8)))
NULL = bytes.fromhex("471fff10") + bytes(184)
REST = packet(VIDEO_PID, b"\xaa" * 100)
SOUND = packet(AUDIO_PID, b"\x00\x00\x01\xc0\x00\x00\x80\x00\x00", start=True)
CLOCK_ONLY = packet(VIDEO_PID, None)


def picture(presented: int, *, access: bool = False, clock: int | None = None) -> bytes:
    """The first packet of a picture; `presented` in 1 / 90000 s."""
    presented %= TIME_STAMP_TURN
    stamp = bytes([0x21 | presented >> 30 << 1])
    stamp += ((presented >> 15 & 0x7FFF) << 1 | 1).to_bytes(2, "big")
    stamp += ((presented & 0x7FFF) << 1 | 1).to_bytes(2, "big")
    unit = b"\x00\x00\x01\xe0\x00\x00\x80\x80\x05" + stamp
    return packet(VIDEO_PID, unit.ljust(100, b"\xbb"), start=True, access=access, clock=clock)


def clock_at(offset_bytes: int, rate_bps: int) -> int:
    """PCR of a packet at an offset in a stream of constant rate."""
    return offset_bytes * 8 * CLOCK_HZ // rate_bps
