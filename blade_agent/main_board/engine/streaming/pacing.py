"""When packets are due: the constant rate of a program as whole datagrams. No I/O; `now` comes in."""

from math import ceil, floor

from media_network.program import DATAGRAM_BYTES, TS_PACKET_BYTES

PACKETS_PER_DATAGRAM = DATAGRAM_BYTES // TS_PACKET_BYTES

TICK_S = 0.04
"""Streams are sent a tick at a time: what is due until the next one."""

CATCH_UP_MAX_S = 0.1
"""How far a stream that was held up is sent faster than its rate to catch up; beyond that it stays late.

Whoever guesses from rate and time how far a stream has got at most adds this, and the tick that is sent ahead.
"""


class Pacing:
    """The schedule of one segment: which packet is the next one, and when it is due."""

    def __init__(self, rate_bps: int, packets: int, first_packet: int, due_s: float) -> None:
        self.packet = first_packet
        """The next one to send."""
        self._all_packets = self._packets = packets
        self._packet_s = TS_PACKET_BYTES * 8 / rate_bps
        self._zero_s = due_s - first_packet * self._packet_s
        """When packet 0 was or would have been due."""

    @property
    def all_sent(self) -> bool:
        """Whether nothing is left."""
        return self.packet >= self._packets

    @property
    def is_cut(self) -> bool:
        """Whether it ends before its segment does."""
        return self._packets < self._all_packets

    @property
    def end_s(self) -> float:
        """When all of it will have been played: what comes next is due then."""
        return self._zero_s + self._packets * self._packet_s

    def cut(self, ahead_s: float, now_s: float) -> None:
        """End with the first whole datagram that is due `ahead_s` from now, or with the segment."""
        datagrams = ceil((now_s + ahead_s - self._due_s) / (self._packet_s * PACKETS_PER_DATAGRAM))
        self._packets = min(self._all_packets, self.packet + max(0, datagrams) * PACKETS_PER_DATAGRAM)

    def go_on(self) -> None:
        """End with the segment after all."""
        self._packets = self._all_packets

    def reach(self, now_s: float) -> int:
        """The packet beyond which nothing is sent by the tick that comes next; it may lie past the end."""
        due = ceil((now_s + TICK_S - self._zero_s) / self._packet_s) + PACKETS_PER_DATAGRAM
        return max(due, self.packet)

    def due_packets(self, until_s: float) -> int:
        """Packets due before `until_s` and not yet sent: whole datagrams, the segment's last one perhaps shorter."""
        late_s = until_s - self._due_s
        if late_s <= 0:
            return 0
        if late_s > CATCH_UP_MAX_S:
            self._zero_s += late_s - CATCH_UP_MAX_S
            late_s = CATCH_UP_MAX_S
        datagrams = floor(late_s / (self._packet_s * PACKETS_PER_DATAGRAM)) + 1
        return min(datagrams * PACKETS_PER_DATAGRAM, self._packets - self.packet)

    def sent(self, packets: int) -> None:
        """Note that the next packets have been sent."""
        self.packet += packets

    @property
    def _due_s(self) -> float:
        """When the next packet is due."""
        return self._zero_s + self.packet * self._packet_s
