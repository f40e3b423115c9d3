"""Sensors: readings against thresholds, with hysteresis, and the events that come of it (IPMI 2.0, chapter 35)."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.sensor_codes import FIRST_INSTANCE, Entity, ReadingType, SensorKind, Threshold
from blade_agent.cbc.hardware import AnalogSensor
from blade_agent.cbc.scale import scale_of

_READING_AND_THRESHOLD_FOLLOW: Final = 0x50
"""First byte of a threshold event's data: a reading in the second byte, a threshold in the third."""

_OFFSET: Final = 0x0F

LOWER: Final = frozenset({Threshold.LOWER_NON_CRITICAL, Threshold.LOWER_CRITICAL, Threshold.LOWER_NON_RECOVERABLE})
ASCENDING: Final = (
    Threshold.LOWER_NON_RECOVERABLE,
    Threshold.LOWER_CRITICAL,
    Threshold.LOWER_NON_CRITICAL,
    Threshold.UPPER_NON_CRITICAL,
    Threshold.UPPER_CRITICAL,
    Threshold.UPPER_NON_RECOVERABLE,
)


def event_offset(threshold: Threshold) -> int:
    """Give the event of a threshold that is passed outwards (IPMI 2.0, table 42-2): going low or going high."""
    return 2 * threshold + (threshold not in LOWER)


class Sensor(Protocol):
    """A sensor as the commands see it."""

    number: int
    name: str
    kind: SensorKind
    reading_type: ReadingType
    entity: Entity
    instance: int
    """Which of the entities of its kind."""
    events_enabled: bool
    scanning_enabled: bool

    @property
    def event_masks(self) -> tuple[int, int]:
        """Bits of the events it gives when they begin, and when they are over."""
        ...

    @property
    def chosen_events(self) -> tuple[int, int]:
        """Bits of those that nobody has switched off."""
        ...

    def choose_events(self, asserted: int, deasserted: int, *, given: bool) -> None:
        """Give these events from now on, or no longer; the others stay as they are."""
        ...

    def gives(self, event: SensorEvent) -> bool:
        """Tell whether an event of its own is to be told."""
        ...

    def raw(self) -> int | None:
        """Give the byte for the reading of now; None when there is none."""
        ...

    def state_bits(self) -> int:
        """Give the states or thresholds that are asserted now, as bits."""
        ...

    def scan(self) -> list[SensorEvent]:
        """Look again, and give what happened since the last time."""
        ...

    def standing(self) -> list[SensorEvent]:
        """Give once more the events of what still holds."""
        ...

    def reset(self) -> None:
        """Go back to what holds after power-up."""
        ...


class EventChoice:
    """Which events of a sensor are given: all, but for those that somebody has switched off (IPMI 2.0, 35.10)."""

    events_enabled: bool

    def __init__(self) -> None:
        self._off = (0, 0)

    @property
    def event_masks(self) -> tuple[int, int]:
        """See `Sensor`."""
        raise NotImplementedError

    @property
    def chosen_events(self) -> tuple[int, int]:
        """See `Sensor`."""
        asserted, deasserted = self.event_masks
        return asserted & ~self._off[0], deasserted & ~self._off[1]

    def choose_events(self, asserted: int, deasserted: int, *, given: bool) -> None:
        """See `Sensor`."""
        before = self._off
        if given:
            self._off = (before[0] & ~asserted, before[1] & ~deasserted)
        else:
            self._off = (before[0] | asserted, before[1] | deasserted)

    def gives(self, event: SensorEvent) -> bool:
        """See `Sensor`."""
        chosen = self.chosen_events[0 if event.asserted else 1]
        return self.events_enabled and bool(chosen >> (event.data[0] & _OFFSET) & 1)

    def all_events(self) -> None:
        """Give every event again."""
        self._off = (0, 0)


class DiscreteSensor(EventChoice):
    """A sensor with states that the CBC knows of itself: it is told, it does not measure."""

    reading_type = ReadingType.SENSOR_SPECIFIC

    def __init__(
        self,
        number: int,
        name: str,
        kind: SensorKind,
        states: int,
        bits: Callable[[], int],
        *,
        entity: Entity = Entity.FRONT_BOARD,
        instance: int = FIRST_INSTANCE,
    ) -> None:
        super().__init__()
        self.number = number
        self.name = name
        self.kind = kind
        self.entity = entity
        self.instance = instance
        self.states = states
        """Mask of the states it can have."""
        self._bits = bits
        self.reset()

    @property
    def event_masks(self) -> tuple[int, int]:
        """See `Sensor`: a state that has come ends the one before, which is not told."""
        return self.states, 0

    def raw(self) -> int | None:
        """See `Sensor`: states are all there is."""
        return 0 if self.scanning_enabled else None

    def state_bits(self) -> int:
        """See `Sensor`."""
        return self._bits()

    def scan(self) -> list[SensorEvent]:
        """See `Sensor`: its events are noted when they happen."""
        return []

    def standing(self) -> list[SensorEvent]:
        """See `Sensor`: who knows what the states are since when tells them."""
        return []

    def reset(self) -> None:
        """See `Sensor`."""
        self.all_events()
        self.events_enabled = True
        self.scanning_enabled = True

    def event(self, data: bytes) -> SensorEvent:
        """Give the event of a state that has come."""
        return SensorEvent(
            sensor_type=self.kind, sensor=self.number, reading_type=self.reading_type, asserted=True, data=data
        )


