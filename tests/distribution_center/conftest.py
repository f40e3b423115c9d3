"""A center and scripted stations: over HTTP, and in virtual time where it would take long."""

import asyncio
import random

import pytest

from chassis_emulator.simulation.simulation import Simulation
from distribution_center.content import ingesting
from media_network.http.client import HttpClient
from tests.distribution_center.world import World, film, spool_film


@pytest.fixture
def told(tmp_path, free_port):
    """Tell a story over real HTTP."""

    def tell(story):
        async def run():
            async with HttpClient(random.Random(2)) as http:
                await story(World(tmp_path / "center", http, control_port=free_port(), media_port=free_port()))

        asyncio.run(run())

    return tell


@pytest.fixture
def simulated(tmp_path):
    """Tell a story in virtual time."""

    def tell(story):
        async def run():
            async with HttpClient(random.Random(2)) as http:
                await story(World(tmp_path / "center", http))

        with Simulation(1) as simulation:
            simulation.run_until_complete(run())

    return tell


@pytest.fixture
def cut(monkeypatch):
    """Instead of a film that is made, the same one is put into the spool, as often as it is asked for."""
    made = []

    async def put_in_spool(path, spool, *, admit, **_):
        made.append(path.name)
        await asyncio.sleep(0.2)
        program = film()
        await admit(program)
        spool_film(spool, program)
        return program

    monkeypatch.setattr(ingesting, "ingest", put_in_spool)
    return made
