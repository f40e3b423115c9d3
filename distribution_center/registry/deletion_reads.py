"""What the registry knows of deletions, and of what stations could do without: reads, as in `reads`."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from distribution_center.registry.deletions import (
    ELSEWHERE_MAX,
    Deletion,
    DeletionState,
    Origin,
    Surplus,
    SurplusFound,
)
from distribution_center.registry.reads import Read
from distribution_center.registry.writes import HEADER

_DELETIONS = (
    "SELECT number, programs.program, station, origin, state, asked_at_ms, destination, reason"
    " FROM deletions JOIN programs ON number = deletions.program"
)
# Of programs that a station holds, by number, so many from one on: what was ordered there, whether it holds more
# copies, and how many others hold some.
_SURPLUS = (
    "SELECT programs.program, header, coalesce(orders.copies, 0),"
    " EXISTS (SELECT 1 FROM held AS beyond WHERE beyond.station = here.station AND beyond.program = here.program"
    " AND beyond.copies > orders.copies),"
    " (SELECT stations - 1 FROM program_tallies WHERE program_tallies.program = here.program)"
    " FROM held AS here JOIN programs ON programs.number = here.program"
    " LEFT JOIN orders ON orders.program = here.program AND orders.station = here.station"
    " WHERE here.station = $1 AND here.copies = 1"
    " AND here.program > coalesce((SELECT number FROM programs WHERE program = $2), 0)"
    " ORDER BY here.program LIMIT $3"
)


def deletions(after: tuple[int, str], limit: int, *, denied: bool) -> Read[list[Deletion]]:
    """See `Repository.deletions`."""
    which = "" if denied else "deletions.state <> 'denied' AND "
    return Read(
        f"{_DELETIONS} WHERE {which}(deletions.program, station) > ($1, $2)"
        " ORDER BY deletions.program, station LIMIT $3",
        (*after, limit),
        lambda rows: [_deletion(*row) for row in rows],
    )


def deletion(program: str, station: str) -> Read[list[Deletion]]:
    """At most one deletion."""
    return Read(
        f"{_DELETIONS} WHERE programs.program = $1 AND station = $2",
        (program, station),
        lambda rows: [_deletion(*row) for row in rows],
    )


def surplus(station: str, after: str, limit: int) -> Read[SurplusFound]:
    """See `Repository.surplus`."""
    return Read(_SURPLUS, (station, after, limit), partial(_found, limit=limit))


def _found(rows: Iterable[tuple[Any, ...]], limit: int) -> SurplusFound:
    looked_at = list(rows)
    surplus = (
        Surplus(HEADER.decode(header).cut, ordered, min(elsewhere, ELSEWHERE_MAX))
        for _, header, ordered, has_more, elsewhere in looked_at
        if has_more or not ordered
    )
    return SurplusFound(tuple(surplus), looked_at[-1][0] if len(looked_at) == limit else None)


def _deletion(number: int, program: str, station: str, origin: str, state: str, *more: Any) -> Deletion:
    return Deletion(number, program, station, Origin(origin), DeletionState(state), *more)
