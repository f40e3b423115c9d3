"""How far a stream can have got, from what its sender reported last: a bound that only time moves."""

from dataclasses import dataclass
from math import floor

from media_network.packets import DATAGRAM_BYTES, PACKETS_PER_DATAGRAM
from media_network.schedule import TICK_S

_CLOCKS_S = 0.002
"""Two clocks count the seconds since a report; a lease is not long enough for them to differ by so much."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Before `until`, by the event loop's time, the stream goes no further than to `packet` of `segment`.

    From then on the engine that has `turn` sends a batch each tick. An engine it hands over to keeps to the same
    schedule, which only ever gets later, but its ticks are its own.
    """

    turn: int
    segment: int
    packet: int
    until: float

    def further(self, turn: int, now: float, rate_bps: int) -> int:
        """How many packets more may have been sent by `now`, in this turn or a later one that it led to."""
        late_s = now + _CLOCKS_S - self.until
        if turn > self.turn:
            return PACKETS_PER_DATAGRAM + _due_packets(late_s + TICK_S, rate_bps)
        return _due_packets(TICK_S * (floor(late_s / TICK_S) + 1), rate_bps)


def _due_packets(seconds: float, rate_bps: int) -> int:
    """Whole datagrams, of which the first is not due before these seconds begin."""
    if seconds <= 0:
        return 0
    return PACKETS_PER_DATAGRAM * (floor(seconds * rate_bps / (DATAGRAM_BYTES * 8)) + 1)
