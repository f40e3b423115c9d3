"""What systemd is told, by the socket that it listens at."""

import asyncio
import socket

import pytest

from blade_agent.systemd import told_to_systemd
from tests.patience import PATIENCE_S


def set_already():
    begun = asyncio.Event()
    begun.set()
    return begun


def test_it_is_told_when_the_manager_manages_and_then_again_and_again(tmp_path):
    async def story():
        loop = asyncio.get_running_loop()
        begun = asyncio.Event()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(tmp_path / "notify"))
            systemd.setblocking(False)
            environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000"}
            async with told_to_systemd(begun, environment=environment), asyncio.timeout(PATIENCE_S):
                begun.set()
                told = [await loop.sock_recv(systemd, 64) for _ in range(3)]
        assert told == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]

    asyncio.run(story())


def test_what_is_not_well_is_not_said_to_go_on(tmp_path):
    async def story():
        loop = asyncio.get_running_loop()
        asked = []
        well = iter((True, False, False, True, False))

        def is_well():
            asked.append(next(well, False))
            return asked[-1]

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(tmp_path / "notify"))
            systemd.setblocking(False)
            environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000"}
            async with told_to_systemd(set_already(), is_well, environment), asyncio.timeout(PATIENCE_S):
                told = [await loop.sock_recv(systemd, 64) for _ in range(3)]
                while len(asked) < 8:  # noqa: ASYNC110 -- nothing is to be seen of what is not told
                    await asyncio.sleep(0)
            assert told == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            with pytest.raises(BlockingIOError):
                systemd.recv(64)

    asyncio.run(story())


def test_without_systemd_nothing_is_told():
    async def story():
        async with told_to_systemd(set_already(), environment={}):
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(story())


def test_a_socket_that_is_gone_stops_nobody(tmp_path, caplog):
    async def story():
        async with (
            told_to_systemd(set_already(), environment={"NOTIFY_SOCKET": str(tmp_path / "gone")}),
            asyncio.timeout(PATIENCE_S),
        ):
            while "not told READY=1" not in caplog.text:  # noqa: ASYNC110 - the log is all there is to see
                await asyncio.sleep(0)

    asyncio.run(story())
