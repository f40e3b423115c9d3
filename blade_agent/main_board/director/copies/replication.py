"""A segment that every engine with it is too busy to send (claims 19, 20): a further engine gets it, and sends it.

The director directs a third engine to fetch the segment from a fourth, one that is not full, and redirects the console
there as soon as the order is taken. Whoever comes next is redirected there as well: there is one copy, until that
engine is full too.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection

from blade_agent.main_board.director.copies.bringing import Bringing, Carrier, WantedSegment
from blade_agent.main_board.director.copies.source_choice import SourceDirector
from blade_agent.main_board.director.engines.engine_choice import at_capacity
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster, WantedTurn
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.placement import has_room
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.messages.obtaining import CopyResult, SegmentLocation
from media_network.program import Program
from media_network.refusal import Refused
from media_network.segment_table import Segment

logger = logging.getLogger(__name__)

_AT_ONCE = 32
_REST_S = 2.0
"""So long nobody tries again what came to nothing: streams that wait ask several times a second."""

Replicated = Callable[[Cut, int, Address], None]
"""Called when an engine has a segment that it got for want of capacity."""


class Replication:
    """What is copied because those that hold it are full."""

    def __init__(  # noqa: PLR0917 -- all that knows of a segment
        self,
        term: Term,
        library: Library,
        roster: Roster,
        table: SegmentLocationTable,
        carrier: Carrier,
        replicated: Replicated,
    ) -> None:
        self._term = term
        self._library = library
        self._roster = roster
        self._table = table
        self._carrier = carrier
        self._replicated = replicated
        self._under_way: dict[WantedSegment, Bringing] = {}
        """Of each segment the copy that was begun last."""
        self._running: set[asyncio.Task[None]] = set()
        self._resting_until: dict[WantedSegment, float] = {}

    def is_bringing(self, cut: Cut) -> bool:
        """Whether a segment of a program is being replicated."""
        return any(wanted == cut for wanted, _ in self._under_way)

    def relieve(self, program: Program, segment: int, wanted: WantedTurn) -> None:
        """No engine with a segment has room for a turn of it: have it copied to one that has, unless that is under way
        already, to an engine with room for this one too."""
        key = (program.cut, segment)
        if program.name in self._library.closed or len(self._running) >= _AT_ONCE or self._rests(key):
            return
        under_way, part = self._under_way.get(key), program.segments[segment]
        if under_way and not (under_way.is_received and self._are_full(key, wanted)):
            return
        if self._receiver(program.cut, part, wanted, ()) is None:
            return
        bringing = self._under_way[key] = Bringing()
        replicate = self._replicate(program, part, wanted, bringing)
        task = self._term.tasks.create_task(replicate, name=f"replicate {program.name}/{segment}")
        self._running.add(task)
        task.add_done_callback(lambda ended: self._ended(program, segment, bringing, ended))

    def receivers(self, cut: Cut, segment: int) -> Collection[Address]:
        """The engines that give a segment out while they receive it, for whatever reason."""
        return self._carrier.copies.receiving(cut, segment)

    async def outcome(self, program: Program, segment: int) -> Refused | None:
        """Wait for the copy that is under way. None: an engine receives it, or has it by now; else why none will."""
        if bringing := self._under_way.get((program.cut, segment)):
            return await bringing.outcome()
        return at_capacity(program, segment)

    def _rests(self, key: WantedSegment) -> bool:
        now = _now()
        self._resting_until = {each: until for each, until in self._resting_until.items() if until > now}
        return key in self._resting_until

    def _ended(self, program: Program, segment: int, bringing: Bringing, task: asyncio.Task[None]) -> None:
        key = (program.cut, segment)
        self._running.discard(task)
        if self._under_way.get(key) is bringing:
            del self._under_way[key]
        bringing.settle(at_capacity(program, segment))

    def _are_full(self, key: WantedSegment, wanted: WantedTurn) -> bool:
        """Whether those that are receiving a segment have no room for a turn of it."""
        return self._roster.least_loaded(self.receivers(*key), wanted) is None

    def _receiver(
        self, cut: Cut, segment: Segment, wanted: WantedTurn, unable: Collection[Address]
    ) -> EngineRecord | None:
        """The engine that will have most of its capacity free, of those with room for the turn and the segment that
        neither have it nor receive it."""
        staying = (engine for engine in self._roster if not engine.silent and not engine.draining)
        roomy = [engine.address for engine in staying if has_room(engine, segment)]
        having = (*self._table.engines_with(cut, segment.number), *self.receivers(cut, segment.number))
        return self._roster.least_loaded(roomy, wanted, {*having, *unable})

    async def _replicate(self, program: Program, segment: Segment, wanted: WantedTurn, bringing: Bringing) -> None:
        cut, number = program.cut, segment.number
        logger.info("segment %d of %s is at engines that are full: it is replicated", number, program.name)
        unfit: set[Address] = set()
        chosen: list[Address] = []

        def receiver(unable: Collection[Address]) -> EngineRecord | None:
            engine = self._receiver(cut, segment, wanted, unable)
            chosen[:] = [engine.address] if engine else []
            return engine

        async for source, location in self._sources(program, segment, wanted):
            result = await self._carrier.fetch(program, segment, location, source, receiver, unfit, bringing)
            if result is CopyResult.STORED:
                self._replicated(cut, number, chosen[0])
                return
            if isinstance(result, Refused):
                break
            if source:
                self._carrier.sources.failed(source.station)
        self._resting_until[cut, number] = _now() + _REST_S
        logger.warning("segment %d of %s cannot be replicated", number, program.name)

    async def _sources(
        self, program: Program, segment: Segment, wanted: WantedTurn
    ) -> AsyncIterator[tuple[SourceDirector | None, SegmentLocation]]:
        """From where it may be copied: from an engine of the station that is not full, be it one that leaves; then from
        other stations, by cost; where nobody else has it, from the least loaded of those that are full."""
        locating = self._carrier.locating
        if here := locating.here(program.cut, segment.number, self._roster.with_room(wanted)):
            yield None, here
        async for source, location in self._carrier.elsewhere(program, segment):
            yield source, location
        if here := locating.here(program.cut, segment.number):
            yield None, here


def _now() -> float:
    return asyncio.get_running_loop().time()
