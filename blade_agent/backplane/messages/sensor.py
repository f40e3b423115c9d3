"""Messages of the sensor commands (IPMI 2.0, chapters 29 and 35)."""

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_SENSOR, Command, CommandCode
from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.layout import NOTHING, Layout, low, single_bytes

EVENT_MESSAGE_REVISION = 0x04
_OVER = 0x80
_EVENT_DATA_BYTES = 3
_UNSPECIFIED = b"\xff"


class PlatformEvent(Struct, frozen=True, kw_only=True):
    """An event that somebody else noticed (IPMI 2.0, table 29-5)."""

    revision: int
    sensor_type: int
    sensor: int
    reading_type: int
    """Bit 7: it is over."""
    data: bytes
    """One to three bytes."""

    @classmethod
    def of(cls, event: SensorEvent) -> "PlatformEvent":
        """Put an event as a message has it."""
        return cls(
            revision=EVENT_MESSAGE_REVISION,
            sensor_type=event.sensor_type,
            sensor=event.sensor,
            reading_type=event.reading_type | (0 if event.asserted else _OVER),
            data=event.data,
        )

    @property
    def event(self) -> SensorEvent:
        """The event; bytes that were left out are FFh, unspecified."""
        return SensorEvent(
            sensor_type=self.sensor_type,
            sensor=self.sensor,
            reading_type=self.reading_type & ~_OVER,
            asserted=not self.reading_type & _OVER,
            data=self.data.ljust(_EVENT_DATA_BYTES, _UNSPECIFIED),
        )


class SensorNumber(Struct, frozen=True):
    """Which sensor."""

    sensor: int


class SensorReadingReply(Struct, frozen=True, kw_only=True):
    """What a sensor says (IPMI 2.0, table 35-15)."""

    reading: int
    flags: int
    """Bits: 7 gives events, 6 is scanned, 5 has no reading now."""
    states: int
    """Thresholds passed, by `Threshold`; or states 0 to 7."""
    more_states: int
    """States 8 to 14; bit 7 is set."""


class ThresholdsReply(Struct, frozen=True, kw_only=True):
    """Thresholds of a sensor in steps of its scale; `present` says by bits which count."""

    present: int
    values: bytes
    """Six, in the order of `Threshold`."""


class SetThresholds(Struct, frozen=True, kw_only=True):
    """New thresholds for a sensor."""

    sensor: int
    present: int
    values: bytes


class HysteresisQuery(Struct, frozen=True):
    """Which sensor's hysteresis; the second byte is always FFh."""

    sensor: int
    mask: int


class Hysteresis(Struct, frozen=True, kw_only=True):
    """Hysteresis in steps: of thresholds that are passed upwards, and downwards."""

    rise: int
    fall: int


class SetHysteresis(Struct, frozen=True, kw_only=True):
    """New hysteresis for a sensor."""

    sensor: int
    mask: int
    rise: int
    fall: int


class SetEventEnable(Struct, frozen=True, kw_only=True):
    """Whether a sensor is scanned and gives events: bit 7 events, bit 6 scanning.

    Bits 5 and 4: what becomes of the single events that are named: 1 they are given, 2 no longer, 0 nothing.
    """

    sensor: int
    enables: int
    asserted: int | None = None
    deasserted: int | None = None
    """Bits of the events that are meant, when they begin and when they are over; None for none."""


class EventEnable(Struct, frozen=True, kw_only=True):
    """Whether a sensor gives events and which (IPMI 2.0, table 35-10)."""

    enables: int
    """Bit 7: gives events, bit 6: is scanned."""
    asserted: int
    deasserted: int
    """Bits of the events that are given when they begin, and when they are over."""


class SensorType(Struct, frozen=True):
    """What a sensor is (IPMI 2.0, tables 42-1 and 42-3)."""

    sensor_type: int
    reading_type: int


def _sensor(number: int) -> CommandCode:
    return CommandCode(NET_FN_SENSOR, b"", number)


_NUMBER = Layout(SensorNumber, *single_bytes("sensor"))
_VALUES = "values" / construct.Bytes(6)
_EVENTS = construct.ExprAdapter(
    construct.Struct("least" / construct.Int8ub, "most" / construct.Optional(construct.Int8ub)),
    lambda octets, _context: (octets.least | (octets.most or 0) << 8) & 0x7FFF,
    lambda mask, _context: {"least": mask & 0xFF, "most": mask >> 8},
)
"""A mask of events; who means none above the seventh need not send the second byte (IPMI 2.0, table 35-9)."""

PLATFORM_EVENT = Command(
    "Platform Event",
    _sensor(0x02),
    request=Layout(
        PlatformEvent,
        *single_bytes("revision", "sensor_type", "sensor", "reading_type"),
        "data" / construct.GreedyBytes,
        lengths_bytes=(5, 7),
    ),
    reply=NOTHING,
)
SET_SENSOR_HYSTERESIS = Command(
    "Set Sensor Hysteresis",
    _sensor(0x24),
    request=Layout(SetHysteresis, *single_bytes("sensor", "mask", "rise", "fall")),
    reply=NOTHING,
)
GET_SENSOR_HYSTERESIS = Command(
    "Get Sensor Hysteresis",
    _sensor(0x25),
    request=Layout(HysteresisQuery, *single_bytes("sensor", "mask")),
    reply=Layout(Hysteresis, *single_bytes("rise", "fall")),
)
SET_SENSOR_THRESHOLDS = Command(
    "Set Sensor Thresholds",
    _sensor(0x26),
    request=Layout(SetThresholds, *single_bytes("sensor"), "present" / low(0x3F), _VALUES),
    reply=NOTHING,
)
GET_SENSOR_THRESHOLDS = Command(
    "Get Sensor Thresholds",
    _sensor(0x27),
    request=_NUMBER,
    reply=Layout(ThresholdsReply, *single_bytes("present"), _VALUES),
)
SET_SENSOR_EVENT_ENABLE = Command(
    "Set Sensor Event Enable",
    _sensor(0x28),
    request=Layout(
        SetEventEnable,
        *single_bytes("sensor"),
        "enables" / low(0xF0),
        "asserted" / construct.Optional(_EVENTS),
        "deasserted" / construct.Optional(_EVENTS),
        lengths_bytes=(2, 6),
    ),
    reply=NOTHING,
)
GET_SENSOR_EVENT_ENABLE = Command(
    "Get Sensor Event Enable",
    _sensor(0x29),
    request=_NUMBER,
    reply=Layout(
        EventEnable,
        *single_bytes("enables"),
        "asserted" / construct.Int16ul,
        "deasserted" / construct.Int16ul,
    ),
)
GET_SENSOR_READING = Command(
    "Get Sensor Reading",
    _sensor(0x2D),
    request=_NUMBER,
    reply=Layout(SensorReadingReply, *single_bytes("reading", "flags", "states", "more_states")),
)
GET_SENSOR_TYPE = Command(
    "Get Sensor Type",
    _sensor(0x2F),
    request=_NUMBER,
    reply=Layout(SensorType, *single_bytes("sensor_type", "reading_type")),
)
