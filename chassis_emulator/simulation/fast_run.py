"""What is seen of a stream at another speed: its packets have no numbers, but its clock counts them (claim 21)."""

from chassis_emulator.simulation.film import picture_number
from media_network.packets import TS_PACKET_BYTES
from media_network.transport_stream import CLOCK_HZ, Packets


class FastRun:
    """A stream from where it came to a speed on. Between two clock references lie as many packets as they say: more
    would be packets of two senders, or packets that are sent again, and less have been skipped."""

    def __init__(self, rate_bps: int) -> None:
        self._rate_bps = rate_bps
        self._clock: int | None = None
        self._since = 0
        """Packets that came since."""
        self._shown: int | None = None
        """The newest picture."""
        self._way = 0
        """1: forward, -1: backwards; 0: that is not known yet."""

    def see(self, packet: bytes) -> int:
        """How many packets were skipped before this one; negative: so many were sent again, or a picture was."""
        seen = Packets(packet)
        wrong = 0
        for _, clock in seen.clock_references():
            if self._clock is not None:
                ticks = (clock - self._clock) * self._rate_bps
                wrong = round(ticks / (TS_PACKET_BYTES * 8 * CLOCK_HZ)) - self._since
            self._clock, self._since = clock, 0
        self._since += 1
        number = picture_number(seen.payload(0))
        if number is not None and self._shown is not None:
            way = 1 if number > self._shown else -1
            if number == self._shown or self._way not in (0, way):
                return -1
            self._way = way
        self._shown = self._shown if number is None else number
        return wrong
