"""When packets are due: the constant rate of a program as whole datagrams. No I/O; `now` comes in."""

from math import floor

from media_network.program import DATAGRAM_BYTES, TS_PACKET_BYTES

PACKETS_PER_DATAGRAM = DATAGRAM_BYTES // TS_PACKET_BYTES

CATCH_UP_MAX_S = 0.1
"""How far a stream that was held up is sent faster than its rate to catch up; beyond that it stays late.

Whoever guesses from rate and time how far a stream has got at most adds this, and the tick that is sent ahead.
"""


class Pacing:
    """The schedule of one segment: which packet is the next one, and when it is due."""

    def __init__(self, rate_bps: int, packets: int, first_packet: int, due_s: float) -> None:
        self.packet = first_packet
        """The next one to send."""
        self._packets = packets
        self._packet_s = TS_PACKET_BYTES * 8 / rate_bps
        self._zero_s = due_s - first_packet * self._packet_s
        """When packet 0 was or would have been due."""

    @property
    def all_sent(self) -> bool:
        """Whether nothing is left."""
        return self.packet >= self._packets

    @property
    def end_s(self) -> float:
        """When the segment will have been played: the next one's first packet is due then."""
        return self._zero_s + self._packets * self._packet_s

    def due_packets(self, until_s: float) -> int:
        """Packets due before `until_s` and not yet sent: whole datagrams, the segment's last one perhaps shorter."""
        late_s = until_s - (self._zero_s + self.packet * self._packet_s)
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
