"""A story of deletions in virtual time: stations are told to hold a program and to delete it, while things fail
(claims 12, 23 and 24).
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from chassis_emulator.simulation.fault_plan import FaultPlan
from chassis_emulator.simulation.faults import schedule
from chassis_emulator.simulation.film import make_film
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from chassis_emulator.simulation.stage import Stage, registry_path
from chassis_emulator.simulation.witness import RegistryWitness, Violated
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.content import ASK_PROGRAM_ROW, DISTRIBUTE, PUBLISH, AskProgramRow, Distribute, ProgramRow
from media_network.messages.content import Publish as PublishOrder
from media_network.messages.deletion import (
    DELETE_PROGRAM,
    LIST_DELETIONS,
    DeleteProgram,
    DeletionRow,
    DeletionStage,
    ListDeletions,
)
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Refused

TOPOLOGY = Topology(
    network=1,
    name="deletions",
    center=Center(name="main", home="home"),
    stations=tuple(
        StationTopology(name=name, slots=slots) for name, slots in (("home", 2), ("north", 3), ("south", 2))
    ),
)
_STATIONS = ("home", "north", "south")
_SEGMENTS, _SEGMENT_MS, _RATE_BPS = 4, 1000, 50_000
_FAULTS_FROM_S, _FAULTS_UNTIL_S = 10.0, 100.0
_PATIENCE_S = 900.0
_ENDS_WITHIN_S = 200.0
"""In the calm: every order and every deletion."""
_PAUSE_S = 0.5


@dataclass(frozen=True)
class DeletionOutcome:
    """What came of one run."""

    seed: int
    trace_hash: str
    virtual_s: float
    faults: int
    wishes: int
    """Deletions that an operator wished."""
    deleted: int
    """How often a station held nothing of the program any more that had held it whole."""
    moved: int
    """How often a deletion was seen to wait for a move."""


def tell_deletions(seed: int) -> DeletionOutcome:
    """Run the story. Raises SimulationError if what must hold does not."""
    with tempfile.TemporaryDirectory(prefix="media-station-deletions-") as folder, Simulation(seed) as simulation:
        story = _Story(simulation, Path(folder))
        simulation.run_until_complete(story.unfold(), within_s=_PATIENCE_S)
        return story.told()


class _Story:
    def __init__(self, simulation: Simulation, folder: Path) -> None:
        self._simulation = simulation
        self._stage = Stage(simulation, TOPOLOGY, folder)
        self._program, self._contents = make_film(
            simulation.rng("film"), segments=_SEGMENTS, segment_ms=_SEGMENT_MS, rate_bps=_RATE_BPS
        )
        self._faults = _plan(self._stage).draw(simulation.rng("faults"))
        self._wishes = self._deleted = self._moved = 0
        self._whole: set[str] = set()

    def told(self) -> DeletionOutcome:
        return DeletionOutcome(
            seed=self._simulation.seed,
            trace_hash=self._simulation.trace_hash,
            virtual_s=self._simulation.loop.time(),
            faults=len(self._faults),
            wishes=self._wishes,
            deleted=self._deleted,
            moved=self._moved,
        )

    async def unfold(self) -> None:
        """What an operator orders, and what an onlooker sees."""
        self._stage.put_in_spool(self._program, self._contents)
        registry = SqliteRepository.open(registry_path(self._stage.plan.center))
        await registry.add_program(self._program)
        await registry.close()
        self._stage.raise_curtain()
        schedule(self._simulation, self._faults)
        async with HttpClient(self._simulation.rng("onlooker"), ONLOOKER) as http, asyncio.TaskGroup() as tasks:
            witness = RegistryWitness(self._stage, self._program.cut, self._contents)
            await self._until(lambda: self._is_whole_at(http, "home"), _PATIENCE_S)
            watch = tasks.create_task(self._keep_looking(http, witness), name="registry witness")
            await self._order(http, DISTRIBUTE, Distribute(program=self._program.name, stations=("north",), copies=1))
            await self._order(http, PUBLISH, PublishOrder(self._program.name))
            rng = self._simulation.rng("operator")
            while self._simulation.loop.time() < _FAULTS_UNTIL_S:
                await self._do_something(http, rng)
                await asyncio.sleep(rng.uniform(0.5, 8.0))
            await asyncio.sleep(_PAUSE_S * 20)
            try:
                await self._until(lambda: self._is_over(http), _ENDS_WITHIN_S)
            except Violated as error:
                row, deletions = await self._row(http), await self._deletions(http)
                raise Violated(f"{error}: {row}, {deletions}") from error
            await witness.look_in_calm({})
            watch.cancel()

    async def _do_something(self, http: HttpClient, rng: random.Random) -> None:
        name, station = self._program.name, rng.choice(_STATIONS)
        if rng.random() < 0.4:
            order = Distribute(program=name, stations=(station,), copies=rng.choice((1, 2)))
            await http.tell(self._stage.center, DISTRIBUTE, order)
        else:
            wish = DeleteProgram(program=name, station=station)
            self._wishes += await http.tell(self._stage.center, DELETE_PROGRAM, wish) is not None

    async def _is_over(self, http: HttpClient) -> bool:
        row, deletions = await self._row(http), await self._deletions(http)
        if row is None or deletions is None:
            return False
        return not row.to_be_carried_out and all(each.stage is DeletionStage.DENIED for each in deletions)

    async def _keep_looking(self, http: HttpClient, witness: RegistryWitness) -> None:
        while True:
            await witness.look()
            witness.look_for_all()
            for deletion in await self._deletions(http) or ():
                self._moved += deletion.stage is DeletionStage.MOVING
            if row := await self._row(http):
                self._deleted += sum(station not in row.stations for station in self._whole)
                whole = {station for station, count in row.stations.items() if count == row.segments}
                self._whole = whole | (self._whole & row.stations.keys())
            await asyncio.sleep(_PAUSE_S)

    async def _row(self, http: HttpClient) -> ProgramRow | None:
        return await http.tell(self._stage.center, ASK_PROGRAM_ROW, AskProgramRow(self._program.name))

    async def _deletions(self, http: HttpClient) -> tuple[DeletionRow, ...] | None:
        page = await http.tell(self._stage.center, LIST_DELETIONS, ListDeletions())
        return page.deletions if page else None

    async def _is_whole_at(self, http: HttpClient, station: str) -> bool:
        row = await self._row(http)
        return row is not None and row.stations.get(station) == row.segments

    async def _order(self, http: HttpClient, verb: Verb[Request, Reply], order: Request) -> None:
        async def taken() -> bool:
            try:
                return not isinstance(await http.ask(self._stage.center, verb, order), Refused)
            except NetworkError:
                return False

        await self._until(taken, _PATIENCE_S)

    async def _until(self, happened: Callable[[], Awaitable[bool]], within_s: float) -> None:
        until = self._simulation.loop.time() + within_s
        while not await happened():
            if self._simulation.loop.time() > until:
                raise Violated(f"an order or a deletion has not ended {within_s:g} s after the last fault")
            await asyncio.sleep(_PAUSE_S)


def _plan(stage: Stage) -> FaultPlan:
    """Some twenty faults in ninety seconds: a director that has just begun deletes nothing for a while."""
    blades = [blade.name for blade in stage.plan.blades]
    return FaultPlan(
        hosts=stage.mortal_hosts,
        wires=tuple(blades),
        disks=tuple(blades),
        from_s=_FAULTS_FROM_S,
        until_s=_FAULTS_UNTIL_S,
        kills_per_minute=3,
        power_cuts_per_minute=2,
        hangs_per_minute=2,
        partitions_per_minute=3,
        bad_links_per_minute=3,
        slow_disks_per_minute=1,
    )
