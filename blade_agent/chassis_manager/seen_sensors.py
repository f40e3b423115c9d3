"""A blade's sensors as its manager shows them: the words of IPMI's tables put into those of hardware profiles."""

from typing import Final, Literal, TypeAlias

from blade_agent.backplane.sensor_codes import Entity, Threshold, Unit
from blade_agent.chassis_manager.orders import SensorState
from blade_agent.chassis_manager.slots.blade_facts import SeenSensor
from blade_agent.chassis_manager.slots.slot import Slot

Measured: TypeAlias = Literal["temperature", "voltage", "current", "power", "fan_speed"]

_MEASURED_IN: Final[dict[int, Measured]] = {
    Unit.CELSIUS.value: "temperature",
    Unit.VOLT.value: "voltage",
    Unit.AMPERE.value: "current",
    Unit.WATT.value: "power",
    Unit.RPM.value: "fan_speed",
}
_ENTITIES: Final[dict[int, str]] = {
    Entity.PROCESSOR: "processor",
    Entity.SYSTEM_BOARD: "system_board",
    Entity.AIR_INLET: "air_inlet",
    Entity.POWER_SUPPLY: "power_supply",
    Entity.FAN: "fan",
}
_ELSEWHERE: Final = "system_board"
"""Of a foreign controller that knows more places than we do: it is on its board at any rate."""


def seen_sensors(slot: Slot) -> tuple[SensorState, ...]:
    """Give the sensors of a blade whose unit is known, in the order of their numbers."""
    return tuple(
        _state(sensor, measures, slot.measurements.readings.get(number))
        for number, sensor in sorted(slot.facts.sensors.items())
        if sensor.factor and (measures := _MEASURED_IN.get(sensor.unit)) is not None
    )


def _state(sensor: SeenSensor, measures: Measured, value: float | None) -> SensorState:
    return SensorState(
        number=sensor.number,
        name=sensor.name,
        measures=measures,
        entity=_ENTITIES.get(sensor.entity, _ELSEWHERE),
        value=value,
        low_critical=sensor.lower_critical,
        high_warning=sensor.upper.get(Threshold.UPPER_NON_CRITICAL),
        high_critical=sensor.upper.get(Threshold.UPPER_CRITICAL),
        high_fatal=sensor.upper.get(Threshold.UPPER_NON_RECOVERABLE),
        hysteresis=sensor.hysteresis,
    )
