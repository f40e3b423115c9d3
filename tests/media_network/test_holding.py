"""Exclusive locks: who comes second is told who has it; a lock dies with its process, however that ends."""

import asyncio
import fcntl
import os
import pty
import signal
import subprocess
import sys
import tty
from contextlib import ExitStack

import pytest

from blade_agent.backplane.serial_line import serial_line
from blade_agent.backplane.udp_line import managing_udp_line
from media_network.address import Address
from media_network.holding import AlreadyHeld, holder_of, holding_folders, holding_name
from tests.patience import wait_until

HOLDER = """
import asyncio, sys
from pathlib import Path
from media_network.holding import holding_folders

async def hold():
    async with holding_folders(Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.sleep(3600)

asyncio.run(hold())
"""


async def take(*folders):
    async with holding_folders(*folders):
        return True


def test_a_folder_has_one_holder_who_is_named_and_whose_lock_dies_with_him(tmp_path):
    folder = tmp_path / "state"
    with subprocess.Popen([sys.executable, "-c", HOLDER, folder], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline()
        with pytest.raises(AlreadyHeld, match=rf"state is in use by process {holder.pid}\b") as refused:
            asyncio.run(take(tmp_path / "other", folder))
        assert refused.value.pid == holder.pid == holder_of(folder)
        assert asyncio.run(take(tmp_path / "other")), "what was taken before is given back"
        holder.send_signal(signal.SIGKILL)
    assert asyncio.run(take(folder))
    assert list(folder.iterdir()) == [], "nothing lies about"


def test_a_holder_that_is_about_to_end_is_waited_for(tmp_path):
    async def story():
        async with asyncio.TaskGroup() as tasks, holding_folders(tmp_path):
            second = tasks.create_task(take(tmp_path))
            await asyncio.sleep(0.2)
            assert not second.done()
        return second.result()

    assert asyncio.run(story())


def test_two_ways_to_one_folder_are_one_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert asyncio.run(take(tmp_path, tmp_path / "link", tmp_path / "link" / "."))


def test_a_name_has_one_holder():
    name = f"a-test/{os.getpid()}"
    again = holding_name(name, "the line")
    with holding_name(name, "the line"), pytest.raises(AlreadyHeld, match=rf"in use by process {os.getpid()}\b"):
        again.__enter__()
    with holding_name(name, "the line"):
        pass


def test_a_udp_line_has_one_end_on_a_machine(free_port):
    peer = Address("127.0.0.1", free_port())

    async def story():
        first = await managing_udp_line(peer)
        try:
            with pytest.raises(AlreadyHeld, match=str(peer)):
                await managing_udp_line(peer)
        finally:
            first.close()
        (await managing_udp_line(peer)).close()

    asyncio.run(story())


def test_a_serial_line_has_one_end():
    async def story():
        master, slave = pty.openpty()
        tty.setraw(slave)
        path = os.ttyname(slave)
        with ExitStack() as stack:
            stack.callback(os.close, master)
            stack.callback(os.close, slave)
            first = serial_line(path)
            with pytest.raises(AlreadyHeld, match=rf"serial port {path} is in use by process {os.getpid()}\b"):
                serial_line(path)
            first.close()
            serial_line(path).close()

    asyncio.run(story())


def test_a_serial_port_is_shut_to_those_too_who_ask_for_no_lock(monkeypatch):
    """A pseudo-terminal stands for it, which otherwise is left out."""
    monkeypatch.setattr("blade_agent.backplane.serial_line._PSEUDO_TERMINALS", range(0))
    is_shut = 0x80045440  # TIOCGEXCL, Linux

    async def story():
        master, slave = pty.openpty()
        tty.setraw(slave)
        with ExitStack() as stack:
            stack.callback(os.close, master)
            stack.callback(os.close, slave)
            assert fcntl.ioctl(slave, is_shut, bytes(4)) == bytes(4)
            line = serial_line(os.ttyname(slave))
            assert fcntl.ioctl(slave, is_shut, bytes(4)) != bytes(4)
            line.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        pytest.param(
            ["blade-agent", "run"],
            'slot = 1\naddress = "127.0.0.1"\nbackplane = "udp:127.0.0.1:{}"\nstate = "{folder}/state"\n'
            'channels = ["{folder}/channel"]\ncontrol_port = {}\nmedia_port = {}\n',
            id="blade",
        ),
        pytest.param(
            ["blade-agent", "manage"],
            'station = "north"\nepoch_file = "{folder}/epoch"\nstate = "{folder}/state"\n'
            '[slots.1]\ntype = "udp"\naddress = "127.0.0.1:{}"\n',
            id="manager",
        ),
        pytest.param(
            ["distribution-center", "run"],
            'name = "center"\naddress = "127.0.0.1"\nstate = "{folder}/state"\nhome = "home"\n'
            "control_port = {}\nmedia_port = {}\n",
            id="center",
        ),
        pytest.param(
            ["distribution-center", "nms", "run"],
            'centers = ["127.0.0.1:{}"]\nstate = "{folder}/state"\nhttp_port = {}\nnotifications_port = {}\n'
            '[user]\nuser = "reader"\nauth_password = "reader-secret"\npriv_password = "reader-hidden"\n',
            id="network management",
        ),
    ],
)
def test_the_second_of_each_party_says_who_has_its_folders(tmp_path, free_port, command, settings):
    path = tmp_path / "settings.toml"
    ports = [free_port() for _ in range(settings.count("{}"))]
    path.write_text(settings.format(*ports, folder=tmp_path))
    (tmp_path / "channel").mkdir()
    path.chmod(0o600)
    program = [os.path.join(os.path.dirname(sys.executable), command[0]), *command[1:], "--settings", path]
    log = tmp_path / "log"
    with log.open("w") as output, subprocess.Popen(program, stderr=output) as first:
        try:
            wait_until(lambda: holder_of(tmp_path / "state"), process=first, why=log.read_text)
            second = subprocess.run(program, capture_output=True, text=True, check=False, timeout=120)
            assert second.returncode == 75, second.stderr
            sentence, hint = second.stderr.splitlines()
            assert sentence.startswith("Error: ")
            assert f" is in use by process {first.pid} ({command[0]} {command[1]})" in sentence
            assert hint.startswith("Hint: ")
            assert first.poll() is None, log.read_text()
        finally:
            first.terminate()


