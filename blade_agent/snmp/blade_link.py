"""Between a blade and its SNMP agent: the blade to show, and the orders of a network management system."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

from blade_agent.backplane.command import Command
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.chassis import CHASSIS_IDENTIFY, IdentifyRequest
from blade_agent.backplane.messages.heartbeat import PROTOCOL_VERSION
from blade_agent.backplane.messages.role import DRAIN, Drain
from blade_agent.backplane.role import RoleAssignment
from blade_agent.blade_controller import BladeController
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.hardware.reading import KnownReading, Quantity
from blade_agent.main_board.main_board import RunningMainBoard
from blade_agent.main_board.main_board_figures import MainBoardFigures
from blade_agent.profiled_board.measurements import SENSOR
from blade_agent.snmp.agent import blade_facts, blade_snmp
from blade_agent.snmp.hardware_source import measured_hardware
from blade_agent.snmp.sources import BladeFigures, HardwareFigures, SlotPicture
from media_network.callback import do_nothing
from media_network.snmp.agent import Agent
from media_network.snmp.targets import AgentSettings
from media_network.snmp.value import ErrorStatus, ValueRefused

_UNTIL_ENDED_S = 255
_IN_SERVICE = frozenset({HotSwapState.M4_ACTIVE, HotSwapState.M5_DEACTIVATION_REQUEST})


class BladeOrders:
    """The `SlotOrders` of a blade. A blade leaves service as if its handle was opened: its manager does the rest."""

    def __init__(self, controller: BladeController) -> None:
        self._controller = controller

    def activate(self, slot: int) -> None:  # noqa: ARG002 -- a blade has one slot
        """See `SlotOrders`. Where the handle is open, the blade stays out of service."""
        hot_swap = self._controller.blade.hot_swap
        if hot_swap.state in _IN_SERVICE:
            self._order(DRAIN, Drain(draining=False))
        hot_swap.activation_locked = False
        self._controller.ask_for_service()

    def drain(self, slot: int) -> None:  # noqa: ARG002 -- as above
        """See `SlotOrders`."""
        self._order(DRAIN, Drain(draining=True))

    def deactivate(self, slot: int) -> None:  # noqa: ARG002 -- as above
        """See `SlotOrders`."""
        self._controller.ask_to_leave()

    def identify(self, slot: int, seconds: int) -> None:  # noqa: ARG002 -- as above
        """See `SlotOrders`."""
        self._order(CHASSIS_IDENTIFY, IdentifyRequest(interval_s=seconds, forced=0))

    def _order(self, command: Command[Any, Any], body: object) -> None:
        if self._controller.order(command, body) != CompletionCode.OK:
            raise ValueRefused(ErrorStatus.COMMIT_FAILED)


class BladeView:
    """A blade as it is at any moment, for its SNMP agent."""

    def __init__(
        self, controller: BladeController, main_board: RunningMainBoard, profile: HardwareProfile, capacity_bps: int
    ) -> None:
        self.controller = controller
        self._main_board = main_board
        self._profile = profile
        self._capacity_bps = capacity_bps

    @property
    def slot(self) -> int:
        """Where it stands."""
        return self.controller.blade.address.slot

    @property
    def station(self) -> str:
        """The media station that it serves, or empty."""
        return self._main_board.assignment.station

    def figures(self) -> BladeFigures:
        """Put together what is in memory."""
        main_board, assignment = self._main_board.figures(), self._main_board.assignment
        return BladeFigures(
            station=assignment.station,
            epoch=assignment.epoch,
            own=self._slot(main_board, assignment),
            capacity_bps=self._capacity_bps,
            main_board=main_board,
            work=self._main_board.work(),
        )

    def _slot(self, main_board: MainBoardFigures, assignment: RoleAssignment) -> SlotPicture:
        blade, status = self.controller.blade, self.controller.main_board.status()
        power = blade.hardware.power
        levels_w = tuple(power.levels_w) if power else ()
        level = power.level() if power else 0
        return SlotPicture(
            slot=blade.address.slot,
            hot_swap=blade.hot_swap.state,
            draining=main_board.draining,
            wanted_in_service=blade.hot_swap.handle_closed and not blade.hot_swap.activation_locked,
            role=assignment.role,
            epoch=assignment.epoch,
            main_board=status.state,
            address=status.address,
            boot_id=blade.boot_id,
            desired_w=levels_w[power.desired_level - 1] if power and levels_w else None,
            granted_w=levels_w[level - 1] if level else None,
            observed_w=self._observed_w(),
            streams=main_board.streams,
            version=PROTOCOL_VERSION,
            identify_s=_seconds(blade.identification.left_s),
            frame_faults=blade.frame_faults,
            message_faults=blade.message_faults,
            hardware=self._hardware(),
        )

    def _observed_w(self) -> float | None:
        """What the board's own meter says, where it has one."""
        meters = (sensor.name for sensor in self._profile.sensors if sensor.measures is Quantity.POWER)
        readings = [self.controller.measurements.reading(SENSOR, name) for name in meters]
        known = [reading.value for reading in readings if isinstance(reading, KnownReading)]
        return sum(known) if known and len(known) == len(readings) else None

    def _hardware(self) -> HardwareFigures:
        identity = self.controller.blade.identity
        return measured_hardware(
            self._profile,
            self.controller.measurements,
            serial_number=self.controller.serial_number,
            firmware=identity.firmware_version,
            uuid=identity.guid,
            leds=self.controller.lights(),
        )


@contextlib.asynccontextmanager
async def board_snmp(settings: AgentSettings, state: Path, view: BladeView, rng: Random) -> AsyncIterator[Agent]:
    """Answer for a blade as long as the context lasts; `state` is a folder. Raises as `blade_snmp` does."""
    facts = blade_facts(settings, view.slot, lambda: view.station)
    orders = BladeOrders(view.controller)
    async with blade_snmp(settings, facts, state, view.figures, orders=orders, rng=rng) as agent:
        view.controller.changed = agent.interest.refresh
        try:
            yield agent
        finally:
            view.controller.changed = do_nothing


def _seconds(left_s: float | None) -> int:
    """For how long the light still blinks, rounded up; one that nobody has ended yet goes on for the longest time."""
    return _UNTIL_ENDED_S if left_s is None else min(-int(-left_s // 1), _UNTIL_ENDED_S)
