"""Making room: when the disks pass their high-water mark, the station does without what nobody ordered, until they are
below the low-water mark: copies beyond the ordered ones first, then programs, those that are worth least first."""

import asyncio
import logging
from itertools import islice
from typing import NamedTuple

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.copies.deleting import DeletingPrograms
from blade_agent.main_board.director.copies.trimming import Trimming
from blade_agent.main_board.director.copies.worth import Popularity, worth
from blade_agent.main_board.director.duty import WaterMarks
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.cut import Cut
from media_network.messages.deletion import DeletionVerdict, SurplusRow

logger = logging.getLogger(__name__)

_LOOK_S = 10.0
_CHOSEN_MAX = 32
"""Programs of one round."""
_PATIENCE_S = 10.0
"""So long one deletion is waited for before the next is asked for: it may have to be moved first."""
_DENIED_S = 600.0
"""What was denied is not asked for again before."""


class _Candidate(NamedTuple):
    worth: float
    cut: Cut
    length_bytes: int


class Eviction:
    """Whether the station lacks room, and what it does about it."""

    def __init__(  # noqa: PLR0917 -- all that knows of a program
        self,
        term: Term,
        catalogue: Catalogue,
        roster: Roster,
        table: SegmentLocationTable,
        registry: RegistryLink,
        deleting: DeletingPrograms,
        popularity: Popularity,
        trimming: Trimming,
    ) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self._table = table
        self._registry = registry
        self._deleting = deleting
        self._popularity = popularity
        self._trimming = trimming
        self._short = False
        self._denied_until: dict[Cut, float] = {}

    async def keep_room(self) -> None:
        """Make room whenever it lacks, until cancelled."""
        loop = asyncio.get_running_loop()
        pause_s = again_at = 0.0
        while not self._term.standing.superseded:
            await asyncio.sleep(_LOOK_S)
            self._popularity.keep_only({cut.program for cut in self._table.cuts()})
            if self._excess_bytes() <= 0 or (loop.time() >= again_at and await self._make_room()):
                pause_s = again_at = 0.0
            elif loop.time() >= again_at:
                # All that is here is wanted. The registry tells it in pages: not every few seconds.
                pause_s = min(max(_LOOK_S, 2 * pause_s), _DENIED_S)
                again_at = loop.time() + pause_s

    def _excess_bytes(self) -> int:
        """How much has to go. Between the marks nothing has, unless it is going already."""
        readings = self._roster.readings()
        free_bytes, stored_bytes = readings.free_bytes, readings.stored_bytes
        if free_bytes is None or stored_bytes is None:
            return 0
        excess_bytes, self._short = excess(self._term.duty.water, free_bytes, stored_bytes, short=self._short)
        return excess_bytes

    async def _make_room(self) -> bool:
        """Whether anything goes."""
        excess_bytes = before_bytes = self._excess_bytes()
        logger.warning("the disks are above their high-water mark: %d bytes are to go", excess_bytes)
        surplus = await self._surplus()
        for row in (row for row in surplus if row.ordered):
            if excess_bytes <= 0:
                return True
            excess_bytes -= await self._trimming.trim(row.cut, row.ordered, self._segment_bytes(row.cut))
        for candidate in self._cheapest([row for row in surplus if not row.ordered]):
            if excess_bytes <= 0:
                return True
            if await self._evict(candidate.cut):
                excess_bytes -= candidate.length_bytes
        return excess_bytes < before_bytes

    async def _surplus(self) -> list[SurplusRow]:
        """What the station holds beyond what was ordered, as the registry knows."""
        rows: list[SurplusRow] = []
        after: str | None = ""
        while after is not None and (page := await self._registry.ask_surplus(after)):
            rows += page.programs
            after = page.until
        return rows

    def _cheapest(self, rows: list[SurplusRow]) -> list[_Candidate]:
        now = asyncio.get_running_loop().time()
        self._denied_until = {cut: until for cut, until in self._denied_until.items() if until > now}
        ranked = sorted(self._candidate(row, now) for row in rows if row.cut not in self._denied_until)
        # What is in the way takes a look at all sessions: only of those whose turn it is.
        free = (candidate for candidate in ranked if not self._deleting.in_the_way(candidate.cut))
        return list(islice(free, _CHOSEN_MAX))

    def _candidate(self, row: SurplusRow, now: float) -> _Candidate:
        header = self._catalogue.get(row.program)
        age_s = (self._catalogue.clock.now_ms() - header.changed_at_ms) / 1000 if header else 0.0
        value = worth(self._popularity.plays(row.program, now), age_s, row.elsewhere)
        segments = sum(map(len, self._table.layers(row.cut)))
        return _Candidate(value, row.cut, segments * self._segment_bytes(row.cut))

    def _segment_bytes(self, cut: Cut) -> int:
        """How long a segment is, on average."""
        header = self._catalogue.get(cut.program)
        return header.length_bytes // header.segments if header else 0

    async def _evict(self, cut: Cut) -> bool:
        """Ask to delete a program; whether that is done, or goes on."""
        deletion = self._deleting.begin(cut, wanted=lambda: self._short)
        await asyncio.wait([deletion], timeout=_PATIENCE_S)
        if not deletion.done():
            return True
        if deletion.cancelled() or deletion.result() is not DeletionVerdict.GRANTED:
            self._denied_until[cut] = asyncio.get_running_loop().time() + _DENIED_S
            return False
        return True


def excess(water: WaterMarks, free_bytes: int, stored_bytes: int, *, short: bool) -> tuple[int, bool]:
    """How many bytes have to go, and whether room lacks: from the high-water mark on, until the low one is reached."""
    whole_bytes = free_bytes + stored_bytes
    short = stored_bytes * 100 > (water.low_percent if short else water.high_percent) * whole_bytes
    return (stored_bytes - round(whole_bytes * water.low_percent / 100) if short else 0), short
