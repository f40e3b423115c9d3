"""A director in virtual time, with engines that say what a test tells them to, over simulated HTTP."""

import asyncio
import random
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.director import open_director
from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.duty import DirectorDuty, Intervals
from blade_agent.main_board.parts import with_parts
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable, serve_ports
from media_network.messages.deletion import DELETE_SEGMENTS
from media_network.messages.enlisting import ATTEND, ENLIST, REPORT, Enlist, Report
from media_network.messages.holdings import (
    ASK_ENGINE_HOLDINGS,
    ASK_INTACT,
    ASK_STATION_HOLDINGS,
    AskHoldings,
    Intact,
)
from media_network.messages.obtaining import COPY_DONE, FETCH, CopyDone, CopyResult, Obtain
from media_network.messages.program_information import (
    ASK_ENGINE_CHANGES,
    KEEP_CHANGES,
    PART_PATH,
    PUBLISH_PROGRAM,
    Changes,
    KeepChanges,
    ProgramChange,
    PublishProgram,
)
from media_network.messages.streaming import (
    ASSUMED,
    CEASE,
    NEXT_SEGMENT,
    PLAY,
    PRELOAD,
    START,
    STOPPED,
    Assumed,
    Ceased,
    NextSegment,
    Play,
    Preload,
    Ready,
    Start,
    StopCause,
    Stopped,
    StreamCursor,
)
from media_network.messages.verb import Done, Port
from media_network.messages.watching import ASK_STATION, LIST_SESSIONS, WATCHING, AskStation, ListSessions, Watching
from media_network.packets import TICKS_PER_MS, TS_PACKET_BYTES
from media_network.segment_set import format_segments, parse_segments
from media_network.segment_table import Segment
from tests.holdings import holdings_of
from tests.programs import program_with

DIRECTOR, DIRECTOR_MEDIA = Address("127.1.1.1", 8081), Address("127.1.1.1", 8080)
CENTER = Address("127.1.0.1", 8081)
CONSOLE = f"{ONLOOKER}:5000"
EPOCH = 7
STATE = Path("/state")
INTERVALS = Intervals()
LEASE_S = INTERVALS.lease_ms / 1000
RATE_BPS = 1_504_000
PACKETS_PER_S = 1000
"""Of 188 bytes, at the rate."""


def engine_address(slot):
    return Address(f"127.1.1.{slot}", 8081)


def engine_media(slot):
    return Address(f"127.1.1.{slot}", 8080)


def program_of(segments=4, packets=10_000, name="film", *, first=0, **facts):
    """A program whose segments play a millisecond a packet; `first` tells those of one program from another's."""
    parts = [
        Segment(
            number=number,
            length_bytes=packets * TS_PACKET_BYTES,
            duration_ticks=packets * TICKS_PER_MS,
            sha256=f"{first + number:064x}",
        )
        for number in range(segments)
    ]
    return program_with(parts, program=name, rate_bps=RATE_BPS, **facts)


FILM_CUT = program_of().cut


def order_of(program, source=CENTER, copies=1, **facts):
    """That a station is to obtain a program, whose table is at the director's own media address."""
    order = Obtain(
        header=program.header,
        parts=str(DIRECTOR_MEDIA),
        source_station="south",
        source_director=str(source),
        copies=copies,
    )
    return replace(order, **facts)


def tombstone(version, name="film"):
    """That a program was withdrawn."""
    return ProgramChange(version=version, program=name)


