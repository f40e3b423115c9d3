"""The line that a director keeps open to its engine: it breaks at the moment at which the engine's process dies."""

import asyncio

from blade_agent.main_board.engine.director_link import DirectorLink
from media_network.messages.enlisting import Attend
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused


class Attendance:
    """Keeps a director waiting as long as it is the engine's."""

    def __init__(self, director: DirectorLink) -> None:
        self._director = director
        self._dismissed = asyncio.Event()

    async def attend(self, request: Attend) -> Done | Refused:
        """Answer `ATTEND`: when another director has been appointed, or not at all."""
        if request.epoch != self._director.epoch:
            return Refused(Reason.STALE_EPOCH, f"epoch {request.epoch} is not our director's, {self._director.epoch}")
        if request.boot != self._director.boot:
            return Refused(Reason.UNKNOWN_ENGINE, f"boot {request.boot} is not this engine's")
        await self._dismissed.wait()
        return Done()

    def dismiss(self) -> None:
        """The director of before need not wait any longer."""
        self._dismissed.set()
        self._dismissed = asyncio.Event()
