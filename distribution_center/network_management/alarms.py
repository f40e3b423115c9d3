"""The alarm list: what is wrong, whether somebody has seen it, and what comes and goes too often. No I/O.

| | raise | worsen | clear | acknowledge |
|---|---|---|---|---|
| active | active | active | cleared | acknowledged |
| acknowledged | acknowledged | active | cleared | acknowledged |
| cleared | active | cleared | cleared | cleared |

An alarm that is cleared leaves the list for the history, whether somebody has seen it or not; what comes again is a
new alarm. What was raised `FLAPS` times within `FLAP_WITHIN_S` is *flapping*: it is one alarm, and its clears count
only when it has been quiet for `SETTLE_S`. Times are seconds since 1970.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from distribution_center.network_management.cause import (
    WORST_FIRST,
    AlarmSeverity,
    AlarmSource,
    Cause,
    Subject,
    most_telling_first,
    subject_of,
)
from distribution_center.network_management.component import station_of

FLAPS = 4
FLAP_WITHIN_S = 600.0
SETTLE_S = 300.0


class AlarmState(StrEnum):
    """Where an alarm is."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class AlarmEvent(StrEnum):
    """What happens to an alarm."""

    RAISE = "raise"
    WORSEN = "worsen"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"


_S, _E = AlarmState, AlarmEvent
TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (_S.ACTIVE, _E.RAISE): _S.ACTIVE,
    (_S.ACTIVE, _E.WORSEN): _S.ACTIVE,
    (_S.ACTIVE, _E.CLEAR): _S.CLEARED,
    (_S.ACTIVE, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.RAISE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.WORSEN): _S.ACTIVE,
    (_S.ACKNOWLEDGED, _E.CLEAR): _S.CLEARED,
    (_S.ACKNOWLEDGED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.CLEARED, _E.RAISE): _S.ACTIVE,
    (_S.CLEARED, _E.WORSEN): _S.CLEARED,
    (_S.CLEARED, _E.CLEAR): _S.CLEARED,
    (_S.CLEARED, _E.ACKNOWLEDGE): _S.CLEARED,
}


class NetworkAlarm(Struct, frozen=True, kw_only=True):
    """An alarm and what became of it."""

    number: int
    about: str
    """The component."""
    matter: str
    resource: str
    causes: tuple[Cause, ...]
    """All that say so, the most telling first; of a cleared one, the last that said so."""
    state: AlarmState
    raised_at: float
    changed_at: float
    raises: tuple[float, ...]
    """The last ones, up to `FLAPS`."""
    wrong: bool = True
    """Whether the cause is there; of a flapping alarm this may differ from its state."""
    acknowledged_by: str = ""
    acknowledged_at: float = 0.0
    comment: str = ""

    @property
    def cause(self) -> Cause:
        """The most telling one."""
        return self.causes[0]

    @property
    def subject(self) -> Subject:
        """What it is about: one alarm for each."""
        return Subject(self.about, self.matter, self.resource)

    @property
    def flapping(self) -> bool:
        """Whether it comes and goes too often: true until it was quiet for a while."""
        return len(self.raises) >= FLAPS and self.raises[-1] - self.raises[-FLAPS] <= FLAP_WITHIN_S