class ScriptedEngine:
    """Enlists, reports, and answers as it is told; a new boot each time its host starts."""

    def __init__(self, simulation, slot, inventory, capacity_bps=10**9):
        """`inventory`: the segments of "film" that it holds, of its `cut`."""
        self.slot, self.inventory, self.capacity_bps = slot, inventory, capacity_bps
        self.cut = FILM_CUT
        self.later_pages = ()
        """What it says when it is asked what else it holds: a page each."""
        self.address = engine_address(slot)
        self.host = simulation.host(self.address.host)
        self.boots = 0
        self.heard = []
        self.revoked = []
        self.cursors = ()
        """What its reports name."""
        self.free_bytes = 10**12
        self.reports = True
        self.preloaded = Ready(valid_ms=5000)
        self.started = Done()
        self.ceased = None
        """The cursor it answers CEASE with."""
        self.copies = CopyResult.STORED
        """What becomes of a copy; None: not a word."""
        self.takes_s = {}
        """How long a copy takes, by where it comes from."""
        self.deleted = Done()
        """What it answers when it is to delete."""
        self.damaged = frozenset()
        """Segments of which it says that they are not good, when it is asked."""
        self.stored_bytes = None
        """As its reports say."""
        self.kept = ()
        """The changes of programs that it knows, by their numbers."""
        self.page = 100
        """Changes in one."""
        self.parts = {}
        self.parts_asked = []
        self.known_until = 0
        """It has heard all changes up to this one."""
        self.kept_answer = Done()
        """To KEEP_CHANGES."""
        self.deaf_to = set()
        """Verbs that it never answers."""
        self.before = {}
        """What it does before it answers, by verb."""

    @property
    def boot(self):
        return f"{self.address.host}/{self.boots}"

    def of(self, kind):
        return [message for message in self.heard if isinstance(message, kind)]

    async def run(self):
        self.boots += 1
        table = HandlerTable("scripted engine")
        table.verb(PRELOAD, self._answer(PRELOAD, lambda: self.preloaded))
        table.verb(START, self._answer(START, lambda: self.started))
        table.verb(CEASE, self._answer(CEASE, lambda: Ceased(self.boot, self.ceased)))
        table.verb(ASK_ENGINE_HOLDINGS, self._answer_to(ASK_ENGINE_HOLDINGS, self._page))
        table.verb(FETCH, self._fetch)
        table.verb(ATTEND, self._attend)
        table.verb(ASK_INTACT, self._answer_to(ASK_INTACT, self._assure))
        table.verb(DELETE_SEGMENTS, self._answer_to(DELETE_SEGMENTS, self._delete))
        table.verb(ASK_ENGINE_CHANGES, self._answer_to(ASK_ENGINE_CHANGES, self._changes))
        table.verb(KEEP_CHANGES, self._answer(KEEP_CHANGES, lambda: self.kept_answer))
        table.resource(PART_PATH, partial(part_response, read=self._part), "Parts of programs.")
        media = engine_media(self.slot)
        async with (
            serve_ports(table, control=self.address, media=media),
            HttpClient(random.Random(self.boot)) as self.http,
        ):
            enlisted = await self.ask(ENLIST, self.enlistment())
            while True:
                if self.reports and enlisted:
                    answer = await self.ask(REPORT, self.report())
                    self.revoked += answer.revoked if answer else ()
                    enlisted = answer
                await asyncio.sleep(INTERVALS.report_ms / 1000)
                enlisted = enlisted or await self.ask(ENLIST, self.enlistment())

    def _answer(self, verb, answer):
        return self._answer_to(verb, lambda _: answer())

    def _answer_to(self, verb, answer):
        async def hear(message):
            self.heard.append(message)
            if verb in self.deaf_to:
                await asyncio.Event().wait()
            said = answer(message)
            if verb in self.before:
                await self.before[verb]()
            return said

        return hear

    def _delete(self, order):
        if self.deleted == Done() and (order.program, order.table) == self.cut:
            held = parse_segments(self.inventory)
            self.inventory = format_segments(held - (parse_segments(order.segments) if order.segments else held))
        return self.deleted

    def _assure(self, question):
        assert (question.program, question.table) == self.cut
        held = parse_segments(question.segments) & parse_segments(self.inventory)
        return Intact(segments=format_segments(held - self.damaged))

    async def _attend(self, _):
        await asyncio.Event().wait()

    def _changes(self, question):
        later = [change for change in self.kept if change.version > question.since]
        page, more = later[: self.page], len(later) > self.page
        until = min(self.known_until, page[-1].version) if more else self.known_until
        return Changes(changes=tuple(page), until=until, more=more)

    async def _part(self, sha256):
        self.parts_asked.append(sha256)
        return self.parts.get(sha256)

    def told(self):
        """The changes that the director has told it, in order."""
        return [change for message in self.of(KeepChanges) for change in message.changes.changes]

    async def _fetch(self, order):
        self.heard.append(order)
        if self.copies:
            self.saying = asyncio.create_task(self._copied(order))
        return Done()

    async def _copied(self, order):
        await asyncio.sleep(self.takes_s.get(order.source, 0.0))
        return await self.stored(order.segment, self.copies, order.table)

    def _page(self, question):
        """The page that begins after the last one of the one before."""
        before = [holdings_of({self.cut: self.inventory}), *self.later_pages]
        return next(
            page
            for earlier, page in zip(before, self.later_pages, strict=False)
            if earlier.holdings[-1].cut == question.after
        )

    async def stored(self, segment, result=CopyResult.STORED, table=None):
        """Say how a copy of a segment of "film" has ended."""
        done = CopyDone(
            engine=str(self.address),
            boot=self.boot,
            program="film",
            table=table or self.cut.table,
            segment=segment.number,
            result=result,
            copied_bytes=segment.length_bytes,
        )
        return await self.ask(COPY_DONE, done)

    async def ask(self, verb, message):
        return await self.http.tell(DIRECTOR, verb, message, deadline_s=1.0)

    def enlistment(self):
        return Enlist(
            slot=self.slot,
            engine=str(self.address),
            media=str(engine_media(self.slot)),
            boot=self.boot,
            epoch=EPOCH,
            capacity_bps=self.capacity_bps,
            holdings=holdings_of({self.cut: self.inventory}, more=bool(self.later_pages)),
            heard=self.known_until,
            newest=max([self.known_until, *(change.version for change in self.kept)]),
        )

    def report(self):
        return Report(
            engine=str(self.address),
            boot=self.boot,
            epoch=EPOCH,
            streams=self.cursors,
            free_bytes=self.free_bytes,
            stored_bytes=self.stored_bytes,
        )


