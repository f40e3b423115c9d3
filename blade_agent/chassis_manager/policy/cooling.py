"""The cooling policy: how fast the fan behind each slot runs at least, by how near blades are to their limits. No I/O.

A blade's own control may run its fan faster at any time; what is set here is a floor.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.board import SET_FAN_LEVEL, FanProperties, SetFanLevel
from blade_agent.backplane.sensor_codes import Threshold
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion
from blade_agent.chassis_manager.slots.slot import Slot

logger = logging.getLogger(__name__)

FULL: Final = 100
"""Per cent of what the fan can do."""
_NONE: Final = 0
_LOCAL_CONTROL: Final = 0xFF
_BLADE_FRU: Final = 0
_LOOK_S: Final = 0.5

LEVELS: Final = ((0.0, FULL), (5.0, 80), (10.0, 60), (15.0, 40), (20.0, 20))
"""Up to so many degrees below its lowest upper threshold, a blade wants so much air; beyond the last none."""
HYSTERESIS_C: Final = 2.0
NEIGHBOUR_C: Final = 5.0
"""A neighbour's air helps less: it counts as so much cooler."""


class _Fan(Struct):
    boot_id: int | None = None
    per_cent: int | None = None
    """What was asked for last; None while the fan is left to the board."""
    margin_c: float | None = None
    """How near its blades were when that was decided."""
    wanted: tuple[int, float] | None = None
    """Level in per cent, 0 for its own, that it is to be told, and how near blades are; None: it runs as it should."""


class Cooling:
    """The fans of a chassis, one a slot where its blade has one."""

    def __init__(self, slots: Mapping[int, Slot], overheated: Callable[[Slot, float], None]) -> None:
        """Take what is called with a blade, and its temperature, that is beyond a non-recoverable threshold."""
        self._slots = slots
        self._overheated = overheated
        self._fans = {number: _Fan() for number in slots}
        self._look_from = 0.0

    def level_of(self, number: int) -> int | None:
        """Give the level that a slot's fan was told to run at least at, in per cent; None: left to its board."""
        return self._fans[number].per_cent

    @property
    def highest(self) -> int | None:
        """The highest level that is asked of any fan."""
        return max((fan.per_cent for fan in self._fans.values() if fan.per_cent is not None), default=None)

    def tick(self, now: float) -> None:
        """See that every fan runs as it should. Heat is slow: it is looked at no more often than it can change."""
        if now >= self._look_from:
            self._look_from = now + _LOOK_S
            self._look()
        for number in [number for number, fan in self._fans.items() if fan.wanted is not None]:
            self._drive(self._slots[number], self._fans[number])

    def _look(self) -> None:
        margins = {number: margin_of(slot) for number, slot in self._slots.items()}
        for number, slot in self._slots.items():
            self._watch(slot)
            if slot.status is not None and slot.status.boot_id != self._fans[number].boot_id:
                self._fans[number] = _Fan(boot_id=slot.status.boot_id)
            if not slot.away and slot.facts.surveyed and slot.facts.fan is not None:
                self._decide(self._fans[number], _nearest(margins, number))

    def _watch(self, slot: Slot) -> None:
        for sensor, celsius in slot.measurements.temperatures:
            limit = sensor.upper.get(Threshold.UPPER_NON_RECOVERABLE)
            if limit is not None and celsius >= limit:
                self._overheated(slot, celsius)

    @staticmethod
    def _decide(fan: _Fan, margin_c: float) -> None:
        level = level_for(margin_c, fan.per_cent or _NONE, fan.margin_c)
        fan.wanted = None if level == (fan.per_cent or _NONE) else (level, margin_c)

    @staticmethod
    def _drive(slot: Slot, fan: _Fan) -> None:
        if fan.wanted is None or slot.facts.fan is None or not slot.free:
            return
        (level, margin_c), before = fan.wanted, (fan.per_cent, fan.margin_c)

        def ended(answered: Answered) -> None:
            if answered.outcome is AnswerOutcome.UNANSWERED:
                fan.per_cent, fan.margin_c = before

        fan.wanted = None
        fan.per_cent, fan.margin_c = level or None, margin_c
        logger.info("slot %d: fan at least at %s", slot.number, f"{level} %" if level else "its own level")
        octet = scaled(level, slot.facts.fan) if level else _LOCAL_CONTROL
        slot.ask(SlotQuestion(SET_FAN_LEVEL, SetFanLevel(fru=_BLADE_FRU, level=octet), ended=ended))


def margin_of(slot: Slot) -> float | None:
    """Give how far a blade is from its nearest upper threshold, in degrees; infinite for one that makes no heat.

    None: it should have been heard, and was not.
    """
    if slot.hot_swap in (HotSwapState.M0_NOT_INSTALLED, HotSwapState.M1_INACTIVE):
        return float("inf")
    if slot.away:
        return None
    if not slot.facts.surveyed or (slot.facts.temperatures and not slot.measurements.readings):
        return float("inf")  # it has only just come: its board looks after itself until it has been asked
    cooled = (seen for seen in slot.measurements.temperatures if seen[0].can_be_cooled)
    near = (min(sensor.upper.values()) - celsius for sensor, celsius in cooled)
    return min(near, default=None)


def level_for(margin_c: float, before: int, before_margin_c: float | None) -> int:
    """Give the level for a distance to the threshold. Down it goes only when the distance has grown clearly."""
    level = next((level for up_to_c, level in LEVELS if margin_c <= up_to_c), _NONE)
    if level < before and before_margin_c is not None and margin_c < before_margin_c + HYSTERESIS_C:
        return before
    return level


def scaled(per_cent: int, properties: FanProperties) -> int:
    """Give a level within what a fan can run at."""
    span = properties.highest - properties.lowest
    return min(max(properties.lowest + round(span * per_cent / FULL), properties.lowest), properties.highest)


def _nearest(margins: Mapping[int, float | None], number: int) -> float:
    """Give the distance that counts for a fan: of its own blade, or of a neighbour that is nearer still.

    Where nothing is heard of a temperature there is no distance to trust: it is as if there were none left.
    """
    own = margins[number]
    beside = [margins[other] for other in (number - 1, number + 1) if other in margins]
    distances = [0.0 if own is None else own]
    distances += [0.0 if margin is None else margin + NEIGHBOUR_C for margin in beside]
    return min(distances)
