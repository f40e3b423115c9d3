"""What a reading of the board is: a value, or unknown and why. A reading that fails is never a number."""

from enum import Enum

from msgspec import Struct


class Quantity(Enum):
    """What is measured; the value of a reading is always in the unit of its quantity."""

    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    CURRENT = "current"
    POWER = "power"
    FAN_SPEED = "fan_speed"
    DUTY = "duty"

    @property
    def unit(self) -> str:
        """Symbol of the unit, as a person reads it."""
        return _UNITS[self]


_UNITS = {
    Quantity.TEMPERATURE: "°C",
    Quantity.VOLTAGE: "V",
    Quantity.CURRENT: "A",
    Quantity.POWER: "W",
    Quantity.FAN_SPEED: "rpm",
    Quantity.DUTY: "",
}

PLAUSIBLE: dict[Quantity, tuple[float, float]] = {
    Quantity.TEMPERATURE: (-40.0, 150.0),
    Quantity.VOLTAGE: (0.0, 75.0),
    Quantity.CURRENT: (0.0, 200.0),
    Quantity.POWER: (0.0, 5000.0),
    Quantity.FAN_SPEED: (0.0, 30_000.0),
    Quantity.DUTY: (0.0, 1.0),
}
"""What a blade can measure, lowest and highest, in the quantity's unit. A broken sensor often reads -127 °C, its
register's greatest value or a negative speed; all of these are outside."""


class Why(Enum):
    """Why a reading is unknown."""

    ABSENT = "absent"
    """The board does not have it, or its driver is not loaded."""
    AMBIGUOUS = "ambiguous"
    """There are several that the profile's words fit."""
    DENIED = "denied"
    """The agent may not read it."""
    FAILED = "failed"
    """The driver answered with an error."""
    GARBLED = "garbled"
    """What was read is not of the form it must have."""
    IMPLAUSIBLE = "implausible"
    """A number that a blade cannot measure."""
    UNTOLD = "untold"
    """It is measured elsewhere, and was not told."""
    TOO_EARLY = "too early"
    """It is measured between two readings, and this was the first."""


class Unknown(Struct, frozen=True, tag=True):
    """No value, and the reason."""

    why: Why
    detail: str
    """What was looked for or found, for a person."""


class KnownReading(Struct, frozen=True, tag="Known"):
    """A value in its quantity's unit."""

    value: float


Reading = KnownReading | Unknown


def judge(quantity: Quantity, value: float) -> Reading:
    """A value, if a blade can measure it."""
    lowest, highest = PLAUSIBLE[quantity]
    if lowest <= value <= highest:
        return KnownReading(value)
    return Unknown(Why.IMPLAUSIBLE, f"{value:g} {quantity.unit}".strip())
