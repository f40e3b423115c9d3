"""Whether a component answers: it turns grey when it misses a poll, and red when it has been silent for too long.

| | answered | missed | missed for too long |
|---|---|---|---|
| unknown (grey) | answering | silent | lost |
| answering | answering | silent | lost |
| silent (grey) | answering | silent | lost |
| lost (red) | answering | lost | lost |
"""

from dataclasses import dataclass
from enum import StrEnum

from distribution_center.network_management.cause import AlarmSeverity


class Health(StrEnum):
    """What the polls say of a component."""

    UNKNOWN = "unknown"
    """Not polled yet."""
    ANSWERING = "answering"
    SILENT = "silent"
    LOST = "lost"


class PollOutcome(StrEnum):
    """What became of a poll."""

    ANSWERED = "answered"
    MISSED = "missed"
    MISSED_LONG = "missed for too long"


class Colour(StrEnum):
    """What a person sees."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    GREY = "grey"


_H, _O = Health, PollOutcome
TRANSITIONS: dict[tuple[Health, PollOutcome], Health] = {
    (_H.UNKNOWN, _O.ANSWERED): _H.ANSWERING,
    (_H.UNKNOWN, _O.MISSED): _H.SILENT,
    (_H.UNKNOWN, _O.MISSED_LONG): _H.LOST,
    (_H.ANSWERING, _O.ANSWERED): _H.ANSWERING,
    (_H.ANSWERING, _O.MISSED): _H.SILENT,
    (_H.ANSWERING, _O.MISSED_LONG): _H.LOST,
    (_H.SILENT, _O.ANSWERED): _H.ANSWERING,
    (_H.SILENT, _O.MISSED): _H.SILENT,
    (_H.SILENT, _O.MISSED_LONG): _H.LOST,
    (_H.LOST, _O.ANSWERED): _H.ANSWERING,
    (_H.LOST, _O.MISSED): _H.LOST,
    (_H.LOST, _O.MISSED_LONG): _H.LOST,
}
_OF_SEVERITY = {
    AlarmSeverity.CRITICAL: Colour.RED,
    AlarmSeverity.MAJOR: Colour.ORANGE,
    AlarmSeverity.MINOR: Colour.YELLOW,
    AlarmSeverity.WARNING: Colour.YELLOW,
    AlarmSeverity.INDETERMINATE: Colour.YELLOW,
}
WORST_FIRST = (Colour.RED, Colour.ORANGE, Colour.YELLOW, Colour.GREY, Colour.GREEN)


@dataclass
class Reachability:
    """One component's health."""

    heard_at: float
    """When it last answered; when it became known, if it has not yet."""
    health: Health = Health.UNKNOWN

    def answered(self, now: float) -> bool:
        """Gives whether its health is another now."""
        self.heard_at = now
        return self._turn(PollOutcome.ANSWERED)

    def missed(self, now: float, lost_after_s: float) -> bool:
        """Gives whether its health is another now."""
        long = now - self.heard_at >= lost_after_s
        return self._turn(PollOutcome.MISSED_LONG if long else PollOutcome.MISSED)

    def _turn(self, outcome: PollOutcome) -> bool:
        before, self.health = self.health, TRANSITIONS[self.health, outcome]
        return before is not self.health


def colour(health: Health, worst: AlarmSeverity | None) -> Colour:
    """What a component looks like, by its health and its worst alarm."""
    if health is Health.LOST:
        return Colour.RED
    if health is not Health.ANSWERING:
        return Colour.GREY
    return Colour.GREEN if worst is None else _OF_SEVERITY[worst]
