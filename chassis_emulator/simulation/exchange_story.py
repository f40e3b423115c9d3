"""A story of exchanged consoles in virtual time (claims 21 and 22): a segment comes slowly to the engine that sends it,
the one that has all of it is full, and things fail meanwhile.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from chassis_emulator.media_console.errors import ConsoleError, PlayRefused
from chassis_emulator.media_console.push import play_push
from chassis_emulator.media_console.reception import ConsoleReception, Output
from chassis_emulator.media_console.remote import Remote
from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.fault_plan import FaultPlan
from chassis_emulator.simulation.faults import schedule
from chassis_emulator.simulation.film import make_film
from chassis_emulator.simulation.hosts import Host
from chassis_emulator.simulation.restless import Restless
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from chassis_emulator.simulation.stage import Stage, registry_path
from chassis_emulator.simulation.witness import StreamWitness, Violated
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.content import DISTRIBUTE, LIST_PROGRAMS, PUBLISH, Distribute, ListPrograms
from media_network.messages.content import Publish as PublishOrder
from media_network.messages.registry import LIST_STATIONS, ListStations
from media_network.messages.verb import Reply, Request, Verb
from media_network.program import Program
from media_network.refusal import Refused

_RATE_BPS = 1_000_000
_SEGMENT_MS = 10_000
"""Five blocks."""
_ROUNDS = 2
_OTHERS = 2
"""Viewers of what every engine has: each fills an engine."""
TOPOLOGY = Topology(
    network=1,
    name="exchanges",
    center=Center(name="main", home="home"),
    stations=(
        StationTopology(name="home", slots=2),
        StationTopology(name="north", slots=4, capacity_bps=_RATE_BPS * 3 // 2),
    ),
)
_TIMES_THE_RATE = (0.6, 1.2)
"""How fast a segment comes: late for everybody, or for who goes fast."""
_SETTLES_S = (0.5, 2.0)
_BETWEEN_ROUNDS_S = 3.0
_COMES_AGAIN = 8
_FAULTS_FOR_S = 28.0
_CALM_AFTER_S = 25.0
_PATIENCE_S = 600.0
_PAUSE_S = 0.5
_RETURNED = b'"returned":{'
"""What the engine says that gives its console for another."""


_View = Callable[[HttpClient, ProgramId], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class ExchangeOutcome:
    """What came of one run."""

    seed: int
    trace_hash: str
    virtual_s: float
    faults: int
    exchanged: int
    """How often an engine gave its console for another."""
    receptions: int
    broken: int
    skipped: int
    """Packets that were never sent, for their sender was lost."""


def tell_exchanges(seed: int) -> ExchangeOutcome:
    """Run the story with the faults of a seed. Raises SimulationError if what must hold does not."""
    with tempfile.TemporaryDirectory(prefix="media-station-exchanges-") as folder, Simulation(seed) as simulation:
        story = _ExchangeStory(simulation, Path(folder))
        simulation.run_until_complete(story.unfold(), within_s=_PATIENCE_S)
        return story.told()


class _ExchangeStory:
    """One run."""

    def __init__(self, simulation: Simulation, folder: Path) -> None:
        self._simulation = simulation
        self._stage = Stage(simulation, TOPOLOGY, folder)
        names = [*(f"slow-{number}" for number in range(_ROUNDS + 1)), "other"]
        self._films = {
            name: make_film(
                simulation.rng(name),
                segments=1,
                segment_ms=_SEGMENT_MS,
                rate_bps=_RATE_BPS,
                name=name,
                indexed=True,
            )
            for name in names
        }
        self._streams = StreamWitness(self._stage, simulation.loop.fail, _RATE_BPS)
        self._streams.begins = frozenset({0})
        simulation.links.taps.append(self._streams.see)
        simulation.links.stream_taps.append(self._hear)
        self._rng = simulation.rng("viewers")
        self._exchanged = 0
        self._receptions = 0
        self._broken = 0
        self._faults = 0

    def told(self) -> ExchangeOutcome:
        """The outcome."""
        return ExchangeOutcome(
            seed=self._simulation.seed,
            trace_hash=self._simulation.trace_hash,
            virtual_s=self._simulation.loop.time(),
            faults=self._faults,
            exchanged=self._exchanged,
            receptions=self._receptions,
            broken=self._broken,
            skipped=self._streams.skipped,
        )

    async def unfold(self) -> None:
        """The onlooker's part: bring films into service, have them watched while things fail, and then once more."""
        registry = SqliteRepository.open(registry_path(self._stage.plan.center))
        for program, contents in self._films.values():
            self._stage.put_in_spool(program, contents)
            await registry.add_program(program)
        await registry.close()
        self._stage.raise_curtain()
        async with HttpClient(self._simulation.rng("onlooker"), ONLOOKER) as http:
            for name in self._films:
                await self._bring_into_service(http, name, copies=3 if name == "other" else 1)
            faults = _plan(self._stage, self._now_s).draw(self._simulation.rng("faults"))
            self._faults, ends_at = len(faults), self._now_s + _FAULTS_FOR_S
            schedule(self._simulation, faults)
            for number in range(_ROUNDS):
                await self._watch_two(http, f"slow-{number}", self._view)
                await asyncio.sleep(_BETWEEN_ROUNDS_S)
            await asyncio.sleep(max(0.0, ends_at + _CALM_AFTER_S - self._now_s))
            skipped = self._streams.skipped
            await self._watch_two(http, f"slow-{_ROUNDS}", self._view_in_calm)
            if self._streams.skipped != skipped:
                raise Violated(f"in the calm after the faults {self._streams.skipped - skipped} packets were not sent")

    async def _watch_two(self, http: HttpClient, slow: str, view: _View) -> None:
        """Viewers of what all engines have, and then one of what comes slowly to the engine that gets it."""
        self._slow_down(self._rng.choice(_TIMES_THE_RATE) * _RATE_BPS)
        async with asyncio.TaskGroup() as viewers:
            for number in range(_OTHERS):
                viewers.create_task(view(http, "other"), name=f"viewer {number}")
            await asyncio.sleep(self._rng.uniform(*_SETTLES_S))
            viewers.create_task(view(http, slow), name="viewer of what comes slowly")

    def _slow_down(self, stream_bps: float) -> None:
        """What comes from home comes so fast."""
        home, north = self._hosts("home"), self._hosts("north")
        for source in home:
            for sink in north:
                self._simulation.links.set_conditions(source, sink, Conditions(stream_bps=stream_bps))

    def _hosts(self, station: str) -> list[Host]:
        blades = (blade for blade in self._stage.plan.blades if blade.station == station)
        return [self._simulation.host(blade.address.host) for blade in blades]

    async def _view(self, http: HttpClient, name: str) -> None:
        """Watch while things fail: it may break off, but what is whole must be exact."""
        program = self._films[name][0]
        try:
            reception = await self._play(http, program, None if name == "other" else Restless())
        except ConsoleError:
            self._broken += 1
            return
        whole = reception.bytes == program.header.length_bytes and not reception.jumps
        if whole and reception.sha256 != program.header.sha256:
            raise Violated(f"a console received as many bytes as the program has, but others: {reception}")
        self._receptions += whole or (reception.jumps > 0 and reception.intact is not False)
        self._broken += reception.intact is False

    async def _view_in_calm(self, http: HttpClient, name: str) -> None:
        """When all is healed, each console gets every byte, whoever sends it."""
        program = self._films[name][0]
        reception = await self._play(http, program, None)
        if reception.sha256 != program.header.sha256:
            raise Violated(f"in the calm after the faults a console of {name} received {reception}")

    async def _play(self, http: HttpClient, program: Program, restless: Restless | None) -> ConsoleReception:
        output, remote = _Output(), Remote()
        rng = self._simulation.rng(f"viewer at {self._now_s}")
        orders = asyncio.create_task(restless.be(remote, rng, self._streams)) if restless else None
        try:
            reception = await self._played(http, program, output, remote)
        finally:
            if orders:
                orders.cancel()
                await asyncio.gather(orders, return_exceptions=True)
        if output.digest.hexdigest() != reception.sha256:
            raise Violated("a console wrote other bytes than it reported")
        return reception

    async def _played(self, http: HttpClient, program: Program, output: Output, remote: Remote) -> ConsoleReception:
        """Come again, as long as all are full or the first bytes have yet to come. Raises ConsoleError."""
        for _ in range(_COMES_AGAIN):
            director = await self._director(http)
            try:
                return await play_push(director, program.name, output, http, host=ONLOOKER, remote=remote)
            except PlayRefused:
                await asyncio.sleep(_PAUSE_S)
        return await play_push(director, program.name, output, http, host=ONLOOKER, remote=remote)

    def _hear(self, content: bytes) -> None:
        self._exchanged += content.count(_RETURNED)

    async def _director(self, http: HttpClient) -> Address:
        """Media address of the director of north."""
        while True:
            answer = await http.tell(self._stage.center, LIST_STATIONS, ListStations())
            for row in answer.stations if answer else ():
                if row.station == "north":
                    return Address.parse(row.media)
            await asyncio.sleep(_PAUSE_S)

    async def _bring_into_service(self, http: HttpClient, name: str, copies: int) -> None:
        await self._until(lambda: self._is_whole_at(http, name, "home"))
        await self._order(http, DISTRIBUTE, Distribute(program=name, stations=("north",), copies=copies))
        await self._until(lambda: self._is_carried_out(http, name))
        await self._order(http, PUBLISH, PublishOrder(name))

    async def _is_whole_at(self, http: HttpClient, name: str, station: str) -> bool:
        page = await http.tell(self._stage.center, LIST_PROGRAMS, ListPrograms(only=(name,)))
        return page is not None and any(row.stations.get(station) == row.segments for row in page.programs)

    async def _is_carried_out(self, http: HttpClient, name: str) -> bool:
        page = await http.tell(self._stage.center, LIST_PROGRAMS, ListPrograms(only=(name,)))
        return page is not None and all(not row.to_be_carried_out for row in page.programs)

    async def _order(self, http: HttpClient, verb: Verb[Request, Reply], order: Request) -> None:
        async def taken() -> bool:
            try:
                return not isinstance(await http.ask(self._stage.center, verb, order), Refused)
            except NetworkError:
                return False

        await self._until(taken)

    async def _until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        """Ask again and again, as a person does: nobody tells the onlooker."""
        while True:
            if await happened():
                return
            await asyncio.sleep(_PAUSE_S)

    @property
    def _now_s(self) -> float:
        return self._simulation.loop.time()


class _Output:
    """Where a console writes."""

    def __init__(self) -> None:
        self.digest = sha256()

    def write(self, data: bytes) -> None:
        """Take it."""
        self.digest.update(data)


def _plan(stage: Stage, from_s: float) -> FaultPlan:
    """Some seven faults while the rounds last, at the blades of the station and between them."""
    hosts = tuple(blade.address.host for blade in stage.plan.blades if blade.station == "north")
    return FaultPlan(
        hosts=hosts,
        from_s=from_s,
        until_s=from_s + _FAULTS_FOR_S,
        kills_per_minute=3,
        power_cuts_per_minute=2,
        hangs_per_minute=2,
        partitions_per_minute=2,
        bad_links_per_minute=2,
    )
