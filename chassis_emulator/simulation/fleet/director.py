"""A director without blades: it says to its center what a director says, as often, and holds nothing but numbers.

It registers, follows the feed, reports what it holds, obtains what it is ordered to, a location a segment, and asks
before it deletes (claims 1, 2, 11, 12, 23). No segment is copied: the center has no part in that.
"""

import asyncio
import logging
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from chassis_emulator.simulation.hosts import Host
from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.holding_pages import page_of
from media_network.http.client import HttpClient
from media_network.http.parts import fetch_program
from media_network.http.server import HandlerTable, serve
from media_network.messages.deletion import (
    DELETE_HERE,
    DELETION_DONE,
    REQUEST_DELETION,
    DeleteHere,
    DeletionDone,
    DeletionStanding,
    DeletionVerdict,
    RequestDeletion,
)
from media_network.messages.obtaining import OBTAIN, Obtain, ObtainStanding
from media_network.messages.program_information import (
    ASK_CHANGES,
    PUBLISH_PROGRAM,
    AskChanges,
    Changes,
    PublishProgram,
)
from media_network.messages.registry import (
    ADD_LOCATIONS,
    REGISTER_STATION,
    REPORT_LOCATIONS,
    AddLocations,
    RegisterStation,
    ReportLocations,
)
from media_network.messages.sources import ASK_SOURCES, AskSources
from media_network.messages.verb import Done, Reply, Request, Verb
from media_network.segment_set import format_segments

logger = logging.getLogger(__name__)

PORT = 8081
WAIT_S = 25.0
REGISTER_EVERY_S = 2.0
"""As a real one does, if the center does not want it more seldom."""
_PATIENCE_S = 3.0
_COPY_S = 0.2
"""A segment of 2 s at 8 Mbit/s over 80 Mbit/s."""


