"""Between a chassis manager and its SNMP agent: the chassis to show, and the orders of a network management system."""

import contextlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

from blade_agent.backplane.command import Command
from blade_agent.backplane.messages.chassis import CHASSIS_IDENTIFY, IdentifyRequest
from blade_agent.backplane.messages.role import DRAIN, Drain
from blade_agent.chassis_manager.manager import ChassisManager
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.chassis_manager.slots.requester import Relay
from blade_agent.snmp.agent import ManagerAgent, manager_facts, manager_snmp
from blade_agent.snmp.chassis_source import chassis_picture
from blade_agent.snmp.hardware_source import measured_hardware
from blade_agent.snmp.sources import ChassisPicture, HardwareFigures
from blade_agent.version import installed_version
from media_network.callback import do_nothing
from media_network.snmp.targets import AgentSettings
from media_network.snmp.value import ErrorStatus, ValueRefused


class ManagerOrders:
    """The `SlotOrders` of a chassis. What a blade makes of an order shows in its state."""

    def __init__(self, manager: ChassisManager) -> None:
        self._manager = manager

    def activate(self, slot: int) -> None:
        """See `SlotOrders`. A blade that drains in service takes work again."""
        chassis = self._manager.chassis
        if chassis is None:
            raise ValueRefused(ErrorStatus.COMMIT_FAILED)
        chassis.service.activate(slot)
        if chassis.slots[slot].active is not None:
            self._ask(slot, DRAIN, Drain(draining=False))
        self._manager.look()

    def drain(self, slot: int) -> None:
        """See `SlotOrders`."""
        self._ask(slot, DRAIN, Drain(draining=True))

    def deactivate(self, slot: int) -> None:
        """See `SlotOrders`."""
        if self._manager.chassis is None:
            raise ValueRefused(ErrorStatus.COMMIT_FAILED)
        self._manager.chassis.service.deactivate(slot)
        self._manager.look()

    def identify(self, slot: int, seconds: int) -> None:
        """See `SlotOrders`."""
        self._ask(slot, CHASSIS_IDENTIFY, IdentifyRequest(interval_s=seconds, forced=0))

    def _ask(self, slot: int, command: Command[Any, Any], body: object) -> None:
        """Ask the blade, by the way of an IPMI tool's requests. Raises Refused if it cannot be asked."""
        data = command.request_data(body)
        # What the blade answers shows in its state.
        relay = Relay(net_fn=command.code.net_fn, command=command.code.number, data=data, ended=do_nothing)
        if not self._manager.relay(slot, relay):
            raise ValueRefused(ErrorStatus.COMMIT_FAILED)


@contextlib.asynccontextmanager
async def chassis_snmp(
    settings: AgentSettings, manager: ChassisManager, chassis: ManagerSettings, rng: Random
) -> AsyncIterator[ManagerAgent]:
    """Answer for a managed chassis as long as the context lasts. Raises as `manager_snmp` does."""
    orders = ManagerOrders(manager)
    gauges = manager.gauges

    def picture() -> ChassisPicture:
        board = HardwareFigures(firmware=installed_version(), uuid=chassis.guid)
        if gauges.profile:
            board = measured_hardware(
                gauges.profile,
                gauges.measurements,
                serial_number=chassis.guid[-8:].hex(),
                firmware=installed_version(),
                uuid=chassis.guid,
            )
        return chassis_picture(manager.state(), board)

    async with manager_snmp(
        settings,
        manager_facts(settings, chassis.station),
        chassis.state_folder,
        picture,
        slots=tuple(chassis.slots),
        orders=orders,
        rng=rng,
    ) as agent:
        manager.slots_moved = agent.changed
        try:
            yield agent
        finally:
            manager.slots_moved = do_nothing
