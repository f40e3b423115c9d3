"""Which blades are in service: activation within the power budget, and leaving without cutting anybody off. No I/O.

What was ordered stands in the journal. What holds a blade back counts at once, what lets it go on when it is kept.
"""

import logging
from collections.abc import Callable, Mapping

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.board import SET_POWER_LEVEL, SetPowerLevel
from blade_agent.backplane.messages.picmg import SET_FRU_ACTIVATION_POLICY, Activation, SetPolicy
from blade_agent.backplane.messages.role import DRAIN, Drain, StillCarried
from blade_agent.chassis_manager.keeping.journal import Hold, KeptJournal
from blade_agent.chassis_manager.policy.care import Care, CareEvent, CareStage, Leaving
from blade_agent.chassis_manager.policy.directorship import Directorship
from blade_agent.chassis_manager.policy.notice import Notice, NoticeKind
from blade_agent.chassis_manager.policy.power_grants import PowerGrants
from blade_agent.chassis_manager.settings import BudgetSettings, Timing
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion
from blade_agent.chassis_manager.slots.slot import Slot

logger = logging.getLogger(__name__)

_S = HotSwapState
_BLADE_FRU = 0
_ACTIVATION_LOCK = 0x01
_DRAIN_INTERVAL_S = 0.25
_RETRY_S = 1.0
_HELD = {
    Hold.ORDER: "out of service by order",
    Hold.HEAT: "out of service because it was too hot",
    Hold.POWER: "the supplies cannot carry it",
}


