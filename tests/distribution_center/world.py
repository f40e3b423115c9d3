"""A distribution center on duty, with stations whose directors a test scripts."""

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from distribution_center.center import serve_center
from distribution_center.content.segment_folder import segment_path
from distribution_center.registry.sqlite_repository import SqliteRepository
from distribution_center.settings import CenterSettings
from media_network.address import Address
from media_network.cut import Cut
from media_network.holding_pages import page_of
from media_network.http.parts import fetch_part
from media_network.http.server import HandlerTable, serve
from media_network.messages.content import (
    ASK_INGEST,
    INGEST,
    LIST_PROGRAMS,
    AskIngest,
    Ingest,
    IngestStage,
    ListPrograms,
)
from media_network.messages.obtaining import (
    LOCATE_SEGMENT,
    OBTAIN,
    LocateSegment,
    ObtainStanding,
    SegmentLocation,
)
from media_network.messages.program_information import PUBLISH_PROGRAM
from media_network.messages.registry import (
    ADD_LOCATIONS,
    LIST_STATIONS,
    REGISTER_STATION,
    REPORT_LOCATIONS,
    AddLocations,
    ListStations,
    RegisterStation,
    ReportLocations,
)
from media_network.messages.verb import Done
from media_network.program import joined
from media_network.segment_set import format_segments
from media_network.segment_table import table_bytes
from media_network.segment_url import segment_target
from tests.programs import program_with, segment_of

HOME = "home"
RESTORE_AFTER_S = 5.0
MEDIA_OF_STATIONS = "127.0.0.9:8080"
CONTENTS = [random.Random(number).randbytes(188 * (20 + number)) for number in range(4)]


def film(*, published=False):
    segments = [segment_of(content, number) for number, content in enumerate(CONTENTS)]
    whole = sha256(b"".join(CONTENTS)).hexdigest()
    return program_with(segments, version=0, published=published, rate_bps=1_000_000, sha256=whole)


def spool_film(spool, program):
    """Leave the segments of the film in the spool, as an ingest does."""
    (spool / program.name).mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(CONTENTS):
        segment_path(spool / program.name, number).write_bytes(content)


class ScriptedDirector:
    """The director of a station that keeps what it obtains in memory."""

    def __init__(self, station, center, http):
        self.station, self.center, self.http = station, center, http
        self.epoch, self.generation = 1, 0
        self.address = Address("127.0.0.1", 0)
        self.taken = {}
        """Content by program and segment."""
        self.hangs = False
        """It answers no order."""
        self.engines, self.copies = 3, 2
        """At how many of its engines it is."""
        self.tables = {"film": film().header.table}
        """Of the cuts that this is of."""
        self.takes = 1 << 20
        """How many segments it takes."""
        self.orders = []
        self.published = []
        self.standing = ObtainStanding()
        """What it answers to `OBTAIN`."""

    def table(self):
        table = HandlerTable("scripted director")
        table.verb(OBTAIN, self._obtain)
        table.verb(PUBLISH_PROGRAM, self._publish)
        return table

    async def register(self, **changes):
        registration = RegisterStation(
            station=self.station,
            director=str(self.address),
            media=MEDIA_OF_STATIONS,
            epoch=self.epoch,
            engines=self.engines,
            heard=0,
        )
        return await self.http.ask(self.center, REGISTER_STATION, replace(registration, **changes))

    async def begin(self):
        """Register, and report all that is here."""
        registered = await self.register()
        self.generation = registered.generation + 1
        report = ReportLocations(
            station=self.station, epoch=self.epoch, generation=self.generation, holdings=self.holdings()
        )
        assert await self.http.ask(self.center, REPORT_LOCATIONS, report) == Done()
        return registered

    async def say(self, verb, segments, **facts):
        """A change of what is here of "film"."""
        change = verb.request(
            station=self.station,
            epoch=self.epoch,
            generation=self.generation,
            program="film",
            table=self.tables["film"],
            segments=format_segments(segments),
            **facts,
        )
        assert await self.http.ask(self.center, verb, change) == Done()

    def holdings(self):
        cuts = sorted({Cut(program, self.tables[program]) for program, _ in self.taken})
        return page_of(
            cuts, lambda cut: [[number for name, number in self.taken if name == cut.program]] * self.copies
        ).holdings

    async def _publish(self, message):
        self.published.append(message.header)
        return Done()

    async def _obtain(self, order):
        self.orders.append(order)
        if self.hangs:
            await asyncio.Event().wait()
        if len(self.orders) == 1 or len(self.taken) < self.takes:
            self.obtaining = asyncio.create_task(self._take_all(order))
        return self.standing

    async def _take_all(self, order):
        """Fetch as an engine does, in order, and tell the registry."""
        header = order.header
        octets = await fetch_part(self.http, Address.parse(order.parts), header.table, table_bytes(header.segments))
        for segment in joined(header, octets).segments[: self.takes]:
            content = await self.fetch(order, segment.number)
            assert sha256(content).hexdigest() == segment.sha256
            self.taken[header.program, segment.number] = content
            self.tables[header.program] = header.table
            added = AddLocations(
                station=self.station,
                epoch=self.epoch,
                generation=self.generation,
                program=header.program,
                table=header.table,
                segments=str(segment.number),
                copies=self.copies,
            )
            assert await self.http.ask(self.center, ADD_LOCATIONS, added) == Done()

    async def fetch(self, order, number):
        question = LocateSegment(program=order.header.program, table=order.header.table, segment=number)
        where = await self.http.ask(Address.parse(order.source_director), LOCATE_SEGMENT, question)
        assert isinstance(where, SegmentLocation)
        path = segment_target(order.header.cut, number, where.ticket)
        async with self.http.read(Address.parse(where.media), path) as response:
            assert response.status == 200
            return await response.read()


