"""A slot of an emulated chassis: whether a blade is in it, its handle, its lights, and its process, living or not."""

import asyncio
from enum import StrEnum
from pathlib import Path

from blade_agent.backplane.fru_format import FruFacts, fru_image
from chassis_emulator.chassis.loads import BladeLoadMeter
from chassis_emulator.lines.emulated_line import EmulatedLine
from chassis_emulator.physics.chassis import BladeLoad, MeasuredBlade
from chassis_emulator.physics.sysfs_tree import SysfsTree
from chassis_emulator.processes.processes import Process
from chassis_emulator.topology.plan import BladePlan

BLUE = "hot swap"
"""Name of the blue light in the profiles: on steadily when the blade may be taken out (PICMG 3.0, 3.2.5.6)."""
_LOOK_EVERY_S = 0.05
_STEADY_S = 1.1
"""A light that was on for so long at every look does not blink: PICMG's longest pause between two is a second."""


class SlotPresence(StrEnum):
    """What is in a slot."""

    IN = "in"
    LEAVING = "leaving"
    """In the slot with its handle open: somebody waits for the blue light."""
    OUT = "out"


class LivingSlot:
    """One slot. What is asked of the blade's tree blocks for small files and runs in the loop's executor."""

    def __init__(self, plan: BladePlan, process: Process, line: EmulatedLine, tree: SysfsTree, cores: float) -> None:
        self.plan = plan
        self.process = process
        self.line = line
        self.tree = tree
        self.meter = BladeLoadMeter(cores)
        self.presence = SlotPresence.OUT if self._marker.exists() else SlotPresence.IN
        self._settle()

    @property
    def is_in(self) -> bool:
        """Whether there is a blade in it."""
        return self.presence is not SlotPresence.OUT

    @property
    def _marker(self) -> Path:
        """A slot is empty as long as this file is there, over any number of `up` and `down`."""
        return self.plan.state.parent / "out"

    # In the executor

    def lay_out(self, state: MeasuredBlade) -> None:
        """Make the blade's tree, as its drivers would."""
        self.tree.lay_out(state)
        profile = self.tree.profile
        if profile.eeprom:
            facts = FruFacts(
                manufacturer=profile.identity.maker,
                product=profile.title,
                part_number=profile.identity.part_number,
                serial_number=self.plan.serial_number,
            )
            self.tree.write_fru(fru_image(facts))
        self.tree.move_handle(is_open=self.presence is not SlotPresence.IN)

    def load(self, now_s: float) -> BladeLoad:
        """What the blade has done since the last look."""
        return self.meter.look(self.process.status, now_s, powered=self.is_in and self.process.pid is not None)

    def keep_presence(self) -> None:
        """Write down whether it is empty."""
        if self.is_in:
            self._marker.unlink(missing_ok=True)
        else:
            self._marker.parent.mkdir(parents=True, exist_ok=True)
            self._marker.touch()

    # In the loop

    async def open_handle(self, *, is_open: bool) -> None:
        """Open the handle, or close it."""
        self.presence = SlotPresence.LEAVING if is_open else SlotPresence.IN
        await asyncio.get_running_loop().run_in_executor(None, lambda: self.tree.move_handle(is_open=is_open))

    async def wait_for_blue_light(self) -> None:
        """Return when the blue light has been on steadily, the blade has ended, or its handle was closed again."""
        loop = asyncio.get_running_loop()
        since: float | None = None
        while self.process.pid is not None and self.presence is SlotPresence.LEAVING:
            lights = await loop.run_in_executor(None, self.tree.lights)
            blue = lights.get(BLUE)
            if blue is None or not blue.on_ms or blue.off_ms:
                since = None
            elif since is None:
                since = loop.time()
            elif loop.time() - since >= _STEADY_S:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def take_out(self) -> None:
        """Let the slot be empty. Its process is to be ended by the caller, who has it held already."""
        self.presence = SlotPresence.OUT
        self._settle()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.keep_presence)
        await loop.run_in_executor(None, self.tree.darken)

    async def put_in(self, state: MeasuredBlade) -> None:
        """Let the blade be in the slot, its handle closed. Its process is to be started by the caller."""
        self.presence = SlotPresence.IN
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.keep_presence)
        await loop.run_in_executor(None, self.lay_out, state)
        self._settle()

    def _settle(self) -> None:
        self.line.plug(plugged=self.is_in)
        if self.is_in:
            self.process.held_by.discard(SlotPresence.OUT)
        else:
            self.process.held_by.add(SlotPresence.OUT)