@pytest.mark.parametrize("shared", ["line", "epoch file"])
def test_two_managers_with_state_of_their_own_do_not_share_a_line_or_an_epoch(tmp_path, free_port, shared):
    ports = [free_port(), free_port()]
    programs = []
    for name, port in zip(("one", "two"), [ports[0]] * 2 if shared == "line" else ports, strict=True):
        path = tmp_path / f"{name}.toml"
        epoch_file = tmp_path / ("epoch" if shared == "epoch file" else f"{name}.epoch")
        path.write_text(
            f'station = "north"\nepoch_file = "{epoch_file}"\nstate = "{tmp_path}/{name}"\n'
            f'[slots.1]\ntype = "udp"\naddress = "127.0.0.1:{port}"\n'
        )
        program = os.path.join(os.path.dirname(sys.executable), "blade-agent")
        programs.append([program, "manage", "--settings", path])
    log = tmp_path / "log"
    with log.open("w") as output, subprocess.Popen(programs[0], stderr=output) as first:
        try:
            wait_until(lambda: _held(f"line/127.0.0.1:{ports[0]}"), process=first, why=log.read_text)
            second = subprocess.run(programs[1], capture_output=True, text=True, check=False, timeout=120)
        finally:
            first.terminate()
    assert second.returncode == 75
    assert f"{shared} " in second.stderr
    assert f" is in use by process {first.pid}" in second.stderr


def _held(name):
    try:
        with holding_name(name, name):
            return False
    except AlreadyHeld:
        return True
