"""The event log of the chassis: what the manager notices as records, and all records as sentences (IPMI 2.0, 32).

The manager's own sensors at 20h and their numbers:

    43h          the management board's own hot swap
    44h and up   what the management board measures of itself and of the supplies
    60h and up   the supplies (type 08h), in the profile's order: state 1 is a failure
    70h          power budget (type 09h, power unit): state 5 is a slot without power, its number in the second byte
    71h          director (OEM type C8h): the slot in the second byte's place of the first, then the epoch
    72h          logins (type 06h, platform security): state 5 is a wrong password, how many in all follows
    73h          overheating (type 01h, digital): state 1, the slot, and degrees Celsius
    80h + n      slot n (type F0h, hot swap)
"""

from collections.abc import Callable, Mapping
from typing import Final

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS
from blade_agent.backplane.sensor_codes import ReadingType, SensorKind
from blade_agent.backplane.slot_address import SLOT_AT
from blade_agent.cbc.event_log import EventLog
from blade_agent.chassis_manager.orders import EventRow, Severity
from blade_agent.chassis_manager.policy.notice import Notice, NoticeKind

SERVICE_SENSOR: Final = 0x43
"""From here on: the numbers below are those of blades' controllers, and some tools ask 20h for any number they see."""
MEASURED_SENSOR: Final = 0x44
MOST_MEASURED: Final = 28
SUPPLY_SENSOR: Final = 0x60
BUDGET_SENSOR: Final = 0x70
DIRECTOR_SENSOR: Final = 0x71
LOGIN_SENSOR: Final = 0x72
HEAT_SENSOR: Final = 0x73
SLOT_SENSOR: Final = 0x80

SUPPLY_FAILED: Final = 1
NO_POWER: Final = 5
WRONG_PASSWORD: Final = 5
_DIRECTOR: Final = 0
_OVERHEATED: Final = 1

_TWO_BYTES_FOLLOW: Final = 0xA0
_OVER: Final = 0x80
_COMMUNICATION_LOST: Final = 4
_CAUSE_UNKNOWN: Final = 0xF

SensorName = Callable[[int, int], str | None]
"""From a slot and a number to the name of a blade's sensor, if it is known."""


def event_of(notice: Notice) -> SensorEvent:
    """Give a notice as an event of one of the manager's sensors."""
    one, two = notice.detail
    sensor_type, sensor, reading_type, state, data = {
        NoticeKind.MOVED: (
            SensorKind.HOT_SWAP,
            SLOT_SENSOR + notice.number,
            ReadingType.SENSOR_SPECIFIC,
            one,
            (_cause(one, two) << 4 | two & 0xF, notice.number),
        ),
        NoticeKind.DIRECTOR: (
            SensorKind.DIRECTOR,
            DIRECTOR_SENSOR,
            ReadingType.SENSOR_SPECIFIC,
            _DIRECTOR,
            (notice.number, one),
        ),
        NoticeKind.NO_POWER: (
            SensorKind.POWER_UNIT,
            BUDGET_SENSOR,
            ReadingType.SENSOR_SPECIFIC,
            NO_POWER,
            (notice.number, 0xFF),
        ),
        NoticeKind.SUPPLY: (
            SensorKind.POWER_SUPPLY,
            SUPPLY_SENSOR + notice.number,
            ReadingType.SENSOR_SPECIFIC,
            SUPPLY_FAILED,
            (one, two),
        ),
        NoticeKind.OVERHEATED: (
            SensorKind.TEMPERATURE,
            HEAT_SENSOR,
            ReadingType.DIGITAL,
            _OVERHEATED,
            (notice.number, one),
        ),
        NoticeKind.LOGIN: (
            SensorKind.PLATFORM_SECURITY,
            LOGIN_SENSOR,
            ReadingType.SENSOR_SPECIFIC,
            WRONG_PASSWORD,
            (one, two),
        ),
    }[notice.kind]
    return SensorEvent(
        sensor_type=sensor_type,
        sensor=sensor,
        reading_type=reading_type,
        asserted=notice.asserted,
        data=bytes((_TWO_BYTES_FOLLOW | state, *data)),
    )


def _cause(now: int, before: int) -> int:
    """PICMG 3.0, table 3-22: communication was lost (or is back), or nobody knows why it is gone."""
    lost = HotSwapState.M7_COMMUNICATION_LOST in (now, before)
    return _COMMUNICATION_LOST if lost else _CAUSE_UNKNOWN


