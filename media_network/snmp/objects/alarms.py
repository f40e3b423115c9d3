"""Alarms: what is wrong now. Raised and cleared by key: every clear finds its raise, and one cause is one alarm."""

from collections.abc import Callable, Iterator
from enum import IntEnum

from msgspec import Struct

from media_network.snmp.index import Assignment, Change, ObjectType, Rows, scalar
from media_network.snmp.objects.arcs import ALARM
from media_network.snmp.objects.notification import Carried, Notification, NotificationType, notification
from media_network.snmp.objects.table import columns
from media_network.snmp.objects.times import Uptime, date_and_time, wall_clock
from media_network.snmp.value import COUNTER32, DISPLAY_STRING, GAUGE32, INTEGER32, OCTET_STRING, TIME_TICKS, enumerated

_SUMMARY = (*ALARM, 1, 1)
_ENTRY = (*ALARM, 1, 2, 1)
_TEST = (*ALARM, 1, 3)
_ACTIVE_MAX = 1024
"""Alarms at once. A thousand say no more than a first thousand; what comes then is counted as raised, and not kept."""
_RESOURCE_MAX = 64
_TEXT_MAX = 255


class Severity(IntEnum):
    """AlarmSeverity."""

    CLEARED = 1
    INDETERMINATE = 2
    CRITICAL = 3
    MAJOR = 4
    MINOR = 5
    WARNING = 6


class AlarmKind(IntEnum):
    """AlarmKind."""

    OTHER = 1
    BLADE_LOST = 2
    BLADE_FAILED = 3
    NO_DIRECTOR = 4
    SENSOR_THRESHOLD = 5
    FAN_FAILED = 6
    SUPPLY_FAILED = 7
    POWER_SHORT = 8
    CHANNEL_FAILED = 9
    SESSION_LOST = 10
    STATION_SILENT = 11
    INGEST_FAILED = 12
    CENTER_AWAY = 13
    REGISTRY_IMPAIRED = 14


_RANK = (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR, Severity.WARNING, Severity.INDETERMINATE)
"""Worst first."""

SEVERITY = enumerated(cleared=1, indeterminate=2, critical=3, major=4, minor=5, warning=6)
KIND = enumerated(
    other=1,
    bladeLost=2,
    bladeFailed=3,
    noDirector=4,
    sensorThreshold=5,
    fanFailed=6,
    supplyFailed=7,
    powerShort=8,
    channelFailed=9,
    sessionLost=10,
    stationSilent=11,
    ingestFailed=12,
    centerAway=13,
    registryImpaired=14,
)


class AlarmCause(Struct, frozen=True, kw_only=True):
    """What is wrong. Two causes with the same kind, slot and resource are the same alarm."""

    kind: AlarmKind
    severity: Severity
    slot: int = 0
    entity: int = 0
    """Its entPhysicalIndex, or 0."""
    resource: str = ""
    text: str = ""

    @property
    def key(self) -> tuple[AlarmKind, int, str]:
        """What tells one alarm from another."""
        return self.kind, self.slot, self.resource


class Alarm(Struct, frozen=True, kw_only=True):
    """An alarm that is raised."""

    number: int
    cause: AlarmCause
    raised_ticks: int
    raised_date: bytes


_CARRIED = (
    Carried("msaAlarmKind", (*_ENTRY, 2), KIND),
    Carried("msaAlarmSeverity", (*_ENTRY, 3), SEVERITY),
    Carried("msaAlarmSlot", (*_ENTRY, 4), INTEGER32),
    Carried("msaAlarmEntity", (*_ENTRY, 5), INTEGER32),
    Carried("msaAlarmResource", (*_ENTRY, 6), DISPLAY_STRING),
    Carried("msaAlarmText", (*_ENTRY, 7), DISPLAY_STRING),
    Carried("msaAlarmRaisedDate", (*_ENTRY, 9), OCTET_STRING),
)
ALARM_RAISED = NotificationType("msaAlarmRaised", (*ALARM, 0, 1), _CARRIED)
ALARM_CLEARED = NotificationType("msaAlarmCleared", (*ALARM, 0, 2), _CARRIED)
TEST_NOTIFICATION = NotificationType(
    "msaTestNotification", (*ALARM, 0, 3), (Carried("msaTestNumber", (*_TEST, 1), GAUGE32, scalar=True),)
)
ALARM_NOTIFICATIONS = (ALARM_RAISED, ALARM_CLEARED, TEST_NOTIFICATION)


