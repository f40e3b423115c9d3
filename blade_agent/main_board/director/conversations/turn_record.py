"""The turns of a session: those that its console has yet to say it knows, and how many there have been.

What is kept does not grow with the film. A console that never says what it knows can be told the last ones.
"""

from collections import deque

from msgspec import Struct

from media_network.fields import Count
from media_network.messages.watching import TURNS_TOLD_MAX, PresentTurn, Served

KEPT_MAX = 64


class Untold(Struct, frozen=True, kw_only=True):
    """What a console is told of turns that it does not know."""

    served: tuple[Served, ...]
    more: bool
    missing: Count
    """How many before these have not been kept."""


class TurnRecord:
    """What has been served, turn by turn. Their numbers only grow."""

    def __init__(self) -> None:
        self.count = 0
        """How many turns there have been."""
        self.present: PresentTurn | None = None
        """The newest; None before the first."""
        self._kept: deque[Served] = deque()
        self._missing = 0
        """How many have been dropped though no console has said that it knows them."""
        self._dropped = 0
        """The newest of those."""

    def add(self, served: Served) -> None:
        """A turn has been taken."""
        self.count += 1
        self.present = PresentTurn(turn=served.turn, segment=served.segment.number, packet=served.packet)
        self._kept.append(served)
        if len(self._kept) > KEPT_MAX:
            self._dropped = self._kept.popleft().turn
            self._missing += 1

    def since(self, known: int | None) -> Untold:
        """The first `TURNS_TOLD_MAX` after the one that a console knows. Those before are kept no longer."""
        if known is not None:
            while self._kept and self._kept[0].turn <= known:
                self._kept.popleft()
            if known >= self._dropped:
                self._missing = 0
        served = tuple(self._kept)[:TURNS_TOLD_MAX]
        return Untold(served=served, more=len(self._kept) > TURNS_TOLD_MAX, missing=self._missing)