class Stage:
    """The simulation, its director and engines; what consoles and engines say, a test says through `ask`."""

    def __init__(self, simulation, inventories, capacity_bps=10**9, center=None):
        self.simulation = simulation
        self.director_host = simulation.host(DIRECTOR.host)
        self.disk = simulation.disk("state", self.director_host, STATE)
        self.duty = DirectorDuty(
            station="north", address=DIRECTOR, media=DIRECTOR_MEDIA, epoch=EPOCH, center=center, state=STATE
        )
        self.engines = {
            slot: ScriptedEngine(simulation, slot, inventory, capacity_bps) for slot, inventory in inventories.items()
        }

    async def direct(self):
        catalogue = Catalogue(self.disk, STATE / "catalogue")
        await catalogue.load()
        async with (
            open_director(self.duty, catalogue, random.Random(1), DirectorCounters()) as self.director,
            serve_ports(with_parts(self.director.handlers(), catalogue.parts), control=DIRECTOR, media=DIRECTOR_MEDIA),
        ):
            await self.director.run()

    def tell(self, story, program=None, within_s=600.0):
        """Start everything, publish a program, and play the story to its end."""
        if program:
            self.hold(program)

        async def onlook():
            async with HttpClient(random.Random(3)) as self.http:
                if program:
                    await self.keep_table(program)
                    assert await self.ask(PUBLISH_PROGRAM, PublishProgram(program.header)) == Done()
                assert len((await self.ask(ASK_STATION, AskStation())).engines) == len(self.engines)
                return await story()

        self.simulation.start(self.director_host, self.direct)
        self.simulation.run(until_s=0.1)
        for engine in self.engines.values():
            self.simulation.start(engine.host, engine.run)
        self.simulation.run(until_s=0.9)
        return self.simulation.run_until_complete(onlook(), within_s=within_s)

    def hold(self, program):
        """What engines hold, they hold of this program."""
        for engine in self.engines.values():
            engine.cut = program.cut

    async def held(self):
        """Segments by program, as the director knows them; there is one cut of each."""
        page = await self.ask(ASK_STATION_HOLDINGS, AskHoldings())
        programs = {holding.program: holding.segments for holding in page.holdings}
        assert len(programs) == len(page.holdings)
        return programs

    async def as_director(self, do):
        """Have the director's own process do what it does of itself; returns what came of it."""
        done = asyncio.get_running_loop().create_future()

        async def be():
            done.set_result(await do())

        self.simulation.start(self.director_host, be)
        return await done

    async def keep_table(self, program):
        """The director's blade has the program's segment table."""
        await self.director._catalogue.parts.keep(program.header, program.segments.octets)

    async def ask(self, verb, message, deadline_s=10.0):
        party = DIRECTOR_MEDIA if Port.MEDIA in verb.ports else DIRECTOR
        return await self.http.ask(party, verb, message, deadline_s=deadline_s)

    async def play(self, program="film"):
        return await self.ask(PLAY, Play(program=program, console=CONSOLE))

    async def watch(self, session, known_turn=None):
        return await self.ask(WATCHING, Watching(session=session, known_turn=known_turn))

    async def watch_for(self, session, duration_s):
        """Let time pass with the console there."""
        end_s = asyncio.get_running_loop().time() + duration_s
        while (left_s := end_s - asyncio.get_running_loop().time()) > 0:
            await self.watch(session)
            await asyncio.sleep(min(1.0, left_s))
        return await self.watch(session)

    async def assume(self, session, turn, slot, segment=0, packet=0):
        """An engine says that it has the stream, and names it in its reports from now on."""
        message = Assumed(session=session, turn=turn, engine=str(engine_address(slot)), segment=segment, packet=packet)
        answer = await self.ask(ASSUMED, message)
        if isinstance(answer, Done):
            for engine in self.engines.values():
                engine.cursors = tuple(cursor for cursor in engine.cursors if cursor.session != session)
            self.engines[slot].cursors += (cursor_of(session, turn, segment, packet),)
        return answer

    async def streaming(self):
        """A session whose first turn is being sent; returns it and the slot of its sender."""
        redirect = await self.play()
        slot = Address.parse(redirect.engine).host.rpartition(".")[2]
        assert await self.assume(redirect.session, redirect.turn, int(slot)) == Done()
        return redirect.session, int(slot)

    async def next(self, session, turn, segment=0, **kwargs):
        return await self.ask(NEXT_SEGMENT, NextSegment(session=session, turn=turn, segment=segment, **kwargs))

    async def stop(self, session, turn, cause=StopCause.END_OF_PROGRAM, segment=0, packet=0):
        message = Stopped(session=session, turn=turn, segment=segment, packet=packet, cause=cause)
        return await self.ask(STOPPED, message)

    async def view(self, session):
        """The session without the console being there."""
        before = session[:-1] + chr(ord(session[-1]) - 1)
        page = (await self.ask(LIST_SESSIONS, ListSessions(after=before, limit=100))).sessions
        return next((view for view in page if view.session == session), None)

    async def loads(self):
        station = await self.ask(ASK_STATION, AskStation())
        return {engine.slot: engine.load_bps for engine in station.engines}

    def starts(self):
        """What the director itself directed to start: slot, turn, segment and packet, by turn."""
        found = []
        for engine in self.engines.values():
            segments = {preload.turn: preload.segment.number for preload in engine.of(Preload)}
            found += [(start.turn, engine.slot, segments[start.turn], start.packet) for start in engine.of(Start)]
        return [Started(slot, turn, segment, packet) for turn, slot, segment, packet in sorted(found)]


class Started(NamedTuple):
    slot: int
    turn: int
    segment: int
    packet: int


def cursor_of(session, turn, segment, packet):
    return StreamCursor(session=session, turn=turn, segment=segment, packet=packet)


@contextmanager
def stage(inventories, seed=1, **options):
    with Simulation(seed) as simulation:
        yield Stage(simulation, inventories, **options)
