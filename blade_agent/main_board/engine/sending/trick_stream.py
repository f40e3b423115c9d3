"""A turn at another speed, as bytes: the key pictures of one segment, at the program's rate (ISO/IEC 13818-1). No I/O.

What comes of a segment follows from its bytes, its index and the turn alone: so whichever engine goes on with it, at
whichever packet, sends what the one before would have sent. Each turn has sixteen packets, or a multiple, of every PID
that counts them, so the counters of the next one begin where those of this one end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from media_network.packets import TICK_HZ, TS_PACKET_BYTES
from media_network.segment_index import KeyPicture
from media_network.transport_stream import (
    CLOCK_HZ,
    NULL_PACKET,
    PAT_PID,
    SYNC_BYTE,
    TIME_STAMP_TURN,
    Packets,
    elementary_bytes,
    one_stream_map,
    program_map_pid,
    video_pid,
    with_clock,
    with_counter,
)
from media_network.trick import Trick

_COUNTED = 16
"""Continuity counters begin again after so many packets (2.4.3.3)."""
_CLOCKS_S = 0.08
"""No longer than that, and less than the 0.1 s of 2.7.2, between clock references; and so often the tables come."""
_ROW = 3
"""Packets: a clock reference, the PAT, and the PMT."""
_SHORT = _COUNTED * (_ROW + 4)
"""A turn of fewer packets shows nothing."""
_SHOWN_AFTER_S = 0.3
_MARGIN_S = 0.1
"""A picture is shown so long after its first packet, or after its last one, if that is later."""
_PAYLOAD = TS_PACKET_BYTES - 4
_PES_HEADER_BYTES = 14


@dataclass(frozen=True)
class Shown:
    """A picture of a turn, and which of the turn's packets are its own."""

    picture: KeyPicture
    first: int
    end: int


class Grid:
    """Where in a turn clock references and tables stand: rows of three packets, at regular distances."""

    def __init__(self, packets: int, rate_bps: int) -> None:
        turns = ceil(packets * TS_PACKET_BYTES * 8 / rate_bps / _CLOCKS_S / _COUNTED)
        rows = _COUNTED * max(1, turns)
        self._packets = packets
        self.rows = rows if packets >= _SHORT and packets // rows > _ROW else 0

    def begins(self, row: int) -> int:
        """The first packet of a row."""
        return row * self._packets // self.rows

    def is_free(self, packet: int) -> bool:
        """Whether a packet is of no row."""
        row = packet * self.rows // self._packets
        near = [each for each in (row, row + 1) if each < self.rows and self.begins(each) <= packet]
        return not near or packet - self.begins(near[-1]) >= _ROW

    def past(self, first: int, count: int) -> int:
        """The packet behind `count` free ones, of which none lies before `first`."""
        packet = first
        while count and packet < self._packets:
            count -= self.is_free(packet)
            packet += 1
        return packet if not count else self._packets + 1


def shown(pictures: Sequence[KeyPicture], trick: Trick, grid: Grid) -> tuple[Shown, ...]:
    """The pictures of a turn, evenly over its time; one that comes while the one before is still being sent is left
    out."""
    if not grid.rows or not pictures:
        return ()
    in_order = pictures if trick.scale > 0 else pictures[::-1]
    chosen: list[Shown] = []
    free_at = 0
    for place, picture in enumerate(in_order):
        first = place * trick.packets // len(in_order)
        end = grid.past(first, picture.packets + _COUNTED)
        if first >= free_at and end <= trick.packets:
            chosen.append(Shown(picture, first, end))
            free_at = end
    return tuple(chosen)


@dataclass(frozen=True)
class Frame:
    """What all packets of a turn have from the beginning of its segment: tables, and the clock."""

    pat: bytes
    pmt: bytes
    video: int
    """PID."""
    zero: int
    """What the program's clock shows with its first packet, in 1 / `CLOCK_HZ`."""


def frame_of(head: bytes, trick: Trick, rate_bps: int) -> Frame | None:
    """Read the beginning of a segment; None where it is not one that could be shown."""
    packets = Packets(head)
    pat = pmt = b""
    map_pid = video = None
    for index in range(packets.count):
        pid = packets.pid(index)
        raw = head[index * TS_PACKET_BYTES : (index + 1) * TS_PACKET_BYTES]
        if pid == PAT_PID and not pat:
            pat, map_pid = raw, program_map_pid(packets.payload(index))
        elif map_pid is not None and pid == map_pid and not pmt:
            video = video_pid(packets.payload(index))
            made = one_stream_map(packets.payload(index))
            if video is None or made is None:
                return None
            pmt = raw[:3] + b"\x10" + made.ljust(_PAYLOAD, b"\xff")
        if pat and pmt:
            break
    clock = next(packets.clock_references(), None)
    if video is None or clock is None:
        return None
    index, reference = clock
    return Frame(pat, pmt, video, reference - _clock(trick.before + index, rate_bps))


