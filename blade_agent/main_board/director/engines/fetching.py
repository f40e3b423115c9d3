"""What players fetch of what they were redirected to, and what others fetch beside them.

A player fetches a segment as fast as it can and then nothing for a while, so what an engine has sent lately says little
of what it is to send. It is the sessions that say it. What nobody was redirected to lately is fetched by somebody else:
an engine that copies, a player of the director before.
"""

from collections import defaultdict, deque

from media_network.address import Address

_FETCHED_WITHIN_S = 2.0
"""How long a player may take to fetch what it was redirected to."""
_KEPT_S = 10.0


class Fetching:
    """What players were redirected to lately, by engine. Times are the event loop's, in seconds."""

    def __init__(self) -> None:
        self._given: defaultdict[Address, deque[tuple[float, int]]] = defaultdict(deque)

    def gave(self, engine: Address, length_bytes: int, now: float) -> None:
        """A player has been redirected to an engine for so much."""
        given = self._given[engine]
        given.append((now, length_bytes))
        while given[0][0] < now - _KEPT_S:
            given.popleft()

    def by_others_bps(self, engine: Address, pull_bps: int, since: float, now: float) -> int:
        """How much of what an engine sent from `since` until now cannot be what players were redirected to."""
        lasted_s = max(now - since, 0.001)
        given = self._given.get(engine, ())
        given_bytes = sum(length_bytes for at, length_bytes in given if at >= since - _FETCHED_WITHIN_S)
        return max(0, pull_bps - round(given_bytes * 8 / lasted_s))
