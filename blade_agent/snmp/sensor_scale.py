"""Readings as ENTITY-SENSOR-MIB writes them (RFC 3433): whole numbers with a unit and a number of decimal places."""

from enum import IntEnum

from msgspec import Struct

from blade_agent.hardware.reading import KnownReading, Quantity, Reading, Why
from blade_agent.snmp.sources import SensorFigures
from media_network.snmp.value import INTEGER32, enumerated

DATA_TYPE = enumerated(
    other=1,
    unknown=2,
    voltsAC=3,
    voltsDC=4,
    amperes=5,
    watts=6,
    hertz=7,
    celsius=8,
    percentRH=9,
    rpm=10,
    cmm=11,
    truthvalue=12,
)
SCALE = enumerated(
    yocto=1,
    zepto=2,
    atto=3,
    femto=4,
    pico=5,
    nano=6,
    micro=7,
    milli=8,
    units=9,
    kilo=10,
    mega=11,
    giga=12,
    tera=13,
    exa=14,
    peta=15,
    zetta=16,
    yotta=17,
)
PRECISION = INTEGER32.within((-8, 9))
VALUE = INTEGER32.within((-1_000_000_000, 1_000_000_000))
STATUS = enumerated(ok=1, unavailable=2, nonoperational=3)
UNITS = 9
"""Of SCALE: values are in whole units, and the precision says where their point is."""


class Condition(IntEnum):
    """SensorCondition."""

    NORMAL = 1
    WARNING = 2
    CRITICAL = 3
    NON_RECOVERABLE = 4
    UNKNOWN = 5


CONDITION = enumerated(normal=1, warning=2, critical=3, nonRecoverable=4, unknown=5)


class ScaledValue(Struct, frozen=True):
    """How values of a quantity are written."""

    data_type: int
    precision: int
    """Decimal places."""
    unit: str


_WRITTEN = {
    Quantity.TEMPERATURE: ScaledValue(8, 1, "°C"),
    Quantity.VOLTAGE: ScaledValue(4, 3, "V"),
    Quantity.CURRENT: ScaledValue(5, 3, "A"),
    Quantity.POWER: ScaledValue(6, 3, "W"),
    Quantity.FAN_SPEED: ScaledValue(10, 0, "rpm"),
}
_OUT_OF_ORDER = frozenset({Why.FAILED, Why.GARBLED, Why.IMPLAUSIBLE})
"""The sensor is there and does not work; of all else that is unknown, the value cannot be had at present."""


def written(quantity: Quantity) -> ScaledValue:
    """How values of a quantity are written."""
    return _WRITTEN[quantity]


def fixed_point(quantity: Quantity, value: float | None) -> int | None:
    """A value as a whole number of its last decimal place; None of none."""
    return None if value is None else round(value * 10 ** _WRITTEN[quantity].precision)


def status_of(reading: Reading) -> int:
    """EntitySensorStatus of a reading."""
    if isinstance(reading, KnownReading):
        return 1
    return 3 if reading.why in _OUT_OF_ORDER else 2


def condition_of(sensor: SensorFigures, before: Condition) -> Condition:
    """Where a reading lies among its limits, given where it was: it has to come back by the hysteresis."""
    if not isinstance(sensor.reading, KnownReading):
        return Condition.UNKNOWN
    value = sensor.reading.value
    now = _crossed(sensor, value, value)
    if before is Condition.UNKNOWN or now >= before:
        return now
    slack = sensor.hysteresis
    return min(before, _crossed(sensor, value - slack, value + slack))


def _crossed(sensor: SensorFigures, low_value: float, high_value: float) -> Condition:
    """The worst limit crossed; the two values are the reading, shifted by the hysteresis where one counts."""
    if sensor.high_fatal is not None and high_value >= sensor.high_fatal:
        return Condition.NON_RECOVERABLE
    if sensor.high_critical is not None and high_value >= sensor.high_critical:
        return Condition.CRITICAL
    if sensor.low_critical is not None and low_value < sensor.low_critical:
        return Condition.CRITICAL
    if sensor.high_warning is not None and high_value >= sensor.high_warning:
        return Condition.WARNING
    return Condition.NORMAL