@dataclass
class Tally:
    """What all directors of a fleet have said and heard."""

    said: Counter[str] = field(default_factory=Counter)
    """Messages to the center by verb, each as often as it was said."""
    told: Counter[str] = field(default_factory=Counter)
    """Messages from it."""
    known: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By the number of a change: when directors have come to know it, in virtual seconds."""
    registered: set[str] = field(default_factory=set)


class FleetDirector:
    """One of them."""

    def __init__(self, station: str, host: Host, center: Address, tally: Tally, rng: random.Random) -> None:
        self.station = station
        self.host = host
        self.held: dict[Cut, set[int]] = {}
        self.heard = 0
        """Number of the newest change that it knows."""
        self._address = Address(host.address, PORT)
        self._center = center
        self._media: Address | None = None
        self._tally = tally
        self._rng = rng
        self._generation: int | None = None
        self._learning = asyncio.Lock()
        self._registered = asyncio.Event()
        self._obtaining: dict[ProgramId, asyncio.Task[None]] = {}
        self._http: HttpClient | None = None

    async def run(self) -> None:
        """Be a director until the host ends."""
        table = HandlerTable("director of a fleet")
        table.verb(OBTAIN, self._obtain)
        table.verb(PUBLISH_PROGRAM, self._publish)
        table.verb(DELETE_HERE, self._delete)
        async with HttpClient(self._rng, self.host.address) as http, asyncio.TaskGroup() as tasks:
            self._http, self._tasks = http, tasks
            async with serve(table, self._address):
                # They were not all switched on in the same moment.
                await asyncio.sleep(self._rng.uniform(0.0, REGISTER_EVERY_S))
                tasks.create_task(self._follow(), name=f"{self.station} follows the feed")
                await self._keep_registered()

    async def _tell(
        self, verb: Verb[Request, Reply], message: Request, deadline_s: float = _PATIENCE_S
    ) -> Reply | None:
        if self._http is None:
            raise RuntimeError("a director speaks when it runs")
        self._tally.said[verb.path] += 1
        return await self._http.tell(self._center, verb, message, deadline_s=deadline_s, while_refused=False)

    # Registration and feed

    async def _keep_registered(self) -> None:
        while True:
            answer = await self._tell(REGISTER_STATION, self._registration())
            again_s = REGISTER_EVERY_S
            if answer:
                self._media = Address.parse(answer.media)
                self._tally.registered.add(self.station)
                again_s = max(again_s, answer.again_ms / 1000)
                if self._generation is None or answer.generation < self._generation:
                    await self._report(max(self._generation or 0, answer.generation) + 1)
                await self._catch_up(answer.newest)
                self._registered.set()
            await asyncio.sleep(again_s)

    def _registration(self) -> RegisterStation:
        return RegisterStation(
            station=self.station,
            director=str(self._address),
            media=f"{self.host.address}:8080",
            epoch=1,
            engines=4,
            staying=4,
            heard=self.heard,
            zone="somewhere",
            free_bps=4 * 10**9,
            free_bytes=4 * 10**12,
            stored_bytes=10**12,
        )

    async def _catch_up(self, newest: int) -> None:
        async with self._learning:
            while newest > self.heard:
                page = await self._tell(ASK_CHANGES, AskChanges(since=self.heard))
                if page is None:
                    return
                self._learn(page)

    async def _follow(self) -> None:
        while True:
            await self._registered.wait()
            question = AskChanges(since=self.heard, wait_ms=int(WAIT_S * 1000))
            page = await self._tell(ASK_CHANGES, question, WAIT_S + _PATIENCE_S)
            if page is None:
                self._registered.clear()
            else:
                async with self._learning:
                    self._learn(page)

    def _learn(self, page: Changes) -> None:
        now_s = asyncio.get_running_loop().time()
        for change in page.changes:
            if change.version > self.heard:
                self._tally.known[change.version].append(now_s)
            if change.header is None:
                self.held = {cut: held for cut, held in self.held.items() if cut.program != change.program}
        self.heard = max(self.heard, page.until)

    # What it holds

    async def _report(self, generation: int) -> None:
        cuts, after, more = sorted(self.held), None, True
        while more:
            page = page_of(cuts, lambda cut: [self.held[cut]], after)
            report = ReportLocations(
                station=self.station,
                epoch=1,
                generation=generation,
                after=after.program if after else None,
                holdings=page.holdings,
                more=page.more,
            )
            if await self._tell(REPORT_LOCATIONS, report) is None:
                return
            after, more = page.holdings[-1].cut if page.holdings else after, page.more
        self._generation = generation

    async def _publish(self, _: PublishProgram) -> Done:
        self._tally.told[PUBLISH_PROGRAM.path] += 1
        return Done()

    async def _obtain(self, order: Obtain) -> ObtainStanding:
        """Claim 12, as the registry sees it."""
        self._tally.told[OBTAIN.path] += 1
        name = order.header.program
        if name not in self._obtaining:
            task = self._tasks.create_task(self._take(order), name=f"{self.station} obtains {name}")
            self._obtaining[name] = task
            task.add_done_callback(lambda _: self._obtaining.pop(name))
        return ObtainStanding()

    async def _take(self, order: Obtain) -> None:
        cut, segments = order.header.cut, order.header.segments
        question = AskSources(station=self.station, zone="somewhere", program=cut.program, table=cut.table)
        await self._tell(ASK_SOURCES, question)
        if self._http is None or await fetch_program(self._http, Address.parse(order.parts), order.header) is None:
            return
        held = self.held.setdefault(cut, set())
        for segment in range(segments):
            await asyncio.sleep(_COPY_S)
            added = AddLocations(
                station=self.station,
                epoch=1,
                generation=self._generation or 0,
                program=cut.program,
                table=cut.table,
                segments=format_segments({segment}),
                copies=min(order.copies, 4),
            )
            if await self._tell(ADD_LOCATIONS, added) is None:
                return  # it is ordered again
            held.add(segment)

    async def _delete(self, wish: DeleteHere) -> DeletionStanding:
        """Claim 23: nobody plays here, so it is asked at once."""
        self._tally.told[DELETE_HERE.path] += 1
        cut = Cut(wish.program, wish.table)
        if cut not in self.held:
            return DeletionStanding(gone=True)
        where = {"station": self.station, "epoch": 1, "generation": self._generation or 0}
        leave = await self._tell(
            REQUEST_DELETION,
            RequestDeletion(**where, program=cut.program, table=cut.table),  # type: ignore[arg-type]
        )
        if leave is None or leave.verdict is not DeletionVerdict.GRANTED:
            return DeletionStanding(waits=leave.reason if leave else "the registry does not answer")
        self.held.pop(cut, None)
        done = DeletionDone(**where, program=cut.program, table=cut.table)  # type: ignore[arg-type]
        return DeletionStanding(gone=await self._tell(DELETION_DONE, done) is not None)
