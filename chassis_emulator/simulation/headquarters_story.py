"""A story of two centers and their headquarters in virtual time: whatever fails, the headquarters unlearns nothing that
it has learnt, and comes to know what the centers know (claim 3).
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from chassis_emulator.simulation.fault_plan import FaultPlan
from chassis_emulator.simulation.faults import schedule
from chassis_emulator.simulation.film import make_film
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from chassis_emulator.simulation.stage import Stage, registry_path
from chassis_emulator.simulation.witness import RegistryWitness, Violated
from chassis_emulator.topology.plan import CenterPlan
from chassis_emulator.topology.topology import Center, CenterWithStations, StationTopology, Topology
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.content import DISTRIBUTE, PUBLISH, WITHDRAW, Distribute, Withdraw
from media_network.messages.content import Publish as PublishOrder
from media_network.messages.deletion import DELETE_PROGRAM, DeleteProgram
from media_network.messages.headquarters import ASK_WHERE, LIST_ENTRIES, AskWhere, ListEntries
from media_network.messages.verb import Reply, Request, Verb
from media_network.program import Program
from media_network.refusal import Refused

TOPOLOGY = Topology(
    network=1,
    name="headquarters",
    center=Center(name="east", home="home"),
    stations=(StationTopology(name="home", slots=2), StationTopology(name="north", slots=2)),
    other_centers=(
        CenterWithStations(
            name="west",
            home="home",
            stations=(StationTopology(name="home", slots=2), StationTopology(name="north", slots=2)),
        ),
    ),
)
_STATIONS = ("home", "north")
_NAMES = ("film", "rare")
"""Of the programs of each center: one of the same name at the other is another one. The second is withdrawn."""
_SEGMENTS, _SEGMENT_MS, _RATE_BPS = 3, 1000, 50_000
_FAULTS_FROM_S, _FAULTS_UNTIL_S, _WITHDRAWN_FROM_S = 10.0, 70.0, 40.0
_PATIENCE_S = 900.0
_KNOWN_WITHIN_S = 120.0
"""In the calm: by the headquarters, what its centers know."""
_PAUSE_S = 0.5


@dataclass(frozen=True)
class HeadquartersOutcome:
    """What came of one run."""

    seed: int
    trace_hash: str
    virtual_s: float
    faults: int
    orders: int
    """That a center has taken."""
    withdrawn: int
    looks: int
    """How often the headquarters was asked, and answered."""


def tell_headquarters(seed: int) -> HeadquartersOutcome:
    """Run the story. Raises SimulationError if what must hold does not."""
    with tempfile.TemporaryDirectory(prefix="media-station-headquarters-") as folder, Simulation(seed) as simulation:
        story = _Story(simulation, Path(folder))
        simulation.run_until_complete(story.unfold(), within_s=_PATIENCE_S)
        return story.told()


@dataclass
class _Part:
    """A center, and what the headquarters has said of it."""

    plan: CenterPlan
    films: dict[str, tuple[Program, list[bytes]]]
    versions: dict[str, int] = field(default_factory=dict)
    """The newest that the headquarters has named, by program."""
    withdrawn: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    """Programs that were withdrawn, and that the headquarters has been without since."""

    @property
    def name(self) -> str:
        return self.plan.center


class _Story:
    def __init__(self, simulation: Simulation, folder: Path) -> None:
        self._simulation = simulation
        self._stage = Stage(simulation, TOPOLOGY, folder)
        self._parts = [_Part(center, self._films_of(center)) for center in self._stage.plan.centers]
        self._faults = _plan(self._stage).draw(simulation.rng("faults"))
        self._orders = self._looks = 0

    def _films_of(self, center: CenterPlan) -> dict[str, tuple[Program, list[bytes]]]:
        return {
            name: make_film(
                self._simulation.rng(f"{name} of {center.center}"),
                segments=_SEGMENTS,
                segment_ms=_SEGMENT_MS,
                rate_bps=_RATE_BPS,
                name=name,
            )
            for name in _NAMES
        }

    @property
    def _mam(self) -> Address:
        if self._stage.plan.mam is None:
            raise ValueError("there is no headquarters")
        return self._stage.plan.mam.address

    def told(self) -> HeadquartersOutcome:
        return HeadquartersOutcome(
            seed=self._simulation.seed,
            trace_hash=self._simulation.trace_hash,
            virtual_s=self._simulation.loop.time(),
            faults=len(self._faults),
            orders=self._orders,
            withdrawn=sum(len(part.withdrawn) for part in self._parts),
            looks=self._looks,
        )

    async def unfold(self) -> None:
        """What operators order at their centers, and what an onlooker sees at the headquarters."""
        for part in self._parts:
            registry = SqliteRepository.open(registry_path(part.plan))
            for program, contents in part.films.values():
                self._stage.put_in_spool(program, contents, part.plan)
                await registry.add_program(program)
            await registry.close()
        self._stage.raise_curtain()
        schedule(self._simulation, self._faults)
        async with HttpClient(self._simulation.rng("onlooker"), ONLOOKER) as http, asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(self._keep_looking(http), name="headquarters witness")
            rng = self._simulation.rng("operator")
            while self._simulation.loop.time() < _FAULTS_UNTIL_S:
                await self._do_something(http, rng)
                await asyncio.sleep(rng.uniform(0.5, 4.0))
            for part in self._parts:
                await self._until(partial(self._withdraw, http, part), f"{part.name} withdraws nothing")
            for part in self._parts:
                await self._until(partial(self._agree, http, part), self._disagreement(part))
            watch.cancel()

    async def _do_something(self, http: HttpClient, rng: random.Random) -> None:
        part, name, station = rng.choice(self._parts), rng.choice(_NAMES), rng.choice(_STATIONS)
        wish = rng.random()
        if wish < 0.5:
            await self._order(http, part, DISTRIBUTE, Distribute(program=name, stations=(station,), copies=1))
        elif wish < 0.7:
            await self._order(http, part, DELETE_PROGRAM, DeleteProgram(program=name, station=station))
        elif wish < 0.9 or self._simulation.loop.time() < _WITHDRAWN_FROM_S:
            await self._order(http, part, PUBLISH, PublishOrder(name))
        else:
            await self._withdraw(http, part)

    async def _withdraw(self, http: HttpClient, part: _Part) -> bool:
        """Take the second program back; tells whether it is taken back by now."""
        name = _NAMES[-1]
        if name not in part.withdrawn and await self._order(http, part, WITHDRAW, Withdraw(name)):
            part.withdrawn.add(name)
        return name in part.withdrawn

    async def _order(self, http: HttpClient, part: _Part, verb: Verb[Request, Reply], order: Request) -> bool:
        try:
            answer = await http.ask(part.plan.address, verb, order)
        except NetworkError:
            return False
        taken = not isinstance(answer, Refused)
        self._orders += taken
        return taken

    async def _keep_looking(self, http: HttpClient) -> None:
        while True:
            for part in self._parts:
                await self._look(http, part)
            await asyncio.sleep(_PAUSE_S)

    async def _look(self, http: HttpClient, part: _Part) -> None:
        """Raises Violated: a version that falls, or a program that comes back."""
        withdrawn = set(part.withdrawn)
        page = await http.tell(self._mam, LIST_ENTRIES, ListEntries(center=part.name))
        if page is None:
            return
        self._looks += 1
        versions = {entry.program: entry.version for entry in page.entries}
        if back := part.gone & versions.keys():
            raise Violated(f"{back} of {part.name} was withdrawn, and the headquarters lists it again")
        part.gone |= withdrawn - versions.keys()
        for program, version in versions.items():
            known = part.versions.get(program, 0)
            if version < known:
                raise Violated(f"{program} of {part.name} was at version {known}, and now at {version}")
            part.versions[program] = version

    async def _agree(self, http: HttpClient, part: _Part) -> bool:
        """Whether the headquarters knows what the registry of the center knows, and that what its disks hold."""
        listed = await http.tell(self._mam, LIST_ENTRIES, ListEntries(center=part.name))
        registry = SqliteRepository.open(registry_path(part.plan))
        try:
            programs = {program.program: program for program in await registry.programs()}
            if listed is None or {each.program: each.version for each in listed.entries} != {
                name: program.version for name, program in programs.items()
            }:
                return False
            for name in programs:
                answer = await http.tell(self._mam, ASK_WHERE, AskWhere(center=part.name, program=name))
                held = {station: len(segments) for station, segments in (await registry.locations(name)).items()}
                if answer is None or {share.station: share.segments for share in answer.stations} != held:
                    return False
        finally:
            await registry.close()
        for program, contents in (part.films[name] for name in programs):
            await RegistryWitness(self._stage, program.cut, contents, part.plan).look()
        return True

    def _disagreement(self, part: _Part) -> str:
        return f"the headquarters does not know what {part.name} knows {_KNOWN_WITHIN_S:g} s after the last fault"

    async def _until(self, happened: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        until = self._simulation.loop.time() + _KNOWN_WITHIN_S
        while not await happened():
            if self._simulation.loop.time() > until:
                raise Violated(otherwise)
            await asyncio.sleep(_PAUSE_S)


def _plan(stage: Stage) -> FaultPlan:
    """Centers and the headquarters, which has a center's machine, are among those that fail."""
    centers = tuple(center.address.host for center in stage.plan.centers)
    return FaultPlan(
        hosts=(*centers, *stage.mortal_hosts),
        disks=tuple(blade.name for blade in stage.plan.blades),
        from_s=_FAULTS_FROM_S,
        until_s=_FAULTS_UNTIL_S,
        kills_per_minute=4,
        power_cuts_per_minute=3,
        hangs_per_minute=3,
        partitions_per_minute=4,
        bad_links_per_minute=3,
    )
