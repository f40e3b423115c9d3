"""The numbers of IPMI's tables about sensors: what one watches, how it is read, in which unit, where, its thresholds.

They stand in sensor records, in events and in thresholds, and mean the same in all of them.
"""

from enum import Enum, IntEnum
from typing import Final


class SensorKind(IntEnum):
    """What a sensor watches (IPMI 2.0, table 42-3; PICMG 3.0, 3.2.4.3 for hot swap; from C0h on a maker's own)."""

    TEMPERATURE = 0x01
    VOLTAGE = 0x02
    CURRENT = 0x03
    FAN = 0x04
    PLATFORM_SECURITY = 0x06
    POWER_SUPPLY = 0x08
    POWER_UNIT = 0x09
    OTHER = 0x0B
    WATCHDOG = 0x23
    DIRECTOR = 0xC8
    """Ours: which blade is director."""
    HOT_SWAP = 0xF0


class ReadingType(IntEnum):
    """How the states of a sensor are to be read (IPMI 2.0, table 42-1)."""

    THRESHOLD = 0x01
    DIGITAL = 0x03
    SENSOR_SPECIFIC = 0x6F
    """As its kind says."""


class Unit(Enum):
    """What a reading is counted in (IPMI 2.0, table 43-15)."""

    CELSIUS = 1
    VOLT = 4
    AMPERE = 5
    WATT = 6
    RPM = 18


FIRST_INSTANCE: Final = 0x60
"""From here on the entities of a kind are counted within a controller, below it within the system (IPMI 2.0, 39.1)."""
LAST_INSTANCE: Final = 0x7F


class Entity(IntEnum):
    """Where a sensor is (IPMI 2.0, table 43-13; PICMG 3.0, table 3-12 for the blade itself)."""

    PROCESSOR = 0x03
    SYSTEM_BOARD = 0x07
    POWER_SUPPLY = 0x0A
    FAN = 0x1D
    AIR_INLET = 0x37
    FRONT_BOARD = 0xA0
    SHELF_MANAGER = 0xF0


class Threshold(IntEnum):
    """A limit of a sensor, by its bit in masks (IPMI 2.0, 35.9)."""

    LOWER_NON_CRITICAL = 0
    LOWER_CRITICAL = 1
    LOWER_NON_RECOVERABLE = 2
    UPPER_NON_CRITICAL = 3
    UPPER_CRITICAL = 4
    UPPER_NON_RECOVERABLE = 5
