"""Parties that a benchmark needs and does not measure: an engine that stores at once, and the director of a home."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache

from msgspec.structs import replace

from media_network.address import Address
from media_network.cut import Cut
from media_network.holding_pages import page_of
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.enlisting import ATTEND, ENLIST, REPORT, Attend, Enlist, Report
from media_network.messages.holdings import ASK_ENGINE_HOLDINGS, AskHoldings, Holdings
from media_network.messages.obtaining import (
    COPY_DONE,
    FETCH,
    LOCATE_SEGMENT,
    OBTAIN,
    CopyDone,
    CopyResult,
    Fetch,
    LocateSegment,
    Obtain,
    ObtainStanding,
    SegmentLocation,
)
from media_network.messages.program_information import (
    KEEP_CHANGES,
    PUBLISH_PROGRAM,
    KeepChanges,
    PublishProgram,
)
from media_network.messages.registry import REGISTER_STATION, REPORT_LOCATIONS, RegisterStation, ReportLocations
from media_network.messages.verb import Done
from media_network.packets import TS_PACKET_BYTES
from media_network.program import Program, make_program
from media_network.segment_table import Segment, SegmentTable

_REPORT_S = 0.5
_ENLIST_AGAIN_S = 0.05
_CAPACITY_BPS = 10**12


class Engine:
    """Says that it holds what it is given, and stores what it is ordered without copying a byte."""

    def __init__(self, address: Address, director: Address, held: Mapping[Cut, Sequence[int]], slot: int = 2) -> None:
        self.stored = 0
        """Segments that it was ordered to fetch."""
        self.known_until = 0
        """Number of the newest change that it was told of."""
        self._address = address
        self._director = director
        self._cuts = sorted(held)
        self._held = held
        self._slot = slot
        self._boot = f"boot of {address}"
        self._http: HttpClient | None = None
        self._saying: set[asyncio.Task[None]] = set()

    def table(self) -> HandlerTable:
        """What it answers."""
        table = HandlerTable("engine of a benchmark")
        table.verb(ATTEND, self._attend)
        table.verb(ASK_ENGINE_HOLDINGS, self._tell_holdings)
        table.verb(KEEP_CHANGES, self._keep)
        table.verb(FETCH, self._fetch)
        return table

    async def serve(self, http: HttpClient, stack: AsyncExitStack) -> None:
        """Answer until the stack is unwound."""
        self._http = http
        await stack.enter_async_context(serve(self.table(), self._address))

    async def be_on_duty(self) -> None:
        """Enlist, and report, with whichever director answers; until cancelled."""
        assert self._http is not None
        enlisted = False
        while True:
            if enlisted:
                report = Report(engine=str(self._address), boot=self._boot, epoch=1, free_bytes=10**13)
                enlisted = await self._http.tell(self._director, REPORT, report) is not None
                await asyncio.sleep(_REPORT_S)
            else:
                enlisted = await self._http.tell(self._director, ENLIST, self._enlistment()) is not None
                await asyncio.sleep(_ENLIST_AGAIN_S)

    def _enlistment(self) -> Enlist:
        return Enlist(
            slot=self._slot,
            engine=str(self._address),
            media=str(self._address._replace(port=self._address.port - 1)),
            boot=self._boot,
            epoch=1,
            capacity_bps=_CAPACITY_BPS,
            holdings=page_of(self._cuts, self._layers),
            heard=self.known_until,
            newest=self.known_until,
        )

    def _layers(self, cut: Cut) -> list[Sequence[int]]:
        return [self._held[cut]]

    async def _attend(self, _: Attend) -> Done:
        return await asyncio.get_running_loop().create_future()

    async def _tell_holdings(self, question: AskHoldings) -> Holdings:
        return page_of(self._cuts, self._layers, question.after)

    async def _keep(self, message: KeepChanges) -> Done:
        self.known_until = max(self.known_until, message.changes.until)
        return Done()

    async def _fetch(self, order: Fetch) -> Done:
        task = asyncio.create_task(self._say_stored(order))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)
        return Done()

    async def _say_stored(self, order: Fetch) -> None:
        assert self._http is not None
        done = CopyDone(
            engine=str(self._address),
            boot=self._boot,
            program=order.program,
            table=order.table,
            segment=order.segment.number,
            result=CopyResult.STORED,
            copied_bytes=order.segment.length_bytes,
        )
        self.stored += 1
        await self._http.tell(self._director, COPY_DONE, done)


class HomeDirector:
    """Of the home station: holds whatever it is said to, and names itself as the place of every segment."""

    def __init__(self, station: str, address: Address, center: Address) -> None:
        self._station, self._address, self._center = station, address, center

    def table(self) -> HandlerTable:
        """What it answers."""
        table = HandlerTable("home of a benchmark")
        table.verb(OBTAIN, self._obtain)
        table.verb(LOCATE_SEGMENT, self._locate)
        table.verb(PUBLISH_PROGRAM, self._publish)
        return table

    async def register(self, http: HttpClient, held: Mapping[Cut, Sequence[int]], *, heard: int) -> None:
        """Register, and report what it holds; again and again until the center answers."""
        registration = RegisterStation(
            station=self._station,
            director=str(self._address),
            media=str(self._address),
            epoch=1,
            engines=1,
            heard=heard,
        )
        answer = None
        while answer is None:
            answer = await http.tell(self._center, REGISTER_STATION, registration)
        cuts, after, more = sorted(held), None, True
        while more:
            page = page_of(cuts, lambda cut: [held[cut]], after)
            report = ReportLocations(
                station=self._station,
                epoch=1,
                generation=answer.generation + 1,
                after=after.program if after else None,
                holdings=page.holdings,
                more=page.more,
            )
            if await http.tell(self._center, REPORT_LOCATIONS, report, deadline_s=10.0) is None:
                raise OSError("the center takes no report")
            after, more = page.holdings[-1].cut if page.holdings else after, page.more

    async def _obtain(self, _: Obtain) -> ObtainStanding:
        return ObtainStanding()

    async def _locate(self, _: LocateSegment) -> SegmentLocation:
        return SegmentLocation(media=str(self._address), ticket="0" * 24 + "." + "0" * 32)

    async def _publish(self, _: PublishProgram) -> Done:
        return Done()


def film(number: int, segments: int, *, published: bool = False, version: int = 0) -> Program:
    """A program of as many segments of two seconds; all of a length have the same table."""
    first = _first_film(segments)
    header = replace(
        first.header,
        program=f"film-{number:06d}",
        version=version,
        title=f"The film of a title that somebody has thought of, number {number}",
        sha256=f"{number:064x}",
        publish_at_ms=0 if published else None,
    )
    return Program(header, first.segments)


@cache
def _first_film(segments: int) -> Program:
    rows = [
        Segment(
            number=position,
            length_bytes=10_000 * TS_PACKET_BYTES,
            duration_ticks=180_000,
            sha256=f"{position:064x}",
        )
        for position in range(segments)
    ]
    return make_program(
        SegmentTable.of(rows), program="film", version=0, title="Film", rate_bps=8_000_000, sha256="0" * 64
    )
