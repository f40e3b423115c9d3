import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from chassis_emulator.processes.memory import pss_bytes
from chassis_emulator.processes.nursery import ProcessEnded
from chassis_emulator.processes.nursery_client import NurseryClient
from tests.patience import PATIENCE_S, until

SCRIPT = Path(__file__).with_name("nursery_script.py")
ROOT = Path(__file__).parents[3]


class Told(msgspec.Struct):
    """What the stand-ins of the script are told."""

    folder: str


class Nursery:
    """A nursery in a process of its own, and what it reported."""

    def __init__(self, client: NurseryClient, process: subprocess.Popen, folder: Path) -> None:
        self.client, self.process, self.folder = client, process, folder
        self.ends: asyncio.Queue[ProcessEnded] = asyncio.Queue()
        client.on_end = self.ends.put_nowait

    async def fork(self, name: str, part: str) -> int:
        return await self.client.fork(name, part, Told(str(self.folder)), self.folder / f"{name}.log")

    async def fact(self, name: str) -> dict:
        """What the child `name` wrote down of itself."""
        path = self.folder / f"{name}.json"
        await until(path.exists)
        return json.loads(path.read_text())


@asynccontextmanager
async def nursery(folder: Path):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with subprocess.Popen(  # noqa: ASYNC220 -- it waits for nothing
        [sys.executable, str(SCRIPT), str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        theirs.close()
        async with asyncio.timeout(PATIENCE_S), NurseryClient(ours) as client:
            yield Nursery(client, process, folder)
        process.wait(10)


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_is_a_process_of_its_own(tmp_path):
    async def scenario() -> None:
        async with nursery(tmp_path) as here:
            pids = [await here.fork("a", "waiter"), await here.fork("b", "waiter")]
            first, second = await here.fact("a"), await here.fact("b")
            assert [first["pid"], second["pid"]] == pids
            assert first["session"] == first["group"] == first["pid"]
            assert first["random"] != second["random"]
            assert first["module_random"] != second["module_random"]
            # Standard streams, the event loop's own, and nothing of the nursery's.
            assert first["log"] == str(tmp_path / "a.log")
            assert not [link for link in first["descriptors"] if "pidfd" in link or link == first["handed_down"]]
            assert comm(pids[0]) == "a"
            assert "hello from a" in (tmp_path / "a.log").read_text()
            assert 0 < pss_bytes(pids[0]) < 100_000_000

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("part", "exit_code", "said"),
    [("leaver", 0, ""), ("failer", 1, "RuntimeError: as told"), ("quitter", 3, ""), ("misread", 1, "ValidationError")],
)
def test_how_a_child_ends_is_reported(tmp_path, part, exit_code, said):
    async def scenario() -> None:
        async with nursery(tmp_path) as here:
            pid = await here.fork("a", part)
            assert await here.ends.get() == ProcessEnded("a", pid, exit_code)
            assert said in (tmp_path / "a.log").read_text()

    asyncio.run(scenario())


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_signals(tmp_path, number, exit_code):
    async def scenario() -> None:
        async with nursery(tmp_path) as here:
            pid = await here.fork("a", "waiter")
            await here.fact("a")
            await here.client.signal("a", number)
            assert await here.ends.get() == ProcessEnded("a", pid, exit_code)
            assert (tmp_path / "a.cleaned").exists() == (number is signal.SIGTERM)
            await here.client.signal("a", number)
            again = await here.fork("a", "leaver")
            assert await here.ends.get() == ProcessEnded("a", again, 0)

    asyncio.run(scenario())


def test_children_killed_by_somebody_else_are_reported_too(tmp_path):
    async def scenario() -> None:
        async with nursery(tmp_path) as here:
            pids = {await here.fork(name, "waiter") for name in "abcdefgh"}
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            ends = [await here.ends.get() for _ in pids]
            assert {end.pid for end in ends} == pids
            assert {end.exit_code for end in ends} == {-9}
            assert lives(await here.fork("i", "waiter"))

    asyncio.run(scenario())


def test_a_nursery_that_is_killed_takes_its_children_along(tmp_path):
    async def scenario() -> None:
        async with nursery(tmp_path) as here:
            pids = [await here.fork(name, "waiter") for name in "abc"]
            await here.fact("c")
            here.process.kill()
            await until(lambda: not any(map(lives, pids)))

    asyncio.run(scenario())


def test_a_nursery_whose_environment_is_gone_ends_its_children_and_itself(tmp_path):
    async def scenario() -> int:
        async with nursery(tmp_path) as here:
            pid = await here.fork("a", "waiter")
            await here.fact("a")
        assert here.process.returncode == 0
        return pid

    assert not lives(asyncio.run(scenario()))
    assert (tmp_path / "a.cleaned").exists()
