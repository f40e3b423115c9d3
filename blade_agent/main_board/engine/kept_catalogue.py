"""Program information that an engine keeps for its directors: the next one may be this very blade."""

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.discarding import Discarding, StillHeld
from media_network.messages.program_information import AskChanges, Changes, KeepChanges, ProgramChange
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused


class KeptPrograms:
    """The blade's catalogue, as a director sees it."""

    def __init__(self, catalogue: Catalogue, director: DirectorLink, discarding: Discarding) -> None:
        self._catalogue = catalogue
        self._director = director
        self._discarding = discarding

    async def keep(self, request: KeepChanges) -> Done | Refused:
        """Answer `KEEP_CHANGES`: it is durable, and nothing is held of what is not any more."""
        if request.epoch != self._director.epoch:
            return Refused(Reason.STALE_EPOCH, f"epoch {request.epoch} is not our director's, {self._director.epoch}")
        page = request.changes
        try:
            if again := [change for change in page.changes if self._is_known_withdrawal(change)]:
                await self._discarding.discard(again)
            await self._catalogue.learn(page.changes, until=page.until, told_ms=page.now_ms)
        except StillHeld as error:
            return Refused(Reason.BUSY, str(error))
        except OSError as error:
            return Refused(Reason.NO_SPACE, str(error))
        return Done()

    async def tell(self, request: AskChanges) -> Changes:
        """Answer `ASK_ENGINE_CHANGES`."""
        return self._catalogue.since(request.since)

    def _is_known_withdrawal(self, change: ProgramChange) -> bool:
        """It is told once more: segments may have come back, with a disk that was away."""
        return change.header is None and self._catalogue.withdrawn_at(change.program) == change.version
