"""Obtaining programs: the conversation of claim 12 (and 13, where the source is the home media station)."""

import asyncio
import logging
from enum import Enum, auto
from typing import NamedTuple

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.director.copies.directed_copies import FAULTS_OF_A_SOURCE, DirectedCopies
from blade_agent.main_board.director.copies.locating import Locating
from blade_agent.main_board.director.copies.pace import Pace
from blade_agent.main_board.director.copies.source_choice import SourceChoice, SourceDirector
from blade_agent.main_board.director.copies.standings import Standings
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.placement import place
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.messages.obtaining import (
    CopyResult,
    Obstacle,
    Obtain,
    ObtainStanding,
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
_SOURCES_TRIED = 4
"""From so many an engine tries to copy a segment, one after another, before another engine tries."""


class _Wish(NamedTuple):
    """How a program shall be here."""

    copies: int
    rate_bps: int | None
    """What making them may take; None: whatever there is."""


class _Brought(Enum):
    """What became of bringing a segment to an engine."""

    STORED = auto()
    NOT = auto()
    NOBODY_SAYS_WHERE = auto()


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
        registry: RegistryLink,
        choice: SourceChoice,
        locating: Locating,
        copies: DirectedCopies,
    ) -> None:
        self._term = term
        self._catalogue = catalogue
        self._library = library
        self._roster = roster
        self._table = table
        self._registry = registry
        self._choice = choice
        self._locating = locating
        self._copies = copies
        self._standings = Standings(roster, table)
        self._hints: dict[ProgramId, SourceDirector] = {}
        """The source that the last word of an order named, for when the registry names none."""
        self._running: dict[ProgramId, _Order] = {}
        self._at_once = asyncio.Semaphore(_PROGRAMS_AT_ONCE)
        self._slowly = asyncio.Semaphore(_SLOW_PROGRAMS_AT_ONCE)

    async def obtain(self, order: Obtain) -> ObtainStanding | Refused:
        """Claim 12, first step: the registry directs this seeking station to obtain a program, and names a source.

        Which of all sources is asked for a segment, their cost decides (claim 15); the one that is named is the last.
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
        if name in self._library.closed:
            return Refused(Reason.BUSY, f"{name} is being deleted here")
        wish = _Wish(order.copies, order.rate_bps)
        self._hints[name] = SourceDirector(order.source_station, source)
        if (running := self._running.get(name)) and running.wish != wish:
            del self._running[name]
            running.task.cancel()
        if name not in self._running:
            # The registry would not say it again if it knew what is here already.
            self._registry.changed(known.cut, self._table.segments(known.cut))
            obtaining = self._obtain_program(known, wish, parts)
            task = self._term.tasks.create_task(obtaining, name=f"obtain {name}")
            self._running[name] = _Order(known.table, wish, task)
            task.add_done_callback(lambda ended: self._ended(name, ended))
        return self._standings.get(name)

    def standing(self, header: ProgramHeader) -> ObtainStanding | None:
        """How an order stands that is being carried out; None: there is none for this program."""
        running = self._running.get(header.program)
        here = running is not None and running.table == header.table
        return self._standings.get(header.program) if here else None

    def learnt(self, change: ProgramChange) -> None:
        """What a program is now: of what it was nothing more is obtained."""
        running = self._running.get(change.program)
        if change.header and (running is None or running.table == change.header.table):
            return
        self._standings.forget(change.program)
        if running:
            del self._running[change.program]
            running.task.cancel()

    def _ended(self, name: ProgramId, task: asyncio.Task[None]) -> None:
        if (running := self._running.get(name)) and running.task is task:
            del self._running[name]
        if name not in self._running:
            self._hints.pop(name, None)

    def is_copying(self, cut: Cut) -> bool:
        """Whether somebody fetches a program here, or is about to: this station, or another that asked where it is."""
        fetched = self._copies.are_of(cut) or self._locating.is_about_to_be_fetched(cut)
        return fetched or cut.program in self._running

    async def _obtain_program(self, header: ProgramHeader, wish: _Wish, parts: Address) -> None:
        async with self._slowly if wish.rate_bps else self._at_once:  # who waits for that has no table in memory yet
            program = await self._library.fetch(header, parts)
            if program is None:
                self._standings.note_no_table(header.program, parts)
                return
            here = len(self._table.segments(program.cut))
            if here < header.segments:
                logger.info("obtains %s: %d of %d are here", program.name, here, header.segments)
            await self._obtain_all(program, wish)
            if here < header.segments and len(self._table.segments(program.cut)) >= header.segments:
                logger.info("has obtained %s: all %d segments are here", program.name, header.segments)

    async def _obtain_all(self, program: Program, wish: _Wish) -> None:
        waiting = iter(program.segments)
        pace = Pace(wish.rate_bps)

        async def obtain_some() -> None:
            for segment in waiting:
                await self._obtain_segment(program, wish.copies, segment, pace)

        before = self._standings.get(program.name)
        async with asyncio.TaskGroup() as at_once:
            for _ in range(_SEGMENTS_AT_ONCE):
                at_once.create_task(obtain_some())
        self._standings.settle(program.name, before)

    async def _obtain_segment(self, program: Program, copies: int, segment: Segment, pace: Pace) -> None:
        """Bring a segment to as many engines as were asked for: the first copy from a source, more from within."""
        table, roster, cut = self._table, self._roster, program.cut
        failed: set[Address] = set()

        def receiving() -> list[EngineRecord]:
            holders = table.engines_with(cut, segment.number)
            return place(segment, copies, roster, holders, failed | self._copies.unable())

        while receiving():
            await pace.turn(segment.length_bytes)
            if not (chosen := receiving()):
                break
            result = await self._bring(chosen[0], program, segment)
            if result is _Brought.NOBODY_SAYS_WHERE:
                return
            if result is _Brought.NOT:
                failed.add(chosen[0].address)
        self._standings.note_no_place(program, segment.number, copies, failed)

    async def _bring(self, engine: EngineRecord, program: Program, segment: Segment) -> _Brought:
        """Have an engine copy a segment: from another of the station, else from one source after another (claim 15)."""
        if location := self._locating.here(program.cut, segment.number):
            result = await self._copies.copy(engine, program, segment, location)
            return self._noted(program, segment, result)
        asked: list[Address] = []
        tried = 0
        for source in await self._choice.in_order(program, segment, self._hints[program.name]):
            asked.append(source.director)
            location = await self._locating.locate(program.cut, segment.number, source)
            if location is None:
                continue
            tried += 1
            result = await self._copies.copy(engine, program, segment, location, source)
            if self._noted(program, segment, result) is _Brought.STORED:
                return _Brought.STORED
            if result not in FAULTS_OF_A_SOURCE or tried == _SOURCES_TRIED:
                return _Brought.NOT
        if tried:
            return _Brought.NOT
        who = f"{asked[0]} does not say" if len(asked) == 1 else f"none of {', '.join(map(str, asked))} says"
        self._standings.note(program, Obstacle.SOURCE_LOST, f"{who} where segment {segment.number} is")
        return _Brought.NOBODY_SAYS_WHERE

    def _noted(self, program: Program, segment: Segment, result: CopyResult | None) -> _Brought:
        if result is CopyResult.STORED:
            return _Brought.STORED
        self._standings.note_copy(program, segment.number, result)
        return _Brought.NOT
