"""Orders to a chassis manager, as they come over its UNIX socket, carried out."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from blade_agent.backplane.command import Command
from blade_agent.backplane.message import CompletionCode, Response
from blade_agent.backplane.messages.chassis import (
    CHASSIS_CONTROL,
    CHASSIS_IDENTIFY,
    ChassisControl,
    Control,
    IdentifyRequest,
)
from blade_agent.chassis_manager.manager import ChassisManager
from blade_agent.chassis_manager.orders import (
    ACTIVATE,
    CHASSIS,
    DEACTIVATE,
    EVENTS,
    IDENTIFY,
    POWER,
    RESET,
    ActivateBlade,
    AskChassis,
    AskEvents,
    ChassisState,
    DeactivateBlade,
    Events,
    IdentifyBlade,
    ResetBlade,
    SetPower,
)
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.slots.requester import Relay
from media_network.local_orders import Answer
from media_network.messages.verb import Done, Verb
from media_network.refusal import Reason, Refused

_PATIENCE_S = 5.0


class OrderDesk:
    """What the manager answers to orders."""

    def __init__(self, manager: ChassisManager) -> None:
        self._manager = manager

    @property
    def answers(self) -> Mapping[Verb[Any, Any], Answer]:
        """By verb, for `take_orders`."""
        return {
            CHASSIS: self._chassis,
            EVENTS: self._events,
            POWER: self._power,
            RESET: self._reset,
            IDENTIFY: self._identify,
            ACTIVATE: self._activate,
            DEACTIVATE: self._deactivate,
        }

    async def _chassis(self, _: AskChassis) -> ChassisState:
        return self._manager.state()

    async def _events(self, asked: AskEvents) -> Events:
        return self._manager.events(asked.after)

    async def _power(self, order: SetPower) -> Done | Refused:
        chassis = self._manager.chassis
        if chassis is None or order.slot not in chassis.slots or not chassis.power.can_switch(order.slot):
            return Refused(Reason.NO_BLADE, f"no blade is in service in slot {order.slot}")
        answered: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        chassis.power.order(order.slot, order.action, partial(_settle, answered))
        self._manager.look()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                completion = await answered
        except TimeoutError:
            return Refused(Reason.NOT_KEPT, f"slot {order.slot} is not switched so far; the manager goes on trying")
        if completion is None:
            return Refused(
                Reason.NO_BLADE, f"the blade in slot {order.slot} fell silent; it is switched when it is back"
            )
        return _outcome(order.slot, CHASSIS_CONTROL, completion)

    async def _reset(self, order: ResetBlade) -> Done | Refused:
        return await self._pass_on(order.slot, CHASSIS_CONTROL, Control(ChassisControl.HARD_RESET))

    async def _identify(self, order: IdentifyBlade) -> Done | Refused:
        return await self._pass_on(order.slot, CHASSIS_IDENTIFY, IdentifyRequest(interval_s=order.seconds, forced=0))

    async def _activate(self, order: ActivateBlade) -> Done | Refused:
        return await self._keep(order.slot, lambda chassis: chassis.service.activate(order.slot))

    async def _deactivate(self, order: DeactivateBlade) -> Done | Refused:
        return await self._keep(order.slot, lambda chassis: chassis.service.deactivate(order.slot))

    async def _keep(self, slot: int, change: Callable[[Chassis], None]) -> Done | Refused:
        """Order something that holds from now on, whether a blade is there or not."""
        chassis = self._manager.chassis
        if chassis is None or slot not in chassis.slots:
            return Refused(Reason.NO_BLADE, f"this chassis has no slot {slot}")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        change(chassis)
        self._manager.when_kept(partial(_settle, kept, None))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await kept
        except TimeoutError:
            return Refused(Reason.NOT_KEPT, "what was ordered cannot be written down; the manager goes on trying")
        return Done()

    async def _pass_on(self, slot: int, command: Command[Any, Any], body: Any) -> Done | Refused:
        """Ask the blade, and give what it says in a word."""
        answered: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
        taken = self._manager.relay(
            slot,
            Relay(
                net_fn=command.code.net_fn,
                command=command.code.number,
                data=command.request_data(body),
                ended=partial(_settle, answered),
            ),
        )
        response = await answered if taken else None
        if response is None:
            return Refused(Reason.NO_BLADE, f"no blade answers in slot {slot}")
        return _outcome(slot, command, response.completion)


def _outcome(slot: int, command: Command[Any, Any], completion: int) -> Done | Refused:
    if completion == CompletionCode.OK:
        return Done()
    said = command.completion_text(completion)
    return Refused(Reason.UNABLE, f"the blade in slot {slot} refuses: completion code {said}")


def _settle(future: "asyncio.Future[Any]", outcome: Any) -> None:
    """Answer whoever still waits."""
    if not future.done():
        future.set_result(outcome)
