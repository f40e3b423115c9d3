"""Blades on emulated boards: the sysfs tree that the emulator lays out, under the CBC and the adapter of a real one."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.fru_format import FruFacts, fru_image
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, Request, Response, decode
from blade_agent.backplane.role import MainBoardState, MainBoardStatus
from blade_agent.blade_controller import BladeController
from blade_agent.hardware.profile import load_profile
from blade_agent.settings import BladeSettings
from blade_agent.wires import Wires
from chassis_emulator.physics.chassis import MeasuredBlade
from chassis_emulator.physics.sysfs_tree import SysfsTree
from chassis_emulator.simulation.loop import SimulatedLoop
from media_network.address import Address
from media_network.files import DiskFiles

ADDRESS = 0x86
MADE = FruFacts(manufacturer="Example Boards", product="Blade One", serial_number="0042", part_number="EB-1")
COOL = MeasuredBlade(
    temperature_c=30.0,
    inlet_c=22.0,
    power_w=3.0,
    voltage_v=12.0,
    fan_rpm=2400.0,
    fan_duty=0.4,
    power_good=True,
)


class DeskBoard:
    """A main board that takes every role at once, and tells what was asked of it."""

    def __init__(self):
        self.state = MainBoardState.READY
        self.assigned = []
        self.shares = []
        self.carried = 0

    def assign(self, assignment):
        self.assigned.append(assignment)

    def drain(self, draining):
        self.carried = max(0, self.carried - 1) if draining else self.carried
        return self.carried if draining else 0

    def limit(self, share):
        self.shares.append(share)

    def know_blades(self, blades):
        self.blades = blades

    def status(self):
        return MainBoardStatus(state=self.state, address=Address("127.1.1.3", 8080))


class MemoryWire:
    """A backplane line that ends here: what the CBC sent is decoded, what it receives is put in by hand."""

    usable = True

    def __init__(self):
        self._framing = BasicMode()
        self.messages = []

    def attach(self, receive):
        self._receive = receive

    def write(self, data):
        self.messages += map(decode, self._framing.receive(data))

    def put(self, message):
        self._receive(BasicMode.encode(message.encode()))

    def close(self):
        self.usable = False

    @property
    def events(self):
        return [message for message in self.messages if isinstance(message, Request)]


class EmulatedBlade:
    """A blade whose board is a tree in a folder."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.profile = load_profile("emulated")
        self.tree = SysfsTree(folder / "root", self.profile)
        self.tree.lay_out(COOL)
        self.tree.move_handle(is_open=False)
        self.main_board = DeskBoard()
        self.settings = BladeSettings(
            slot=3,
            address="127.1.1.3",
            backplane="memory",
            state=str(folder / "state"),
            channels=(str(folder / "channel"),),
            profile="emulated",
            root=str(folder / "root"),
            serial_number="S-7",
            **settings,
        )
        (folder / "state").mkdir(exist_ok=True)

    @asynccontextmanager
    async def running(self, wires=None, rng=None):
        """Be a blade; as it is left the blade stops, and its disk has what it kept."""
        self.wire = MemoryWire()
        self.blade = await BladeController.open(
            self.settings,
            self.profile,
            self.main_board,
            DiskFiles(),
            rng or random.Random(5),
            disks_work=lambda: True,
        )
        self.blade.serve(wires or Wires(backplane=self.wire, framing=BasicMode()))
        running = asyncio.create_task(self.blade.run())
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.wait([running])
            await self.blade.close()
            assert running.cancelled(), running.exception()

    @property
    def cbc(self):
        return self.blade._controller

    def ask(self, command, body=None):
        """Ask over the backplane; give the typed reply, or the completion code of a refusal."""
        before = len(self.wire.messages)
        data = command.request_data(Nothing() if body is None else body)
        self.wire.put(
            Request(
                responder=ADDRESS,
                requester=0x20,
                net_fn=command.code.net_fn,
                command=command.code.number,
                sequence=7,
                data=data,
            )
        )
        answers = [message for message in self.wire.messages[before:] if isinstance(message, Response)]
        assert len(answers) == 1
        if answers[0].completion != CompletionCode.OK:
            return command.completion(answers[0].completion)
        return command.read_reply(answers[0].data)

    def acknowledge(self, completion=CompletionCode.OK):
        """Be a chassis manager that takes the last event."""
        self.wire.put(self.wire.events[-1].respond(completion))

    def corrupt(self, path, content):
        """Put something else where a driver's attribute is."""
        target = self.folder / "root" / path
        target.unlink()
        if content is not None:
            target.write_bytes(content)


@pytest.fixture
def emulated(tmp_path):
    return EmulatedBlade(tmp_path)


@pytest.fixture
def make_emulated(tmp_path):
    return lambda **settings: EmulatedBlade(tmp_path, **settings)


@pytest.fixture
def play():
    """Run a coroutine in virtual time."""

    def run(story):
        loop = SimulatedLoop(random.Random(1))
        try:
            return loop.run_until_complete(story)
        finally:
            loop.close()

    return run


@pytest.fixture
def eeprom():
    return fru_image(MADE)
