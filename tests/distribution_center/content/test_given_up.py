"""An ingest that fails, with the agents of a whole home station in virtual time: nothing of it stays on any disk."""

import asyncio
import random

import pytest

from chassis_emulator.simulation.film import make_film
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from chassis_emulator.simulation.stage import Stage
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from distribution_center.content import ingesting
from distribution_center.content.segment_folder import segment_path
from media_network.http.client import HttpClient
from media_network.messages.content import (
    ASK_INGEST,
    INGEST,
    LIST_PROGRAMS,
    AskIngest,
    Ingest,
    IngestStage,
    ListPrograms,
)
from media_network.messages.registry import LIST_STATIONS, ListStations

TOPOLOGY = Topology(
    network=1,
    name="given up",
    center=Center(name="main", home="home"),
    stations=(StationTopology(name="home", slots=3),),
)
PROGRAM, CONTENTS = make_film(random.Random(1), segments=10, segment_ms=400, rate_bps=2_000_000)
SEGMENT_BYTES = max(map(len, CONTENTS))
ROOM = 4
"""Segments that fit on each of the two engines' disks: the half of the film on both together."""


class World:
    """A center and its home station, whose engines' disks are small."""

    def __init__(self, simulation, folder):
        self.simulation = simulation
        self.stage = Stage(simulation, TOPOLOGY, folder)
        self.stage.raise_curtain()
        self.center = simulation.host(self.stage.center.host)
        self.spool = self.stage.plan.center.state / "spool"
        self.engines = [blade for blade in self.stage.plan.blades if blade.slot > 1]

    def host(self, engine):
        return self.simulation.host(engine.address.host)

    def leave_room(self, segments):
        for engine in self.engines:
            disk = self.stage.disks[engine.name]
            disk.capacity_bytes -= disk.free_bytes(engine.channels[0]) - segments * SEGMENT_BYTES

    def held(self):
        """What is on the engines' disks of the film, whole or on its way."""
        found = []
        for engine in self.engines:
            disk = self.stage.disks[engine.name]
            for channel in engine.channels:
                for name in disk.list_folder(channel):
                    if name.startswith(("film.", ".partial")):
                        found += [(engine.slot, each) for each in disk.list_folder(channel / name)]
        return found

    async def ask(self, verb, message):
        return await self.http.ask(self.stage.center, verb, message, deadline_s=20.0)

    async def until(self, what, within_s=300.0):
        ends_at = asyncio.get_running_loop().time() + within_s
        while not await what():
            assert asyncio.get_running_loop().time() < ends_at, f"{what.__name__} is not so after {within_s} s"
            await asyncio.sleep(0.25)

    async def is_up(self):
        rows = (await self.ask(LIST_STATIONS, ListStations())).stations
        return any(row.engines == len(self.engines) for row in rows)

    async def is_clean(self):
        return not self.held()

    async def holds_some(self):
        return len(self.held()) >= ROOM

    async def has_ended(self):
        self.progress = await self.ask(ASK_INGEST, AskIngest(self.progress.ingest))
        return self.progress.stage in (IngestStage.DONE, IngestStage.FAILED)

    async def order(self):
        await self.until(self.is_up)
        self.leave_room(ROOM)
        await asyncio.sleep(6.0)  # until the engines have measured it
        self.progress = await self.ask(INGEST, Ingest(source="/film.mp4"))


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Tell a story; an ingest leaves the film in the spool without making it."""

    async def cut(path, spool, *, admit, **_):
        del path
        await admit(PROGRAM)
        (spool / "film").mkdir(parents=True)
        for number, content in enumerate(CONTENTS):
            segment_path(spool / "film", number).write_bytes(content)
        return PROGRAM

    monkeypatch.setattr(ingesting, "ingest", cut)

    def tell(story):
        async def run(world):
            async with HttpClient(random.Random(2), ONLOOKER) as world.http:
                await story(world)
                await world.until(world.is_clean)
                assert (await world.ask(LIST_PROGRAMS, ListPrograms())).programs == ()
                assert list(world.spool.iterdir()) == []
                # With room it is taken, under the same name.
                world.leave_room(1000)
                await asyncio.sleep(40.0)  # engines whose disks were full are asked again
                world.progress = await world.ask(INGEST, Ingest(source="/film.mp4"))
                await world.until(world.has_ended)
                assert world.progress.stage is IngestStage.DONE, world.progress.error
                await asyncio.sleep(10.0)
                assert len(world.held()) == len(CONTENTS), "and stays"

        with Simulation(1) as simulation:
            simulation.run_until_complete(run(World(simulation, tmp_path)), within_s=900.0)

    return tell


def test_of_an_ingest_into_full_disks_nothing_stays(told):
    async def story(world):
        await world.order()
        await world.until(world.holds_some)
        await world.until(world.has_ended)
        assert world.progress.stage is IngestStage.FAILED
        assert "the disks of station home are full: it needs " in world.progress.error
        assert "free space is " in world.progress.error

    told(story)


def test_an_engine_that_was_killed_meanwhile_lets_go_when_it_is_back(told):
    async def story(world):
        await world.order()
        await world.until(world.holds_some)
        away = world.engines[0]
        world.simulation.crash(world.host(away))
        await world.until(world.has_ended)
        assert world.progress.stage is IngestStage.FAILED
        await asyncio.sleep(10.0)
        assert {slot for slot, _ in world.held()} == {away.slot}
        world.simulation.restart(world.host(away))

    told(story)


def test_a_center_that_was_killed_meanwhile_ends_what_it_finds(told):
    async def story(world):
        await world.order()
        await world.until(world.holds_some)
        world.simulation.crash(world.center)
        await asyncio.sleep(5.0)
        world.simulation.restart(world.center)
        await asyncio.sleep(5.0)
        assert world.held()

    told(story)
