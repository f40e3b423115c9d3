"""Copies that engines are directed to make, a segment each: the order, and the engine's word of what became of it."""

import asyncio
import logging
from collections.abc import Callable

from msgspec.structs import replace

from blade_agent.main_board.director.copies.locating import Locating
from blade_agent.main_board.director.copies.source_choice import SourceChoice, SourceDirector
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.taking_stock import TakingStock
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.cut import Cut
from media_network.messages.obtaining import FETCH, CopyDone, CopyResult, Fetch, SegmentLocation
from media_network.program import Program
from media_network.segment_table import Segment
from media_network.tokens.engine_token import CopyRequest

logger = logging.getLogger(__name__)

_COPY_PATIENCE_S = 120.0
"""How long a copy may take without a word; the order is said again by the registry if it comes to nothing."""
_UNABLE_S = 30.0
"""How long an engine is asked for no copy after its disks took one not: space is made by somebody, not by asking."""

FAULTS_OF_A_SOURCE = (CopyResult.SOURCE_LOST, CopyResult.HASH_MISMATCH)
"""Another source may give what the engine did not get from this one."""

_Copy = tuple[Address, Cut, int]


class DirectedCopies:
    """The copies under way."""

    def __init__(
        self,
        term: Term,
        roster: Roster,
        stock: TakingStock,
        registry: RegistryLink,
        *,
        choice: SourceChoice,
        locating: Locating,
    ) -> None:
        self._term = term
        self._roster = roster
        self._stock = stock
        self._registry = registry
        self._choice = choice
        self._locating = locating
        self._copies: dict[_Copy, asyncio.Future[CopyDone | None]] = {}
        self._taken: dict[_Copy, asyncio.Future[bool]] = {}
        """Of each of these: whether its engine has taken the order."""
        self._unable_until: dict[Address, float] = {}
        """Engines whose disks took no copy, and until when they are asked for none, by the event loop's time."""

    def are_of(self, cut: Cut) -> bool:
        """Whether one of a program is under way."""
        return any(copy[1] == cut for copy in self._copies)

    def receiving(self, cut: Cut, number: int) -> list[Address]:
        """The engines that have taken the order to copy a segment, and have yet to say what became of it."""
        return [
            engine
            for engine in (record.address for record in self._roster)
            if (taken := self._taken.get((engine, cut, number))) and taken.done() and taken.result()
        ]

    def unable(self) -> set[Address]:
        """The engines whose disks took no copy lately."""
        now = _now()
        self._unable_until = {engine: until for engine, until in self._unable_until.items() if until > now}
        return set(self._unable_until)

    async def copy(  # noqa: PLR0917 -- all that a copy is made of
        self,
        engine: EngineRecord,
        program: Program,
        segment: Segment,
        location: SegmentLocation,
        source: SourceDirector | None = None,
        begun: Callable[[], None] | None = None,
    ) -> CopyResult | None:
        """Direct a receiving engine to fetch, and wait for its word; None if there was none.

        `source`: of another station. `begun`: somebody waits for it (claim 14); it is called as soon as the engine has
        taken the order, for it gives the segment out while it arrives.
        """
        order = Fetch(
            epoch=self._term.epoch,
            program=program.name,
            segment=segment,
            table=program.header.table,
            table_bytes=len(program.segments.octets),
            parts=str(self._term.duty.media),
            source=location.media,
            ticket=location.ticket,
            control=location.control,
            on_demand=begun is not None,
        )
        key = (engine.address, program.cut, segment.number)
        if (under_way := self._copies.get(key)) is not None:
            # Somebody else has ordered the same: an engine makes it once, and says so once.
            if await asyncio.shield(self._taken[key]) and begun:
                begun()
            return _result_of(await asyncio.shield(under_way))
        waiting: asyncio.Future[CopyDone | None] = asyncio.get_running_loop().create_future()
        self._copies[key] = waiting
        taken = self._taken[key] = asyncio.get_running_loop().create_future()
        self._term.counters.replications += 1
        began_at = _now()
        giving = self._roster.at_media(location.media)
        if giving:
            self._roster.fetching.gave(giving, segment.length_bytes, began_at)
        ours = [each for each in (engine.address, giving) if each]
        self._roster.in_flight.begin(key, ours, segment.length_bytes)
        try:
            authorised = await self._authorised(order, engine, source)
            done = await self._ordered(engine, authorised, waiting, taken, begun or do_nothing) if authorised else None
        finally:
            del self._copies[key], self._taken[key]
            self._roster.in_flight.end(key)
            if not taken.done():
                taken.set_result(False)
            if not waiting.done():
                waiting.set_result(None)
        result = _result_of(done) if authorised else CopyResult.SOURCE_LOST
        self._count(engine, result)
        if source and done and result is CopyResult.STORED:
            self._choice.copied(source.station, done.copied_bytes, _now() - began_at)
        elif source and result is CopyResult.SOURCE_LOST:
            self._choice.failed(source.station)
        return result

    async def done(self, message: CopyDone, engine: EngineRecord) -> None:
        """Claim 12: an engine says that a copy is complete, or why it is not."""
        cut = Cut(message.program, message.table)
        if message.result is CopyResult.STORED:
            self._stock.stored(engine.address, cut, message.segment)
            self._registry.changed(cut, [message.segment])
        else:
            logger.warning(
                "%s did not copy segment %d of %s: %s %s",
                engine.address,
                message.segment,
                message.program,
                message.result,
                message.detail or "",
            )
        self._conclude((engine.address, cut, message.segment), message)

    def lose_engine(self, engine: Address) -> None:
        """An engine is gone: no word will come of the copies it was directed to make."""
        for copy in [copy for copy in self._copies if copy[0] == engine]:
            self._conclude(copy, None)

    async def _authorised(self, order: Fetch, engine: EngineRecord, source: SourceDirector | None) -> Fetch | None:
        """The order with the token that the receiving engine shows (claims 26, 27); None: the source supplies none."""
        if not order.control:
            return order
        copy = CopyRequest(Cut(order.program, order.table), order.segment.number, engine.certificate)
        token = await self._locating.token(copy, source) if source else self._locating.own_token(copy)
        return replace(order, token=token) if token else None

    async def _ordered(
        self,
        engine: EngineRecord,
        order: Fetch,
        waiting: "asyncio.Future[CopyDone | None]",
        taken: asyncio.Future[bool],
        begun: Callable[[], None],
    ) -> CopyDone | None:
        try:
            if await self._term.http.tell(engine.address, FETCH, order) is None:
                return None
            taken.set_result(True)
            begun()
            async with asyncio.timeout(_COPY_PATIENCE_S):
                return await waiting
        except TimeoutError:
            return None

    def _conclude(self, copy: _Copy, done: CopyDone | None) -> None:
        waiting = self._copies.get(copy)
        if waiting and not waiting.done():
            waiting.set_result(done)

    def _count(self, engine: EngineRecord, result: CopyResult | None) -> None:
        counters = self._term.counters
        if result is CopyResult.STORED:
            counters.copies_done += 1
        else:
            counters.copies_failed += 1
        if result in (CopyResult.NO_SPACE, CopyResult.IO_ERROR):
            self._unable_until[engine.address] = _now() + _UNABLE_S


def _result_of(done: CopyDone | None) -> CopyResult | None:
    return done.result if done else None


def _now() -> float:
    return asyncio.get_running_loop().time()
