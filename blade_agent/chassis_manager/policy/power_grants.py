"""What each blade is granted of the power that the supplies carry. No I/O."""

from collections.abc import Callable, Mapping

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.chassis_manager.keeping.journal import Hold
from blade_agent.chassis_manager.policy.budget import Draw, allocate, drawn_w
from blade_agent.chassis_manager.policy.care import Care, CareStage
from blade_agent.chassis_manager.settings import BudgetSettings
from blade_agent.chassis_manager.slots.slot import Slot

_S = HotSwapState
_DRAWING = frozenset(
    {
        _S.M3_ACTIVATION_IN_PROGRESS,
        _S.M4_ACTIVE,
        _S.M5_DEACTIVATION_REQUEST,
        _S.M6_DEACTIVATION_IN_PROGRESS,
        _S.M7_COMMUNICATION_LOST,
    }
)


class PowerGrants:
    """The power budget applied to the slots of a chassis."""

    def __init__(
        self,
        slots: Mapping[int, Slot],
        care: Mapping[int, Care],
        budget: BudgetSettings,
        hold: Callable[[Slot], Hold],
    ) -> None:
        """Take how to see what keeps a blade out of service."""
        self.capacity_w: float | None = None
        """Of the supplies that work; None where they are not known: then nothing is refused."""
        self._slots = slots
        self._care = care
        self._budget = budget
        self._hold = hold

    def follow(self, slot: Slot) -> None:
        """Keep up with what a blade says of the level it runs at."""
        care, power = self._care[slot.number], slot.facts.power
        if not self.draws(slot):
            care.level, care.level_known = 0, False
        elif power is None:
            care.level = care.level or 1
        elif not care.level_known:
            care.level, care.level_known = power.at_first or power.desired, True

    @property
    def granted_w(self) -> float:
        """What is set aside for all blades together."""
        return sum(self.granted_of(slot) or 0.0 for slot in self._slots.values())

    def granted_of(self, slot: Slot) -> float | None:
        """Give what is set aside for a blade; None for one that is not in service."""
        care = self._care[slot.number]
        return self.draw(slot).watts(care.level) if self.draws(slot) else None

    def draws(self, slot: Slot) -> bool:
        """Tell whether a blade draws power, or may begin to at any moment."""
        return slot.hot_swap in _DRAWING or self._care[slot.number].stage is CareStage.ADMITTED

    def draw(self, slot: Slot) -> Draw:
        """Give what a blade draws at which level, as far as it has said."""
        care, power = self._care[slot.number], slot.facts.power
        reached = slot.facts.power_known and not slot.away
        if power is None:
            fixed = 0 if reached else max(care.level, 1)
            return Draw(slot=slot.number, levels_w=(self._budget.assumed_w,) * max(fixed, 1), desired=1, fixed=fixed)
        fixed = min(max(care.level, 1), len(power.levels_w)) if slot.away else 0
        return Draw(slot=slot.number, levels_w=power.levels_w, desired=power.desired, fixed=fixed)

    def levels(self) -> Mapping[int, int]:
        """Give every blade that is in service or asks to be its level."""
        running = [self.draw(slot) for slot in self._slots.values() if self.draws(slot)]
        waiting = [self.draw(slot) for slot in self._slots.values() if self._asks(slot)]
        if self.capacity_w is None:
            return {draw.slot: draw.fixed or draw.desired for draw in (*running, *waiting)}
        capacity_w = self.capacity_w - self._budget.reserve_w
        levels = allocate(capacity_w, running, waiting)
        if not self.all_known:
            return levels
        free_w = capacity_w - drawn_w((*running, *waiting), levels)
        for slot in self._slots.values():
            if slot.hot_swap is _S.M1_INACTIVE and self._hold(slot) is Hold.POWER and slot.facts.power_known:
                draw = self.draw(slot)
                levels[slot.number] = int(draw.watts(1) <= free_w)
                free_w -= draw.watts(levels[slot.number])
        return levels

    def _asks(self, slot: Slot) -> bool:
        wants = slot.hot_swap is _S.M2_ACTIVATION_REQUEST and self._care[slot.number].stage is not CareStage.ADMITTED
        return wants and slot.facts.power_known and self._hold(slot) in (Hold.NONE, Hold.POWER)

    @property
    def all_known(self) -> bool:
        """Whether every slot has been heard, or not heard, and every blade has said what it draws."""
        return all(slot.asked_once and (slot.away or slot.facts.power_known) for slot in self._slots.values())

    def fits(self, more_w: float) -> bool:
        """Whether so much more can be drawn now, before others draw less that were told to."""
        if self.capacity_w is None:
            return True
        if not self.all_known:
            return False
        return self.granted_w + more_w <= self.capacity_w - self._budget.reserve_w
