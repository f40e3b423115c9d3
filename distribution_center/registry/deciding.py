"""Whether a station may delete a program (claims 23 and 24): what is counted in, a ruling out. Pure, and total.

No ruling leaves a segment without a copy that counts. A copy counts where a station has been heard of late, has said
all that it holds, and has no leave to delete it.
"""

from enum import StrEnum
from typing import NamedTuple

from media_network.program_header import ProgramHeader


class Leave(StrEnum):
    """What a station is told that asks."""

    GRANTED = "granted"
    HELD = "held"
    """Not now: it asks again."""
    DENIED = "denied"


class Ground(StrEnum):
    """Why."""

    SPARE = "other stations hold all of it"
    HOME_HAS_IT = "nobody wants it at a station, and the home media station keeps it"
    MOVING = "it is the last copy at a station: it is moved to another first"
    EXPECTED = "it is on its way to this station"
    UNSURE = "stations that hold the rest of it have not been heard of late, or have yet to report"
    ORDERED = "it is ordered there"
    CROWDED = "it is the last copy at a station, and those with storage to spare have other programs to take first"
    NO_SURPLUS = "it is the last copy at a station, and no other has storage to spare"
    LAST_OF_ALL = "nobody else holds all of it: `withdraw` deletes it everywhere"


class Counted(NamedTuple):
    """What is known in one transaction. Of the segments that the asking station holds, how many nobody else holds."""

    alone: int
    """That no other station but the home station holds, as far as its copies count."""
    alone_at_best: int
    """The same, with the copies of stations that are only out of sight."""
    last: int
    """That nobody else holds, the home station included."""
    last_at_best: int
    """The same, with the copies of stations that are only out of sight."""
    worth_saving: bool
    wished: bool
    """An operator wishes it; otherwise the station asks by itself, for room."""
    ordered: bool
    """A standing order wants it there."""
    expected: bool
    """It is being moved there from another station that asks."""
    destination: str | None
    """Where it could be moved: a station with storage to spare."""
    crowded: bool = False
    """Some would have storage to spare, but for what is on its way there."""


class Ruling(NamedTuple):
    """The answer."""

    leave: Leave
    ground: Ground


def rule(counted: Counted) -> Ruling:
    """Decide."""
    if counted.ordered and not counted.wished:
        return Ruling(Leave.DENIED, Ground.ORDERED)
    if counted.expected:
        return Ruling(Leave.HELD, Ground.EXPECTED)
    if not counted.alone:
        return Ruling(Leave.GRANTED, Ground.SPARE)
    return _rule_worthy(counted) if counted.worth_saving else _rule_unworthy(counted)


def _rule_worthy(counted: Counted) -> Ruling:
    """Of what is to be at a station, be it at another one."""
    if not counted.alone_at_best:
        return Ruling(Leave.HELD, Ground.UNSURE)
    if counted.destination is not None:
        return Ruling(Leave.HELD, Ground.MOVING)
    return Ruling(Leave.HELD, Ground.CROWDED) if counted.crowded else Ruling(Leave.DENIED, Ground.NO_SURPLUS)


def _rule_unworthy(counted: Counted) -> Ruling:
    """Of what need not be at a station, as long as it is anywhere."""
    if not counted.last:
        return Ruling(Leave.GRANTED, Ground.HOME_HAS_IT)
    if not counted.last_at_best:
        return Ruling(Leave.HELD, Ground.UNSURE)
    return Ruling(Leave.DENIED, Ground.LAST_OF_ALL)


def is_worth_saving(header: ProgramHeader, *, ordered_elsewhere: bool, now_ms: int) -> bool:
    """Whether the last copy at a station is moved before it goes (claim 24): it is published, or will be, and its
    window has not ended; or another station has an order for it."""
    ended = header.window_ends_ms is not None and header.window_ends_ms <= now_ms
    return ordered_elsewhere or (header.publish_at_ms is not None and not ended)
