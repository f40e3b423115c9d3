"""A thousand blades in one process: real agents on simulated hosts, disks and serial lines, each asked who it is."""

import os
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, show
from blade_agent.agent import BladeAgent
from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.line import MessageLine
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode, Request, Response
from blade_agent.backplane.messages.device import GET_DEVICE_ID
from blade_agent.backplane.slot_address import SLOTS, SlotAddress
from blade_agent.hardware.profile import HardwareProfile, load_profile
from blade_agent.settings import BladeSettings
from blade_agent.wires import Wires
from chassis_emulator.physics.chassis import BladeLoad, ChassisPhysics
from chassis_emulator.physics.parameters import ChassisParameters
from chassis_emulator.physics.sysfs_tree import SysfsTree
from chassis_emulator.processes.memory import pss_bytes
from chassis_emulator.simulation.simulation import Simulation

BLADES = 1_000
PROFILE = "emulated"
BOUND_S = 3.0
BOUND_MIB = 250.0
"""What was promised."""
_PATIENCE_S = 5.0  # of virtual time
_MIB = 1024 * 1024
_MEMORY = Path("/dev/shm")


def main() -> None:
    """Boot them, ask each, and print."""
    began = time.perf_counter()
    profile = load_profile(PROFILE)
    assert profile.heat is not None
    # In memory, as sysfs is: a disk's file system takes a millisecond for each file that is cut off and written anew.
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as root, Simulation(1) as simulation:
        physics = ChassisPhysics(ChassisParameters(), profile.heat, 1, 0.0)
        SysfsTree(Path(root), profile).lay_out(physics.step(0.0, [BladeLoad()]).blades[0])
        for number in range(BLADES):
            boot(simulation, number, profile, root)
        answered = simulation.run_until_complete(ask_all(simulation))
        took_s = time.perf_counter() - began
        if answered != BLADES:
            raise SystemExit(f"{BLADES - answered} blades did not answer")
        show(
            Figure(
                figure="1,000 blades in one process, all asked for their device id",
                value=took_s,
                unit="s",
                peer=BOUND_S,
                peer_name="bound",
            ),
            Figure(
                figure="memory of that process",
                value=pss_bytes(os.getpid()) / _MIB,
                unit="MiB",
                peer=BOUND_MIB,
                peer_name="bound",
            ),
        )


def boot(simulation: Simulation, number: int, profile: HardwareProfile, root: str) -> None:
    """Start an agent on a host, a disk and a line of its own; the board's files are everybody's."""
    slot = SlotAddress(number % SLOTS + 1)
    folder = Path("/blades") / str(number)
    settings = BladeSettings(
        slot=slot.slot,
        address=f"10.0.{number // 250}.{number % 250 + 1}",
        backplane="simulated",
        state=str(folder / "state"),
        channels=(str(folder / "channel"),),
        profile=PROFILE,
        root=root,
        watchdog=False,
    )
    host = simulation.host(settings.address)
    wire = simulation.wire(str(number))
    disk = simulation.disk(str(number), host, folder)

    async def be_blade() -> None:
        for needed in (settings.state, *settings.channels):
            disk.make_folder(Path(needed))
        wires = Wires(backplane=wire.open(0), framing=BasicMode())
        agent = await BladeAgent.open(settings, profile, wires, disk, simulation.rng(str(number)))
        await agent.run()

    simulation.start(host, be_blade)


async def ask_all(simulation: Simulation) -> int:
    """Ask every blade for its device id, again until it answers; returns how many did within the patience."""
    answered: set[str] = set()
    lines = {
        name: MessageLine(wire.open(1), BasicMode(), partial(note, answered, name))
        for name, wire in simulation.wires.items()
    }
    give_up_at = simulation.loop.time() + _PATIENCE_S
    while len(answered) < len(lines) and simulation.loop.time() < give_up_at:
        for name in lines.keys() - answered:
            lines[name].send(question(SlotAddress(int(name) % SLOTS + 1)))
        await pause(simulation)
    return len(answered)


def question(slot: SlotAddress) -> Request:
    """Get Device ID."""
    return Request(
        responder=slot.ipmb_address,
        requester=CHASSIS_MANAGER_ADDRESS,
        net_fn=GET_DEVICE_ID.code.net_fn,
        command=GET_DEVICE_ID.code.number,
        data=GET_DEVICE_ID.request_data(Nothing()),
        sequence=1,
    )


async def pause(simulation: Simulation) -> None:
    """Let a tenth of a virtual second pass."""
    passed = simulation.loop.create_future()
    simulation.loop.call_later(0.1, passed.set_result, None)
    await passed


def note(answered: set[str], name: str, message: Request | Response) -> None:
    """Count who gives a whole answer."""
    if isinstance(message, Response) and message.completion == CompletionCode.OK:
        GET_DEVICE_ID.read_reply(message.data)
        answered.add(name)


if __name__ == "__main__":
    main()