class World:
    """A center in a folder, and who speaks to it."""

    def __init__(self, folder, http, *, control_port=8081, media_port=8080):
        self.folder, self.http = Path(folder), http
        self.address, self.media = Address("127.0.0.1", control_port), Address("127.0.0.1", media_port)
        self.storing_patience_s = 60.0
        self.providers = ()
        self.page = None

    @property
    def settings(self):
        return CenterSettings(
            name="center",
            address=self.address.host,
            control_port=self.address.port,
            media_port=self.media.port,
            state=str(self.folder),
            home=HOME,
            longest_segment_ms=12_000,
            storing_patience_s=self.storing_patience_s,
            restore_after_s=RESTORE_AFTER_S,
            providers=self.providers,
            page=self.page,
        )

    @asynccontextmanager
    async def center(self):
        """A center that answers, until the context is left."""
        self.folder.mkdir(exist_ok=True)
        self.repository = SqliteRepository.open(self.folder / "registry.sqlite")
        duty = asyncio.create_task(serve_center(self.settings, self.repository, random.Random(str(self.folder))))
        try:
            await self.ask(LIST_STATIONS, ListStations())
            yield
        finally:
            duty.cancel()
            with suppress(asyncio.CancelledError):
                await duty
            await self.repository.close()

    @asynccontextmanager
    async def station(self, name, host="127.0.0.1", port=0, **facts):
        director = ScriptedDirector(name, self.address, self.http)
        for fact, value in facts.items():
            setattr(director, fact, value)
        async with serve(director.table(), Address(host, port)) as director.address:
            await director.begin()
            yield director

    async def ask(self, verb, message):
        return await self.http.ask(self.address, verb, message, deadline_s=10.0)

    async def row(self, program):
        rows = (await self.ask(LIST_PROGRAMS, ListPrograms())).programs
        return next((row for row in rows if row.program == program), None)

    async def ingest(self, source, title="Tiny", segment_ms=500):
        """Order an ingest and follow it to its end."""
        progress = await self.ask(INGEST, Ingest(source=str(source), title=title, segment_ms=segment_ms))
        stages = [progress.stage]
        while progress.stage not in (IngestStage.DONE, IngestStage.FAILED):
            await asyncio.sleep(0.02)
            progress = await self.ask(ASK_INGEST, AskIngest(progress.ingest))
            if progress.stage is not stages[-1]:
                stages.append(progress.stage)
        return progress, stages

    async def put_in_spool(self, program):
        """As an ingest leaves a program: in the registry and in the spool."""
        spool_film(self.folder / "spool", program)
        repository = SqliteRepository.open(self.folder / "registry.sqlite")
        await repository.add_program(program)
        await repository.close()
