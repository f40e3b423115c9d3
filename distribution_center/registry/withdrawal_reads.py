"""Programs that were withdrawn, and what is left of them: reads, as in `reads`."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from distribution_center.registry.reads import NUMBER, Read, literally
from distribution_center.registry.repository import WantedPrograms, Withdrawn
from distribution_center.registry.writes import searched
from media_network.messages.content import ProgramState

_IS_LEFT = "EXISTS (SELECT 1 FROM leftovers WHERE leftovers.program = programs.number)"
_WITHDRAWN = (
    f"SELECT programs.program, {_IS_LEFT}, title, sha256, withdrawals.segments, length_bytes, duration_ms, rate_bps"  # noqa: S608
    " FROM programs LEFT JOIN withdrawals ON withdrawals.program = programs.number WHERE header IS NULL"
)
_AT_STATION = (
    "EXISTS (SELECT 1 FROM leftovers WHERE leftovers.program = programs.number AND leftovers.station ="
    " (SELECT number FROM stations WHERE station = $station))"
)


def withdrawn(after: str, limit: int, wanted: WantedPrograms) -> Read[list[Withdrawn]]:
    """See `Repository`."""
    values: list[str | int] = [after]
    conditions = ["programs.program > $1"]
    if wanted.state is not None:
        conditions.append(_IS_LEFT if wanted.state is ProgramState.WITHDRAWN else f"NOT {_IS_LEFT}")
    if wanted.search:
        values.append(f"%{literally(searched(wanted.search))}%")
        conditions.append(f"words LIKE ${len(values)} ESCAPE '!'")
    if wanted.station:
        values.append(wanted.station)
        conditions.append(_AT_STATION.replace("$station", f"${len(values)}"))
    values.append(limit)
    return Read(
        f"{_WITHDRAWN} AND {' AND '.join(conditions)} ORDER BY programs.program LIMIT ${len(values)}",
        tuple(values),
        _tombstones,
    )


def withdrawn_program(name: str) -> Read[list[Withdrawn]]:
    """At most one."""
    return Read(f"{_WITHDRAWN} AND programs.program = $1", (name,), _tombstones)


def left_at(name: str, limit: int) -> Read[dict[str, int]]:
    """See `Repository`."""
    few = f"SELECT station FROM leftovers WHERE program = {NUMBER} ORDER BY chunk, station LIMIT $2"  # noqa: S608 -- ours
    return Read(
        "SELECT stations.station, mask FROM leftovers JOIN stations ON number = leftovers.station"  # noqa: S608 -- ours
        f" WHERE leftovers.program = {NUMBER} AND leftovers.station IN (SELECT station FROM ({few}) AS few)",
        (name, limit),
        _counted,
    )


def _tombstones(rows: Iterable[tuple[Any, ...]]) -> list[Withdrawn]:
    return [Withdrawn(program, bool(is_left), *facts) for program, is_left, *facts in rows]


def _counted(rows: Iterable[tuple[Any, ...]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for station, mask in rows:
        counts[station] += mask.bit_count()
    return dict(counts)
