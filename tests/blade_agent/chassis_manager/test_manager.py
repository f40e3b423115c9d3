"""The chassis manager on real wires, in the real event loop, with real controllers at their other ends."""

import asyncio
import contextlib
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.role import Role
from blade_agent.backplane.serial_line import LineUnavailable, ServicePort
from blade_agent.backplane.udp_line import udp_listener
from blade_agent.chassis_manager.keeping.epoch_file import read_epoch
from blade_agent.chassis_manager.manager import ChassisManager
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort, Timing, UdpPeer
from blade_agent.chassis_manager.slots.lines import close_lines, open_lines
from tests.patience import until

TIMING = Timing(heartbeat_s=0.1, director_heartbeat_s=0.1, eager_s=0.02, attempts=3, look_over_s=2.0)


def settings_of(tmp_path, slots):
    return ManagerSettings(
        station="north",
        slots=slots,
        epoch_file=str(tmp_path / "epoch"),
        center="127.1.0.1:9000",
        timing=TIMING,
    )


@contextlib.asynccontextmanager
async def managed(settings, seed=1):
    """Run a chassis manager on lines of its own, and with threads of its own: like a process, it ends with them."""
    threads = ThreadPoolExecutor()
    asyncio.get_running_loop().set_default_executor(threads)
    lines = await open_lines(settings)
    manager = ChassisManager(settings, lines, Random(seed))
    task = asyncio.create_task(manager.run())
    try:
        yield manager
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        close_lines(lines)
        threads.shutdown()


def roles(blades):
    return {slot: blade.board.assignment.role for slot, blade in blades.items()}


def directed_by(blades, slot):
    """Whether all these blades serve under the director in that slot, at one epoch."""
    epochs = {blade.board.assignment.epoch for blade in blades.values()}
    wanted = {number: Role.DIRECTOR if number == slot else Role.ENGINE for number in blades}
    return roles(blades) == wanted and len(epochs) == 1


def test_a_chassis_of_serial_lines_from_start_to_take_over_and_restart(make_blade, tmp_path):
    async def story():
        ports = {slot: ServicePort() for slot in (1, 2, 3)}
        settings = settings_of(tmp_path, {slot: SerialPort(path=port.path) for slot, port in ports.items()})
        blades = {slot: make_blade(slot, boot_id=slot) for slot in ports}
        for slot, blade in blades.items():
            blade.serve_backplane(ports[slot].line, BasicMode())
        async with managed(settings) as manager:
            await until(lambda: directed_by(blades, 1))
            await until(lambda: [slot.role for slot in manager.snapshot()] == [Role.DIRECTOR, Role.ENGINE, Role.ENGINE])
            blades.pop(1).close()
            await until(lambda: directed_by(blades, 2))
            assert [slot.hot_swap for slot in manager.snapshot()] == ["M7", "M4", "M4"]
        assert read_epoch(Path(settings.epoch_file)) == 2
        before = {slot: blade.board.assignment for slot, blade in blades.items()}
        async with managed(settings, seed=2) as manager:
            await until(lambda: [slot.epoch for slot in manager.snapshot()] == [None, 2, 2])
            assert {slot: blade.board.assignment for slot, blade in blades.items()} == before
        for port in ports.values():
            port.close()

    asyncio.run(story())


def test_a_chassis_on_a_switched_backplane(make_blade, tmp_path):
    async def story():
        wires = {slot: await udp_listener("127.0.0.1", 0) for slot in (1, 2)}
        settings = settings_of(tmp_path, {slot: UdpPeer(address=str(wire.address)) for slot, wire in wires.items()})
        blades = {slot: make_blade(slot, boot_id=slot) for slot in wires}
        for slot, blade in blades.items():
            blade.serve_backplane(wires[slot], Rmcp())
        async with managed(settings):
            await until(lambda: directed_by(blades, 1))
            blades.pop(1).close()
            await until(lambda: directed_by(blades, 2))
        blades[2].close()

    asyncio.run(story())


def full_disk(_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_epoch_that_cannot_be_kept_is_tried_again(make_blade, tmp_path, caplog, monkeypatch):
    async def story():
        wire = await udp_listener("127.0.0.1", 0)
        settings = settings_of(tmp_path, {1: UdpPeer(address=str(wire.address))})
        blades = {1: make_blade(1, boot_id=1)}
        blades[1].serve_backplane(wire, Rmcp())
        async with managed(settings):
            with monkeypatch.context() as patched:
                patched.setattr(os, "fsync", full_disk)
                await until(lambda: "no director can be appointed" in caplog.text)
                assert roles(blades) == {1: Role.UNASSIGNED}
            await until(lambda: directed_by(blades, 1))
        blades[1].close()

    asyncio.run(story())


def test_bad_settings_end_with_the_thing_named(tmp_path):
    async def story():
        missing = settings_of(tmp_path, {1: SerialPort(path=str(tmp_path / "no-tty"))})
        with pytest.raises(LineUnavailable, match="no-tty"):
            await open_lines(missing)

    asyncio.run(story())


@pytest.mark.parametrize("station", ["", "two words", "n" * 33, "nørd"])
def test_a_station_that_the_backplane_cannot_name_is_refused_at_the_door(tmp_path, station):
    with pytest.raises(ValueError, match="cannot name a station"):
        ManagerSettings(station=station, slots={}, epoch_file=str(tmp_path / "epoch"))
