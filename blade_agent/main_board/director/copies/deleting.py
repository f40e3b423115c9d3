"""Deleting programs at this station: the conversation of claim 23."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.copies.obtaining import Obtaining
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.holdings.taking_stock import TakingStock
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.http.errors import NetworkError
from media_network.messages.deletion import (
    DELETE_SEGMENTS,
    DeleteHere,
    DeleteSegments,
    DeletionAnswer,
    DeletionStanding,
    DeletionVerdict,
)
from media_network.messages.verb import Done
from media_network.refusal import Refused

logger = logging.getLogger(__name__)

_LOOK_AGAIN_S = 1.0
"""What is in the way at the station is looked at so often."""
_ASK_AGAIN_S = 60.0
"""When the registry does not say when."""
_ENGINE_DEADLINE_S = 30.0
"""Disks take their time for thousands of files; the message is said again."""
_SAY_AGAIN_S = 0.5
_PLAYERS_COME_S = 15.0
"""A player that pulls asks for a segment so often at least: until then those of the director before are not known."""


class DeletingPrograms:
    """The programs that this station is to delete."""

    def __init__(  # noqa: PLR0917 -- all that knows of a program
        self,
        term: Term,
        catalogue: Catalogue,
        library: Library,
        roster: Roster,
        table: SegmentLocationTable,
        stock: TakingStock,
        registry: RegistryLink,
        obtaining: Obtaining,
        watched: Callable[[ProgramId], int],
        is_bringing: Callable[[Cut], bool],
    ) -> None:
        """`watched` gives how many sessions a program has at the station, `is_bringing` whether a console waits for
        some of it to be brought."""
        self._term = term
        self._catalogue = catalogue
        self._library = library
        self._roster = roster
        self._table = table
        self._stock = stock
        self._registry = registry
        self._obtaining = obtaining
        self._watched = watched
        self._is_bringing = is_bringing
        self._running: dict[Cut, asyncio.Task[DeletionVerdict]] = {}
        self._wanted: dict[Cut, Callable[[], bool]] = {}
        """Whether those that run are wanted yet."""
        self._waits: dict[Cut, str] = {}
        """What is in the way of those that run."""

    async def delete(self, wish: DeleteHere) -> DeletionStanding:
        """An operator wishes it; answered with what is in the way."""
        cut = Cut(wish.program, wish.table)
        if cut not in self._running and not self._table.segments(cut):
            settled = not self._term.is_assembling(_now()) and not self._stock.under_way
            return DeletionStanding(gone=settled)
        self.begin(cut)
        self._wanted[cut] = _always  # be it that the station has begun it by itself
        return DeletionStanding(waits=self._waits.get(cut))

    def begin(self, cut: Cut, wanted: Callable[[], bool] | None = None) -> "asyncio.Task[DeletionVerdict]":
        """Delete a program as soon as that may be, as long as it is wanted; gives what the registry said last."""
        if (running := self._running.get(cut)) is not None:
            return running
        self._wanted[cut] = wanted or _always
        task = self._term.tasks.create_task(self._delete(cut), name=f"delete {cut.program}")
        self._running[cut] = task
        task.add_done_callback(lambda _: self._ended(cut))
        return task

    def in_the_way(self, cut: Cut) -> str | None:
        """What keeps a program at the station, for a person; None: nothing."""
        if self._term.is_assembling(_now()) or self._stock.under_way:
            return "the engines have yet to say what they hold"
        if _now() - self._term.began_at < _PLAYERS_COME_S:
            return "players of the director before may be about to ask"
        if not self._registry.has_told(cut):
            return "the registry has yet to hear what the station holds"
        if watched := self._watched(cut.program):
            return f"{watched} {'console receives' if watched == 1 else 'consoles receive'} it"
        return "it is being copied" if self._obtaining.is_copying(cut) or self._is_bringing(cut) else None

    def _ended(self, cut: Cut) -> None:
        del self._running[cut]
        self._waits.pop(cut, None)
        self._wanted.pop(cut, None)

    async def _delete(self, cut: Cut) -> DeletionVerdict:
        while self._is_here(cut) and self._wanted[cut]():
            answer: DeletionAnswer | None = None
            pause_s = _LOOK_AGAIN_S
            if not (waits := self.in_the_way(cut)):
                self._library.closed.add(cut.program)
                try:
                    said = await self._delete_if_granted(cut)
                finally:
                    self._library.closed.discard(cut.program)
                answer = None if isinstance(said, Refused) else said
                waits = answer.reason if answer else "the registry does not answer"
                if isinstance(said, Refused):
                    waits = f"the registry refuses: {said}"
            self._waits[cut] = waits
            if answer and answer.verdict in (DeletionVerdict.GRANTED, DeletionVerdict.DENIED):
                return answer.verdict
            if answer:
                pause_s = answer.ask_again_ms / 1000 or _ASK_AGAIN_S
            await asyncio.sleep(pause_s)
        return DeletionVerdict.HELD if self._is_here(cut) else DeletionVerdict.GRANTED

    def _is_here(self, cut: Cut) -> bool:
        """Whether it is this station's to delete."""
        known = not self._catalogue.is_gone(*cut) and bool(self._table.segments(cut))
        return known and not self._term.standing.superseded

    async def _delete_if_granted(self, cut: Cut) -> DeletionAnswer | Refused | None:
        """Claim 23: request the deletion; with the approval, carry it out. None: there is no answer to act on."""
        began_at, generation = _now(), self._registry.generation
        answer = await self._registry.request_deletion(cut)
        if not isinstance(answer, DeletionAnswer) or answer.verdict is not DeletionVerdict.GRANTED:
            return answer
        late = (_now() - began_at) * 1000 > answer.begin_within_ms
        if late or generation != self._registry.generation or not self._is_here(cut):
            self._registry.report_anew()  # leave that is not used ends with the inventory that it was given for
            return None
        logger.info("deletes %s: %s", cut.program, answer.reason)
        if not await self._let_engines_delete(cut, generation):
            return None
        await self._registry.confirm_deletion(cut)
        if back := self._table.segments(cut):
            self._registry.changed(cut, back)  # an engine has come with it meanwhile
        logger.info("has deleted %s", cut.program)
        return answer

    async def _let_engines_delete(self, cut: Cut, generation: int | None) -> bool:
        """Claim 23: an internal message to each engine that holds any of it; it is not said to be here from now on.

        An engine that is lost meanwhile says what it holds when it is back. False: the leave has ended before all had
        deleted it; what they hold is said to be here again.
        """
        left: set[Address] = set()
        taken: dict[Address, set[int]] = {}
        while not self._term.standing.superseded:
            if generation != self._registry.generation:
                self._put_back(cut, {address: taken[address] for address in left})
                return False
            for engine in self._roster:
                if held := set(self._table.of(engine.address, cut)):
                    self._table.remove(engine.address, cut, held)
                    left.add(engine.address)
                    taken[engine.address] = taken.get(engine.address, set()) | held
            if not left and not self._stock.under_way:
                return True
            engines = [engine for engine in self._roster if engine.address in left]
            deleted = await asyncio.gather(*(self._let_delete(engine, cut) for engine in engines))
            done = {engine.address for engine, was in zip(engines, deleted, strict=True) if was}
            left = {engine.address for engine in engines} - done
            await asyncio.sleep(_SAY_AGAIN_S if left or self._stock.under_way else 0)
        return False

    def _put_back(self, cut: Cut, taken: Mapping[Address, set[int]]) -> None:
        for address, numbers in taken.items():
            if self._roster.get(address):
                for number in numbers:
                    self._table.add(address, cut, number)
                self._registry.changed(cut, numbers)

    async def _let_delete(self, engine: EngineRecord, cut: Cut) -> bool:
        order = DeleteSegments(epoch=self._term.epoch, program=cut.program, table=cut.table)
        try:
            answer = await self._term.http.ask(
                engine.address, DELETE_SEGMENTS, order, deadline_s=_ENGINE_DEADLINE_S, while_refused=False
            )
        except NetworkError as error:
            logger.warning("%s", error)
            return False
        if isinstance(answer, Refused):
            logger.info("engine %s does not delete %s yet: %s", engine.address, cut.program, answer)
        return answer == Done()


def _always() -> bool:
    return True


def _now() -> float:
    return asyncio.get_running_loop().time()
