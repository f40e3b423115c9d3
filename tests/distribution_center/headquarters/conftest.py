import asyncio
import random
from pathlib import Path

import pytest

from chassis_emulator.simulation.simulation import Simulation
from distribution_center.content import ingesting
from media_network.http.client import HttpClient
from tests.distribution_center.headquarters.headquarters_world import TwoCenters
from tests.distribution_center.world import film, spool_film


@pytest.fixture
def made(monkeypatch):
    """Instead of films that are made, the same one is put into the spool: by center, how often."""
    counts = {}

    async def put_in_spool(_, spool, *, admit, **__):
        await asyncio.sleep(0.7)
        program = film()
        await admit(program)
        spool_film(spool, program)
        center = Path(spool).parent.name
        counts[center] = counts.get(center, 0) + 1
        return program

    monkeypatch.setattr(ingesting, "ingest", put_in_spool)
    return counts


@pytest.fixture
def simulated(tmp_path):
    """Tell a story in virtual time, as often as it is called."""
    runs = iter(range(1000))

    def tell(story):
        folder = tmp_path / str(next(runs))
        folder.mkdir()

        async def run():
            async with HttpClient(random.Random(2)) as http:
                await story(TwoCenters(folder, http))

        with Simulation(1) as simulation:
            simulation.run_until_complete(run())

    return tell
