"""A blade's board for its chassis manager's SNMP: by its sensor records, its last readings and its FRU inventory.

A part is numbered by its IPMI sensor number, which it has for ever: it keeps its place whether it can be read or not.
"""

from typing import Final

from blade_agent.chassis_manager.orders import SensorState, SlotState
from blade_agent.hardware.fan import FanReading
from blade_agent.hardware.reading import KnownReading, Quantity, Reading, Unknown, Why
from blade_agent.snmp.entity_tree import FANS_MAX, SENSORS_MAX
from blade_agent.snmp.sources import HardwareFigures, SensorFigures

_FIRST_BOARD_SENSOR: Final = 2
"""0 and 1 are hot swap and watchdog, as `docs/protocols/cbc.md` has it; a foreign controller's are left out there."""
_FAN: Final = "fan"
_NOT_READ: Final = Unknown(Why.UNTOLD, "the blade has not said it, or had no reading")
_DUTY: Final = Unknown(Why.UNTOLD, "what a fan is driven with, its blade does not say over the backplane")


def blade_hardware(slot: SlotState) -> HardwareFigures:
    """Give what is known of the board of a blade that is heard."""
    on_board = [sensor for sensor in slot.sensors if sensor.number >= _FIRST_BOARD_SENSOR]
    return HardwareFigures(
        title=slot.model,
        serial_number=slot.serial_number,
        firmware=slot.firmware,
        sensors=tuple(
            _sensor(sensor)
            for sensor in on_board
            if not _is_tachometer(sensor) and sensor.number < _FIRST_BOARD_SENSOR + SENSORS_MAX
        ),
        fans=tuple(_fan(sensor) for sensor in on_board if _is_tachometer(sensor))[:FANS_MAX],
    )


def _is_tachometer(sensor: SensorState) -> bool:
    return sensor.measures == Quantity.FAN_SPEED.value and sensor.entity == _FAN


def _sensor(sensor: SensorState) -> SensorFigures:
    return SensorFigures(
        name=sensor.name,
        quantity=Quantity(sensor.measures),
        reading=_reading(sensor),
        entity=sensor.entity,
        low_critical=sensor.low_critical,
        high_warning=sensor.high_warning,
        high_critical=sensor.high_critical,
        high_fatal=sensor.high_fatal,
        hysteresis=sensor.hysteresis,
        place=sensor.number - _FIRST_BOARD_SENSOR,
    )


def _fan(sensor: SensorState) -> FanReading:
    return FanReading(sensor.name, _reading(sensor), _DUTY)


def _reading(sensor: SensorState) -> Reading:
    return _NOT_READ if sensor.value is None else KnownReading(sensor.value)
