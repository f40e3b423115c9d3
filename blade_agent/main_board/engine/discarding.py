"""Letting go of programs that the center gave up: nothing of a failed order stays."""

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.copying import Copying
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.messages.obtaining import Discard
from media_network.messages.verb import Done
from media_network.program import ProgramState
from media_network.refusal import Reason, Refused


class Discarding:
    """Removes what is here of a program: segments, copies on their way, and its information."""

    def __init__(self, store: SegmentStore, catalogue: Catalogue, copying: Copying, director: DirectorLink) -> None:
        self._store = store
        self._catalogue = catalogue
        self._copying = copying
        self._director = director

    async def discard(self, order: Discard) -> Done | Refused:
        """Answer `DISCARD`: what is in service is not given up like this, whoever says so."""
        if order.epoch != self._director.epoch:
            return Refused(Reason.STALE_EPOCH, f"epoch {order.epoch} is not our director's, {self._director.epoch}")
        programs = {name for name in order.programs if not self._in_service(name)}
        await self._copying.give_up(programs)
        try:
            await self._store.discard(programs)
            await self._catalogue.forget(programs)
        except (StoreError, OSError) as error:
            return Refused(Reason.BUSY, str(error))
        return Done()

    def _in_service(self, name: str) -> bool:
        known = self._catalogue.get(name)
        return known is not None and known.state is not ProgramState.INACTIVE
