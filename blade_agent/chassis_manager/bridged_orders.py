"""Requests of IPMI tools to a blade that are orders to its manager: activation and power.

Passed on as they are, they would go round the journal, the power budget and the drain. So the manager takes them, and
answers in the blade's place.
"""

from collections.abc import Callable
from typing import Final

from blade_agent.backplane.command import GROUP_BYTES
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode, Request, Response
from blade_agent.backplane.messages.board import SET_POWER_LEVEL, SetPowerLevel
from blade_agent.backplane.messages.chassis import CHASSIS_CONTROL, ChassisControl
from blade_agent.backplane.messages.picmg import SET_FRU_ACTIVATION, Activation
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.chassis_manager.keeping.journal import PendingPower
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.slots.requester import Relay

_BLADE_FRU: Final = 0
_POWER_OF: Final[dict[ChassisControl, PendingPower]] = {
    ChassisControl.POWER_DOWN: "off",
    ChassisControl.POWER_UP: "on",
    ChassisControl.POWER_CYCLE: "cycle",
}


class BridgedOrders:
    """Takes what is an order out of what is passed on."""

    def __init__(self, chassis: Chassis, when_kept: Callable[[Callable[[], None]], None]) -> None:
        """Take how to be called when what was ordered is on disk."""
        self._chassis = chassis
        self._when_kept = when_kept

    def take(self, slot: int, relay: Relay) -> Relay | None:
        """Give what is to be passed on to the blade; None for an order, which is answered here."""
        if relay.lun:
            return relay
        activation = relay.read(SET_FRU_ACTIVATION)
        if activation is not None and activation.fru == _BLADE_FRU:
            return self._activation(slot, relay, activation.activation)
        control = relay.read(CHASSIS_CONTROL)
        if control is not None and control.control in _POWER_OF:
            return self._power(slot, relay, _POWER_OF[control.control])
        level = relay.read(SET_POWER_LEVEL)
        return relay if level is None else self._level(slot, relay, level)

    def _activation(self, number: int, relay: Relay, activation: Activation) -> Relay | None:
        slot, entry = self._chassis.slots[number], self._chassis.journal.wanted.of(number)
        if activation is Activation.DEACTIVATE:
            self._chassis.service.deactivate(number)
        elif slot.hot_swap is HotSwapState.M1_INACTIVE and not entry.hold:
            return relay  # nothing of the manager's holds it back: its CBC says why it cannot be
        else:
            self._chassis.service.activate(number)
        self._when_kept(lambda: relay.ended(_response(number, relay, CompletionCode.OK)))
        return None

    def _power(self, number: int, relay: Relay, power: PendingPower) -> Relay | None:
        if not self._chassis.power.can_switch(number):
            return relay

        def ended(completion: int | None) -> None:
            relay.ended(None if completion is None else _response(number, relay, completion))

        self._chassis.power.order(number, power, ended)
        return None

    def _level(self, number: int, relay: Relay, level: SetPowerLevel) -> Relay:
        """Whoever sets a level sets it until the budget says otherwise."""

        def ended(response: Response | None) -> None:
            if response is not None and response.completion == CompletionCode.OK:
                self._chassis.service.level_set(number, level.level)
            relay.ended(response)

        return Relay(net_fn=relay.net_fn, command=relay.command, data=relay.data, lun=relay.lun, ended=ended)


def _response(slot: int, relay: Relay, completion: int) -> Response:
    """Answer as the blade's controller would."""
    request = Request(
        responder=SlotAddress(slot).ipmb_address,
        requester=CHASSIS_MANAGER_ADDRESS,
        net_fn=relay.net_fn,
        command=relay.command,
        sequence=0,
        data=relay.data,
    )
    group = relay.data[: GROUP_BYTES.get(relay.net_fn, 0)]
    return request.respond(completion, group if completion == CompletionCode.OK else b"")
