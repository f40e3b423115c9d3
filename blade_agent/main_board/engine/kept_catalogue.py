"""Program information that an engine keeps for its directors: the next one may be this very blade."""

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.director_link import DirectorLink
from media_network.messages.program_information import AskChanges, Changes, KeepChanges
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused


class KeptPrograms:
    """The blade's catalogue, as a director sees it."""

    def __init__(self, catalogue: Catalogue, director: DirectorLink) -> None:
        self._catalogue = catalogue
        self._director = director

    async def keep(self, request: KeepChanges) -> Done | Refused:
        """Answer `KEEP_CHANGES`: it is durable, and nothing is held of what is not any more."""
        if request.epoch != self._director.epoch:
            return Refused(Reason.STALE_EPOCH, f"epoch {request.epoch} is not our director's, {self._director.epoch}")
        page = request.changes
        try:
            await self._catalogue.learn(page.changes, until=page.until, told_ms=page.now_ms)
        except OSError as error:
            return Refused(Reason.NO_SPACE, str(error))
        return Done()

    async def tell(self, request: AskChanges) -> Changes:
        """Answer `ASK_ENGINE_CHANGES`."""
        return self._catalogue.since(request.since)
