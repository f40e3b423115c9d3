"""Copies that were made for want of capacity (claim 19) go when it lacks no more.

That has a hysteresis, so that they do not come and go: a copy is made when those that hold the segment are full, and
goes when what its engine carries would leave them a good part of their capacity free, and would have for a while.
"""

import asyncio
import logging
from collections.abc import Collection

from msgspec import Struct

from blade_agent.main_board.director.copies.trimming import SpareSegment, Trimming
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId

logger = logging.getLogger(__name__)

_LOOK_S = 5.0
_BUSY_SHARE = 0.7
"""Of the capacity of those that would keep a segment: so much they would carry at most without the copy."""
_QUIET_S = 60.0
"""So long without a break they would have carried no more."""
_COPIES_MAX = 65_536
"""Of older ones nothing is remembered: they stay until the disks are full."""

_Copy = tuple[Cut, int, Address]


class _Made(Struct):
    """A copy that was made."""

    before: int
    """At so many engines the segment was without it."""
    quiet_since: float | None = None
    """Since when it has not been needed, by the event loop's time; None: it is."""


class Retiring:
    """The copies of this term that were made for want of capacity. What a director before has left is not among them:
    it goes when the disks are full, as all does that nobody has ordered."""

    def __init__(self, term: Term, roster: Roster, table: SegmentLocationTable, trimming: Trimming) -> None:
        self._term = term
        self._roster = roster
        self._table = table
        self._trimming = trimming
        self._made: dict[_Copy, _Made] = {}

    def note(self, cut: Cut, segment: int, engine: Address) -> None:
        """An engine has got a segment because those that hold it were full."""
        before = len(set(self._table.engines_with(cut, segment)) - {engine})
        self._made[cut, segment, engine] = _Made(before)
        while len(self._made) > _COPIES_MAX:
            del self._made[next(iter(self._made))]

    def keep(self, program: ProgramId) -> None:
        """Copies of a program have been ordered: those that there are count as ordered."""
        for copy in [copy for copy in self._made if copy[0].program == program]:
            del self._made[copy]

    async def keep_tidy(self) -> None:
        """Let copies go that are not needed, until cancelled."""
        while not self._term.standing.superseded:
            await asyncio.sleep(_LOOK_S)
            for cut, spare in self._spare(_now()).items():
                logger.info("copies of %d segments of %s are not needed any more", len(spare), cut.program)
                await self._trimming.let_go(cut, spare)

    def _spare(self, now: float) -> dict[Cut, list[SpareSegment]]:
        """The copies that can go now; of a segment one at a time, for the others may be needed then."""
        found: dict[Cut, dict[int, SpareSegment]] = {}
        for copy, made in list(self._made.items()):
            cut, number, address = copy
            engine = self._roster.get(address)
            if engine is None or engine.silent:
                made.quiet_since = None
            elif number not in self._table.of(address, cut):
                del self._made[copy]
            else:
                keepers = self._keepers(cut, number, address)
                needed = len(keepers) < made.before or _are_busy(keepers, engine)
                made.quiet_since = None if needed else made.quiet_since if made.quiet_since is not None else now
                if made.quiet_since is not None and now - made.quiet_since >= _QUIET_S:
                    kept_at = tuple(keeper.address for keeper in keepers)
                    found.setdefault(cut, {}).setdefault(number, SpareSegment(number, kept_at, (address,)))
                    made.quiet_since = None  # who reads it now goes on; there is another try when as much has passed
        return {cut: list(spare.values()) for cut, spare in found.items()}

    def _keepers(self, cut: Cut, number: int, but: Address) -> list[EngineRecord]:
        holders = self._roster.live(self._table.engines_with(cut, number), excluding=(but,))
        return [engine for engine in holders if not engine.draining]


def _are_busy(keepers: Collection[EngineRecord], leaving: EngineRecord) -> bool:
    """Whether they would be, had they to carry what the engine does whose copy would go."""
    load_bps = sum(engine.load_bps for engine in (*keepers, leaving))
    return load_bps > _BUSY_SHARE * sum(engine.capacity_bps for engine in keepers)


def _now() -> float:
    return asyncio.get_running_loop().time()