class AlarmList:
    """All alarms that are not cleared."""

    def __init__(self, alarms: Iterable[NetworkAlarm] = (), next_number: int = 1) -> None:
        self._alarms: dict[Subject, NetworkAlarm] = {}
        self._subjects: dict[int, Subject] = {}
        self._in_station: dict[str, set[Subject]] = {}
        """By station; of centers, by the center."""
        self._said: dict[tuple[str, AlarmSource], dict[Cause, Subject]] = {}
        self._causes: dict[Subject, set[Cause]] = {}
        self._recent: dict[Subject, tuple[float, ...]] = {}
        """When what is cleared had been raised: it may come to flap."""
        for alarm in alarms:
            self._keep(alarm)
            for cause in alarm.causes if alarm.wrong else ():
                self._said.setdefault((cause.component, cause.source), {})[cause] = alarm.subject
                self._causes.setdefault(alarm.subject, set()).add(cause)
        self._next = max([next_number, *(number + 1 for number in self._subjects)])

    def __iter__(self) -> Iterator[NetworkAlarm]:
        """Worst first, of equals the newest."""
        return iter(sorted(self._alarms.values(), key=_order))

    def worst_of(self, component: str) -> AlarmSeverity | None:
        """The worst alarm about a component."""
        return _worst(alarm for alarm in self._of_station(component) if alarm.about == component)

    def worst_in(self, station: str) -> AlarmSeverity | None:
        """The worst alarm about a station or anything in it, be it on the map or not."""
        return _worst(self._of_station(station))

    def take(
        self, component: str, source: AlarmSource, causes: Iterable[Cause], now: float, *, within: str = ""
    ) -> list[NetworkAlarm]:
        """All that a source says is wrong with a component: what it does not name is cleared. Gives what is news.

        `within`: a station that is silent as a whole; a silence that had been told before stays what it was.
        """
        before = self._said.pop((component, source), {})
        subjects = {cause.key: subject for cause, subject in before.items()}
        said = {cause: subjects.get(cause.key) or subject_of(cause, within) for cause in causes}
        if said:
            self._said[component, source] = said
        for cause, subject in before.items():
            if cause not in said:
                self._causes[subject].discard(cause)
        for cause, subject in said.items():
            self._causes.setdefault(subject, set()).add(cause)
        touched = {
            subject: None for cause, subject in (before | said).items() if cause not in before or cause not in said
        }
        return [alarm for subject in touched for alarm in self._reconsider(subject, now)]

    def acknowledge(self, numbers: Iterable[int], person: str, comment: str, now: float) -> list[NetworkAlarm]:
        """Somebody has seen them. Gives those that there are; again is no error, and changes nothing."""
        found = [self._alarms[self._subjects[number]] for number in numbers if number in self._subjects]
        return [alarm if alarm.acknowledged_by else self._acknowledge(alarm, person, comment, now) for alarm in found]

    def settle(self, now: float) -> list[NetworkAlarm]:
        """Let clears of flapping alarms count that have been quiet for long enough. Gives what is news."""
        self._recent = {
            subject: raises for subject, raises in self._recent.items() if now - raises[-1] <= FLAP_WITHIN_S
        }
        due = [alarm for alarm in self._alarms.values() if not alarm.wrong and now - alarm.changed_at >= SETTLE_S]
        return [self._keep(_turned(replace(alarm, raises=()), AlarmEvent.CLEAR)) for alarm in due]

    def _reconsider(self, subject: Subject, now: float) -> Iterator[NetworkAlarm]:
        """What its causes, which are others now, make of an alarm: yields it if it is another too."""
        causes, known = most_telling_first(self._causes[subject]), self._alarms.get(subject)
        if not causes:
            del self._causes[subject]
            if known is not None and known.wrong:
                yield self._cleared(known, now)
        elif known is None:
            yield self._raised(subject, causes, now)
        elif not known.wrong:
            again = replace(known, causes=causes, wrong=True, raises=(*known.raises, now)[-FLAPS:], changed_at=now)
            yield self._keep(_turned(again, AlarmEvent.RAISE))
        elif known.causes != causes:
            other = replace(known, causes=causes)
            yield self._keep(_turned(other, AlarmEvent.WORSEN) if _is_worse(known, causes[0]) else other)

    def _raised(self, subject: Subject, causes: tuple[Cause, ...], now: float) -> NetworkAlarm:
        raises = (*self._recent.pop(subject, ()), now)[-FLAPS:]
        about, matter, resource = subject
        self._next += 1
        return self._keep(
            NetworkAlarm(
                number=self._next - 1,
                about=about,
                matter=matter,
                resource=resource,
                causes=causes,
                state=AlarmState.ACTIVE,
                raised_at=now,
                changed_at=now,
                raises=raises,
            )
        )

    def _cleared(self, alarm: NetworkAlarm, now: float) -> NetworkAlarm:
        quiet = replace(alarm, wrong=False, changed_at=now)
        if alarm.flapping:
            return self._keep(quiet)
        self._recent[alarm.subject] = alarm.raises
        return self._keep(_turned(quiet, AlarmEvent.CLEAR))

    def _acknowledge(self, alarm: NetworkAlarm, person: str, comment: str, now: float) -> NetworkAlarm:
        seen = replace(alarm, acknowledged_by=person, acknowledged_at=now, comment=comment, changed_at=now)
        return self._keep(_turned(seen, AlarmEvent.ACKNOWLEDGE))

    def _keep(self, alarm: NetworkAlarm) -> NetworkAlarm:
        subject = alarm.subject
        beside = self._in_station.setdefault(_station(alarm.about), set())
        if alarm.state is AlarmState.CLEARED:
            self._alarms.pop(subject, None)
            self._subjects.pop(alarm.number, None)
            beside.discard(subject)
        else:
            self._alarms[subject] = alarm
            self._subjects[alarm.number] = subject
            beside.add(subject)
        if not beside:
            del self._in_station[_station(alarm.about)]
        return alarm

    def _of_station(self, component: str) -> Iterator[NetworkAlarm]:
        return (self._alarms[subject] for subject in self._in_station.get(_station(component), ()))


def _turned(alarm: NetworkAlarm, event: AlarmEvent) -> NetworkAlarm:
    state = TRANSITIONS[alarm.state, event]
    if state is AlarmState.ACTIVE and alarm.state is not state:
        return replace(alarm, state=state, acknowledged_by="", acknowledged_at=0.0, comment="")
    return replace(alarm, state=state)


def _is_worse(known: NetworkAlarm, head: Cause) -> bool:
    """Whether there is something worse now that had not been told; what remains when others are over is not."""
    return head not in known.causes and WORST_FIRST.index(head.severity) < WORST_FIRST.index(known.cause.severity)


def _station(component: str) -> str:
    return station_of(component) or component


def _worst(alarms: Iterable[NetworkAlarm]) -> AlarmSeverity | None:
    return min((alarm.cause.severity for alarm in alarms), key=WORST_FIRST.index, default=None)


def _order(alarm: NetworkAlarm) -> tuple[int, float]:
    return WORST_FIRST.index(alarm.cause.severity), -alarm.raised_at
