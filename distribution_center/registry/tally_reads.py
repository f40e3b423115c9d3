"""What the registry has counted (`tallying`), and its tables by number: reads, as in `reads`.

None reads more rows than it gives for a larger catalogue, a longer film or a larger fleet.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from distribution_center.registry.reads import NUMBER, Read, header_of, registered
from distribution_center.registry.repository import (
    CatalogueTally,
    FleetTally,
    NumberedProgram,
    NumberedStation,
    ProgramTally,
    RegisteredStation,
)

_Rows = Iterable[tuple[Any, ...]]

_EARLIER = "CASE WHEN counted_at_ms < $1 THEN counted_at_ms ELSE $1 END"
_LATER = "CASE WHEN counted_at_ms < $1 THEN $1 ELSE counted_at_ms END"
# In service now: what was counted then, and what has come and gone in between, whichever of the two is later.
_IN_SERVICE = (
    "SELECT programs, segments, in_service + sign * ("  # noqa: S608 -- our own words
    "(SELECT count(*) FROM programs WHERE publish_at_ms > since AND publish_at_ms <= until"
    " AND coalesce(window_ends_ms > until, true))"
    " - (SELECT count(*) FROM programs WHERE window_ends_ms > since AND window_ends_ms <= until"
    " AND publish_at_ms <= since))"
    f" FROM (SELECT programs, segments, in_service, {_EARLIER} AS since, {_LATER} AS until,"
    " CASE WHEN counted_at_ms <= $1 THEN 1 ELSE -1 END AS sign FROM catalogue_tally) AS counted"
)


def held(name: str, copies: int, after: str, limit: int) -> Read[dict[str, int]]:
    """See `Repository`."""
    return Read(
        f"SELECT station, segments FROM held WHERE program = {NUMBER} AND copies = $2 AND station > $3"  # noqa: S608
        " ORDER BY station LIMIT $4",
        (name, copies, after, limit),
        dict,
    )


def held_at(name: str, station: str, copies: int) -> Read[int]:
    """See `Repository`."""
    return Read(
        f"SELECT segments FROM held WHERE program = {NUMBER} AND copies = $2 AND station = $3",  # noqa: S608 -- ours
        (name, copies, station),
        lambda rows: next((segments for (segments,) in rows), 0),
    )


def least_held(name: str, limit: int) -> Read[dict[str, int]]:
    """See `Repository`."""
    return Read(
        f"SELECT station, segments FROM held WHERE program = {NUMBER} AND copies = 1"  # noqa: S608 -- ours
        " ORDER BY segments, station LIMIT $2",
        (name, limit),
        dict,
    )


def whole_at(name: str, after: str, limit: int) -> Read[list[RegisteredStation]]:
    """See `Repository`."""
    return Read(
        "SELECT stations.station, director, media, epoch, generation FROM held"
        " JOIN stations ON stations.station = held.station"
        " WHERE held.program = (SELECT number FROM programs WHERE program = $1) AND held.copies = 1"
        " AND held.segments = (SELECT programs.segments FROM programs WHERE program = $1) AND held.station > $2"
        " ORDER BY held.station LIMIT $3",
        (name, after, limit),
        registered,
    )


def program_tally(name: str) -> Read[ProgramTally]:
    """See `Repository`."""
    return Read(
        f"SELECT stations, whole FROM program_tallies WHERE program = {NUMBER}",  # noqa: S608 -- ours
        (name,),
        lambda rows: next((ProgramTally(*row) for row in rows), ProgramTally(0, 0)),
    )


def catalogue_tally(now_ms: int) -> Read[CatalogueTally]:
    """See `Repository`."""
    return Read(_IN_SERVICE, (now_ms,), lambda rows: CatalogueTally(*next(iter(rows))))


def fleet_tally() -> Read[FleetTally]:
    """See `Repository`."""
    return Read("SELECT stations, segments FROM fleet_tallies", (), _summed)


def whole_programs(names: Sequence[str]) -> Read[dict[str, int]]:
    """See `Repository`."""
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    return Read(f"SELECT station, whole FROM station_tallies WHERE station IN ({places})", tuple(names), dict)  # noqa: S608


def numbered_stations(after: int, limit: int) -> Read[list[NumberedStation]]:
    """See `Repository`."""
    return Read(
        "SELECT number, coalesce(whole, 0), stations.station, director, media, epoch, generation FROM stations"
        " LEFT JOIN station_tallies ON station_tallies.station = stations.station"
        " WHERE number > $1 ORDER BY number LIMIT $2",
        (after, limit),
        lambda rows: [
            NumberedStation(number, registered([tuple(columns)])[0], whole)
            for number, whole, *columns in map(tuple, rows)
        ],
    )


def numbered_programs(after: int, limit: int) -> Read[list[NumberedProgram]]:
    """See `Repository`."""
    return Read(
        "SELECT number, coalesce(whole, 0), header, version, changed_at_ms, publish_at_ms, window_ends_ms"
        " FROM programs LEFT JOIN program_tallies ON program_tallies.program = number"
        " WHERE number > $1 AND header IS NOT NULL ORDER BY number LIMIT $2",
        (after, limit),
        lambda rows: [NumberedProgram(number, header_of(*header), whole) for number, whole, *header in rows],
    )


def numbered_holdings(after: tuple[int, int], limit: int) -> Read[list[tuple[tuple[int, int], int]]]:
    """See `Repository`."""
    return Read(
        "SELECT program, number, segments FROM held WHERE copies = 1 AND (program, number) > ($1, $2)"
        " ORDER BY program, number LIMIT $3",
        (*after, limit),
        lambda rows: [((program, number), segments) for program, number, segments in rows],
    )


def station_number(name: str) -> Read[int | None]:
    """See `Repository`."""
    return Read(
        "SELECT number FROM stations WHERE station = $1",
        (name,),
        lambda rows: next((number for (number,) in rows), None),
    )


def _summed(rows: _Rows) -> FleetTally:
    parts = [tuple(row) for row in rows]
    return FleetTally(sum(stations for stations, _ in parts), sum(segments for _, segments in parts))
