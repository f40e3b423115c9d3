"""The alarm list: what is wrong, whether somebody has seen it, and what comes and goes too often. No I/O.

| | raise | clear | acknowledge |
|---|---|---|---|
| active | active | cleared | acknowledged |
| acknowledged | acknowledged | over | acknowledged |
| cleared | active | cleared | over |
| over | active | over | over |

An alarm that is cleared before anybody acknowledged it stays in the list until somebody does; one that is over does
not. An alarm that was raised `FLAPS` times within `FLAP_WITHIN_S` is *flapping*: its clears count only when it has been
quiet for `SETTLE_S`. Times are seconds since 1970.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum, StrEnum

from msgspec import Struct
from msgspec.structs import replace

FLAPS = 4
FLAP_WITHIN_S = 600.0
SETTLE_S = 300.0


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


class AlarmState(StrEnum):
    """Where an alarm is."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"
    OVER = "over"


class AlarmEvent(StrEnum):
    """What happens to an alarm."""

    RAISE = "raise"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"


_S, _E = AlarmState, AlarmEvent
TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (_S.ACTIVE, _E.RAISE): _S.ACTIVE,
    (_S.ACTIVE, _E.CLEAR): _S.CLEARED,
    (_S.ACTIVE, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.RAISE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.CLEAR): _S.OVER,
    (_S.ACKNOWLEDGED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.CLEARED, _E.RAISE): _S.ACTIVE,
    (_S.CLEARED, _E.CLEAR): _S.CLEARED,
    (_S.CLEARED, _E.ACKNOWLEDGE): _S.OVER,
    (_S.OVER, _E.RAISE): _S.ACTIVE,
    (_S.OVER, _E.CLEAR): _S.OVER,
    (_S.OVER, _E.ACKNOWLEDGE): _S.OVER,
}
PRESENT = frozenset({AlarmState.ACTIVE, AlarmState.ACKNOWLEDGED})


class AlarmSource(StrEnum):
    """Who says so."""

    AGENT = "agent"
    NMS = "nms"
    """The network management system itself: a component does not answer."""


class Cause(Struct, frozen=True, kw_only=True):
    """What is wrong. Causes of one source, component, kind and resource are one alarm."""

    component: str
    source: AlarmSource
    kind: str
    severity: AlarmSeverity
    resource: str = ""
    text: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells one alarm from another."""
        return self.component, self.source.value, self.kind, self.resource


class NetworkAlarm(Struct, frozen=True, kw_only=True):
    """An alarm and what became of it."""

    number: int
    cause: Cause
    state: AlarmState
    raised_at: float
    changed_at: float
    raises: tuple[float, ...]
    """The last ones, up to `FLAPS`."""
    wrong: bool = True
    """Whether the cause is there; of a flapping alarm this may differ from its state."""
    acknowledged_by: str = ""
    acknowledged_at: float = 0.0

    @property
    def flapping(self) -> bool:
        """Whether it comes and goes too often: true until it was quiet for a while."""
        return len(self.raises) >= FLAPS and self.raises[-1] - self.raises[-FLAPS] <= FLAP_WITHIN_S


class AlarmList:
    """All alarms that are not over."""

    def __init__(self, alarms: Iterable[NetworkAlarm] = (), next_number: int = 1) -> None:
        self._alarms = {alarm.cause.key: alarm for alarm in alarms}
        self._next = max([next_number, *(alarm.number + 1 for alarm in self._alarms.values())])

    def __iter__(self) -> Iterator[NetworkAlarm]:
        """Worst first, of equals the newest."""
        return iter(sorted(self._alarms.values(), key=_order))

    def worst(self) -> dict[str, AlarmSeverity]:
        """The worst alarm that each component has now, of those that have one."""
        found: dict[str, AlarmSeverity] = {}
        for alarm in self._alarms.values():
            if alarm.state in PRESENT:
                name, severity = alarm.cause.component, alarm.cause.severity
                found[name] = min(found.get(name, severity), severity, key=WORST_FIRST.index)
        return found

    def raise_alarm(self, cause: Cause, now: float) -> NetworkAlarm | None:
        """Something is wrong. Gives the alarm if that is news."""
        known = self._alarms.get(cause.key)
        if known is None:
            known = NetworkAlarm(
                number=self._next, cause=cause, state=AlarmState.ACTIVE, raised_at=now, changed_at=now, raises=(now,)
            )
            self._next += 1
            self._alarms[cause.key] = known
            return known
        if known.wrong:
            return self._keep(replace(known, cause=cause)) if known.cause != cause else None
        state = TRANSITIONS[known.state, AlarmEvent.RAISE]
        raises = (*known.raises, now)[-FLAPS:]
        changed = replace(known, cause=cause, wrong=True, raises=raises, changed_at=now)
        if known.state is not state:
            changed = replace(changed, state=state, raised_at=now, acknowledged_by="", acknowledged_at=0.0)
        return self._keep(changed)

    def clear_alarm(self, cause: Cause, now: float) -> NetworkAlarm | None:
        """It is not wrong any more. Gives the alarm if that is news."""
        known = self._alarms.get(cause.key)
        if known is None or not known.wrong:
            return None
        quiet = replace(known, wrong=False, changed_at=now)
        if known.flapping:
            return self._keep(quiet)
        return self._keep(replace(quiet, state=TRANSITIONS[known.state, AlarmEvent.CLEAR]))

    def take(self, component: str, source: AlarmSource, causes: Iterable[Cause], now: float) -> list[NetworkAlarm]:
        """All that a source says is wrong with a component: what it does not name is cleared. Gives what is news."""
        named = {cause.key: cause for cause in causes}
        known = [alarm.cause for alarm in self._alarms.values()]
        gone = [cause for cause in known if (cause.component, cause.source) == (component, source)]
        news = [self.raise_alarm(cause, now) for cause in named.values()]
        news += [self.clear_alarm(cause, now) for cause in gone if cause.key not in named]
        return [alarm for alarm in news if alarm is not None]

    def acknowledge(self, number: int, person: str, now: float) -> NetworkAlarm | None:
        """Somebody has seen it. None if there is no such alarm; again is no error."""
        known = next((alarm for alarm in self._alarms.values() if alarm.number == number), None)
        if known is None or known.acknowledged_by:
            return known
        state = TRANSITIONS[known.state, AlarmEvent.ACKNOWLEDGE]
        return self._keep(replace(known, state=state, acknowledged_by=person, acknowledged_at=now, changed_at=now))

    def settle(self, now: float) -> list[NetworkAlarm]:
        """Let clears of flapping alarms count that have been quiet for long enough. Gives what is news."""
        due = [
            alarm
            for alarm in self._alarms.values()
            if not alarm.wrong and alarm.state in PRESENT and now - alarm.changed_at >= SETTLE_S
        ]
        return [
            self._keep(replace(alarm, state=TRANSITIONS[alarm.state, AlarmEvent.CLEAR], raises=())) for alarm in due
        ]

    def _keep(self, alarm: NetworkAlarm) -> NetworkAlarm:
        if alarm.state is AlarmState.OVER:
            self._alarms.pop(alarm.cause.key, None)
        else:
            self._alarms[alarm.cause.key] = alarm
        return alarm


def _order(alarm: NetworkAlarm) -> tuple[int, int, float]:
    return (alarm.state is AlarmState.CLEARED, WORST_FIRST.index(alarm.cause.severity), -alarm.raised_at)
