"""The demo's story in virtual time, with faults drawn from the seed and restless viewers (claims 10 to 14, 16, 17)."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

from chassis_emulator.media_console.errors import ConsoleError
from chassis_emulator.media_console.hls import play_hls
from chassis_emulator.media_console.push import play_push
from chassis_emulator.media_console.reception import ConsoleReception, Output
from chassis_emulator.media_console.remote import Remote
from chassis_emulator.scenario.steps import Scenario
from chassis_emulator.simulation.fault_plan import FaultPlan
from chassis_emulator.simulation.faults import schedule
from chassis_emulator.simulation.film import make_film
from chassis_emulator.simulation.restless import Restless
from chassis_emulator.simulation.scenario import faults_of, length_s
from chassis_emulator.simulation.service_cable import ServiceCable
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from chassis_emulator.simulation.stage import Stage, registry_path, service_port
from chassis_emulator.simulation.witness import RegistryWitness, StreamWitness, Violated
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.content import DISTRIBUTE, LIST_PROGRAMS, PUBLISH, Distribute, ListPrograms, Publish
from media_network.messages.registry import LIST_STATIONS, ListStations
from media_network.messages.verb import Reply, Request, Verb
from media_network.packets import TS_PACKET_BYTES
from media_network.program import Program
from media_network.refusal import Refused

TOPOLOGY = Topology(
    network=1,
    name="story",
    center=Center(name="main", home="home"),
    stations=(StationTopology(name="home", slots=2), StationTopology(name="north", slots=4)),
)
_SEGMENTS = 8
_RARE_SEGMENTS = 3
_SEGMENT_MS = 2000
_RATE_BPS = 300_000
"""So that a turn at any speed has pictures."""
_FAULTS_FROM_S = 5.0
_FAULTS_UNTIL_S = 35.0
_CALM_AFTER_S = 25.0
_COPIES = 2
"""Of each segment at north, which has three blades at least, and one of them directs."""
"""Every fault has healed by then, and everybody had time to find each other again."""
_PATIENCE_S = 600.0
_PAUSE_S = 0.5
_DRAIN_AGAIN_S = 0.1
_DRAINED_WITHIN_S = 4.0


@dataclass(frozen=True)
class StoryOutcome:
    """What came of one run."""

    seed: int
    trace_hash: str
    virtual_s: float
    faults: int
    receptions: int
    """Consoles that received a program whole while things failed."""
    broken: int
    """Consoles that lost something of it, or gave up."""
    drained: int
    """Times a blade was drained in the calm, while consoles received."""
    hand_overs: int
    skipped: int
    """Packets that were never sent, for their sender was lost."""
    jumps: int
    """How often a console had its stream go back."""
    speeds: int
    """How often a console's stream came to another speed than its own."""


def tell(seed: int, scenario: Scenario | None = None) -> StoryOutcome:
    """Run the story with the faults of a scenario, or of a seed. Raises SimulationError if what must hold does not."""
    with tempfile.TemporaryDirectory(prefix="media-station-story-") as folder, Simulation(seed) as simulation:
        story = Story(simulation, Path(folder), scenario)
        simulation.run_until_complete(story.unfold(), within_s=_PATIENCE_S)
        return story.told()


