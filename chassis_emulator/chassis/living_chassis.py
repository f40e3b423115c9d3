"""A chassis that lives: once a second its physics gets what its blades did, and its sensors show what comes of it.

What the blades set is read back: their fans' drive. A blade whose power is not good ends as boards do, without a word,
and boots when it is good again. It holds no role and no management logic: that is the chassis manager's.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from blade_agent.hardware.profile import load_profile
from chassis_emulator.chassis.living_slot import LivingSlot, SlotPresence
from chassis_emulator.lines.emulated_line import EmulatedLine
from chassis_emulator.physics.chassis import BladeLoad, ChassisPhysics, MeasuredChassis
from chassis_emulator.physics.chassis_tree import ChassisTree
from chassis_emulator.physics.parameters import ChassisParameters
from chassis_emulator.physics.sysfs_tree import SysfsTree
from chassis_emulator.processes.processes import Process, Processes
from chassis_emulator.topology.plan import ChassisPlan
from media_network.messages.verb import Done
from media_network.passing_trouble import PassingTrouble
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

EMULATED_PROFILE = "emulated"
_STEP_S = 1.0
_NO_POWER = "no power"


class LivingChassis:
    """One chassis. The processes and lines of its blades go on belonging to the caller."""

    def __init__(
        self, plan: ChassisPlan, processes: Mapping[str, Process], lines: Mapping[str, EmulatedLine], nursery: Processes
    ) -> None:
        profile = load_profile(plan.blade_profile)
        # Nobody has measured how real boards warm: one that is emulated warms as the emulator's own does.
        heat = profile.heat or load_profile(EMULATED_PROFILE).heat
        if heat is None:
            raise ValueError(f"the profile {EMULATED_PROFILE!r} does not say how its board warms")
        self.plan = plan
        self.manager = processes[plan.name]
        self.slots: dict[int, LivingSlot] = {
            blade.slot: LivingSlot(
                blade, processes[blade.name], lines[blade.name], SysfsTree(blade.root, profile), plan.blade_cores
            )
            for blade in plan.blades
        }
        self._now = asyncio.get_running_loop().time
        self.physics = ChassisPhysics(_parameters(plan), heat, len(plan.blades), self._now())
        self.state: MeasuredChassis = self.physics.step(
            self._now(), [BladeLoad(powered=slot.is_in) for slot in self._in_order]
        )
        """As of the last step."""
        self._tree = ChassisTree(plan.root, load_profile(plan.profile))
        self._processes = nursery
        self._stepping = asyncio.Lock()
        self._trouble = PassingTrouble(logger, f"what {plan.station} measures cannot be shown")

    @property
    def _in_order(self) -> Sequence[LivingSlot]:
        return tuple(self.slots.values())

    def lay_out(self) -> None:
        """Make the trees of all boards. Blocks for some hundred small files."""
        for slot, state in zip(self._in_order, self.state.blades, strict=True):
            slot.lay_out(state)
        self._tree.write(self.state)

    async def live(self) -> None:
        """Let time pass until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(_STEP_S)

    async def step(self) -> None:
        """Let the physics come to now, the sensors show it, and the blades' power follow it."""
        loop = asyncio.get_running_loop()
        async with self._stepping:
            duties, loads = await loop.run_in_executor(None, self._look, self._now())
            for number, duty in duties.items():
                self.physics.drive_fan(number, duty)
            self.state = state = self.physics.step(self._now(), loads)
            await loop.run_in_executor(None, self._show, state)
        await self._follow_power(state)

    async def pull(self, number: int, *, surprise: bool, patience_s: float) -> Done | Refused:
        """Take a blade out: after its blue light has said that it may be, or at once, as a hand would."""
        slot = self.slots[number]
        if not slot.is_in:
            return Done()
        if not surprise:
            refused = await self._ask_to_leave(slot, patience_s)
            if refused:
                return refused
        await slot.take_out()
        await self._processes.kill(slot.process)
        await self.step()
        return Done()

    async def insert(self, number: int) -> Done | Refused:
        """Put the blade back into its slot, handle closed; one that is waiting to leave stays."""
        slot = self.slots[number]
        if slot.presence is SlotPresence.LEAVING:
            await slot.open_handle(is_open=False)
        elif not slot.is_in:
            async with self._stepping:  # a step that has begun must not write the files that are just laid out
                await slot.put_in(self.state.blades[number - 1])
            await self.step()
            await self._processes.start(slot.process)
        return Done()

    async def _ask_to_leave(self, slot: LivingSlot, patience_s: float) -> Refused | None:
        name = slot.plan.name
        if slot.process.pid is None or slot.process.hung:
            sentence = f"{name} is {slot.process.condition}: it cannot say when it may be taken out"
            return Refused(Reason.UNABLE, sentence)
        await slot.open_handle(is_open=True)
        try:
            async with asyncio.timeout(patience_s):
                await slot.wait_for_blue_light()
        except TimeoutError:
            if slot.presence is SlotPresence.LEAVING:
                await slot.open_handle(is_open=False)
            return Refused(
                Reason.OVERDUE,
                f"{name} has not lit its blue light within {patience_s:g} s; its handle is closed again",
            )
        if slot.presence is SlotPresence.IN:
            return Refused(Reason.UNABLE, f"the handle of {name} was closed again before it could be taken out")
        return None

    def _look(self, now_s: float) -> tuple[dict[int, float], list[BladeLoad]]:
        """What the blades have set, and what they have done."""
        duties = {number: duty for number, slot in self.slots.items() if (duty := slot.tree.fan_duty()) is not None}
        return duties, [slot.load(now_s) for slot in self._in_order]

    def _show(self, state: MeasuredChassis) -> None:
        with self._trouble:
            for slot, blade in zip(self._in_order, state.blades, strict=True):
                if slot.is_in:
                    slot.tree.write(blade)
            self._tree.write(state)

    async def _follow_power(self, state: MeasuredChassis) -> None:
        for slot, blade in zip(self._in_order, state.blades, strict=True):
            process = slot.process
            if blade.power_good and _NO_POWER in process.held_by:
                process.held_by.discard(_NO_POWER)
                await self._processes.start(process)
            elif not blade.power_good and _NO_POWER not in process.held_by:
                process.held_by.add(_NO_POWER)
                await self._processes.kill(process)
                await asyncio.get_running_loop().run_in_executor(None, self._darken, slot)

    def _darken(self, slot: LivingSlot) -> None:
        with self._trouble:
            slot.tree.darken()


def _parameters(plan: ChassisPlan) -> ChassisParameters:
    return ChassisParameters(inlet_c=plan.inlet_c, supplies=plan.supplies)
