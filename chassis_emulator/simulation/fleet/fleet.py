"""A day of a fleet, in minutes: what its center hears, says, reads, writes and computes, act by act.

    arrival       every station registers, and learns the whole catalogue
    idle          nothing changes
    publication   one program after another is published
    distribution  one program is distributed to some stations
    deletion      it is deleted at them
    restart       the center is killed, and started again

docs/scale.md goes by these figures. CPU is the center's own, without a kernel's: `benchmarks/center.py` has that, too.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from chassis_emulator.simulation.cpu_meter import CpuMeter
from chassis_emulator.simulation.fleet.counted_store import CountedStore, StoreCounts
from chassis_emulator.simulation.fleet.director import FleetDirector, Tally
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from chassis_emulator.simulation.witness import Violated
from distribution_center.center import serve_center
from distribution_center.registry.repository import Repository
from distribution_center.registry.sql_repository import SqlRepository
from distribution_center.registry.sqlite_repository import SqliteRepository
from distribution_center.settings import CenterSettings
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.messages.content import (
    ASK_PROGRAM_ROW,
    DISTRIBUTE,
    PUBLISH,
    AskProgramRow,
    Distribute,
    Publish,
)
from media_network.messages.deletion import (
    ASK_DELETION,
    DELETE_PROGRAM,
    AskDeletion,
    DeleteProgram,
    DeletionStage,
)
from media_network.messages.verb import Reply, Request, Verb
from media_network.program import Program, make_program
from media_network.refusal import Refused
from media_network.segment_table import Segment, SegmentTable

CENTER = Address("10.0.0.1", 8081)
MEDIA = Address(CENTER.host, 8080)
HOME = "station-00000"
_LOOK_EVERY_S = 0.1
_SETTLED_S = 3.0
_SEGMENT_BYTES = 188 * 10_000
_PATIENCE_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class FleetPlan:
    """How large it is, and what happens to it."""

    stations: int
    programs: int = 20
    """That are there from the beginning."""
    segments: int = 40
    """Of the program that is distributed."""
    idle_s: float = 50.0
    published: int = 3
    distributed_to: int = 5


@dataclass(kw_only=True)
class Act:
    """What happened in a part of the story."""

    name: str
    lasted_s: float
    """Virtual seconds."""
    cpu_s: float
    """Of the center."""
    said: Counter[str]
    """Messages to the center from its directors, by verb."""
    told: Counter[str]
    """Messages from it to them."""
    received_bytes: int
    """By the center, HTTP's heads and some 40 a packet included."""
    sent_bytes: int
    reads: int
    writes: int
    transactions: int

    @property
    def messages(self) -> int:
        """Both ways."""
        return self.said.total() + self.told.total()


@dataclass(kw_only=True)
class FleetFigures:
    """All of it."""

    acts: dict[str, Act] = field(default_factory=dict)
    known_after_s: list[float] = field(default_factory=list)
    """For each publication and director: how long after it was ordered it was known there."""
    arrived_after_s: float = 0.0
    """Until every station had registered and knew the catalogue."""
    back_after_s: float = 0.0
    """After the restart, until all had registered again."""


def run_fleet(seed: int, plan: FleetPlan, folder: Path, *, on_act: Callable[[str], None]) -> FleetFigures:
    """Tell the story. `on_act` hears what begins. Raises SimulationError, where a step fails, too."""
    with Simulation(seed) as simulation:
        fleet = _Fleet(simulation, plan, folder, on_act)
        simulation.run_until_complete(fleet.unfold(), within_s=_PATIENCE_S)
        return fleet.figures


