"""When packets are due: the constant rate of a program as whole datagrams. No I/O; `now` comes in."""

from math import ceil, floor

from media_network.packets import PACKETS_PER_DATAGRAM, TS_PACKET_BYTES
from media_network.schedule import CATCH_UP_MAX_S


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
        self._packets = min(self._all_packets, self.packet + self._in_step(max(0, datagrams)))

    def go_on(self) -> None:
        """End with the segment after all."""
        self._packets = self._all_packets

    def reach(self, until_s: float) -> int:
        """The packet before which all lies that is due before `until_s`; it may itself lie past the end."""
        return self.packet + self._whole_datagrams(until_s - self._due_s)

    def due_packets(self, until_s: float) -> int:
        """Packets due before `until_s` and not yet sent: whole datagrams, the segment's last one perhaps shorter, and
        so the first of who begins within one."""
        late_s = until_s - self._due_s
        if late_s > CATCH_UP_MAX_S:
            self._zero_s += late_s - CATCH_UP_MAX_S
            late_s = CATCH_UP_MAX_S
        return min(self._whole_datagrams(late_s), self._packets - self.packet)

    def lateness_s(self, now_s: float) -> float:
        """For how long the next packet has been due; negative if it is not yet."""
        return now_s - self._due_s

    def sent(self, packets: int) -> None:
        """Note that the next packets have been sent."""
        self.packet += packets

    def _whole_datagrams(self, late_s: float) -> int:
        """Packets that are due if the next one has been for so long."""
        if late_s <= 0:
            return 0
        return self._in_step(floor(late_s / (self._packet_s * PACKETS_PER_DATAGRAM)) + 1)

    def _in_step(self, datagrams: int) -> int:
        """Packets until the end of so many datagrams from here: a segment is cut into datagrams from its beginning,
        whoever sends it."""
        return max(0, datagrams * PACKETS_PER_DATAGRAM - self.packet % PACKETS_PER_DATAGRAM)

    def due_s(self, packet: int) -> float:
        """When a packet is due."""
        return self._zero_s + packet * self._packet_s

    @property
    def _due_s(self) -> float:
        """When the next packet is due."""
        return self.due_s(self.packet)
