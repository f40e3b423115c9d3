"""Speaking to the engines of the station; to oneself without the detour over the network."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.turns.hand_over import StartOutcome
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.streaming import PRELOAD, START, Preload, Ready, Start
from media_network.messages.verb import Done
from media_network.refusal import Refused

_PRELOAD_DEADLINE_S = 1.0
_START_DEADLINE_S = 0.5


@dataclass(frozen=True)
class Engines:
    """See `hand_over.Neighbours`."""

    client: HttpClient
    director: DirectorLink
    own_preload: Callable[[Preload], Coroutine[Any, Any, Ready | Refused]]
    own_start: Callable[[Start], Coroutine[Any, Any, Done | Refused]]

    async def preload(self, engine: str, preload: Preload) -> bool:
        """Notify an engine to preload a segment; False for a refusal and for silence."""
        if engine == str(self.director.own):
            return isinstance(await self.own_preload(preload), Ready)
        try:
            answer = await self.client.ask(Address.parse(engine), PRELOAD, preload, deadline_s=_PRELOAD_DEADLINE_S)
        except (NetworkError, ValueError):
            return False
        return isinstance(answer, Ready)

    async def start(self, engine: str, start: Start) -> StartOutcome:
        """Direct an engine to start, unless our lease has ended: the stream may be another's then."""
        left_s = self.director.lease_end_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            return StartOutcome.REFUSED
        if engine == str(self.director.own):
            return _outcome(await self.own_start(start))
        deadline_s = min(left_s, _START_DEADLINE_S)
        try:
            answer = await self.client.ask(Address.parse(engine), START, start, deadline_s=deadline_s)
        except Unreachable as error:
            return StartOutcome.DOUBTFUL if error.received else StartOutcome.REFUSED
        except NetworkError:
            return StartOutcome.DOUBTFUL
        return _outcome(answer)


def _outcome(answer: Done | Refused) -> StartOutcome:
    if isinstance(answer, Done):
        return StartOutcome.TAKEN
    return StartOutcome.DOUBTFUL if answer.perhaps_done else StartOutcome.REFUSED