class ThresholdSensor(EventChoice):
    """A sensor of the board, its thresholds and hysteresis in steps of its scale."""

    reading_type = ReadingType.THRESHOLD

    def __init__(self, number: int, source: AnalogSensor) -> None:
        """Raises ValueError for facts that no scale fits."""
        super().__init__()
        self.number = number
        self.facts = source.facts
        self.name = self.facts.name
        self.kind = self.facts.kind
        self.entity = self.facts.entity
        self.instance = self.facts.instance
        self.scale = scale_of(self.facts)
        self._source = source
        self.reset()

    def reset(self) -> None:
        """Go back to what the board says of the sensor."""
        self.thresholds = {
            threshold: self.scale.raw(self.facts.thresholds[threshold])
            for threshold in ASCENDING
            if threshold in self.facts.thresholds
        }
        self.rise_hysteresis = self.fall_hysteresis = self.scale.steps(self.facts.hysteresis)
        self.all_events()
        self.events_enabled = True
        self.scanning_enabled = True
        self.passed: frozenset[Threshold] = frozenset()
        self._scanned = 0

    @property
    def event_masks(self) -> tuple[int, int]:
        """See `Sensor`: every threshold is told both ways."""
        events = mask(event_offset(threshold) for threshold in self.thresholds)
        return events, events

    def raw(self) -> int | None:
        """See `Sensor`."""
        reading = self._source.reading() if self.scanning_enabled else None
        return None if reading is None or not math.isfinite(reading) else self.scale.raw(reading)

    def state_bits(self) -> int:
        """See `Sensor`: the thresholds at which the reading is or beyond, without hysteresis."""
        raw = self.raw()
        return 0 if raw is None else mask(threshold for threshold in self.thresholds if self._beyond(threshold, raw))

    def set_thresholds(self, thresholds: Mapping[Threshold, int]) -> bool:
        """Take new thresholds, if all together ascend as they should; tell whether they do."""
        changed = {**self.thresholds, **thresholds}
        ordered = [changed[threshold] for threshold in ASCENDING if threshold in changed]
        if ordered != sorted(ordered) or not changed.keys() <= self.thresholds.keys():
            return False
        self.thresholds = changed
        return True

    def scan(self) -> list[SensorEvent]:
        """Measure; give an event for each threshold passed outwards, or come back over by the hysteresis."""
        raw = self.raw()
        if raw is None:
            return []
        passed = frozenset(threshold for threshold in self.thresholds if self._passed(threshold, raw))
        moved, self.passed = passed ^ self.passed, passed
        self._scanned = raw
        return [self._event(threshold, raw) for threshold in ASCENDING if threshold in moved]

    def standing(self) -> list[SensorEvent]:
        """See `Sensor`: of every threshold that is passed, with the reading of the last look."""
        return [self._event(threshold, self._scanned) for threshold in ASCENDING if threshold in self.passed]

    def _beyond(self, threshold: Threshold, raw: int) -> bool:
        limit = self.thresholds[threshold]
        return raw <= limit if threshold in LOWER else raw >= limit

    def _passed(self, threshold: Threshold, raw: int) -> bool:
        if threshold not in self.passed:
            return self._beyond(threshold, raw)
        if threshold in LOWER:
            return raw <= self.thresholds[threshold] + self.fall_hysteresis
        return raw >= self.thresholds[threshold] - self.rise_hysteresis

    def _event(self, threshold: Threshold, raw: int) -> SensorEvent:
        first = _READING_AND_THRESHOLD_FOLLOW | event_offset(threshold)
        return SensorEvent(
            sensor_type=self.kind,
            sensor=self.number,
            reading_type=self.reading_type,
            asserted=threshold in self.passed,
            data=bytes((first, raw, self.thresholds[threshold])),
        )


def mask(bits: Iterable[int]) -> int:
    """Give a number with these bits."""
    return sum(1 << bit for bit in set(bits))
