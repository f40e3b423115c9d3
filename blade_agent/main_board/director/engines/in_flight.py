"""Bytes of segments that are on their way from engine to engine: what copies under way ask of both (claim 18).

Nothing of it is measured: a copy is in flight from its order until somebody says what became of it. Its engines are
busy with it for as long, however little of it they have reported yet.
"""

from collections import Counter
from collections.abc import Collection, Hashable

from media_network.address import Address

_WITHIN_S = 2.0
"""What is in flight counts as if it were to pass within so long: as what a player fetches."""


class InFlight:
    """Copies under way, by engine."""

    def __init__(self) -> None:
        self._copies: dict[Hashable, tuple[tuple[Address, ...], int]] = {}
        self._bytes: Counter[Address] = Counter()

    def begin(self, copy: Hashable, engines: Collection[Address], length_bytes: int) -> None:
        """A copy is ordered, which goes from or to these engines of the station."""
        self.end(copy)
        self._copies[copy] = tuple(engines), length_bytes
        for engine in engines:
            self._bytes[engine] += length_bytes

    def end(self, copy: Hashable) -> None:
        """It is done, or is not waited for any more; a second time does nothing."""
        engines, length_bytes = self._copies.pop(copy, ((), 0))
        for engine in engines:
            self._bytes[engine] -= length_bytes
            if not self._bytes[engine]:
                del self._bytes[engine]

    def bps(self, engine: Address) -> int:
        """What that asks of an engine, in bits a second."""
        return round(self._bytes.get(engine, 0) * 8 / _WITHIN_S)
