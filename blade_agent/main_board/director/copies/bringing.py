"""Bringing a segment to an engine while somebody waits (claims 14, 19): what both have in common.

An engine is directed to fetch it, and as soon as it has taken the order whoever waits is redirected to it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass

from blade_agent.main_board.director.copies.directed_copies import FAULTS_OF_A_SOURCE, DirectedCopies
from blade_agent.main_board.director.copies.locating import Locating
from blade_agent.main_board.director.copies.source_choice import SourceChoice, SourceDirector
from blade_agent.main_board.director.engines.roster import EngineRecord
from media_network.address import Address
from media_network.cut import Cut
from media_network.messages.obtaining import CopyResult, SegmentLocation
from media_network.program import Program
from media_network.refusal import Reason, Refused
from media_network.segment_table import Segment

WantedSegment = tuple[Cut, int]
Receiver = Callable[[Collection[Address]], EngineRecord | None]
"""Gives the engine that is to receive a segment, none of these; None: there is none."""


class Bringing:
    """A segment that is being brought, and who waits until an engine receives it."""

    def __init__(self) -> None:
        self._settled: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()

    @property
    def is_received(self) -> bool:
        """Whether an engine receives it."""
        return self._settled.done() and self._settled.result() is None

    def settle(self, refused: Refused | None) -> None:
        """An engine receives it, or none will."""
        if not self._settled.done():
            self._settled.set_result(refused)

    def begin_anew(self) -> None:
        """What an engine received came to nothing; another may."""
        if self._settled.done():
            self._settled = asyncio.get_running_loop().create_future()

    async def outcome(self) -> Refused | None:
        """None as soon as an engine receives it; else why none does."""
        return await asyncio.shield(self._settled)


@dataclass(frozen=True)
class Carrier:
    """Has segments copied from where they are."""

    own_director: Address
    locating: Locating
    copies: DirectedCopies
    sources: SourceChoice

    async def elsewhere(
        self, program: Program, segment: Segment
    ) -> AsyncIterator[tuple[SourceDirector, SegmentLocation]]:
        """Where a segment is at other stations, the cheapest first: at those that hold most of the program, of which
        the registry is asked once a while; then at whoever has just this segment."""
        asked = {self.own_director}
        for anywhere in (True, False):
            for source in await self.sources.in_order(program, segment, anywhere=anywhere):
                if source.director in asked:
                    continue
                asked.add(source.director)
                if location := await self.locating.locate(program.cut, segment.number, source):
                    yield source, location

    async def fetch(  # noqa: PLR0917 -- all that a copy is made of
        self,
        program: Program,
        segment: Segment,
        location: SegmentLocation,
        source: SourceDirector | None,
        receiver: Receiver,
        unfit: set[Address],
        bringing: Bringing,
    ) -> CopyResult | Refused | None:
        """What became of the copy from this source, at the first engine that can make it; who could not is `unfit`."""
        while engine := receiver(unfit | self.copies.unable()):
            result = await self.copies.copy(engine, program, segment, location, source, lambda: bringing.settle(None))
            if result is not CopyResult.STORED:
                bringing.begin_anew()
            if result is CopyResult.STORED or result in FAULTS_OF_A_SOURCE:
                return result
            unfit.add(engine.address)
        return Refused(
            Reason.NO_ENGINE, f"no engine of the station can take segment {segment.number} of {program.name}"
        )