class Story:
    """One run."""

    def __init__(self, simulation: Simulation, folder: Path, scenario: Scenario | None = None) -> None:
        self._simulation = simulation
        self._stage = Stage(simulation, TOPOLOGY, folder)
        self._program, self._contents = make_film(
            simulation.rng("film"), segments=_SEGMENTS, segment_ms=_SEGMENT_MS, rate_bps=_RATE_BPS, indexed=True
        )
        self._rare, self._rare_contents = make_film(
            simulation.rng("rare film"),
            segments=_RARE_SEGMENTS,
            segment_ms=_SEGMENT_MS,
            rate_bps=_RATE_BPS,
            name="rare",
            indexed=True,
        )
        """A program that nobody distributes: north gets it when it is asked for."""
        self._streams = StreamWitness(self._stage, simulation.loop.fail, _RATE_BPS)
        self._streams.begins = _begins(self._contents) | _begins(self._rare_contents)
        self._restless = simulation.rng("restless viewers")
        self._viewer = Restless()
        simulation.links.taps.append(self._streams.see)
        if scenario:
            self._faults = faults_of(scenario, self._stage.plan, _FAULTS_FROM_S)
            self._faults_until_s = max(_FAULTS_UNTIL_S, _FAULTS_FROM_S + length_s(scenario))
        else:
            self._faults = _plan(self._stage).draw(simulation.rng("faults"))
            self._faults_until_s = _FAULTS_UNTIL_S
        self._receptions = 0
        self._broken = 0
        self._drained = 0

    def told(self) -> StoryOutcome:
        """The outcome."""
        return StoryOutcome(
            seed=self._simulation.seed,
            trace_hash=self._simulation.trace_hash,
            virtual_s=self._simulation.loop.time(),
            faults=len(self._faults),
            receptions=self._receptions,
            broken=self._broken,
            drained=self._drained,
            hand_overs=self._streams.hand_overs,
            skipped=self._streams.skipped,
            jumps=self._streams.jumps,
            speeds=self._streams.speeds,
        )

    async def unfold(self) -> None:
        """The onlooker's part: order what a person would order, play what a viewer would play."""
        await self._prepare()
        schedule(self._simulation, self._faults)
        async with HttpClient(self._simulation.rng("onlooker"), ONLOOKER) as http, asyncio.TaskGroup() as tasks:
            witness = RegistryWitness(self._stage, self._program.cut, self._contents)
            rare = RegistryWitness(self._stage, self._rare.cut, self._rare_contents)
            watch = tasks.create_task(self._keep_looking(witness, rare), name="registry witness")
            await self._bring_into_service(http)
            while self._now_s < self._faults_until_s:
                await asyncio.gather(
                    self._view(http, play_hls, self._program),
                    self._view(http, play_push, self._program),
                    self._view(http, self._play_restlessly, self._program),
                    self._view(http, self._simulation.rng("rare viewer").choice((play_hls, play_push)), self._rare),
                )
            await asyncio.sleep(max(0.0, self._faults_until_s + _CALM_AFTER_S - self._now_s))
            await witness.look_in_calm({"home": 1, "north": _COPIES})
            await rare.look_in_calm({"home": 1})
            await self._view_in_calm(http)
            watch.cancel()

    async def _prepare(self) -> None:
        registry = SqliteRepository.open(registry_path(self._stage.plan.center))
        for program, contents in ((self._program, self._contents), (self._rare, self._rare_contents)):
            self._stage.put_in_spool(program, contents)
            await registry.add_program(program)
        await registry.close()
        self._stage.raise_curtain()

    async def _bring_into_service(self, http: HttpClient) -> None:
        """Claims 11 to 13: home, distribution, publication; said again for as long as something is away."""
        name = self._program.name
        for program in (self._program, self._rare):
            await self._until(lambda program=program: self._is_whole_at(http, program.name, "home"))  # type: ignore[misc]
        await self._order(http, DISTRIBUTE, Distribute(program=name, stations=("north",), copies=_COPIES))
        await self._until(lambda: self._is_whole_at(http, name, "north"))
        for program in (self._rare, self._program):
            await self._order(http, PUBLISH, Publish(program.name))

    async def _view(self, http: HttpClient, play: Callable[..., Awaitable[ConsoleReception]], program: Program) -> None:
        """Play while things fail: it may break off, but what is whole must be exact."""
        director = await self._director(http)
        if director is None:
            return
        try:
            reception = await self._play(http, play, director, program)
        except ConsoleError:
            self._broken += 1
            await asyncio.sleep(_PAUSE_S)
            return
        whole = reception.bytes == program.header.length_bytes and not reception.jumps
        if whole and reception.sha256 != program.header.sha256:
            raise Violated(f"a console received as many bytes as the program has, but others: {reception}")
        seen_to_its_end = whole or (reception.jumps > 0 and reception.intact is not False)
        self._receptions += seen_to_its_end
        self._broken += not seen_to_its_end

    async def _view_in_calm(self, http: HttpClient) -> None:
        """When all is healed both ways must bring every byte, though one engine after the other is drained."""
        async with asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(self._drain_one_after_the_other(http), name="a person with a cable")
            for play, program in ((play_hls, self._program), (play_push, self._program), (play_push, self._rare)):
                director = await self._director(http)
                if director is None:
                    raise Violated("in the calm after the faults north has no director that the registry knows")
                reception = await self._play(http, play, director, program)
                if reception.sha256 != program.header.sha256:
                    raise Violated(f"in the calm after the faults a console received {reception}")
            skipped, director = self._streams.skipped, await self._director(http)
            if director is None:
                raise Violated("in the calm after the faults north has no director that the registry knows")
            reception = await self._play(http, self._play_restlessly, director, self._program)
            if reception.intact is False or self._streams.skipped != skipped:
                raise Violated(f"in the calm after the faults a restless console received {reception}")
            if not self._viewer.obeyed or self._viewer.obeyed < self._viewer.ordered - 1:
                # The last order may meet the end of the program.
                raise Violated(f"in the calm a viewer was obeyed {self._viewer.obeyed} of {self._viewer.ordered} times")
            draining.cancel()

    async def _drain_one_after_the_other(self, http: HttpClient) -> None:
        """Drain engines of north until they carry nothing; that must not take long."""
        rng = self._simulation.rng("drains")
        cables = {
            blade.media: ServiceCable(blade, self._simulation.wires[service_port(blade)])
            for blade in self._stage.plan.blades
            if blade.station == "north"
        }
        while True:
            director = await self._director(http)
            cable = rng.choice([cable for address, cable in cables.items() if address != director])
            began_s, carried = self._now_s, await cable.drain(draining=True)
            while carried:
                if self._now_s - began_s > _DRAINED_WITHIN_S:
                    raise Violated(f"a blade still carries {carried} after {_DRAINED_WITHIN_S} s of draining")
                await asyncio.sleep(_DRAIN_AGAIN_S)
                carried = await cable.drain(draining=True)
            self._drained += carried == 0
            await asyncio.sleep(rng.uniform(0.0, 1.0))
            await cable.drain(draining=False)
            await asyncio.sleep(rng.uniform(0.0, 1.0))

    async def _play(
        self, http: HttpClient, play: Callable[..., Awaitable[ConsoleReception]], director: Address, program: Program
    ) -> ConsoleReception:
        output = _Output()
        options = {} if play is play_hls else {"host": ONLOOKER}
        reception = await play(director, program.name, output, http, **options)
        if sha256(output.content).hexdigest() != reception.sha256:
            raise Violated("a console wrote other bytes than it reported")
        return reception

    async def _play_restlessly(
        self, director: Address, program: ProgramId, output: Output, http: HttpClient, *, host: str
    ) -> ConsoleReception:
        """By push, for one who pauses, seeks and goes fast."""
        remote, rng = Remote(), self._restless
        self._viewer = Restless()
        restless = asyncio.create_task(self._viewer.be(remote, rng, self._streams), name="restless viewer")
        try:
            return await play_push(director, program, output, http, host=host, remote=remote)
        finally:
            restless.cancel()
            await asyncio.gather(restless, return_exceptions=True)

    async def _director(self, http: HttpClient) -> Address | None:
        """Media address of the director of north."""
        try:
            answer = await http.ask(self._stage.center, LIST_STATIONS, ListStations())
        except NetworkError:
            await asyncio.sleep(_PAUSE_S)
            return None
        if isinstance(answer, Refused):
            return None
        return next((Address.parse(row.media) for row in answer.stations if row.station == "north"), None)

    async def _is_whole_at(self, http: HttpClient, program: ProgramId, station: str) -> bool:
        try:
            answer = await http.ask(self._stage.center, LIST_PROGRAMS, ListPrograms())
        except NetworkError:
            return False
        return not isinstance(answer, Refused) and any(
            row.program == program and row.stations.get(station) == row.segments for row in answer.programs
        )

    async def _order(self, http: HttpClient, verb: Verb[Request, Reply], order: Request) -> None:
        async def taken() -> bool:
            return await http.tell(self._stage.center, verb, order, deadline_s=5.0) is not None

        await self._until(taken)

    async def _until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        """Ask again and again, as a person does: nobody tells the onlooker."""
        while True:
            if await happened():
                return
            await asyncio.sleep(_PAUSE_S)

    async def _keep_looking(self, *witnesses: RegistryWitness) -> None:
        while True:
            for witness in witnesses:
                await witness.look()
            await asyncio.sleep(_PAUSE_S)

    @property
    def _now_s(self) -> float:
        return self._simulation.loop.time()


def _begins(contents: Sequence[bytes]) -> frozenset[int]:
    """The packets with which the segments of a film begin."""
    return frozenset(accumulate((len(content) // TS_PACKET_BYTES for content in contents[:-1]), initial=0))


class _Output:
    """Where a console writes."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.content += data


def _plan(stage: Stage) -> FaultPlan:
    """About a dozen faults in thirty seconds: harsher than any week of a real station."""
    blades = [blade.name for blade in stage.plan.blades]
    return FaultPlan(
        hosts=stage.mortal_hosts,
        wires=tuple(blades),
        disks=tuple(blades),
        from_s=_FAULTS_FROM_S,
        until_s=_FAULTS_UNTIL_S,
        kills_per_minute=5,
        power_cuts_per_minute=3,
        hangs_per_minute=3,
        partitions_per_minute=4,
        bad_links_per_minute=4,
        noisy_wires_per_minute=3,
        cut_wires_per_minute=2,
        slow_disks_per_minute=2,
    )


def repeat_command(seed: int) -> str:
    """What repeats a run."""
    return f"make simulate SEED={seed}"