class TrickStream:
    """Makes the packets of a turn, a picture after the other."""

    def __init__(self, pictures: Sequence[KeyPicture], trick: Trick, rate_bps: int) -> None:
        self._trick = trick
        self._rate_bps = rate_bps
        self._grid = Grid(trick.packets, rate_bps)
        self.shown = shown(pictures, trick, self._grid)
        self.frame: Frame | None = None
        """Needed before the first picture is made; without it nothing is shown."""
        self._made = 0
        """Packets of the turn."""
        self._counted = 0
        """Packets of the pictures."""
        self._queue: list[bytes] = []

    def lead(self) -> bytes:
        """What comes before the first picture."""
        return self._until(self.shown[0].first if self.shown and self.frame else self._trick.packets)

    def show(self, place: int, data: bytes) -> bytes:
        """A picture of the turn, from its packets in the segment, and what comes before the next one."""
        if self.frame is None:
            return b""
        one, last = self.shown[place], place == len(self.shown) - 1
        lag_s = max(_SHOWN_AFTER_S, (one.end - one.first) * TS_PACKET_BYTES * 8 / self._rate_bps + _MARGIN_S)
        at = self._at(one.first) * TICK_HZ // CLOCK_HZ + round(lag_s * TICK_HZ)
        element = _pes(_elementary(data, self.frame.video), at % TIME_STAMP_TURN)
        room = one.picture.packets + _COUNTED
        self._queue = _packed(element, self.frame.video, self._counted, whole=last, most=room)
        self._counted += len(self._queue)
        return self._until(self._trick.packets if last else self.shown[place + 1].first)

    def _until(self, end: int) -> bytes:
        out: list[bytes] = []
        while self._made < end:
            out.append(self._packet(self._made))
            self._made += 1
        return b"".join(out)

    def _packet(self, packet: int) -> bytes:
        grid, frame = self._grid, self.frame
        if frame is None or not grid.rows:
            return NULL_PACKET
        if not grid.is_free(packet):
            row = min(grid.rows - 1, (packet * grid.rows + grid.rows - 1) // self._trick.packets)
            row = row if grid.begins(row) <= packet else row - 1
            match packet - grid.begins(row):
                case 0:
                    return with_clock(
                        _clock_packet(frame.video, self._counted - len(self._queue) - 1), self._at(packet)
                    )
                case 1:
                    return with_counter(frame.pat, row)
            return with_counter(frame.pmt, row)
        return self._queue.pop(0) if self._queue else NULL_PACKET

    def _at(self, packet: int) -> int:
        """What the clock shows with a packet of the turn."""
        zero = self.frame.zero if self.frame else 0
        return zero + _clock(self._trick.clock + packet, self._rate_bps)


def _clock(packets: int, rate_bps: int) -> int:
    return packets * TS_PACKET_BYTES * 8 * CLOCK_HZ // rate_bps


def _clock_packet(pid: int, counter: int) -> bytes:
    """Without payload, so that its counter is that of the packet before (2.4.3.3)."""
    head = bytes([SYNC_BYTE, pid >> 8, pid & 0xFF, 0x20 | counter & 0xF, _PAYLOAD - 1, 0x10])
    return head.ljust(TS_PACKET_BYTES, b"\xff")


def _elementary(data: bytes, pid: int) -> bytes:
    """What the packets of one picture carry of it."""
    packets = Packets(data)
    parts: list[bytes] = []
    for index in range(packets.count):
        if packets.pid(index) == pid and (payload := packets.payload(index)):
            parts.append(payload if parts else elementary_bytes(payload))
    return b"".join(parts)


def _pes(element: bytes, time: int) -> bytes:
    """An elementary stream packet of video, with its presentation time, which is its decoding time (2.4.3.6)."""
    stamp = bytes(
        [
            0x21 | time >> 29 & 0xE,
            time >> 22 & 0xFF,
            0x01 | time >> 14 & 0xFE,
            time >> 7 & 0xFF,
            0x01 | time << 1 & 0xFE,
        ]
    )
    return b"\x00\x00\x01\xe0\x00\x00\x84\x80\x05" + stamp + element


def _packed(element: bytes, pid: int, counter: int, *, whole: bool, most: int) -> list[bytes]:
    """In packets, the first of which says that decoding can begin there. `whole`: they complete a multiple of sixteen.
    What is longer than it can be is cut off."""
    pieces = [element[: _PAYLOAD - 2]]
    pieces += [element[at : at + _PAYLOAD] for at in range(_PAYLOAD - 2, len(element), _PAYLOAD)]
    pieces = pieces[:most]
    while whole and (counter + len(pieces)) % _COUNTED:
        longest = max(range(len(pieces)), key=lambda place: len(pieces[place]))
        half = len(pieces[longest]) // 2
        pieces[longest : longest + 1] = [pieces[longest][:half], pieces[longest][half:]]
    return [_transport(piece, pid, counter + place, first=place == 0) for place, piece in enumerate(pieces)]


def _transport(piece: bytes, pid: int, counter: int, *, first: bool) -> bytes:
    stuffing = _PAYLOAD - len(piece)
    head = bytes(
        [SYNC_BYTE, (0x40 if first else 0) | pid >> 8, pid & 0xFF, (0x30 if stuffing else 0x10) | counter & 0xF]
    )
    if not stuffing:
        return head + piece
    field = bytes([stuffing - 1])
    if stuffing > 1:
        field += bytes([0x40 if first else 0x00]).ljust(stuffing - 1, b"\xff")
    return head + field + piece