class Service:
    """All blades, in and out of service."""

    def __init__(
        self,
        slots: Mapping[int, Slot],
        journal: KeptJournal,
        directorship: Directorship,
        *,
        timing: Timing,
        budget: BudgetSettings,
        notice: Callable[[Notice], None],
    ) -> None:
        self.care = {number: Care() for number in slots}
        self.grants = PowerGrants(slots, self.care, budget, self._hold)
        self._slots = slots
        self._journal = journal
        self._directorship = directorship
        self._timing = timing
        self._notice = notice

    def leaving(self, slot: Slot) -> bool:
        """Tell whether a blade is about to leave service: it takes no new role then."""
        return bool(self._hold(slot)) or self.care[slot.number].on_its_way_out

    def settled(self, slot: Slot) -> bool:
        """Tell whether a blade is in service as it should be, and nothing is in hand with it."""
        care = self.care[slot.number]
        if slot.outdated:
            return slot.free and not self.leaving(slot)
        return slot.ready is not None and slot.free and care.stage is CareStage.FREED and not self.leaving(slot)

    def moved(self, slot: Slot, before: HotSwapState) -> None:
        """Note a change of state. A blade that went without being asked to was taken out at its service port."""
        care, state = self.care[slot.number], slot.hot_swap
        out = state in (_S.M6_DEACTIVATION_IN_PROGRESS, _S.M1_INACTIVE)
        same_start = slot.status is not None and slot.status.boot_id == care.boot_id
        if (
            before is _S.M4_ACTIVE
            and out
            and same_start
            and care.stage is not CareStage.SENT_OUT
            and not self._hold(slot)
        ):
            logger.info("slot %d: somebody took the blade out of service", slot.number)
            self._journal.change(slot.number, hold=Hold.ORDER, releasing=False)
        if state in (_S.M3_ACTIVATION_IN_PROGRESS, _S.M4_ACTIVE):
            care.apply(CareEvent.CAME_IN)

    def tick(self, now: float) -> None:
        """Look after every blade."""
        for slot in self._slots.values():
            self._follow(slot)
            self.grants.follow(slot)
        levels = self.grants.levels()
        for slot in self._slots.values():
            self._attend(slot, levels, now)

    def activate(self, number: int) -> None:
        """Let a blade come into service."""
        self._journal.change(number, hold=Hold.NONE, releasing=True)

    def deactivate(self, number: int, hold: Hold = Hold.ORDER) -> None:
        """Take a blade out of service and leave it out."""
        self._journal.change(number, hold=hold, releasing=False)

    def level_set(self, number: int, level: int) -> None:
        """Note that somebody else told a blade how much to draw."""
        if self.care[number].level:
            self.care[number].level = level

    def _hold(self, slot: Slot) -> Hold:
        return self._journal.wanted.of(slot.number).hold

    def _released(self, slot: Slot) -> bool:
        """Whether it may come into service, and that is on disk."""
        return not self._hold(slot) and not self._journal.kept.of(slot.number).hold

    def _follow(self, slot: Slot) -> None:
        """Keep what is known of this start of the blade apart from the one before."""
        care = self.care[slot.number]
        if slot.status is not None and slot.status.boot_id != care.boot_id:
            self.care[slot.number] = Care(
                boot_id=slot.status.boot_id, short_of_power=care.short_of_power, level=care.level
            )

    def _attend(self, slot: Slot, levels: Mapping[int, int], now: float) -> None:
        care = self.care[slot.number]
        care.waits_for = _HELD.get(self._hold(slot), "")
        attend = {
            _S.M1_INACTIVE: self._attend_inactive,
            _S.M2_ACTIVATION_REQUEST: self._attend_asking,
            _S.M3_ACTIVATION_IN_PROGRESS: self._attend_coming,
            _S.M4_ACTIVE: self._attend_active,
            _S.M5_DEACTIVATION_REQUEST: self._attend_asking_out,
        }.get(slot.hot_swap)
        if attend is not None:
            attend(slot, care, levels.get(slot.number, 0), now)
        care.waits_for = care.waits_for or self._in_need(slot)

    def _in_need(self, slot: Slot) -> str:
        """Say what a blade lacks that keeps it from a role."""
        if slot.outdated and slot.status is not None:
            return f"its agent speaks version {slot.status.protocol_version} of the backplane's messages: update it"
        if slot.active is not None and not self._directorship.believes(slot):
            return f"it reports epoch {slot.active.epoch}, which nobody gave: start its agent anew"
        return ""

    def _attend_inactive(self, slot: Slot, care: Care, level: int, now: float) -> None:
        care.apply(CareEvent.SEEN_OUT_AS_ORDERED if self._hold(slot) else CareEvent.SEEN_OUT)
        if self._hold(slot) is Hold.POWER and level:
            self.activate(slot.number)
        if not self._hold(slot):
            care.waits_for = "its handle is open, or its activation is locked"
        if self._released(slot) and self._journal.kept.of(slot.number).releasing and now >= care.unlock_at:
            care.unlock_at = now + _RETRY_S
            slot.ask(SlotQuestion(SET_FRU_ACTIVATION_POLICY, SetPolicy(fru=_BLADE_FRU, mask=_ACTIVATION_LOCK, bits=0)))

    def _attend_asking(self, slot: Slot, care: Care, level: int, now: float) -> None:  # noqa: ARG002 -- as the others
        hold = self._hold(slot)
        if hold in (Hold.ORDER, Hold.HEAT):
            if care.stage is CareStage.PARKED:
                logger.info("slot %d: a hand has been at the blade that was out of service", slot.number)
                care.apply(CareEvent.HAND_SEEN)
                self.activate(slot.number)
            elif slot.free:
                slot.set_activation(Activation.DEACTIVATE)
            return
        if care.stage is CareStage.ADMITTED:
            return
        if not (slot.facts.power_known and (self.grants.capacity_w is None or self.grants.all_known)):
            care.waits_for = "what the blades draw is not known yet"
            return
        draw = self.grants.draw(slot)
        self._note_power(slot, care, short=not level)
        if not level:
            care.waits_for = f"the supplies cannot carry it: it draws {draw.watts(1):.0f} W at least"
        elif hold is Hold.POWER:
            self.activate(slot.number)
        elif self._released(slot) and slot.free and self.grants.fits(draw.watts(level)):
            self._admit(slot, care, level)

    def _admit(self, slot: Slot, care: Care, level: int) -> None:
        def ended(answered: Answered) -> None:
            if answered.outcome is not AnswerOutcome.ANSWERED:
                care.apply(CareEvent.NOT_ADMITTED)
            if answered.outcome is AnswerOutcome.REFUSED and answered.question.command is SET_POWER_LEVEL:
                slot.facts.power = None  # it says what it draws and cannot be told: it counts as one that says nothing

        care.apply(CareEvent.ADMIT)
        care.level, care.level_known = level, True
        before = []
        if slot.facts.power is not None:
            before.append(SlotQuestion(SET_POWER_LEVEL, _at_level(level), ended=ended))
        slot.set_activation(Activation.ACTIVATE, *before, ended=ended)

    def _attend_coming(self, slot: Slot, care: Care, level: int, now: float) -> None:
        if self._hold(slot):
            self._send_out(slot, care)
        else:
            self._keep_level(slot, care, level, now)

    def _attend_active(self, slot: Slot, care: Care, level: int, now: float) -> None:
        self._keep_level(slot, care, level, now)
        if self._hold(slot):
            self._see_out(slot, care, now)
            return
        care.apply(CareEvent.STAY)
        if self._journal.wanted.of(slot.number).releasing:
            self._journal.change(slot.number, releasing=False)
        if care.stage is not CareStage.FREED and slot.free:
            self._free(slot, care)

    def _attend_asking_out(self, slot: Slot, care: Care, level: int, now: float) -> None:  # noqa: ARG002
        self._see_out(slot, care, now)

    def _free(self, slot: Slot, care: Care) -> None:
        """A blade that does not leave after all, or drains for a manager that is gone, takes work again."""

        def ended(answered: Answered) -> None:
            if answered.outcome is AnswerOutcome.UNANSWERED:
                care.apply(CareEvent.NOT_FREED)

        care.apply(CareEvent.FREE)
        slot.ask(SlotQuestion(DRAIN, Drain(draining=False), ended=ended))

    def _see_out(self, slot: Slot, care: Care, now: float) -> None:
        """Role first, then the streams, then the blade; after a while it goes whatever is left."""
        if care.leaving is None:
            urgent = self._hold(slot) in (Hold.HEAT, Hold.POWER)
            patience_s = self._timing.urgent_drain_s if urgent else self._timing.drain_s
            care.apply(CareEvent.LEAVE)
            care.leaving = Leaving(until=now + patience_s, ask_at=now)
            logger.info("slot %d: leaves service within %g s", slot.number, patience_s)
        leaving = care.leaving
        if leaving.drained or now >= leaving.until:
            self._send_out(slot, care)
        elif not self._directorship.handed_over(slot):
            care.waits_for = "another blade becomes director"
        else:
            left = "" if leaving.streams is None else f": {leaving.streams} left"
            care.waits_for = f"its streams go to other blades{left}"
            self._drain(slot, leaving, now)

    def _drain(self, slot: Slot, leaving: Leaving, now: float) -> None:
        def ended(answered: Answered) -> None:
            reply: StillCarried | None = answered.reply
            leaving.streams = leaving.streams if reply is None else reply.streams
            leaving.drained = answered.outcome is AnswerOutcome.REFUSED or (reply is not None and not reply.streams)

        if slot.free and now >= leaving.ask_at:
            leaving.ask_at = now + _DRAIN_INTERVAL_S
            slot.ask(SlotQuestion(DRAIN, Drain(draining=True), ended=ended))

    def _send_out(self, slot: Slot, care: Care) -> None:
        if slot.free:
            care.apply(CareEvent.SEND_OUT)
            slot.set_activation(Activation.DEACTIVATE)

    def _keep_level(self, slot: Slot, care: Care, level: int, now: float) -> None:  # noqa: ARG002 -- as the others
        """Let a blade draw what the budget gives it. One that gets nothing goes, the highest slot first."""
        if self.grants.capacity_w is None or not self.grants.all_known:
            return
        if not level:
            if not self._hold(slot):
                logger.warning("slot %d: leaves service, the supplies cannot carry it", slot.number)
                self.deactivate(slot.number, Hold.POWER)
                self._note_power(slot, care, short=True)
            return
        self._note_power(slot, care, short=False)
        draw = self.grants.draw(slot)
        if slot.facts.power is None or level == care.level or not slot.free:
            return
        if level > care.level and not self.grants.fits(draw.watts(level) - draw.watts(care.level)):
            return
        self._set_level(slot, care, level)

    def _set_level(self, slot: Slot, care: Care, level: int) -> None:
        before = care.level

        def ended(answered: Answered) -> None:
            if answered.outcome is AnswerOutcome.ANSWERED:
                care.level = level
            elif answered.outcome is AnswerOutcome.REFUSED:
                care.level = before

        care.level = max(before, level)
        logger.info("slot %d: power level %d instead of %d", slot.number, level, before)
        slot.ask(SlotQuestion(SET_POWER_LEVEL, _at_level(level), ended=ended))

    def _note_power(self, slot: Slot, care: Care, *, short: bool) -> None:
        if care.short_of_power != short:
            care.short_of_power = short
            self._notice(Notice(kind=NoticeKind.NO_POWER, number=slot.number, asserted=short))


def _at_level(level: int) -> SetPowerLevel:
    return SetPowerLevel(fru=_BLADE_FRU, level=level, copy=0)
