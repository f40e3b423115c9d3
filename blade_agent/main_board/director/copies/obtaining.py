"""Obtaining programs: the conversation of claim 12 (and 13, where the source is the home media station)."""

import asyncio
import logging
from collections.abc import Collection
from typing import NamedTuple

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.director.copies.pace import Pace
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.placement import place
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.holdings.taking_stock import TakingStock
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.http.errors import NetworkError
from media_network.messages.obtaining import (
    FETCH,
    LOCATE_SEGMENT,
    CopyDone,
    CopyResult,
    Fetch,
    LocateSegment,
    Obstacle,
    Obtain,
    ObtainStanding,
    SegmentLocation,
)
from media_network.messages.program_information import ProgramChange
from media_network.program import Program
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused
from media_network.segment_table import Segment

logger = logging.getLogger(__name__)

_PROGRAMS_AT_ONCE = 8
_SLOW_PROGRAMS_AT_ONCE = 32
"""Of those whose orders say a rate: they hold up nobody else."""
_SEGMENTS_AT_ONCE = 4
_COPY_PATIENCE_S = 120.0
"""How long a copy may take without a word; the order is said again by the registry if it comes to nothing."""

_UNABLE_S = 30.0
"""How long an engine is asked for no copy after its disks took one not: space is made by somebody, not by asking."""

_Copy = tuple[Address, Cut, int]


class _Wish(NamedTuple):
    """How a program shall be here."""

    copies: int
    rate_bps: int | None
    """What making them may take; None: whatever there is."""


class _Order(NamedTuple):
    """An order that is being carried out."""

    table: Sha256
    wish: _Wish
    task: asyncio.Task[None]


