"""The registry's store is killed at random moments: what was acknowledged is there, and nothing is half there."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from distribution_center.registry.sqlite_repository import SqliteRepository
from tests.distribution_center.registry.whole import all_programs

WRITER = """
import asyncio, sys
from pathlib import Path
from distribution_center.registry.repository import RegisteredStation, Stamp
from distribution_center.registry.sqlite_repository import SqliteRepository
from tests.programs import empty_segments, program_with

def program_of(name):
    return program_with(empty_segments(100), program=name)

async def write(store, run, writer):
    for turn in range(10_000):
        name = f"film-{run}-{writer}-{turn}"
        await store.add_program(program_of(name))
        print("program", name, flush=True)
        await store.add_locations(program_of(name).cut, "north", Stamp(1, 1), range(100))
        print("located", name, flush=True)

async def main(path, run):
    store = SqliteRepository.open(path)
    north = RegisteredStation(station="north", director="127.1.1.1:81", media="127.1.1.1:80", stamp=Stamp(1, 1))
    await store.see_station(north)
    await store.replace_station("north", Stamp(1, 1), {})
    await asyncio.gather(*(write(store, run, writer) for writer in range(8)))

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    path = tmp_path / "registry"
    acknowledged: list[list[str]] = []
    for run in range(3):
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        command = [sys.executable, "-c", WRITER, str(path), str(run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
            assert writer.stdout is not None
            acknowledged += [writer.stdout.readline().split() for _ in range(rng.randrange(1, 150))]
            writer.send_signal(signal.SIGKILL)
            acknowledged += [line.split() for line in writer.stdout if line.endswith("\n")]
        assert writer.returncode == -signal.SIGKILL
    check(path, acknowledged)


async def read_all(path: Path) -> tuple[set[str], dict[str, frozenset[int]]]:
    store = SqliteRepository.open(path)
    try:
        programs = {program.program async for program in all_programs(store)}
        return programs, {name: (await store.locations(name)).get("north", frozenset()) for name in programs}
    finally:
        await store.close()


def check(path: Path, acknowledged: list[list[str]]) -> None:
    programs, held = asyncio.run(read_all(path))
    assert {name for kind, name in acknowledged if kind == "program"} <= programs
    assert {name for kind, name in acknowledged if kind == "located"} <= {name for name in held if held[name]}
    assert all(numbers in (frozenset(), frozenset(range(100))) for numbers in held.values())
    assert len(programs) > 3
    plain = apsw.Connection(str(path))
    assert plain.pragma("integrity_check") == "ok"
    assert plain.execute(
        "SELECT count(*) FROM locations WHERE program NOT IN (SELECT number FROM programs)"
    ).fetchone() == (0,)
    plain.close()
