"""What is wrong, as one agent or the system itself says, and what that is about. No I/O.

One event is told by several: of a blade that was pulled the chassis manager says that it is lost, and we that its agent
does not answer. Causes with one subject are one alarm.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import NamedTuple

from msgspec import Struct

from distribution_center.network_management.component import blade_id, chassis_id, station_of


class AlarmSeverity(IntEnum):
    """How bad, with the numbers of AlarmSeverity (MEDIA-STATION-ALARM-MIB, ITU X.733)."""

    INDETERMINATE = 2
    CRITICAL = 3
    MAJOR = 4
    MINOR = 5
    WARNING = 6


WORST_FIRST = (
    AlarmSeverity.CRITICAL,
    AlarmSeverity.MAJOR,
    AlarmSeverity.MINOR,
    AlarmSeverity.WARNING,
    AlarmSeverity.INDETERMINATE,
)


class AlarmSource(StrEnum):
    """Who says so."""

    AGENT = "agent"
    NMS = "nms"
    """The network management system itself: a component does not answer."""


NO_ANSWER = "no answer"
_GONE = "gone"
_OF_GONE = ("blade lost", "no director", NO_ANSWER, "station silent")
"""Kinds that say of something that it is away; the most telling first."""


class Cause(Struct, frozen=True, kw_only=True):
    """What is wrong, in the words of one."""

    component: str
    """Whose agent says so, or does not answer."""
    source: AlarmSource
    kind: str
    severity: AlarmSeverity
    slot: int = 0
    """The blade that a chassis manager speaks of."""
    resource: str = ""
    text: str = ""

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What tells one cause from another."""
        return self.component, self.source.value, self.kind, self.slot, self.resource


class Subject(NamedTuple):
    """What an alarm is about."""

    component: str
    matter: str
    resource: str


def subject_of(cause: Cause, within: str = "") -> Subject:
    """What a cause is about: of a silence `within` a station all of whose agents are silent, the station."""
    about, resource = cause.component, cause.resource
    station = station_of(about)
    if about == chassis_id(station) and cause.slot:
        about, resource = blade_id(station, cause.slot), _own_name(resource, cause.slot)
    if cause.kind == "no director":
        about = station
    elif cause.kind == "station silent":
        about = resource
    elif cause.kind == NO_ANSWER and within:
        about = within
    if cause.kind in _OF_GONE:
        return Subject(about, _GONE, "")
    return Subject(about, cause.kind, resource)


def most_telling_first(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Causes of one subject."""
    return tuple(sorted(causes, key=_order))


def _own_name(resource: str, slot: int) -> str:
    """What a blade calls a part that the chassis manager names after the blade."""
    prefix = f"blade {slot}"
    return "" if resource == prefix else resource.removeprefix(f"{prefix} ")


def _order(cause: Cause) -> tuple[int, int, tuple[str, str, str, int, str]]:
    telling = _OF_GONE.index(cause.kind) if cause.kind in _OF_GONE else len(_OF_GONE)
    return telling, WORST_FIRST.index(cause.severity), cause.key
