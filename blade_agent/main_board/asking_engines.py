"""PRELOAD, SWAP and START, as the director and the engine before say them to the next engine (claims 16, 21, 22)."""

from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.streaming import PRELOAD, START, SWAP, Preload, Ready, Start, Swap, Swapped
from media_network.messages.verb import Done
from media_network.refusal import Refused

_PRELOAD_DEADLINE_S = 1.0
_START_DEADLINE_S = 0.5


class AskingEngines:
    """A voice to the engines of the station."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def preload(self, engine: Address, order: Preload) -> Ready | Refused | None:
        """Notify an engine to preload a segment; None if no answer came in time."""
        try:
            return await self._http.ask(engine, PRELOAD, order, deadline_s=_PRELOAD_DEADLINE_S)
        except NetworkError:
            return None

    async def swap(self, engine: Address, order: Swap) -> Swapped | Refused | None:
        """Have an engine get ready to take this one's place; None if no answer came in time."""
        try:
            return await self._http.ask(engine, SWAP, order, deadline_s=_PRELOAD_DEADLINE_S)
        except NetworkError:
            return None

    async def start(self, engine: Address, order: Start, *, within_s: float = _START_DEADLINE_S) -> StartOutcome:
        """Direct an engine to start."""
        deadline_s = min(within_s, _START_DEADLINE_S)
        try:
            answer = await self._http.ask(engine, START, order, deadline_s=deadline_s)
        except Unreachable as error:
            return StartOutcome.DOUBTFUL if error.received else StartOutcome.REFUSED
        except NetworkError:
            return StartOutcome.DOUBTFUL
        return outcome_of(answer)


def outcome_of(answer: Done | Refused) -> StartOutcome:
    """What an answer to `START` means."""
    if isinstance(answer, Done):
        return StartOutcome.TAKEN
    return StartOutcome.DOUBTFUL if answer.perhaps_done else StartOutcome.REFUSED