def rows(log: EventLog, after: int, name: SensorName) -> list[EventRow]:
    """Give the records after one, decoded, oldest first; all, if that one is not there."""
    records = list(log.records.items())
    start = next((index + 1 for index, (number, _) in enumerate(records) if number == after), 0)
    return [_row(number, record, name) for number, record in records[start:]]


def _row(number: int, record: bytes, name: SensorName) -> EventRow:
    generator, sensor_type, sensor = record[7], record[10], record[11]
    asserted = not record[12] & _OVER
    own = generator == CHASSIS_MANAGER_ADDRESS
    slot = _slot_named(sensor, record) if own else SLOT_AT.get(generator)
    words, severity = _sentence(sensor_type, record, own=own)
    if not asserted:
        words, severity = f"{words}: has ended", "info"
    return EventRow(
        id=number,
        time=int.from_bytes(record[3:7], "little"),
        slot=slot,
        sensor=_sensor_name(own, slot, sensor, name) or _kind_name(sensor_type, sensor),
        event=words,
        asserted=asserted,
        severity=severity,
        record=record.hex(),
    )


def _slot_named(sensor: int, record: bytes) -> int | None:
    if sensor > SLOT_SENSOR:
        return sensor - SLOT_SENSOR
    return record[14] if sensor in (BUDGET_SENSOR, DIRECTOR_SENSOR, HEAT_SENSOR) else None


_OWN_NAMES: Final[Mapping[int, str]] = {
    BUDGET_SENSOR: "Power budget",
    DIRECTOR_SENSOR: "Director",
    LOGIN_SENSOR: "Logins",
    HEAT_SENSOR: "Overheating",
}


def _sensor_name(own: bool, slot: int | None, sensor: int, name: SensorName) -> str | None:  # noqa: FBT001 -- within the room
    if own:
        if SUPPLY_SENSOR <= sensor < BUDGET_SENSOR:
            return f"Supply {sensor - SUPPLY_SENSOR + 1}"
        fallback = f"Slot {sensor - SLOT_SENSOR}" if sensor > SLOT_SENSOR else None
        return _OWN_NAMES.get(sensor, fallback)
    return None if slot is None else name(slot, sensor)


def _kind_name(sensor_type: int, sensor: int) -> str:
    """What a sensor is called before its blade has been asked for its name: a blade tells of itself as it comes in."""
    return _KIND_NAMES.get(sensor_type, f"sensor {sensor:02X}h")


_KIND_NAMES: Final[Mapping[int, str]] = {SensorKind.HOT_SWAP: "Hot Swap", SensorKind.WATCHDOG: "Watchdog"}


def _sentence(sensor_type: int, record: bytes, *, own: bool) -> tuple[str, Severity]:
    reading_type, state, one, two = record[12] & ~_OVER & 0xFF, record[13] & 0xF, record[14], record[15]
    if reading_type == ReadingType.THRESHOLD:
        return _THRESHOLDS.get(state, (f"threshold event {state}", "warning"))
    if sensor_type == SensorKind.HOT_SWAP and reading_type == ReadingType.SENSOR_SPECIFIC:
        return _hot_swap(state, one)
    if not own:
        if sensor_type == SensorKind.WATCHDOG:
            return "the watchdog timer ran out", "critical"
        return f"event {state} of sensor type {sensor_type:02X}h", "info"
    known: dict[int, tuple[str, Severity]] = {
        SensorKind.POWER_SUPPLY: ("failed", "critical"),
        SensorKind.POWER_UNIT: ("the supplies cannot carry the blade", "warning"),
        SensorKind.DIRECTOR: (f"becomes director, epoch {two} modulo 256", "info"),
        SensorKind.PLATFORM_SECURITY: (f"wrong password, {one | two << 8} in all", "warning"),
        SensorKind.TEMPERATURE: (f"taken out of service at {two} °C", "critical"),
    }
    return known.get(sensor_type, (f"event {state} of sensor type {sensor_type:02X}h", "info"))


def _hot_swap(state: int, detail: int) -> tuple[str, Severity]:
    lost = state == HotSwapState.M7_COMMUNICATION_LOST
    return f"M{detail & 0xF} to M{state}", "critical" if lost else "info"


_THRESHOLDS: Final[Mapping[int, tuple[str, Severity]]] = {
    0: ("at or below its lower non-critical threshold", "warning"),
    2: ("at or below its lower critical threshold", "critical"),
    4: ("at or below its lower non-recoverable threshold", "critical"),
    7: ("at or above its upper non-critical threshold", "warning"),
    9: ("at or above its upper critical threshold", "critical"),
    11: ("at or above its upper non-recoverable threshold", "critical"),
}
