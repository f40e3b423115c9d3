"""Orders for chassis: pulled and inserted here, passed on to the chassis manager where a real one would have to act."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from blade_agent.chassis_manager import orders as manager_orders
from chassis_emulator.chassis.living_chassis import LivingChassis
from chassis_emulator.chassis.orders import (
    BEGIN_FAULT,
    END_FAULTS,
    FAULTS,
    IDENTIFY,
    INSERT,
    POWER,
    PULL,
    RESET,
    BeginFault,
    BlinkBlade,
    EndFaults,
    FaultRows,
    InsertBlade,
    ListFaults,
    PullBlade,
    ResetSlot,
    SwitchPower,
)
from chassis_emulator.chassis.striking import FaultsInForce
from chassis_emulator.faults.book import FaultRow, row_of
from chassis_emulator.faults.targets import BadTarget, Targets
from media_network.local_orders import Answer, NobodyListens, OrderLost, send_order
from media_network.messages.verb import Done, Verb
from media_network.refusal import Reason, Refused

_Order = TypeVar("_Order", bound=Struct)
_MANAGER_TIMEOUT_S = 30.0


class ChassisDesk:
    """What is done when somebody orders. `chassis` are by station."""

    def __init__(self, targets: Targets, chassis: Mapping[str, LivingChassis], faults: FaultsInForce) -> None:
        self._targets = targets
        self._chassis = chassis
        self._faults = faults

    @property
    def answers(self) -> Mapping[Verb[Any, Any], Answer]:
        """For `take_orders`."""
        return {
            PULL: self.pull,
            INSERT: self.insert,
            POWER: self.power,
            RESET: self.reset,
            IDENTIFY: self.identify,
            BEGIN_FAULT: self.begin_fault,
            FAULTS: self.list_faults,
            END_FAULTS: self.end_faults,
        }

    async def pull(self, order: PullBlade) -> Done | Refused:
        """Take a blade out; returns when it is out, or will not be."""
        found = self._find(order.blade)
        if isinstance(found, Refused):
            return found
        chassis, slot = found
        return await chassis.pull(slot, surprise=order.surprise, patience_s=order.patience_s)

    async def insert(self, order: InsertBlade) -> Done | Refused:
        """Put a blade back."""
        found = self._find(order.blade)
        if isinstance(found, Refused):
            return found
        chassis, slot = found
        return await chassis.insert(slot)

    async def power(self, order: SwitchPower) -> Done | Refused:
        """Switch a blade's power."""
        return await self._pass_on(
            order.blade,
            manager_orders.POWER,
            lambda slot: manager_orders.SetPower(slot=slot, action=order.action),
        )

    async def reset(self, order: ResetSlot) -> Done | Refused:
        """Reset a blade."""
        return await self._pass_on(order.blade, manager_orders.RESET, lambda slot: manager_orders.ResetBlade(slot=slot))

    async def identify(self, order: BlinkBlade) -> Done | Refused:
        """Let a blade blink."""
        return await self._pass_on(
            order.blade,
            manager_orders.IDENTIFY,
            lambda slot: manager_orders.IdentifyBlade(slot=slot, seconds=order.seconds),
        )

    async def begin_fault(self, order: BeginFault) -> FaultRow | Refused:
        """Let something go wrong."""
        try:
            entry = await self._faults.begin(order.fault, order.for_s)
        except BadTarget as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        return row_of(entry, entry.since)

    async def list_faults(self, _: ListFaults) -> FaultRows:
        """Tell which faults are on."""
        now = self._faults.now()
        return FaultRows(tuple(row_of(entry, now) for entry in self._faults.book.entries))

    async def end_faults(self, order: EndFaults) -> FaultRows:
        """End faults."""
        now = self._faults.now()
        ids = [entry.id for entry in self._faults.book.entries] if order.ids is None else order.ids
        return FaultRows(tuple(row_of(entry, now) for entry in await self._faults.clear(ids)))

    def _find(self, blade: str) -> tuple[LivingChassis, int] | Refused:
        try:
            plan, slot = self._targets.blade(blade)
        except BadTarget as error:
            return Refused(Reason.NO_BLADE, str(error))
        return self._chassis[plan.station], slot

    async def _pass_on(
        self, blade: str, verb: Verb[_Order, Done], order_for: Callable[[int], _Order]
    ) -> Done | Refused:
        """Have the chassis manager do it, as an operator would: the emulator has no wire of its own to a blade."""
        found = self._find(blade)
        if isinstance(found, Refused):
            return found
        chassis, slot = found
        if not chassis.slots[slot].is_in:
            return Refused(Reason.NO_BLADE, f"there is no blade in {blade}")
        try:
            return await send_order(chassis.plan.orders, verb, order_for(slot), timeout_s=_MANAGER_TIMEOUT_S)
        except NobodyListens:
            return Refused(Reason.UNABLE, f"the chassis manager of {chassis.plan.station} takes no orders now")
        except OrderLost as error:
            return Refused(Reason.OVERDUE, f"the chassis manager of {chassis.plan.station} {error}")