class _Fleet:
    def __init__(self, simulation: Simulation, plan: FleetPlan, folder: Path, on_act: Callable[[str], None]) -> None:
        self.figures = FleetFigures()
        self._simulation = simulation
        self._plan = plan
        self._folder = folder
        self._on_act = on_act
        self._tally = Tally()
        self._counts = StoreCounts()
        self._center = simulation.host(CENTER.host)
        self._meter = self._center.meter = CpuMeter()
        self._boots = 0
        self._directors = [self._director(number) for number in range(plan.stations)]
        self._programs = [_program(f"film-{number:05d}", 2) for number in range(plan.programs)]
        self._long = _program("long", plan.segments)

    def _director(self, number: int) -> FleetDirector:
        host = self._simulation.host(f"10.{1 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}")
        station = f"station-{number:05d}"
        return FleetDirector(station, host, CENTER, self._tally, self._simulation.rng(station))

    async def unfold(self) -> None:
        await self._prepare()
        async with HttpClient(self._simulation.rng("operator"), ONLOOKER) as http:
            await self._play("arrival", self._arrive)
            await self._play("idle", partial(asyncio.sleep, self._plan.idle_s))
            await self._play("publication", partial(self._publish, http))
            await self._play("distribution", partial(self._distribute, http))
            await self._play("deletion", partial(self._delete, http))
            await self._play("restart", self._restart)

    async def _play(self, name: str, act: Callable[[], Awaitable[None]]) -> None:
        self._on_act(name)
        tally, counts, hosts = self._tally, self._counts, [each.host for each in self._directors]
        began_s, cpu_s = self._now_s, self._meter.cpu_s
        said, told = Counter(tally.said), Counter(tally.told)
        sent, received = self._center.sent_bytes, sum(host.sent_bytes for host in hosts)
        stored = (counts.reads, counts.writes, counts.transactions)
        await act()
        self.figures.acts[name] = Act(
            name=name,
            lasted_s=self._now_s - began_s,
            cpu_s=self._meter.cpu_s - cpu_s,
            said=tally.said - said,
            told=tally.told - told,
            received_bytes=sum(host.sent_bytes for host in hosts) - received,
            sent_bytes=self._center.sent_bytes - sent,
            reads=counts.reads - stored[0],
            writes=counts.writes - stored[1],
            transactions=counts.transactions - stored[2],
        )

    async def _prepare(self) -> None:
        repository = SqliteRepository.open(self._registry)
        for program in (*self._programs, self._long):
            await repository.add_program(program)
            self._directors[0].held[program.cut] = set(range(program.header.segments))
        await repository.close()

    @property
    def _registry(self) -> Path:
        return self._folder / "registry.sqlite"

    async def _be_center(self) -> None:
        self._boots += 1
        settings = CenterSettings(
            name="center",
            address=CENTER.host,
            control_port=CENTER.port,
            media_port=MEDIA.port,
            state=str(self._folder),
            home=HOME,
        )
        await serve_center(settings, self._open(), self._simulation.rng(f"center boot {self._boots}"))

    def _open(self) -> Repository:
        return SqlRepository(CountedStore(SqliteRepository.open(self._registry).store, self._counts))

    async def _arrive(self) -> None:
        began_s = self._now_s
        self._simulation.start(self._center, self._be_center)
        for director in self._directors:
            self._simulation.start(director.host, director.run)
        await self._until(partial(self._is_known_everywhere, len(self._programs) + 1))
        await self._until(self._are_all_registered)
        self.figures.arrived_after_s = self._now_s - began_s
        await asyncio.sleep(_SETTLED_S)

    async def _publish(self, http: HttpClient) -> None:
        for program in self._programs[: self._plan.published]:
            ordered_s, version = self._now_s, self._newest + 1
            await self._order(http, PUBLISH, Publish(program.name))
            await self._until(partial(self._is_known_everywhere, version))
            self.figures.known_after_s += [known_s - ordered_s for known_s in self._tally.known[version]]

    @property
    def _newest(self) -> int:
        return max(director.heard for director in self._directors)

    async def _is_known_everywhere(self, version: int) -> bool:
        return all(director.heard >= version for director in self._directors)

    async def _are_all_registered(self) -> bool:
        return len(self._tally.registered) == self._plan.stations

    async def _distribute(self, http: HttpClient) -> None:
        stations = self._stations
        order = Distribute(program=self._long.name, stations=stations, copies=2)
        await self._order(http, DISTRIBUTE, order)
        await self._until(partial(self._is_distributed, http))

    async def _is_distributed(self, http: HttpClient) -> bool:
        row = await self._order(http, ASK_PROGRAM_ROW, AskProgramRow(self._long.name))
        return not row.to_be_carried_out

    async def _delete(self, http: HttpClient) -> None:
        for station in self._stations:
            await self._order(http, DELETE_PROGRAM, DeleteProgram(program=self._long.name, station=station))
        for station in self._stations:
            await self._until(partial(self._is_deleted, http, station))

    async def _is_deleted(self, http: HttpClient, station: str) -> bool:
        question = AskDeletion(program=self._long.name, station=station)
        return (await self._order(http, ASK_DELETION, question)).stage is DeletionStage.DONE

    async def _restart(self) -> None:
        self._simulation.crash(self._center)
        self._tally.registered.clear()
        began_s = self._now_s
        self._simulation.restart(self._center)
        await self._until(self._are_all_registered)
        self.figures.back_after_s = self._now_s - began_s

    @property
    def _stations(self) -> tuple[str, ...]:
        return tuple(director.station for director in self._directors[1 : 1 + self._plan.distributed_to])

    async def _order(self, http: HttpClient, verb: Verb[Request, Reply], message: Request) -> Reply:
        answer = await http.ask(CENTER, verb, message, deadline_s=20.0)
        if isinstance(answer, Refused):
            raise Violated(f"{verb.path} is refused: {answer}")
        return answer

    async def _until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        """Look again and again: nobody tells the onlooker."""
        while True:
            if await happened():
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    @property
    def _now_s(self) -> float:
        return self._simulation.loop.time()


def _program(name: str, segments: int) -> Program:
    rows: Sequence[Segment] = [
        Segment(number=number, length_bytes=_SEGMENT_BYTES, duration_ticks=180_000, sha256=f"{number:064x}")
        for number in range(segments)
    ]
    return make_program(
        SegmentTable.of(rows),
        program=name,
        version=0,
        title=f"The film of a title that somebody has thought of, {name}",
        rate_bps=8_000_000,
        sha256="f" * 64,
    )
