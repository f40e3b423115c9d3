"""Main boards on and off as they were ordered, over restarts of the manager and of the blade. No I/O.

Nothing is switched that was not ordered, and an order ends when somebody switches the main board at the blade itself.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.chassis import CHASSIS_CONTROL, ChassisControl, Control
from blade_agent.backplane.role import MainBoardState
from blade_agent.chassis_manager.keeping.journal import KeptJournal, PendingPower, Power
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion
from blade_agent.chassis_manager.slots.slot import Slot

logger = logging.getLogger(__name__)

Ended = Callable[[int | None], None]
"""Called once with the blade's completion code; None if it did not answer."""

_CONTROL: Final[Mapping[PendingPower, ChassisControl]] = {
    "on": ChassisControl.POWER_UP,
    "off": ChassisControl.POWER_DOWN,
    "cycle": ChassisControl.POWER_CYCLE,
}
_IN_SERVICE: Final = frozenset(
    {
        HotSwapState.M3_ACTIVATION_IN_PROGRESS,
        HotSwapState.M4_ACTIVE,
        HotSwapState.M5_DEACTIVATION_REQUEST,
    }
)
_OUT: Final = frozenset({HotSwapState.M1_INACTIVE, HotSwapState.M2_ACTIVATION_REQUEST})


class _Switch(Struct):
    """What is in hand with one slot."""

    waiting: list[Ended]
    asked: bool = False
    seen: tuple[int, Power] | None = None
    """Start of the blade's agent, and the power that was seen then."""


class PowerSwitch:
    """The main boards of a chassis."""

    def __init__(self, slots: Mapping[int, Slot], journal: KeptJournal) -> None:
        self._slots = slots
        self._journal = journal
        self._switches = {number: _Switch(waiting=[]) for number in slots}

    def order(self, number: int, power: PendingPower, ended: Ended) -> None:
        """Switch a main board as soon as that is on disk."""
        self._journal.change(number, desired_power="off" if power == "off" else "on", pending_power=power)
        self._switches[number].waiting.append(ended)

    def can_switch(self, number: int) -> bool:
        """Tell whether the blade in a slot can be told: it is in service, and heard."""
        return self._slots[number].hot_swap in _IN_SERVICE

    def tick(self) -> None:
        """Look after every main board."""
        for slot in self._slots.values():
            self._observe(slot)
            self._carry_out(slot)

    def _observe(self, slot: Slot) -> None:
        switch, entry = self._switches[slot.number], self._journal.wanted.of(slot.number)
        observed = observed_power(slot)
        if observed == "unknown" or slot.status is None:
            return
        if observed != entry.observed_power:
            self._journal.change(slot.number, observed_power=observed)
        if slot.hot_swap not in _IN_SERVICE:
            switch.seen = None
            return
        before, switch.seen = switch.seen, (slot.status.boot_id, observed)
        if before == switch.seen or entry.desired_power == "unknown" or entry.pending_power:
            return
        started_anew = before is None or before[0] != slot.status.boot_id
        if not started_anew and observed != entry.desired_power:
            logger.info("slot %d: somebody switched the main board %s", slot.number, observed)
            self._journal.change(slot.number, desired_power="unknown")
        elif started_anew and entry.desired_power == "off" and observed == "on":
            self._journal.change(slot.number, pending_power="off")

    def _carry_out(self, slot: Slot) -> None:
        switch, pending = self._switches[slot.number], self._journal.kept.of(slot.number).pending_power
        wanted = self._journal.wanted.of(slot.number).pending_power
        if not self.can_switch(slot.number) and not switch.asked:
            self._tell(switch, None)
        if not pending or pending != wanted or switch.asked or slot.hot_swap not in _IN_SERVICE or not slot.free:
            return
        switch.asked = True
        logger.info("slot %d: power %s", slot.number, pending)

        def ended(answered: Answered) -> None:
            self._ended(slot.number, pending, answered)

        slot.ask(SlotQuestion(CHASSIS_CONTROL, Control(_CONTROL[pending]), ended=ended))

    def _ended(self, number: int, power: PendingPower, answered: Answered) -> None:
        switch = self._switches[number]
        switch.asked = False
        if answered.outcome is not AnswerOutcome.UNANSWERED and self._journal.wanted.of(number).pending_power == power:
            self._journal.change(number, pending_power="")
            if answered.outcome is AnswerOutcome.REFUSED:
                self._journal.change(number, desired_power="unknown")
        self._tell(switch, None if answered.outcome is AnswerOutcome.UNANSWERED else answered.completion)

    @staticmethod
    def _tell(switch: _Switch, completion: int | None) -> None:
        """Answer whoever waits. An order that could not be given yet stands all the same."""
        waiting, switch.waiting = switch.waiting, []
        for ended in waiting:
            ended(completion)


def observed_power(slot: Slot) -> Power:
    """Give whether a slot's main board is on, as its blade's last word says."""
    if slot.away or slot.status is None:
        return "unknown"
    if slot.hot_swap in _OUT:
        return "off"
    return "off" if slot.status.main_board is MainBoardState.OFF else "on"
