"""The board's sensors as the CBC takes them: what is known of each, and its reading from memory."""

from typing import Final

from blade_agent.backplane.sensor_codes import FIRST_INSTANCE, LAST_INSTANCE, Entity, SensorKind, Threshold, Unit
from blade_agent.cbc.hardware import AnalogSensor, SensorFacts
from blade_agent.hardware.profile import FanFacts, HardwareProfile, SensorProfile, SensorThresholds
from blade_agent.hardware.reading import PLAUSIBLE, Quantity
from blade_agent.profiled_board.measurements import FAN_SPEED, SENSOR, Measurements

_KINDS: Final = {
    Quantity.TEMPERATURE: (SensorKind.TEMPERATURE, Unit.CELSIUS),
    Quantity.VOLTAGE: (SensorKind.VOLTAGE, Unit.VOLT),
    Quantity.CURRENT: (SensorKind.CURRENT, Unit.AMPERE),
    Quantity.POWER: (SensorKind.OTHER, Unit.WATT),
    Quantity.FAN_SPEED: (SensorKind.FAN, Unit.RPM),
}
_ENTITIES: Final = {
    "processor": Entity.PROCESSOR,
    "system_board": Entity.SYSTEM_BOARD,
    "air_inlet": Entity.AIR_INLET,
    "power_supply": Entity.POWER_SUPPLY,
}
_COLDEST_SHOWN_C: Final = -10.0
_HOTTEST_SHOWN_C: Final = 117.5
"""Steps of half a degree. What is colder or hotter stands at the end of the scale, where its thresholds are passed."""


class MeasuredSensor:
    """A sensor whose reading was measured a moment ago."""

    def __init__(self, facts: SensorFacts, measurements: Measurements, kind: str) -> None:
        self.facts = facts
        self._measurements = measurements
        self._kind = kind

    def reading(self) -> float | None:
        """See `AnalogSensor`."""
        return self._measurements.value(self._kind, self.facts.name)


def measured_sensors(profile: HardwareProfile, measurements: Measurements) -> tuple[AnalogSensor, ...]:
    """Give the sensors of a profile in its order, then the tachometers of its fans."""
    sensors = [MeasuredSensor(_facts(sensor), measurements, SENSOR) for sensor in profile.sensors]
    with_tach = [fan for fan in profile.fans if fan.tach]
    fans = [
        MeasuredSensor(_fan_facts(fan, min(FIRST_INSTANCE + index, LAST_INSTANCE)), measurements, FAN_SPEED)
        for index, fan in enumerate(with_tach)
    ]
    return (*sensors, *fans)


def _facts(sensor: SensorProfile) -> SensorFacts:
    lowest, highest = PLAUSIBLE[sensor.measures]
    if sensor.measures is Quantity.TEMPERATURE:
        lowest, highest = _COLDEST_SHOWN_C, _HOTTEST_SHOWN_C
    return _sensor_facts(
        sensor.name,
        sensor.measures,
        (_ENTITIES[sensor.entity], FIRST_INSTANCE),
        (lowest, sensor.shown_max or highest),
        sensor.thresholds,
    )


def _fan_facts(fan: FanFacts, instance: int) -> SensorFacts:
    lowest, highest = PLAUSIBLE[Quantity.FAN_SPEED]
    scale = (lowest, fan.speed_max_rpm or highest)
    return _sensor_facts(fan.name, Quantity.FAN_SPEED, (Entity.FAN, instance), scale, fan.thresholds)


def _sensor_facts(
    name: str,
    quantity: Quantity,
    entity: tuple[Entity, int],
    scale: tuple[float, float],
    thresholds: SensorThresholds | None,
) -> SensorFacts:
    kind, unit = _KINDS[quantity]
    return SensorFacts(
        name=name,
        kind=kind,
        unit=unit,
        entity=entity[0],
        instance=entity[1],
        lowest=scale[0],
        highest=scale[1],
        thresholds=_known(thresholds) if thresholds else {},
        hysteresis=thresholds.hysteresis if thresholds else 0.0,
    )


def _known(thresholds: SensorThresholds) -> dict[Threshold, float]:
    limits = {
        Threshold.LOWER_CRITICAL: thresholds.lower_critical,
        Threshold.UPPER_NON_CRITICAL: thresholds.upper_non_critical,
        Threshold.UPPER_CRITICAL: thresholds.upper_critical,
        Threshold.UPPER_NON_RECOVERABLE: thresholds.upper_non_recoverable,
    }
    return {threshold: limit for threshold, limit in limits.items() if limit is not None}
