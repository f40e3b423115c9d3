"""How much is answered to whom: an answer may be fifty times its request, and a datagram's source may be forged."""

from collections import OrderedDict

from msgspec import Struct

_MAX_SOURCES = 1024


class Allowance(Struct, frozen=True):
    """A token bucket's size and how fast it fills, a second."""

    burst: float
    rate: float


class Buckets:
    """One token bucket a source; those that were not heard of for longest are forgotten."""

    def __init__(self, allowance: Allowance, most: int = _MAX_SOURCES) -> None:
        self._burst = allowance.burst
        self._rate = allowance.rate
        self._most = most
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, source: str, amount: float, now: float) -> bool:
        """Take tokens out of a source's bucket; False if there are not enough."""
        if amount <= 0:
            return True
        known = self._filled.get(source)
        if known is None:
            if len(self._filled) >= self._most:
                self._filled.popitem(last=False)
            left = self._burst
        else:
            left = min(self._burst, known[0] + (now - known[1]) * self._rate)
            self._filled.move_to_end(source)
        granted = left >= amount
        self._filled[source] = (left - amount if granted else left, now)
        return granted

    def __len__(self) -> int:
        return len(self._filled)


FREE_FACTOR = 2
"""An answer of up to so many times its question is nobody's gain, whoever's address stands on it."""


class Budget:
    """What may go out: octets beyond twice those that came in, and reports, which answer those who prove nothing."""

    def __init__(self, octets: Allowance, reports: Allowance) -> None:
        self._octets = Buckets(octets)
        self._reports = Buckets(reports)

    def answer(self, source: str, asked: int, answered: int, now: float) -> bool:
        """Tell whether a source may have an answer of so many octets to a request of so many."""
        extra = answered - FREE_FACTOR * asked
        return extra <= 0 or self._octets.take(source, extra, now)

    def report(self, source: str, now: float) -> bool:
        """Tell whether a source may have a report.

        Each has its own: a flood under made-up addresses keeps nobody from meeting the agent. A report is hardly longer
        than what it answers, so that nobody gains by it either.
        """
        return self._reports.take(source, 1, now)
