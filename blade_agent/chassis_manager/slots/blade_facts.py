"""What a blade says of itself over the backplane: its sensors by their records (SDR), its power levels, its fan."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from blade_agent.backplane.fru_format import FruFacts
from blade_agent.backplane.messages.board import FanProperties
from blade_agent.backplane.sensor_codes import Entity, SensorKind, Threshold, Unit

_HEADER_BYTES: Final = 5
_FULL_SENSOR: Final = 0x01
_COMPACT_SENSOR: Final = 0x02
_FULL_NAME: Final = 47
_COMPACT_NAME: Final = 31
_THRESHOLDS: Final = (
    (Threshold.UPPER_NON_RECOVERABLE, 36),
    (Threshold.UPPER_CRITICAL, 37),
    (Threshold.UPPER_NON_CRITICAL, 38),
)
_LOWER_CRITICAL: Final = 40
_HYSTERESIS: Final = 42
"""Of a reading that rises (IPMI 2.0, table 43-1)."""
_READABLE_MASK: Final = 18
_LINEAR: Final = 0
_ANALOG_FORMAT: Final = 0xC0
_NAME_LENGTH: Final = 0x1F


class SeenSensor(Struct, frozen=True, kw_only=True):
    """A sensor of a blade."""

    number: int
    name: str
    entity: int
    """What it is part of (IPMI 2.0, table 43-13)."""
    sensor_type: int
    reading_type: int
    factor: float = 0.0
    """reading = factor x raw + offset; 0 for a sensor that is not read as a number."""
    offset: float = 0.0
    unit: int = 0
    """What a reading is counted in (IPMI 2.0, table 43-15)."""
    upper: Mapping[Threshold, float] = MappingProxyType({})
    lower_critical: float | None = None
    hysteresis: float = 0.0
    """How far a reading has to come back before a limit no longer counts as crossed."""

    def reading(self, raw: int) -> float:
        """Give what a raw reading stands for."""
        return self.factor * raw + self.offset

    @property
    def is_temperature(self) -> bool:
        """Whether it measures a temperature that has a limit above."""
        return self.sensor_type == SensorKind.TEMPERATURE and bool(self.factor) and bool(self.upper)

    @property
    def can_be_cooled(self) -> bool:
        """Whether more air makes a difference to it: to the air that is taken in it makes none."""
        return self.entity != Entity.AIR_INLET


class PowerLevelFacts(Struct, frozen=True, kw_only=True):
    """What a blade draws at most at level 1, 2 and so on, and which it needs to do all it can."""

    levels_w: tuple[float, ...]
    desired: int
    at_first: int
    """In force when it was asked; 0 is off."""


class BladeFacts(Struct, kw_only=True):
    """All that was asked of one start of a blade's agent. What is None or empty it does not have, or not yet said."""

    power: PowerLevelFacts | None = None
    power_known: bool = False
    """Whether it has been asked what it draws; `power` is None, too, if it does not say."""
    fan: FanProperties | None = None
    sensors: dict[int, SeenSensor] = {}
    records: tuple[bytes, ...] = ()
    """Its sensor data records as they were read, from which `sensors` are known."""
    surveyed: bool = False
    """Whether all has been asked."""
    board: FruFacts = FruFacts()
    """What its inventory says it is."""
    digest: int = 0
    """`facts_digest` of what was read."""

    @property
    def analog(self) -> tuple[SeenSensor, ...]:
        """The sensors that are read as numbers."""
        return tuple(sensor for sensor in self.sensors.values() if sensor.factor)

    @property
    def temperatures(self) -> tuple[SeenSensor, ...]:
        """The temperatures that have limits."""
        return tuple(sensor for sensor in self.sensors.values() if sensor.is_temperature)


def read_sensor_record(octets: bytes) -> SeenSensor | None:
    """Read a sensor data record (IPMI 2.0, chapter 43); None for one that describes no sensor, or is cut short."""
    if len(octets) < _HEADER_BYTES or len(octets) < _HEADER_BYTES + octets[4]:
        return None
    kind = octets[3]
    if kind == _FULL_SENSOR and len(octets) > _FULL_NAME:
        return _full(octets)
    if kind == _COMPACT_SENSOR and len(octets) > _COMPACT_NAME:
        return SeenSensor(
            number=octets[7],
            name=_name(octets, _COMPACT_NAME),
            entity=octets[8],
            sensor_type=octets[12],
            reading_type=octets[13],
        )
    return None


def _full(octets: bytes) -> SeenSensor:
    factor, offset = _factors(octets)
    known = {
        threshold: factor * octets[at] + offset
        for threshold, at in _THRESHOLDS
        if octets[_READABLE_MASK] & 1 << threshold
    }
    in_celsius = octets[21] == Unit.CELSIUS.value or octets[12] != SensorKind.TEMPERATURE
    numeric = octets[20] & _ANALOG_FORMAT == 0 and octets[23] == _LINEAR and in_celsius
    return SeenSensor(
        number=octets[7],
        name=_name(octets, _FULL_NAME),
        entity=octets[8],
        sensor_type=octets[12],
        reading_type=octets[13],
        factor=factor if numeric else 0.0,
        offset=offset,
        unit=octets[21],
        upper=known,
        lower_critical=_lower_critical(octets, factor, offset),
        hysteresis=abs(factor) * octets[_HYSTERESIS],
    )


def _lower_critical(octets: bytes, factor: float, offset: float) -> float | None:
    return factor * octets[_LOWER_CRITICAL] + offset if octets[_READABLE_MASK] & 1 << Threshold.LOWER_CRITICAL else None


def _factors(octets: bytes) -> tuple[float, float]:
    """Bytes 24 to 30 of the record: M, B and their exponents, as numbers with a sign."""
    factor = _signed(octets[24] | (octets[25] & 0xC0) << 2, 10)
    offset = _signed(octets[26] | (octets[27] & 0xC0) << 2, 10)
    exponent, offset_exponent = _signed(octets[29] >> 4, 4), _signed(octets[29] & 0x0F, 4)
    return factor * 10.0**exponent, offset * 10.0 ** (offset_exponent + exponent)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def _name(octets: bytes, at: int) -> str:
    length = octets[at] & _NAME_LENGTH
    text = octets[at + 1 : at + 1 + length].decode("ascii", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)