class Alarms:
    """The alarms of an agent, and the objects of MEDIA-STATION-ALARM-MIB."""

    def __init__(
        self, uptime: Uptime, tell: Callable[[Notification], None], wall: Callable[[], float] = wall_clock
    ) -> None:
        self._uptime = uptime
        self._tell = tell
        self._wall = wall
        self._by_key: dict[tuple[AlarmKind, int, str], Alarm] = {}
        self._rows = Rows()
        self._number = 0
        self._raised = 0
        self._cleared = 0
        self._changed_ticks = 0
        self._test_number = 0
        self._tests = 0

    def raise_alarm(self, cause: AlarmCause) -> None:
        """Raise an alarm; nothing happens if it is raised at this severity. Another severity clears the one before."""
        known = self._by_key.get(cause.key)
        if known is not None and known.cause.severity is cause.severity:
            return
        self.clear_alarm(cause)
        if len(self._by_key) >= _ACTIVE_MAX:
            return
        self._number += 1
        self._raised += 1
        self._changed_ticks = self._uptime.ticks()
        alarm = Alarm(
            number=self._number,
            cause=cause,
            raised_ticks=self._changed_ticks,
            raised_date=date_and_time(self._wall()),
        )
        self._by_key[cause.key] = alarm
        self._rows.put((alarm.number,), alarm)
        self._tell(_told(ALARM_RAISED, alarm))

    def clear_alarm(self, cause: AlarmCause) -> None:
        """Clear the alarm of this kind, slot and resource; nothing happens if it is not raised."""
        alarm = self._by_key.pop(cause.key, None)
        if alarm is None:
            return
        self._cleared += 1
        self._changed_ticks = self._uptime.ticks()
        self._rows.drop((alarm.number,))
        self._tell(_told(ALARM_CLEARED, alarm))

    def set_alarm(self, cause: AlarmCause, *, wrong: bool) -> None:
        """Raise the alarm if something is wrong, clear it if not."""
        if wrong:
            self.raise_alarm(cause)
        else:
            self.clear_alarm(cause)

    def active(self) -> tuple[Alarm, ...]:
        """The alarms that are raised, oldest first."""
        return tuple(alarm for _, alarm in self._rows)

    def worst(self) -> Severity:
        """The worst severity of them."""
        present = {alarm.cause.severity for alarm in self._by_key.values()}
        return next((severity for severity in _RANK if severity in present), Severity.CLEARED)

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield scalar((*_SUMMARY, 1), GAUGE32, lambda: len(self._by_key))
        yield scalar((*_SUMMARY, 2), SEVERITY, lambda: int(self.worst()))
        yield scalar((*_SUMMARY, 3), COUNTER32, lambda: self._raised)
        yield scalar((*_SUMMARY, 4), COUNTER32, lambda: self._cleared)
        yield scalar((*_SUMMARY, 5), TIME_TICKS, lambda: self._changed_ticks)
        yield from columns(
            _ENTRY,
            self._rows,
            {
                2: (KIND, lambda alarm: int(alarm.cause.kind)),
                3: (SEVERITY, lambda alarm: int(alarm.cause.severity)),
                4: (INTEGER32, lambda alarm: alarm.cause.slot),
                5: (INTEGER32, lambda alarm: alarm.cause.entity),
                6: (DISPLAY_STRING, lambda alarm: shortened(alarm.cause.resource, _RESOURCE_MAX)),
                7: (DISPLAY_STRING, lambda alarm: shortened(alarm.cause.text, _TEXT_MAX)),
                8: (TIME_TICKS, lambda alarm: alarm.raised_ticks),
                9: (OCTET_STRING, lambda alarm: alarm.raised_date),
            },
        )
        yield scalar((*_TEST, 1), GAUGE32, lambda: self._test_number, self._prepare_test)
        yield scalar((*_TEST, 2), COUNTER32, lambda: self._tests)

    def _prepare_test(self, number: int) -> Change:
        before = self._test_number

        def commit() -> None:
            self._test_number = number
            self._tests += 1
            self._tell(notification(TEST_NOTIFICATION, (0,), {"msaTestNumber": number}))

        def undo() -> None:
            self._test_number = before

        return Assignment(commit, undo)


def shortened(text: str, most: int) -> str:
    """Cut text so that its UTF-8 is at most so many octets, between two characters."""
    octets = text.encode()
    return text if len(octets) <= most else octets[:most].decode(errors="ignore")


def _told(kind: NotificationType, alarm: Alarm) -> Notification:
    cause = alarm.cause
    values = {
        "msaAlarmKind": int(cause.kind),
        "msaAlarmSeverity": int(cause.severity),
        "msaAlarmSlot": cause.slot,
        "msaAlarmEntity": cause.entity,
        "msaAlarmResource": shortened(cause.resource, _RESOURCE_MAX),
        "msaAlarmText": shortened(cause.text, _TEXT_MAX),
        "msaAlarmRaisedDate": alarm.raised_date,
    }
    return notification(kind, (alarm.number,), values)
