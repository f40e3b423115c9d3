"""Program information that an engine keeps for its directors: the next one may be this very blade."""

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.discarding import Discarding
from blade_agent.main_board.engine.store.errors import StoreError
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
            # Before it is known: after a power cut between the two it is said again.
            await self._discarding.discard({change.program for change in page.changes if self._is_gone(change)})
            await self._catalogue.learn(page.changes, until=page.until, told_ms=page.now_ms)
        except OSError as error:
            return Refused(Reason.NO_SPACE, str(error))
        except StoreError as error:
            return Refused(Reason.BUSY, str(error))
        return Done()

    async def tell(self, request: AskChanges) -> Changes:
        """Answer `ASK_ENGINE_CHANGES`."""
        return self._catalogue.since(request.since)

    def _is_gone(self, change: ProgramChange) -> bool:
        """Whether what may be here of a program is not of what it is now."""
        known = self._catalogue.get(change.program)
        if change.header is None:
            return not self._is_older(change)
        return known is not None and known.table != change.header.table and self._catalogue.is_news(change)

    def _is_older(self, change: ProgramChange) -> bool:
        known = self._catalogue.get(change.program)
        return known is not None and known.version > change.version
