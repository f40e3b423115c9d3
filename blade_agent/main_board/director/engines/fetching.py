"""What players fetch of what they were redirected to, and what others fetch beside them.

A player fetches a segment as fast as it can and then nothing for a while, so what an engine has sent lately says little
of what it is to send. It is the sessions that say it. What nobody was redirected to lately is fetched by somebody else:
an engine that copies, a player of the director before.
"""

from collections import defaultdict, deque
from dataclasses import dataclass

from media_network.address import Address

_FETCHED_WITHIN_S = 2.0
"""How long a player may take to fetch what it was redirected to."""
_KEPT_S = 10.0
_TOGETHER_S = 0.01
"""What is given so soon after something else is counted with it: thousands of players ask within a second."""


@dataclass
class _Given:
    at: float
    length_bytes: int


class Fetching:
    """What players were redirected to lately, by engine. Times are the event loop's, in seconds."""

    def __init__(self) -> None:
        self._given: defaultdict[Address, deque[_Given]] = defaultdict(deque)

    def gave(self, engine: Address, length_bytes: int, now: float) -> None:
        """A player has been redirected to an engine for so much."""
        given = self._given[engine]
        if given and now - given[-1].at < _TOGETHER_S:
            given[-1].length_bytes += length_bytes
            return
        given.append(_Given(now, length_bytes))
        while given[0].at < now - _KEPT_S:
            given.popleft()

    def by_others_bps(self, engine: Address, pull_bps: int, since: float, now: float) -> int:
        """How much of what an engine sent from `since` until now cannot be what players were redirected to."""
        lasted_s = max(now - since, 0.001)
        given = self._given.get(engine, ())
        given_bytes = sum(each.length_bytes for each in given if each.at >= since - _FETCHED_WITHIN_S)
        return max(0, pull_bps - round(given_bytes * 8 / lasted_s))
