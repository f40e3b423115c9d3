"""What consoles ask for and the station does not hold (claim 14): it is copied from another station while they wait.

An engine is directed to fetch the segment, and as soon as it has taken the order the console is redirected to it: it
gives out what has arrived. So whoever asks next is redirected there as well, and the source is asked once. What a
console will play next is brought ahead of it.
"""

import asyncio
import logging
from collections.abc import Collection

from blade_agent.main_board.director.copies.bringing import Bringing, Carrier, WantedSegment
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.placement import place
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.messages.obtaining import CopyResult
from media_network.program import Program
from media_network.refusal import Reason, Refused
from media_network.segment_table import Segment

logger = logging.getLogger(__name__)

_AT_ONCE = 32
_AHEAD_AT_ONCE = 16
"""Of these, what nobody waits for yet."""
_AHEAD = 3
"""So many segments after the one that is played are brought too."""


class OnDemand:
    """What is brought because a console asked for it. Of a segment, and for whoever asks, there is one copy."""

    def __init__(
        self, term: Term, library: Library, roster: Roster, table: SegmentLocationTable, carrier: Carrier
    ) -> None:
        self._term = term
        self._library = library
        self._roster = roster
        self._table = table
        self._carrier = carrier
        self._bringing: dict[WantedSegment, Bringing] = {}

    def is_bringing(self, cut: Cut) -> bool:
        """Whether a segment of a program is being brought, or is about to be."""
        return any(wanted == cut for wanted, _ in self._bringing)

    def engines_with(self, cut: Cut, segment: int) -> Collection[Address]:
        """The engines that hold a segment; if none of them answers, those that are receiving it."""
        held = self._table.engines_with(cut, segment)
        return held if self._roster.has_live(held) else [*held, *self._carrier.copies.receiving(cut, segment)]

    def engines_with_all(self, cut: Cut, segment: int) -> Collection[Address]:
        """The engines that hold a segment, whoever is receiving it."""
        return self._table.engines_with_all(cut, segment)

    def seek(self, program: Program, segment: int) -> None:
        """Somebody is about to play a segment: have it brought if it is not here, and those after it."""
        if program.name in self._library.closed:
            return
        soon = range(segment, min(segment + _AHEAD + 1, len(program.segments)))
        for number in sorted(self._table.missing(program.cut, soon, self._roster.is_live)):
            if len(self._bringing) < _AHEAD_AT_ONCE and not self._is_here(program.cut, number):
                self._begin(program, number)

    async def bring(self, program: Program, segment: int) -> Refused | None:
        """Have a segment brought, for somebody who waits. None: an engine of the station holds it, or receives it.

        Refused is who should come again: no source answers, no engine can take it, or too much is under way already.
        """
        if self._is_here(program.cut, segment):
            return None
        bringing = self._bringing.get((program.cut, segment))
        if bringing is None:
            if program.name in self._library.closed:
                return Refused(Reason.NO_ENGINE, f"{program.name} is being deleted here")
            if len(self._bringing) >= _AT_ONCE:
                return Refused(Reason.BUSY, f"{_AT_ONCE} segments are being brought already")
            bringing = self._begin(program, segment)
        return await bringing.outcome()

    def _is_here(self, cut: Cut, segment: int) -> bool:
        """Engines may have yet to say what they hold: until then nothing counts as missing."""
        return self._roster.has_live(self.engines_with(cut, segment)) or self._term.is_assembling(_now())

    def _begin(self, program: Program, number: int) -> Bringing:
        wanted = (program.cut, number)
        bringing = self._bringing.get(wanted)
        if bringing is None:
            bringing = self._bringing[wanted] = Bringing()
            bring = self._bring(program, program.segments[number], bringing)
            task = self._term.tasks.create_task(bring, name=f"bring {program.name}/{number}")
            task.add_done_callback(lambda _: self._end(wanted))
        return bringing

    def _end(self, wanted: WantedSegment) -> None:
        cut, number = wanted
        self._bringing.pop(wanted).settle(Refused(Reason.NO_ENGINE, f"segment {number} of {cut.program} does not come"))

    async def _bring(self, program: Program, segment: Segment, bringing: Bringing) -> None:
        """Have an engine copy it from the cheapest source, then from the next; say why if none gives it."""
        unfit: set[Address] = set()
        nobody = f"no station that answers gives segment {segment.number} of {program.name}"

        def receiver(unable: Collection[Address]) -> EngineRecord | None:
            full = (engine.address for engine in self._roster if not engine.has_room_for(program.rate_bps))
            roomy = place(segment, 1, self._roster, (), {*unable, *full})
            return next(iter(roomy or place(segment, 1, self._roster, (), unable)), None)

        async for source, location in self._carrier.elsewhere(program, segment):
            result = await self._carrier.fetch(program, segment, location, source, receiver, unfit, bringing)
            if isinstance(result, Refused):
                nobody = str(result)
                break
            if result is CopyResult.STORED:
                return
            self._carrier.sources.failed(source.station)
            logger.warning("segment %d of %s did not come from %s", segment.number, program.name, source.station)
        bringing.settle(Refused(Reason.NO_ENGINE, nobody))


def _now() -> float:
    return asyncio.get_running_loop().time()
