"""When each packet of a constant-rate transport stream is sent: in time, and never before its decoder has room.

No I/O. Time counts in packets: number n of the stream is sent n packets after the first. Sound goes first, as soon as
its decoder may have it; pictures take the rest, and null packets what is left.
"""

from collections import deque
from dataclasses import dataclass

from distribution_center.content.decoder_buffers import BufferSizes, DecoderBuffers
from distribution_center.content.packetiser import Unit
from media_network.packets import TS_PACKET_BYTES
from media_network.transport_stream import (
    CLOCK_HZ,
    NULL_PACKET,
    SYNC_BYTE,
    TIME_STAMP_HZ,
    with_clock,
    with_counter,
)

_CLOCK_PERIOD_MS = 20  # ISO/IEC 13818-1 allows 100, DVB 40
_FEWER_CLOCKS_MS = 33
_FEWEST_CLOCKS_MS = 90
_SMALL_LEAK_BPS = 1_000_000
_TABLES_PERIOD_MS = 100
_TICKS_A_STAMP = CLOCK_HZ // TIME_STAMP_HZ
_NEVER = 1 << 62


@dataclass
class TooLate(Exception):
    """At this rate a picture or sound arrives after it is due."""

    due: int


class _Queue:
    """Units of one stream that wait to be sent, and the buffers that they are sent to."""

    def __init__(self, sizes: BufferSizes, rate_bps: int, *, reserved_packets: int = 0) -> None:
        self.buffers = DecoderBuffers(sizes, rate_bps, reserved_packets=reserved_packets)
        self.lead_ticks = sizes.lead_us * (CLOCK_HZ // 1_000_000)
        self.units: deque[Unit] = deque()
        self.sent = 0
        """Packets of the first one that are gone."""
        self.begins_at: int | None = None
        """When the first one may be sent, once that is known."""


class Schedule:
    """Units in, in the order in which they are due; the stream out. A `thrifty` one has as few clocks as may be."""

    def __init__(
        self, rate_bps: int, pictures: BufferSizes, sounds: BufferSizes, *, first_due: int, thrifty: bool = False
    ) -> None:
        self.pictures = self.sounds = 0
        """Units sent."""
        self._ticks = TS_PACKET_BYTES * 8 * CLOCK_HZ
        self._rate_bps = rate_bps
        self._picture_queue, self._sound_queue = (
            _Queue(pictures, rate_bps, reserved_packets=1),
            _Queue(sounds, rate_bps),
        )
        self._zero = first_due * _TICKS_A_STAMP - self._picture_queue.lead_ticks
        self._now = 0
        period_ms = _clock_period_ms(pictures, thrifty=thrifty)
        self._clock_period = max(1, self._packets_in(period_ms * CLOCK_HZ // 1000))
        self._tables_period = max(1, self._packets_in(_TABLES_PERIOD_MS * CLOCK_HZ // 1000))
        self._next_clock = self._clock_period
        self._next_tables = _NEVER
        self._tables = b""
        self._tables_sent = self._sound_packets = 0
        self._clock_packet = b""
        self._begun = False
        self._out: list[bytes] = []

    def add(self, unit: Unit, tables: bytes) -> bytes:
        """The next unit; what is sent before it can be."""
        self._tables = tables
        queue = self._picture_queue if unit.is_picture else self._sound_queue
        queue.units.append(unit)
        earliest = unit.due * _TICKS_A_STAMP - max(self._picture_queue.lead_ticks, self._sound_queue.lead_ticks)
        return self._run(self._place(earliest))

    def close(self) -> bytes:
        """There are no more units: the rest of the stream, and a last clock reference, so that it has two at least."""
        rest = self._run(None)
        if not self._begun:
            return rest
        self._out = []
        self._send_clock()
        return rest + b"".join(self._out)

    def _run(self, until: int | None) -> bytes:
        """Send all that is certain before `until`; None: all."""
        self._out = []
        if not self._begun and not self._picture_queue.units:
            return b""  # the stream begins with a picture
        while self._picture_queue.units or self._sound_queue.units:
            if until is not None and self._now >= until:
                break
            self._step(until)
        return b"".join(self._out)

    def _step(self, until: int | None) -> None:
        sound_at = self._ready_at(self._sound_queue) if self._begun else _NEVER
        picture_at = self._ready_at(self._picture_queue)
        if self._now >= self._next_clock and self._begun:
            self._send_clock()
        elif self._now >= self._next_tables:
            self._send_tables()
        elif sound_at <= self._now:
            self._send(self._sound_queue, 1)
        elif picture_at <= self._now:
            if self._opens():
                self._send_tables()
            pause = min(self._next_clock, self._next_tables, sound_at) - self._now if self._begun else 1
            self._send(self._picture_queue, max(1, pause))
        else:
            pauses = [sound_at, picture_at, self._next_clock if self._begun else _NEVER, self._next_tables]
            self._rest(min([*pauses, until] if until is not None else pauses) - self._now)

    def _opens(self) -> bool:
        return self._picture_queue.sent == 0 and self._picture_queue.units[0].access

    def _ready_at(self, queue: _Queue) -> int:
        """From when on the next packet of a stream may be sent."""
        if not queue.units:
            return _NEVER
        queue.buffers.leave(self._now)
        if queue.begins_at is None:
            unit = queue.units[0]
            earliest = self._place(unit.due * _TICKS_A_STAMP - queue.lead_ticks)
            queue.begins_at = max(earliest, queue.buffers.room_at(unit.packets))
        return max(queue.begins_at, queue.buffers.next_packet_at(self._now))

    def _send(self, queue: _Queue, most: int) -> None:
        """Send the next packets of a stream."""
        unit = queue.units[0]
        leaves = self._packets_in(unit.due * _TICKS_A_STAMP - self._zero)
        if queue.sent == 0:
            queue.buffers.enter(unit.packets, leaves + 1)
        count = min(most, unit.packets - queue.sent, queue.buffers.packets_in_a_row())
        self._emit(unit, queue.sent, count)
        queue.buffers.send(self._now, count)
        self._now += count
        queue.sent += count
        if self._now > leaves:
            raise TooLate(unit.due)
        if queue.sent == unit.packets:
            queue.units.popleft()
            queue.sent, queue.begins_at = 0, None
            self.pictures += unit.is_picture
            self.sounds += not unit.is_picture

    def _emit(self, unit: Unit, first: int, count: int) -> None:
        data = unit.data[first * TS_PACKET_BYTES : (first + count) * TS_PACKET_BYTES]
        for place in unit.clocks:
            if first <= place < first + count:
                begin = (place - first) * TS_PACKET_BYTES
                timed = with_clock(data[begin : begin + TS_PACKET_BYTES], self._clock(self._now + place - first))
                data = data[:begin] + timed + data[begin + TS_PACKET_BYTES :]
                self._next_clock = self._now + place - first + self._clock_period
        if unit.is_picture:
            self._begun = True
            self._clock_packet = _clock_packet(data[-TS_PACKET_BYTES:])
        else:  # sounds go one packet at a time, and some that libav has counted are none
            data = with_counter(data, self._sound_packets)
            self._sound_packets += 1
        self._out.append(data)

    def _send_clock(self) -> None:
        self._out.append(with_clock(self._clock_packet, self._clock(self._now)))
        self._next_clock = self._now + self._clock_period
        self._picture_queue.buffers.send(self._now, 1)
        self._now += 1

    def _send_tables(self) -> None:
        for begin in range(0, len(self._tables), TS_PACKET_BYTES):
            self._out.append(with_counter(self._tables[begin : begin + TS_PACKET_BYTES], self._tables_sent))
            self._now += 1
        self._tables_sent += 1
        self._next_tables = self._now + self._tables_period

    def _rest(self, packets: int) -> None:
        self._out.append(NULL_PACKET * packets)
        self._now += packets

    def _clock(self, packet: int) -> int:
        return self._zero + packet * self._ticks // self._rate_bps

    def _packets_in(self, ticks: int) -> int:
        """Whole packets that are sent in so many ticks."""
        return ticks * self._rate_bps // self._ticks

    def _place(self, ticks: int) -> int:
        """The first packet that is sent at this time or later."""
        return -(-(ticks - self._zero) * self._rate_bps // self._ticks)


def _clock_period_ms(pictures: BufferSizes, *, thrifty: bool) -> int:
    """Clock references go through the pictures' transport buffer too: one that leaks slowly gets fewer."""
    if thrifty:
        return _FEWEST_CLOCKS_MS
    return _CLOCK_PERIOD_MS if pictures.leak_bps >= _SMALL_LEAK_BPS else _FEWER_CLOCKS_MS


def _clock_packet(last: bytes) -> bytes:
    """A packet without payload that may follow `last`: its counter stays (2.4.3.3)."""
    head = bytes([SYNC_BYTE, last[1] & 0x1F, last[2], 0x20 | last[3] & 0xF, TS_PACKET_BYTES - 5, 0x10])
    return head.ljust(TS_PACKET_BYTES, b"\xff")
