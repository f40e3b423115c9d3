"""The same seed gives the same run, in whatever process."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chassis_emulator.simulation import small_network

ROOT = Path(__file__).parents[3]
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def told():
    logging.disable(logging.CRITICAL)
    yield [small_network.tell(seed) for seed in SEEDS]
    logging.disable(logging.NOTSET)


def told_elsewhere(hash_seed: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", small_network.__name__, *map(str, SEEDS)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("hash_seed", ["1", "4711"])
def test_the_trace_is_the_same_in_every_process_and_with_every_hash_seed(told, hash_seed):
    assert told_elsewhere(hash_seed) == [small_network.summary(simulation) for simulation, _ in told]


def test_another_seed_is_another_run(told):
    assert len({simulation.trace_hash for simulation, _ in told}) == len(SEEDS)


def test_the_faults_hurt_and_do_not_stop_it(told):
    blades = [blade for _, blades in told for blade in blades]
    wires = [wire for simulation, _ in told for wire in simulation.wires.values()]
    assert all(blade.fetched > 10 for blade in blades)
    assert all(blade.heard for blade in blades)
    assert sum(blade.failed for blade in blades) > 10
    assert sum(len(blade.host.boots) > 1 for blade in blades) > 3
    assert any(wire.errors for wire in wires)
