"""A scenario played on a live network, in real time: each step an order to its environment."""

import asyncio
from collections.abc import Callable

from chassis_emulator.chassis.orders import (
    BEGIN_FAULT,
    END_FAULTS,
    IDENTIFY,
    INSERT,
    POWER,
    PULL,
    RESET,
    BeginFault,
    BlinkBlade,
    EndFaults,
    InsertBlade,
    PullBlade,
    ResetSlot,
    SwitchPower,
)
from chassis_emulator.network.control import send_order
from chassis_emulator.network.errors import OrderRefused
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.scenario.steps import (
    AnyStep,
    EndFaultsStep,
    FaultStep,
    IdentifyStep,
    InsertStep,
    PowerStep,
    PullStep,
    ResetStep,
    Scenario,
)
from chassis_emulator.scenario.timeline import Timeline

_ORDER_TIMEOUT_S = 40.0
_PULL_TIMEOUT_S = 70.0
_SHOW_EVERY_S = 0.2


class Player:
    """Plays a scenario once. `tell` hears of every step that was done; `show` how far it is, a few times a second."""

    def __init__(
        self, folder: StateFolder, scenario: Scenario, tell: Callable[[str], None], show: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._scenario = scenario
        self._tell = tell
        self._show = show
        self._begun: list[tuple[str, str]] = []
        """Name in the scenario and id of each fault that it began."""
        self.failed = 0
        """Steps that were refused."""

    async def play(self) -> None:
        """Play to the end of the last step; faults of it that are still on are ended. Raises NotUp, EnvironmentLost."""
        loop = asyncio.get_running_loop()
        began, timeline = loop.time(), Timeline(self._scenario)
        try:
            async with asyncio.TaskGroup() as tasks:
                while (at := timeline.next_at) is not None:
                    now_s = loop.time() - began
                    for step in timeline.due(now_s):
                        # A blade that leaves takes its time, and the next step does not wait for it.
                        tasks.create_task(self._take(step))
                    if (coming := timeline.next_step) is not None:
                        self._show(f"{now_s:5.1f} s  next, at {coming.at:g} s: {coming.describe()}")
                        await asyncio.sleep(min(_SHOW_EVERY_S, max(0.0, began + at - loop.time())))
        finally:
            await self._order_clear(None)

    async def _take(self, step: AnyStep) -> None:
        try:
            outcome = await self._do(step)
        except OrderRefused as error:
            self.failed += 1
            outcome = f"refused: {error}"
        self._tell(f"{step.at:6.1f} s  {step.describe()}{f': {outcome}' if outcome else ''}")

    async def _do(self, step: AnyStep) -> str:
        folder = self._folder
        match step:
            case FaultStep(fault=fault, for_s=for_s, name=name):
                order = BeginFault(fault=fault, for_s=for_s)
                begun = await send_order(folder, BEGIN_FAULT, order, timeout_s=_ORDER_TIMEOUT_S)
                self._begun.append((name, begun.id))
                return begun.id
            case EndFaultsStep(name=name):
                await self._order_clear(name or None)
            case PullStep(target=blade, surprise=surprise):
                pull = PullBlade(blade=blade, surprise=surprise)
                await send_order(folder, PULL, pull, timeout_s=_PULL_TIMEOUT_S)
                return "out"
            case InsertStep(target=blade):
                await send_order(folder, INSERT, InsertBlade(blade), timeout_s=_ORDER_TIMEOUT_S)
            case PowerStep(target=blade, power=power):
                await send_order(folder, POWER, SwitchPower(blade=blade, action=power), timeout_s=_ORDER_TIMEOUT_S)
            case ResetStep(target=blade):
                await send_order(folder, RESET, ResetSlot(blade), timeout_s=_ORDER_TIMEOUT_S)
            case IdentifyStep(target=blade, seconds=seconds):
                identify = BlinkBlade(blade=blade, seconds=seconds)
                await send_order(folder, IDENTIFY, identify, timeout_s=_ORDER_TIMEOUT_S)
        return ""

    async def _order_clear(self, name: str | None) -> None:
        ids = tuple(fault for given, fault in self._begun if name is None or given == name)
        if ids:
            await send_order(self._folder, END_FAULTS, EndFaults(ids), timeout_s=_ORDER_TIMEOUT_S)
