"""The buffers of a decoder that is built as ISO/IEC 13818-1 says (system target decoder, 2.4.2), one pair a stream.

No I/O. Bytes of a stream enter its transport buffer as they are sent, and leak from it into its main buffer at the
stream's highest rate; at the time of decoding a whole picture or sound leaves the main buffer at once.
"""

from collections import deque
from dataclasses import dataclass

from distribution_center.content.h264 import LevelLimits
from media_network.packets import TS_PACKET_BYTES

TRANSPORT_BUFFER_BYTES = 512
PICTURE_LEAD_US = 700_000
"""How long before it is due a picture may be sent: what decoders commonly buffer."""
SOUND_LEAD_US = 150_000
_UNITS = 1200  # H.264 A.3.1: of byte streams
_STEREO = 2


@dataclass(frozen=True)
class BufferSizes:
    """What the standard gives one stream, and how early we use it."""

    main_bytes: int
    leak_bps: int
    """From the transport buffer into the main one."""
    lead_us: int


def picture_buffers(level: LevelLimits) -> BufferSizes:
    """Of H.264 (2.14.3.1): the coded picture buffer of its level."""
    return BufferSizes(level.buffer * _UNITS // 8, level.rate * _UNITS, PICTURE_LEAD_US)


def sound_buffers(channels: int) -> BufferSizes:
    """Of AAC in ADTS (2.4.2.3, tables of BS and Rx)."""
    if channels <= _STEREO:
        return BufferSizes(3584, 2_000_000, SOUND_LEAD_US)
    return BufferSizes(8976, 5_529_600, SOUND_LEAD_US)


class DecoderBuffers:
    """What is in the buffers of one stream; time counts in packets sent since the beginning, nulls included.

    What is sent counts as being in the main buffer at once: there is never more in it than this says. The transport
    buffer keeps room for `reserved_packets`, which are sent without asking: clock references.
    """

    def __init__(self, sizes: BufferSizes, rate_bps: int, *, reserved_packets: int = 0) -> None:
        self._main_bytes = sizes.main_bytes
        self._leak_bytes = sizes.leak_bps / rate_bps * TS_PACKET_BYTES
        self._most_bytes = TRANSPORT_BUFFER_BYTES - reserved_packets * TS_PACKET_BYTES
        self._is_wide = self._leak_bytes >= TS_PACKET_BYTES
        self._units: deque[tuple[int, int]] = deque()
        self._held_bytes = 0
        self._transport_bytes = 0.0
        self._at = 0

    def room_at(self, packets: int) -> int:
        """From when on a unit of so many packets has room in the main buffer; alone it is always let in."""
        held_bytes = self._held_bytes
        needed_bytes = packets * TS_PACKET_BYTES
        at = 0
        for leaves, length_bytes in self._units:
            if held_bytes + needed_bytes <= self._main_bytes:
                break
            at, held_bytes = leaves, held_bytes - length_bytes
        return at

    def enter(self, packets: int, leaves: int) -> None:
        """A unit is sent from now on, and is decoded at `leaves`."""
        self._units.append((leaves, packets * TS_PACKET_BYTES))
        self._held_bytes += packets * TS_PACKET_BYTES

    def leave(self, now: int) -> None:
        """Take out what has been decoded."""
        while self._units and self._units[0][0] <= now:
            self._held_bytes -= self._units.popleft()[1]

    def next_packet_at(self, now: int) -> int:
        """From when on the transport buffer has room for another packet."""
        if self._is_wide:
            return now
        over_bytes = self._level(now) + TS_PACKET_BYTES - self._most_bytes
        return now + max(0, -int(-over_bytes // self._leak_bytes)) if over_bytes > 0 else now

    def send(self, now: int, packets: int) -> None:
        """So many packets in a row enter the transport buffer."""
        if not self._is_wide:
            self._transport_bytes = self._level(now) + packets * TS_PACKET_BYTES
            self._at = now

    def packets_in_a_row(self) -> int:
        """How many may follow each other without a look at the transport buffer."""
        return 1 << 30 if self._is_wide else 1

    def _level(self, now: int) -> float:
        return max(0.0, self._transport_bytes - (now - self._at) * self._leak_bytes)
