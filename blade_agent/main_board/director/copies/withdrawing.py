"""Programs that the center gave up before they were whole: what engines hold of them is removed.

The center names them each time that the station registers, so it makes no difference who was away, or was killed,
when one was given up: an engine that comes back with segments of it is told as soon as it has enlisted.
"""

from collections.abc import Collection

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.copies.obtaining import Obtaining
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.messages.obtaining import DISCARD, Discard
from media_network.messages.verb import Done
from media_network.program import ProgramId


class Withdrawing:
    """What the center has given up, and which engines know it."""

    def __init__(  # noqa: PLR0917 -- all that knows of a program
        self,
        term: Term,
        catalogue: Catalogue,
        roster: Roster,
        table: SegmentLocationTable,
        registry: RegistryLink,
        obtaining: Obtaining,
    ) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self._table = table
        self._registry = registry
        self._obtaining = obtaining
        self._told: dict[str, set[ProgramId]] = {}
        """By boot of an engine: what it has discarded."""
        self._telling: set[str] = set()

    async def hear(self, named: Collection[ProgramId], asked_at: float) -> None:
        """The center, asked at this moment, names what it has given up. What is in service stays, whoever says so."""
        names = {
            name
            for name in named
            if not self._catalogue.published(name) and self._obtaining.ordered_at(name) < asked_at
        }
        for name in names:
            self._obtaining.give_up(name)
        if any(self._catalogue.get(name) for name in names):
            # New here, or kept by an engine that was away: whoever has it may have told others.
            await self._catalogue.forget(names)
            self._told.clear()
        boots = {engine.boot for engine in self._roster}
        self._told = {boot: told & names for boot, told in self._told.items() if boot in boots}
        for engine in self._roster:
            untold = names - self._told.get(engine.boot, set())
            if untold and not engine.silent and engine.boot not in self._telling:
                self._telling.add(engine.boot)
                self._term.tasks.create_task(self._tell(engine, untold), name=f"{engine.address} discards")

    async def _tell(self, engine: EngineRecord, names: set[ProgramId]) -> None:
        try:
            order = Discard(epoch=self._term.epoch, programs=tuple(sorted(names)))
            answer = await self._term.http.tell(engine.address, DISCARD, order)
        finally:
            self._telling.discard(engine.boot)
        if not isinstance(answer, Done) or not self._roster.knows(engine.address, engine.boot):
            return  # it is told again
        self._told.setdefault(engine.boot, set()).update(names)
        for name in names:
            self._registry.changed(name, self._table.take(engine.address, name))
