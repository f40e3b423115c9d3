"""Segments that only a draining engine holds are copied to engines that stay, before its blade is taken away."""

import asyncio
from itertools import islice

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.copies.directed_copies import DirectedCopies
from blade_agent.main_board.director.copies.locating import Locating
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.placement import place
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.messages.obtaining import CopyResult
from media_network.program_header import ProgramHeader

_Segment = tuple[Cut, int]
_AT_ONCE = 4
_PAUSE_S = 5.0
"""Before a segment that could not be copied is tried again."""


class Evacuation:
    """What is still to be copied from each engine that drains."""

    def __init__(  # noqa: PLR0917 -- all that knows of a segment
        self,
        term: Term,
        catalogue: Catalogue,
        library: Library,
        roster: Roster,
        table: SegmentLocationTable,
        locating: Locating,
        copies: DirectedCopies,
    ) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self._table = table
        self._library = library
        self._locating = locating
        self._copies = copies
        self._alone: dict[Address, tuple[object, list[_Segment]]] = {}
        self._copying: set[_Segment] = set()
        self._paused: dict[_Segment, float] = {}
        """Segments that could not be copied, and until when they rest, by the event loop's time."""

    def alone(self, engine: EngineRecord) -> int:
        """How many segments no other engine holds that stays; they are being copied, where they can be."""
        if not engine.draining:
            self.forget(engine.address)
            return 0
        waiting = self._waiting(engine)
        now = asyncio.get_running_loop().time()
        ready = (each for each in waiting if each not in self._copying and self._paused.get(each, now) <= now)
        for segment in islice(ready, max(0, _AT_ONCE - len(self._copying))):
            self._copying.add(segment)
            self._term.tasks.create_task(self._copy(engine, segment), name=f"evacuate {segment}")
        return len(waiting)

    def forget(self, engine: Address) -> None:
        """An engine drains no more, or is not there any more."""
        self._alone.pop(engine, None)
        if not self._alone:
            self._paused.clear()

    def _waiting(self, engine: EngineRecord) -> list[_Segment]:
        staying = tuple(other.address for other in self._roster if not other.draining and not other.silent)
        state = (self._table.version, self._catalogue.changes, staying)
        known = self._alone.get(engine.address)
        if known is None or known[0] != state:
            catalogue = self._catalogue
            held = self._table.only_at(engine.address, staying)
            # What belongs to no program that is known here nobody can ask for.
            known = (
                state,
                [(cut, number) for cut, number in held if _is_segment(catalogue.get(cut.program), cut, number)],
            )
            self._alone[engine.address] = known
        return known[1]

    async def _copy(self, engine: EngineRecord, segment: _Segment) -> None:
        """Copy one, and go on with the next."""
        try:
            copied = await self._replicate(*segment)
        finally:
            self._copying.discard(segment)
        if copied:
            self._paused.pop(segment, None)
            self.alone(engine)
        else:
            self._paused[segment] = asyncio.get_running_loop().time() + _PAUSE_S

    async def _replicate(self, cut: Cut, number: int) -> bool:
        """Have an engine that stays copy a segment from one that holds it; whether that was done."""
        program = await self._library.get(cut.program)
        location = None if cut.program in self._library.closed else self._locating.here(cut, number)
        if program is None or program.cut != cut or location is None:
            return False
        holders = self._table.engines_with(cut, number)
        segment = program.segments[number]
        failed: set[Address] = set()
        while receiving := place(segment, 1, self._roster, holders, failed | self._copies.unable()):
            if await self._copies.copy(receiving[0], program, segment, location) is CopyResult.STORED:
                return True
            failed.add(receiving[0].address)
        return False


def _is_segment(header: ProgramHeader | None, cut: Cut, number: int) -> bool:
    return header is not None and header.cut == cut and number < header.segments
