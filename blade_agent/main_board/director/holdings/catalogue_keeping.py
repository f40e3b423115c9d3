"""The station's catalogue, kept on every blade: whichever directs next serves it, with the center away."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.term import Term
from media_network.callback import do_nothing
from media_network.fields import ProgramId
from media_network.messages.enlisting import Enlist
from media_network.messages.program_information import (
    ASK_ENGINE_CHANGES,
    KEEP_CHANGES,
    AskChanges,
    Changes,
    KeepChanges,
    ProgramChange,
)

logger = logging.getLogger(__name__)

_SAY_AGAIN_S = 5.0


class CatalogueKeeping:
    """Hears what an engine knows when it enlists; tells engines every change."""

    def __init__(self, term: Term, catalogue: Catalogue, roster: Roster) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self.heard: Callable[[EngineRecord, ProgramChange], None] = do_nothing
        """Called when an engine has heard of a change, and let go of what is not any more."""

    def enlisted(self, engine: EngineRecord, message: Enlist) -> None:
        """An engine has come with a catalogue of its own: each is to know what the other does."""
        engine.knows_until = min(message.heard, self._catalogue.heard)
        if self._knows_more(message):
            self._term.tasks.create_task(self._compare(engine), name=f"compare catalogues with {engine.address}")
        else:
            self._bring_up_to_date(engine)

    def reported(self, engine: EngineRecord) -> None:
        """It is there: what it was told in vain is told again."""
        if engine.untold and not engine.being_told and asyncio.get_running_loop().time() >= engine.told_again_at:
            self._bring_up_to_date(engine)

    def tell(self) -> None:
        """There is something new: every engine keeps it."""
        for engine in self._roster:
            self._bring_up_to_date(engine)

    async def recall(self, engine: EngineRecord, programs: Iterable[ProgramId]) -> None:
        """Have an engine tell what it knows, if one of these is needed now and is not known here."""
        if any(self._catalogue.get(name) is None for name in programs):
            await self._hear(engine)

    def _knows_more(self, message: Enlist) -> bool:
        return message.heard > self._catalogue.heard or message.newest > self._catalogue.newest

    async def _compare(self, engine: EngineRecord) -> None:
        await self._hear(engine)
        self._bring_up_to_date(engine)

    async def _hear(self, engine: EngineRecord) -> None:
        since, more = self._catalogue.heard, True
        while more:
            page = await self._term.http.tell(engine.address, ASK_ENGINE_CHANGES, AskChanges(since=since))
            if page is None or not await self._learn(page, since):
                return
            since, more = _end_of(page, since), page.more and _end_of(page, since) > since

    async def _learn(self, page: Changes, since: int) -> bool:
        try:
            # Nobody has heard of more than the newest change there is.
            await self._catalogue.learn(page.changes, until=min(page.until, _end_of(page, since)))
        except OSError as error:
            logger.warning("the catalogue cannot be written: %s", error)  # what is known already stays in service
            return False
        return True

    def _bring_up_to_date(self, engine: EngineRecord) -> None:
        engine.untold = True
        if not engine.being_told:
            engine.being_told = True
            self._term.tasks.create_task(self._tell(engine), name=f"{engine.address} keeps the catalogue")

    async def _tell(self, engine: EngineRecord) -> None:
        """Tell an engine all it has not heard, until there is nothing."""
        try:
            while engine.untold:
                engine.untold = False
                if not await self._tell_all(engine):
                    engine.untold = True
                    engine.told_again_at = asyncio.get_running_loop().time() + _SAY_AGAIN_S
                    return
        finally:
            engine.being_told = False

    async def _tell_all(self, engine: EngineRecord) -> bool:
        """Whether it has answered."""
        since, more = engine.knows_until, True
        while more:
            page = self._catalogue.since(since)
            if not page.changes and page.until <= engine.knows_until:
                return True
            if not await self._tell_page(engine, page):
                return False
            since, more = _end_of(page, since), page.more
        return True

    async def _tell_page(self, engine: EngineRecord, page: Changes) -> bool:
        message = KeepChanges(epoch=self._term.epoch, changes=page)
        if await self._term.http.tell(engine.address, KEEP_CHANGES, message) is None:
            return False
        engine.knows_until = max(engine.knows_until, page.until)
        for change in page.changes:
            self.heard(engine, change)
        return True


def _end_of(page: Changes, since: int) -> int:
    """Where to ask on from."""
    return max([since, *(change.version for change in page.changes)])
