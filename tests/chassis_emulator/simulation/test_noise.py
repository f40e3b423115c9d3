"""A whole station, as it runs on blades, on lines as noisy as the emulator makes them when nobody says how noisy."""

import asyncio
import os
from random import Random

from chassis_emulator.faults.kinds import Noise
from chassis_emulator.simulation.simulation import Simulation
from chassis_emulator.simulation.stage import Stage
from chassis_emulator.topology.topology import Center, StationTopology, Topology

TOPOLOGY = Topology(
    network=1,
    name="noise",
    center=Center(name="main", home="home"),
    stations=(StationTopology(name="home", slots=4),),
)
CALM_S = 20.0
NOISE_S = 900.0 if os.environ.get("SOAK") else 120.0
"""The whole quarter of an hour on a bench of cores: `tests/blade_agent/chassis_manager/test_noisy_lines.py`."""


def test_a_station_on_noisy_lines_keeps_its_director_and_its_epoch(tmp_path):

    async def onlooker(simulation, stage):
        stage.raise_curtain()
        await asyncio.sleep(CALM_S)
        epoch = stage.plan.chassis[0].state / "epoch"
        before = epoch.read_bytes()
        for blade in stage.plan.blades:
            wire = simulation.wires[blade.name]
            wire.suffer([Noise(target="home", seed=Random(blade.name).getrandbits(16))])
        await asyncio.sleep(NOISE_S)
        flipped = sum(
            impairment.counters.flipped_bits
            for blade in stage.plan.blades
            for impairment in simulation.wires[blade.name]._impairments
        )
        return before, epoch.read_bytes(), flipped

    with Simulation(1) as simulation:
        stage = Stage(simulation, TOPOLOGY, tmp_path)
        before, after, flipped = simulation.run_until_complete(
            onlooker(simulation, stage), within_s=CALM_S + NOISE_S + 1.0
        )
    assert before == after == b"1\n\ncrc32:6751fc53\n"
    assert flipped > 100