class Obtaining:
    """The programs this station has been directed to obtain."""

    def __init__(  # noqa: PLR0917 -- all that knows of a program
        self,
        term: Term,
        catalogue: Catalogue,
        library: Library,
        roster: Roster,
        table: SegmentLocationTable,
        stock: TakingStock,
        registry: RegistryLink,
    ) -> None:
        self._term = term
        self._catalogue = catalogue
        self._library = library
        self._roster = roster
        self._table = table
        self._stock = stock
        self._registry = registry
        self._running: dict[ProgramId, _Order] = {}
        self._at_once = asyncio.Semaphore(_PROGRAMS_AT_ONCE)
        self._slowly = asyncio.Semaphore(_SLOW_PROGRAMS_AT_ONCE)
        self._copies: dict[_Copy, asyncio.Future[CopyResult | None]] = {}
        self._standings: dict[ProgramId, ObtainStanding] = {}
        """Of programs with something in the way."""
        self._unable_until: dict[Address, float] = {}
        """Engines whose disks took no copy, and until when they are asked for none, by the event loop's time."""

    async def obtain(self, order: Obtain) -> ObtainStanding | Refused:
        """Claim 12, first step: the registry directs this seeking station to a source station.

        It is said again until all is here, and each time answered with what was in the way the last time.
        """
        try:
            source, parts = Address.parse(order.source_director), Address.parse(order.parts)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        name, change = order.header.program, change_of(order.header)
        await self._catalogue.learn([change])
        known = self._catalogue.get(name)
        if known is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"{name} was withdrawn after this order")
        wish = _Wish(order.copies, order.rate_bps)
        if (running := self._running.get(name)) and running.wish != wish:
            del self._running[name]
            running.task.cancel()
        if name not in self._running:
            # The registry would not say it again if it knew what is here already.
            self._registry.changed(known.cut, self._table.segments(known.cut))
            obtaining = self._obtain_program(known, wish, source, parts)
            task = self._term.tasks.create_task(obtaining, name=f"obtain {name}")
            self._running[name] = _Order(known.table, wish, task)
            task.add_done_callback(lambda ended: self._ended(name, ended))
        return self._standings.get(name, ObtainStanding())

    def learnt(self, change: ProgramChange) -> None:
        """What a program is now: of what it was nothing more is obtained."""
        running = self._running.get(change.program)
        if change.header and (running is None or running.table == change.header.table):
            return
        self._standings.pop(change.program, None)
        if running:
            del self._running[change.program]
            running.task.cancel()

    def _ended(self, name: ProgramId, task: asyncio.Task[None]) -> None:
        if (running := self._running.get(name)) and running.task is task:
            del self._running[name]

    async def locate_segment(self, question: LocateSegment) -> SegmentLocation | Refused:
        """Claim 12, second step, as the source director: where is the needed segment?"""
        location = self._locate_here(Cut(question.program, question.table), question.segment)
        if location is None:
            return Refused(Reason.NOT_HERE, f"segment {question.segment} of {question.program} is at no live engine")
        return location

    async def replicate(self, cut: Cut, number: int) -> bool:
        """Have an engine that stays copy a segment from one that holds it; whether that was done."""
        program = await self._library.get(cut.program)
        location = self._locate_here(cut, number)
        if program is None or program.cut != cut or location is None:
            return False
        holders = self._table.engines_with(cut, number)
        segment = program.segments[number]
        failed: set[Address] = set()
        while receiving := place(segment, 1, self._roster, holders, failed | self._unable()):
            if await self._copy(receiving[0], program, segment, location) is CopyResult.STORED:
                return True
            failed.add(receiving[0].address)
        return False

    async def copy_done(self, message: CopyDone, engine: EngineRecord) -> None:
        """Claim 12: an engine says that a copy is complete, or why it is not."""
        if message.result is CopyResult.STORED:
            cut = Cut(message.program, message.table)
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
        self._conclude((engine.address, Cut(message.program, message.table), message.segment), message.result)

    def lose_engine(self, engine: Address) -> None:
        """An engine is gone: no word will come of the copies it was directed to make."""
        for copy in [copy for copy in self._copies if copy[0] == engine]:
            self._conclude(copy, None)

    async def _obtain_program(self, header: ProgramHeader, wish: _Wish, source: Address, parts: Address) -> None:
        async with self._slowly if wish.rate_bps else self._at_once:  # who waits for that has no table in memory yet
            program = await self._library.fetch(header, parts)
            if program is None:
                detail = f"{parts} does not give the segment table of {header.program}"
                self._standings[header.program] = ObtainStanding(obstacle=Obstacle.SOURCE_LOST, detail=detail)
                return
            here = len(self._table.segments(program.cut))
            if here < header.segments:
                logger.info("obtains %s from %s: %d of %d are here", program.name, source, here, header.segments)
            await self._obtain_all(program, wish, source)
            if here < header.segments and len(self._table.segments(program.cut)) >= header.segments:
                logger.info("has obtained %s: all %d segments are here", program.name, header.segments)

    async def _obtain_all(self, program: Program, wish: _Wish, source: Address) -> None:
        waiting = iter(program.segments)
        pace = Pace(wish.rate_bps)

        async def obtain_some() -> None:
            for segment in waiting:
                await self._obtain_segment(program, wish.copies, segment, source, pace)

        name = program.name
        before = self._standings.get(name)
        async with asyncio.TaskGroup() as at_once:
            for _ in range(_SEGMENTS_AT_ONCE):
                at_once.create_task(obtain_some())
        if before is not None and self._standings.get(name) is before:
            del self._standings[name]  # nothing is in the way any more

    async def _obtain_segment(
        self, program: Program, copies: int, segment: Segment, source: Address, pace: Pace
    ) -> None:
        """Bring a segment to as many engines as were asked for: the first copy from the source, more from within."""
        table, roster, cut = self._table, self._roster, program.cut
        failed: set[Address] = set()

        def receiving() -> list[EngineRecord]:
            holders = table.engines_with(cut, segment.number)
            return place(segment, copies, roster, holders, failed | self._unable())

        while receiving():
            await pace.turn(segment.length_bytes)
            if not (chosen := receiving()):
                break
            location = self._locate_here(cut, segment.number) or await self._locate(cut, segment.number, source)
            if location is None:
                self._note(program, Obstacle.SOURCE_LOST, f"{source} does not say where segment {segment.number} is")
                return
            result = await self._copy(chosen[0], program, segment, location)
            if result is CopyResult.STORED:
                continue
            failed.add(chosen[0].address)
            if result is CopyResult.SOURCE_LOST:
                self._note(program, Obstacle.SOURCE_LOST, f"segment {segment.number} did not come")
            else:
                self._note(program, *_obstacle_of(result, segment.number))
        self._note_no_place(program, copies, failed, table.engines_with(cut, segment.number))

    def _note_no_place(
        self, program: Program, copies: int, failed: Collection[Address], holders: Collection[Address]
    ) -> None:
        """No engine is left to be asked: is a segment at fewer than it could be, for want of room?"""
        staying = [engine for engine in self._roster if not engine.silent and not engine.draining]
        asked = [engine for engine in staying if engine.address not in holders]
        if not staying and not self._roster.live(holders):
            self._note(program, Obstacle.NO_ENGINE)
        elif len(staying) - len(asked) < min(copies, len(staying)) and any(one.address not in failed for one in asked):
            self._note(program, Obstacle.NO_SPACE)

    def _note(self, program: Program, obstacle: Obstacle, detail: str | None = None) -> None:
        missing = (part for part in program.segments if not self._table.engines_with(program.cut, part.number))
        room = (engine.free_bytes or 0 for engine in self._roster if not engine.silent)
        if self._standings.get(program.name, ObtainStanding()).obstacle is not obstacle:
            logger.warning("cannot obtain %s: %s%s", program.name, obstacle, f", {detail}" if detail else "")
        self._standings[program.name] = ObtainStanding(
            obstacle=obstacle,
            needs_bytes=sum(part.length_bytes for part in missing),
            free_bytes=max(room, default=0),
            detail=detail,
        )

    def _locate_here(self, cut: Cut, segment: int) -> SegmentLocation | None:
        holders = self._roster.live(self._table.engines_with(cut, segment))
        if not holders:
            return None
        engine = min(holders, key=lambda record: (record.load_share, record.slot))
        ticket = self._term.tickets.sign(f"copy-{segment}", cut.program)
        return SegmentLocation(media=str(engine.media), ticket=ticket)

    async def _locate(self, cut: Cut, segment: int, director: Address) -> SegmentLocation | None:
        """Claim 12, second step, as the seeking director: ask the source director."""
        if director == self._term.duty.address:
            return None  # it would be asked what it has just said of itself
        question = LocateSegment(program=cut.program, table=cut.table, segment=segment)
        try:
            answer = await self._term.http.ask(director, LOCATE_SEGMENT, question)
        except NetworkError as error:
            logger.warning("%s", error)
            return None
        if isinstance(answer, Refused):
            logger.warning("%s: %s", director, answer)
            return None
        return answer

    async def _copy(
        self, engine: EngineRecord, program: Program, segment: Segment, location: SegmentLocation
    ) -> CopyResult | None:
        """Direct a receiving engine to fetch, and wait for its word; None if there was none."""
        order = Fetch(
            epoch=self._term.epoch,
            program=program.name,
            segment=segment,
            table=program.header.table,
            table_bytes=len(program.segments.octets),
            parts=str(self._term.duty.media),
            source=location.media,
            ticket=location.ticket,
        )
        key = (engine.address, program.cut, segment.number)
        if (under_way := self._copies.get(key)) is not None:
            # Somebody else has ordered the same: an engine makes it once, and says so once.
            return await asyncio.shield(under_way)
        waiting: asyncio.Future[CopyResult | None] = asyncio.get_running_loop().create_future()
        self._copies[key] = waiting
        self._term.counters.replications += 1
        try:
            result = await self._ordered(engine, order, waiting)
        finally:
            del self._copies[key]
            if not waiting.done():
                waiting.set_result(None)
        counters = self._term.counters
        if result is CopyResult.STORED:
            counters.copies_done += 1
        else:
            counters.copies_failed += 1
        if result in (CopyResult.NO_SPACE, CopyResult.IO_ERROR):
            self._unable_until[engine.address] = asyncio.get_running_loop().time() + _UNABLE_S
        return result

    async def _ordered(
        self, engine: EngineRecord, order: Fetch, waiting: "asyncio.Future[CopyResult | None]"
    ) -> CopyResult | None:
        try:
            if await self._term.http.tell(engine.address, FETCH, order) is None:
                return None
            async with asyncio.timeout(_COPY_PATIENCE_S):
                return await waiting
        except TimeoutError:
            return None

    def _unable(self) -> set[Address]:
        """The engines whose disks took no copy lately."""
        now = asyncio.get_running_loop().time()
        self._unable_until = {engine: until for engine, until in self._unable_until.items() if until > now}
        return set(self._unable_until)

    def _conclude(self, copy: _Copy, result: CopyResult | None) -> None:
        waiting = self._copies.get(copy)
        if waiting and not waiting.done():
            waiting.set_result(result)


def _obstacle_of(result: CopyResult | None, segment: int) -> tuple[Obstacle, str]:
    """Of a copy that came to nothing."""
    if result is CopyResult.NO_SPACE:
        return Obstacle.NO_SPACE, f"segment {segment} does not fit"
    if result is None:
        return Obstacle.NOT_STORED, f"nobody said what became of segment {segment}"
    return Obstacle.NOT_STORED, f"segment {segment}: {result}"
