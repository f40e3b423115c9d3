"""The network of a campaign, as it is asked and told: its environment, its center, its directors, its disks."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from blade_agent.backplane.role import Role
from chassis_emulator.campaign.books import DirectorBook, DiskBook, Locations, RegistryBook, read_disks, read_registry
from chassis_emulator.chassis.orders import END_FAULTS, INSERT, EndFaults, InsertBlade
from chassis_emulator.network.control import (
    PROCESSES,
    READINESS,
    REVIVE,
    AskReadiness,
    ListProcesses,
    ProcessRow,
    Readiness,
    Revive,
    send_order,
)
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.plan import BladePlan, NetworkPlan
from media_network.address import Address
from media_network.cut import Cut
from media_network.http.all_stations import all_stations_of
from media_network.http.client import HttpClient
from media_network.messages.holdings import ASK_STATION_HOLDINGS, AskHoldings
from media_network.messages.verb import Reply, Request, Verb
from media_network.messages.watching import ASK_STATION, AskStation, StationView
from media_network.segment_set import parse_segments

ORDER_TIMEOUT_S = 60.0
_ASK_S = 2.0
_TRACEBACK = "Traceback (most recent call last)"


class Battlefield:
    """A network that is up in a state folder, and everything that can be found out of it."""

    def __init__(self, plan: NetworkPlan, folder: StateFolder, http: HttpClient, rng: random.Random) -> None:
        self.plan = plan
        self.folder = folder
        self.http = http
        self.rng = rng
        self._blades: Mapping[str, BladePlan] = {str(blade.address): blade for blade in plan.blades}

    @property
    def spool(self) -> Path:
        """Where the center has programs on their way home."""
        return self.plan.center.state / "spool"

    async def tell(self, verb: Verb[Request, Reply], request: Request) -> Reply:
        """Give the environment an order. Raises OrderRefused, NotUp, EnvironmentLost."""
        return await send_order(self.folder, verb, request, timeout_s=ORDER_TIMEOUT_S)

    async def processes(self) -> tuple[ProcessRow, ...]:
        """Every process, as `ps` shows it."""
        return (await self.tell(PROCESSES, ListProcesses())).processes

    async def process(self, name: str) -> ProcessRow:
        """One of them."""
        return next(row for row in await self.processes() if row.name == name)

    async def director(self, station: str) -> ProcessRow | None:
        """Who says that he directs a station: of two, the one appointed last."""
        directing = [
            row for row in await self.processes() if row.station == station and row.role == Role.DIRECTOR and row.pid
        ]
        return max(directing, key=lambda row: row.epoch, default=None)

    async def mend(self) -> None:
        """End every fault, fill every slot, start whatever has ended."""
        await self.tell(END_FAULTS, EndFaults())
        for row in await self.processes():
            if row.role == "empty":
                await self.tell(INSERT, InsertBlade(row.name))
        await self.tell(REVIVE, Revive())

    async def readiness(self) -> Readiness:
        """How much of the network serves."""
        return await self.tell(READINESS, AskReadiness())

    async def views(self) -> dict[str, DirectorBook]:
        """Stations as their directors see them, as far as they answer."""
        listed = await all_stations_of(self.http, self.plan.center.address, deadline_s=_ASK_S)
        views = {}
        for row in listed or ():
            director = Address.parse(row.director)
            view = await self.http.tell(director, ASK_STATION, AskStation(), deadline_s=_ASK_S)
            held = await self._held(director)
            if view is not None and held is not None:
                views[row.station] = DirectorBook(view=view, held=held)
        return views

    async def _held(self, director: Address) -> Locations | None:
        held: dict[Cut, frozenset[int]] = {}
        after: Cut | None = None
        more = True
        while more:
            page = await self.http.tell(director, ASK_STATION_HOLDINGS, AskHoldings(after=after), deadline_s=_ASK_S)
            if page is None:
                return None
            held |= {holding.cut: parse_segments(holding.segments) for holding in page.holdings}
            after, more = max(held, default=None), page.more
        return held

    async def registry(self) -> RegistryBook:
        """The registry's book."""
        return await asyncio.to_thread(read_registry, self.plan.center.state / "registry.sqlite")

    async def disks(self, view: StationView) -> dict[str, DiskBook]:
        """The books of the disks of a station's engines, by control address."""
        engines = [engine.engine for engine in view.engines if engine.engine in self._blades]
        books = await asyncio.gather(*(asyncio.to_thread(read_disks, self._blades[engine]) for engine in engines))
        return dict(zip(engines, books, strict=True))

    def scars(self) -> Iterator[str]:
        """What no kill may leave behind: damaged files, tracebacks."""
        for path in sorted(self.folder.path.rglob("*.damaged-*")):
            yield f"{path} was set aside: no process that is killed may leave a damaged file"
        for log in sorted(self.folder.logs.glob("*.log")):
            _, found, rest = log.read_text(errors="replace").partition(_TRACEBACK)
            if found:
                last = next((line for line in rest.splitlines()[1:] if line and not line.startswith(" ")), "")
                yield f"{log} has a traceback: {last}"
