"""Obtaining programs: the conversation of claim 12 (and 13, where the source is the home media station)."""

import asyncio
import logging

from blade_agent.main_board.director.placement import place
from blade_agent.main_board.director.registry_link import RegistryLink
from blade_agent.main_board.director.roster import EngineRecord
from blade_agent.main_board.director.station import Station
from media_network.address import Address
from media_network.errors import NetworkError
from media_network.messages.director import (
    LOCATE_SEGMENT,
    CopyDone,
    CopyResult,
    LocateSegment,
    Obtain,
    SegmentLocation,
)
from media_network.messages.engine import FETCH, Fetch
from media_network.messages.verb import Done
from media_network.program import Program, ProgramId, Segment
from media_network.refusal import Reason, Refused

_log = logging.getLogger(__name__)

_SEGMENTS_AT_ONCE = 4
_COPY_PATIENCE_S = 120.0
"""How long a copy may take without a word; the order is said again by the registry if it comes to nothing."""

_Copy = tuple[Address, ProgramId, int]


class Obtaining:
    """The programs this station has been directed to obtain."""

    def __init__(self, station: Station, registry: RegistryLink) -> None:
        self._station = station
        self._registry = registry
        self._running: dict[ProgramId, asyncio.Task[None]] = {}
        self._copies: dict[_Copy, asyncio.Future[CopyResult]] = {}

    async def obtain(self, order: Obtain) -> Done | Refused:
        """Claim 12, first step: the registry directs this seeking station to a source station."""
        try:
            source = Address.parse(order.source_director)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        await self._station.catalogue.learn([order.program])
        name = order.program.program
        running = self._running.get(name)
        if running is None or running.done():
            self._running[name] = self._station.tasks.create_task(
                self._obtain_all(order, source), name=f"obtain {name}"
            )
        return Done()

    async def locate_segment(self, question: LocateSegment) -> SegmentLocation | Refused:
        """Claim 12, second step, as the source director: where is the needed segment?"""
        holders = [
            record
            for engine in self._station.table.engines_with(question.program, question.segment)
            if (record := self._station.roster.get(engine)) and not record.silent
        ]
        if not holders:
            return Refused(Reason.NOT_HERE, f"segment {question.segment} of {question.program} is at no live engine")
        engine = min(holders, key=lambda record: (record.load_bps / record.capacity_bps, record.slot))
        ticket = self._station.tickets.sign(f"copy-{question.segment}", question.program)
        return SegmentLocation(engine=str(engine.address), ticket=ticket)

    async def copy_done(self, message: CopyDone, engine: EngineRecord) -> None:
        """Claim 12: an engine says that a copy is complete, or why it is not."""
        if message.result is CopyResult.STORED:
            self._station.table.add(engine.address, message.program, message.segment)
            self._registry.located(message.program, message.segment)
        else:
            _log.warning(
                "%s did not copy segment %d of %s: %s %s",
                engine.address,
                message.segment,
                message.program,
                message.result,
                message.detail,
            )
        waiting = self._copies.get((engine.address, message.program, message.segment))
        if waiting and not waiting.done():
            waiting.set_result(message.result)

    async def _obtain_all(self, order: Obtain, source: Address) -> None:
        at_once = asyncio.Semaphore(_SEGMENTS_AT_ONCE)

        async def one(segment: Segment) -> None:
            async with at_once:
                await self._obtain_segment(order, segment, source)

        async with asyncio.TaskGroup() as segments:
            for segment in order.program.segments:
                segments.create_task(one(segment))

    async def _obtain_segment(self, order: Obtain, segment: Segment, source: Address) -> None:
        """Bring a segment to as many engines as were asked for: the first copy from the source, more from within."""
        program = order.program
        holders = self._station.table.engines_with(program.program, segment.number)
        for receiving in place(segment, order.copies, self._station.roster, holders):
            within = self._station.table.engines_with(program.program, segment.number)
            location = await self._locate(program, segment, self._station.duty.address if within else source)
            if location is None:
                return
            await self._copy(receiving, program, segment, location)

    async def _locate(self, program: Program, segment: Segment, director: Address) -> SegmentLocation | None:
        question = LocateSegment(program=program.program, segment=segment.number)
        if director == self._station.duty.address:
            answer: SegmentLocation | Refused = await self.locate_segment(question)
        else:
            try:
                answer = await self._station.http.ask(director, LOCATE_SEGMENT, question)
            except NetworkError as error:
                _log.warning("%s", error)
                return None
        if isinstance(answer, Refused):
            _log.warning("%s: %s", director, answer)
            return None
        return answer

    async def _copy(
        self, engine: EngineRecord, program: Program, segment: Segment, location: SegmentLocation
    ) -> CopyResult | None:
        """Direct a receiving engine to fetch, and wait for its word; None if there was none."""
        order = Fetch(
            epoch=self._station.duty.epoch,
            program=program.program,
            segment=segment,
            source=location.engine,
            ticket=location.ticket,
        )
        key = (engine.address, program.program, segment.number)
        waiting = self._copies.setdefault(key, asyncio.get_running_loop().create_future())
        try:
            if await self._station.http.tell(engine.address, FETCH, order) is None:
                return None
            async with asyncio.timeout(_COPY_PATIENCE_S):
                return await waiting
        except TimeoutError:
            return None
        finally:
            self._copies.pop(key, None)
