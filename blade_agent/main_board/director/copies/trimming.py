"""Copies beyond the ordered ones go: a blade came back after others had made its copies anew.

That takes no leave of the registry: as many engines as were ordered keep each segment. What an engine has said to hold
it may have lost since, and the engine itself may be gone before anybody has noticed. So those that are to keep a
segment are asked first: each has to answer now that it is there, and good.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.http.errors import NetworkError
from media_network.messages.deletion import DELETE_SEGMENTS, DeleteSegments
from media_network.messages.holdings import ASK_INTACT, AskIntact
from media_network.refusal import Refused
from media_network.segment_set import format_segments, parse_segments

_ENGINE_DEADLINE_S = 30.0
_ASSURED_WITHIN_S = 8.0
"""An engine reads for some seconds what it has not read yet."""
_BEGUN_WITHIN_S = 5.0
"""After those that keep a segment have said so: who cannot let go of it by then does not."""


class SpareSegment(NamedTuple):
    """A segment of which there are more copies than there are to be."""

    number: int
    kept_at: tuple[Address, ...]
    """As many engines as there are to be."""
    spare_at: tuple[Address, ...]


class Trimming:
    """Tells engines to let go of copies."""

    def __init__(self, term: Term, roster: Roster, table: SegmentLocationTable, registry: RegistryLink) -> None:
        self._term = term
        self._roster = roster
        self._table = table
        self._registry = registry

    async def trim(self, cut: Cut, ordered: int, segment_bytes: int) -> int:
        """Have no more copies of a program than were ordered; how many bytes that frees."""
        return await self.let_go(cut, spare_copies(cut, ordered, list(self._roster), self._table)) * segment_bytes

    async def let_go(self, cut: Cut, spare: Sequence[SpareSegment]) -> int:
        """Have engines let go of what is spare; how many copies have gone. Each segment is named once."""
        intact = await self._ask_keepers(cut, spare)
        before_us = round((_now() + _BEGUN_WITHIN_S) * 1e6)
        going: defaultdict[Address, set[int]] = defaultdict(set)
        for one in spare:
            if all(one.number in intact[keeper] for keeper in one.kept_at):
                for address in one.spare_at:
                    going[address].add(one.number)
        gone = await asyncio.gather(
            *(self._let_go(address, cut, numbers, before_us) for address, numbers in going.items())
        )
        return sum(gone)

    async def _ask_keepers(self, cut: Cut, spare: Sequence[SpareSegment]) -> dict[Address, Collection[int]]:
        """What of this each engine that is to keep it says to hold, and still is there to hold."""
        kept: defaultdict[Address, set[int]] = defaultdict(set)
        for one in spare:
            for keeper in one.kept_at:
                kept[keeper].add(one.number)
        records = {address: self._roster.get(address) for address in kept}
        said = await asyncio.gather(*(self._ask_keeper(address, cut, numbers) for address, numbers in kept.items()))
        return {
            address: numbers if self._is_staying(records[address]) else ()
            for address, numbers in zip(kept, said, strict=True)
        }

    async def _ask_keeper(self, address: Address, cut: Cut, numbers: Collection[int]) -> Collection[int]:
        question = AskIntact(program=cut.program, table=cut.table, segments=format_segments(numbers))
        try:
            answer = await self._term.http.ask(
                address, ASK_INTACT, question, deadline_s=_ASSURED_WITHIN_S, while_refused=False
            )
            return () if isinstance(answer, Refused) else parse_segments(answer.segments)
        except (NetworkError, ValueError):
            return ()

    def _is_staying(self, engine: EngineRecord | None) -> bool:
        """Whether it is the same as when it was asked: who enlists anew may have lost something."""
        here = engine is not None and self._roster.get(engine.address) is engine
        return here and engine is not None and not engine.silent and not engine.draining

    async def _let_go(self, address: Address, cut: Cut, numbers: set[int], before_us: int) -> int:
        """How many it has let go of. It is told once: who cannot now is asked when there is another look, for other
        engines may have fewer then."""
        order = DeleteSegments(
            epoch=self._term.epoch,
            program=cut.program,
            table=cut.table,
            segments=format_segments(numbers),
            before_us=before_us,
        )
        engine = self._roster.get(address)
        self._table.remove(address, cut, numbers)
        self._registry.changed(cut, numbers)
        try:
            answer = await self._term.http.ask(
                address, DELETE_SEGMENTS, order, deadline_s=_ENGINE_DEADLINE_S, while_refused=False
            )
        except NetworkError:
            return 0  # it may let go yet; who is lost says what it holds when it is back
        if not isinstance(answer, Refused):
            return len(numbers)
        if answer.perhaps_done:
            return 0
        if engine and self._roster.get(address) is engine:
            for number in numbers:
                self._table.add(address, cut, number)
            self._registry.changed(cut, numbers)
        return 0


def spare_copies(
    cut: Cut, ordered: int, engines: list[EngineRecord], table: SegmentLocationTable
) -> list[SpareSegment]:
    """Which engines can do without which segments: those with most room keep what was ordered. Engines that drain or
    are silent are not counted, and keep what they have."""
    staying = [engine for engine in engines if not engine.silent and not engine.draining]
    staying.sort(key=lambda engine: (-(engine.free_bytes or 0), engine.slot))
    spare = []
    for number in sorted(table.segments(cut)):
        holders = table.engines_with(cut, number)
        in_turn = [engine.address for engine in staying if engine.address in holders]
        if len(in_turn) > ordered:
            spare.append(SpareSegment(number, tuple(in_turn[:ordered]), tuple(in_turn[ordered:])))
    return spare


def _now() -> float:
    return asyncio.get_running_loop().time()
