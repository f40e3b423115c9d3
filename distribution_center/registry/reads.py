"""The registry's reads: each a statement, and what its rows mean. Who has the connection carries them out."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from distribution_center.registry.masks import segments
from distribution_center.registry.repository import (
    Change,
    DistributionOrder,
    OpenOrder,
    OrdersElsewhere,
    OrderState,
    RegisteredStation,
    Stamp,
    WantedPrograms,
)
from distribution_center.registry.writes import HEADER, NEWEST_VERSION, searched
from media_network.messages.content import ProgramState
from media_network.program_header import ProgramHeader

_Result = TypeVar("_Result")
_Rows = Iterable[tuple[Any, ...]]

_LAST = "\U0010ffff"  # no name goes on with a later one
_STATIONS = "SELECT station, director, media, epoch, generation FROM stations"
_PROGRAMS = "SELECT program, header, version, changed_at_ms, publish_at_ms, window_ends_ms FROM programs"
_WAITING = "coalesce(publish_at_ms > $now, true)"
_ORDERED = "EXISTS (SELECT 1 FROM orders WHERE orders.program = programs.number AND station <> $home)"
_IS_OPEN = (
    "EXISTS (SELECT 1 FROM orders WHERE orders.program = programs.number AND station <> $home"
    " AND orders.state = 'ordered')"
)
_AT_HOME = "EXISTS (SELECT 1 FROM orders WHERE orders.program = programs.number AND station = $home)"
_WHOLE_AT_HOME = f"{_AT_HOME[:-1]} AND orders.state = 'distributed')"
# Whether the home station holds all of it is not counted here: who lists them looks. It has an order for all that it
# holds whole, so that few are looked at in vain.
_IN_STATE = {
    ProgramState.STORED: f"({_WAITING} AND NOT {_ORDERED} AND NOT {_WHOLE_AT_HOME})",
    ProgramState.INACTIVE: f"({_WAITING} AND NOT {_ORDERED} AND {_AT_HOME})",
    ProgramState.DISTRIBUTING: f"({_WAITING} AND {_IS_OPEN})",
    ProgramState.READY: f"({_WAITING} AND {_ORDERED} AND NOT {_IS_OPEN})",
    ProgramState.PUBLISHED: "(publish_at_ms <= $now AND coalesce(window_ends_ms > $now, true))",
    ProgramState.EXPIRING: "(publish_at_ms <= $now AND window_ends_ms <= $now)",
}
_AT_STATION = "EXISTS (SELECT 1 FROM held WHERE held.station = $station AND held.program = programs.number)"
_LOCATIONS = (
    "SELECT stations.station, chunk, mask FROM locations JOIN stations ON number = locations.station"
    " WHERE locations.program = (SELECT number FROM programs WHERE program = $1)"
)
_ORDERS = (
    "SELECT station, orders.state, copies, rate_bps FROM orders JOIN programs ON number = orders.program"
    " WHERE programs.program = $1"
)
NUMBER = "(SELECT number FROM programs WHERE program = $1)"
"""Of the program whose name is the first parameter."""
_OPEN_ORDERS = (
    "SELECT number, programs.program, station, copies, rate_bps, losses, reached"
    " FROM orders JOIN programs ON number = orders.program"
)


class Read(NamedTuple, Generic[_Result]):
    """A statement with numbered parameters, `$1` and on in the order of `values`."""

    sql: str
    values: tuple[str | int, ...]
    result: Callable[[_Rows], _Result]


def programs(after: str, limit: int, wanted: WantedPrograms) -> Read[list[Change]]:
    """See `Repository`; what cannot be read is among them."""
    values: list[str | int] = [after]
    conditions = ["program > $1", "header IS NOT NULL"]
    if wanted.search:
        values.append(f"%{literally(searched(wanted.search))}%")
        conditions.append(f"words LIKE ${len(values)} ESCAPE '!'")
    if wanted.state:
        in_state = _IN_STATE.get(wanted.state, "1 = 0")
        values += [wanted.now_ms] * ("$now" in in_state)
        in_state = in_state.replace("$now", f"${len(values)}")
        values += [wanted.home] * ("$home" in in_state)
        conditions.append(in_state.replace("$home", f"${len(values)}"))
    if wanted.station:
        values.append(wanted.station)
        conditions.append(_AT_STATION.replace("$station", f"${len(values)}"))
    values.append(limit)
    sql = f"{_PROGRAMS} WHERE {' AND '.join(conditions)} ORDER BY program LIMIT ${len(values)}"
    return Read(sql, tuple(values), _changes)


def program(name: str) -> Read[list[ProgramHeader]]:
    """At most one program."""
    return Read(f"{_PROGRAMS} WHERE program = $1 AND header IS NOT NULL", (name,), _headers)


def changes(since: int, limit: int) -> Read[list[Change]]:
    """See `Repository`."""
    return Read(f"{_PROGRAMS} WHERE version > $1 ORDER BY version LIMIT $2", (since, limit), _changes)


def newest_version() -> Read[int]:
    """See `Repository`."""
    return Read(NEWEST_VERSION, (), lambda rows: next(iter(rows))[0])


def part(sha256: str) -> Read[bytes | None]:
    """See `Repository`."""
    return Read("SELECT octets FROM parts WHERE sha256 = $1 LIMIT 1", (sha256,), _first)


def open_orders(after: tuple[int, str], limit: int) -> Read[list[OpenOrder]]:
    """See `Repository`."""
    return Read(
        f"{_OPEN_ORDERS} WHERE orders.state = 'ordered' AND (orders.program, station) > ($1, $2)"
        " ORDER BY orders.program, station LIMIT $3",
        (*after, limit),
        lambda rows: [OpenOrder(*row) for row in rows],
    )


def count_open_orders() -> Read[int]:
    """See `Repository`."""
    return Read("SELECT count(*) FROM orders WHERE state = 'ordered'", (), lambda rows: next(iter(rows))[0])


def orders(name: str, after: str, limit: int) -> Read[dict[str, DistributionOrder]]:
    """See `Repository`."""
    return Read(
        f"{_ORDERS} AND station > $2 ORDER BY station LIMIT $3",
        (name, after, limit),
        _orders,
    )


def order(name: str, at: str) -> Read[dict[str, DistributionOrder]]:
    """At most one order."""
    return Read(f"{_ORDERS} AND station = $2", (name, at), _orders)


def open_orders_of(name: str, limit: int) -> Read[dict[str, int]]:
    """See `Repository`."""
    return Read(
        "SELECT orders.station, coalesce((SELECT segments FROM held WHERE held.program = orders.program"  # noqa: S608
        " AND held.copies = 1 AND held.station = orders.station), 0)"
        f" FROM orders WHERE orders.program = {NUMBER} AND orders.state = 'ordered'"
        " ORDER BY orders.station LIMIT $2",
        (name, limit),
        dict,
    )


def orders_elsewhere(name: str, home: str) -> Read[OrdersElsewhere]:
    """See `Repository`."""
    some = f"EXISTS (SELECT 1 FROM orders WHERE program = {NUMBER} AND station <> $2"  # noqa: S608 -- our own words
    return Read(
        f"SELECT {some}), {some} AND state = 'ordered')",
        (name, home),
        lambda rows: OrdersElsewhere(*map(bool, next(iter(rows)))),
    )


def stations(after: str, limit: int, begins: str = "") -> Read[list[RegisteredStation]]:
    """See `Repository`."""
    return Read(
        f"{_STATIONS} WHERE station > $1 AND station >= $2 AND station < $3 ORDER BY station LIMIT $4",
        (after, begins, f"{begins}{_LAST}", limit),
        registered,
    )


def station(name: str) -> Read[list[RegisteredStation]]:
    """At most one station."""
    return Read(f"{_STATIONS} WHERE station = $1", (name,), registered)


def station_names(limit: int) -> Read[list[str]]:
    """See `Repository`."""
    return Read(
        "SELECT station FROM stations ORDER BY station LIMIT $1", (limit,), lambda rows: [one for (one,) in rows]
    )


def open_order(name: str, station: str) -> Read[list[OpenOrder]]:
    """At most one."""
    return Read(
        f"{_OPEN_ORDERS} WHERE programs.program = $1 AND station = $2 AND orders.state = 'ordered'",
        (name, station),
        lambda rows: [OpenOrder(*row) for row in rows],
    )


def open_orders_at(station: str, after: int, limit: int) -> Read[list[OpenOrder]]:
    """See `Repository`."""
    return Read(
        f"{_OPEN_ORDERS} WHERE station = $1 AND orders.state = 'ordered' AND orders.program > $2"
        " ORDER BY orders.program LIMIT $3",
        (station, after, limit),
        lambda rows: [OpenOrder(*row) for row in rows],
    )


def locations(name: str) -> Read[dict[str, frozenset[int]]]:
    """See `Repository`."""
    return Read(_LOCATIONS, (name,), _locations)


def literally(text: str) -> str:
    """What `LIKE` takes for the text itself."""
    return re.sub(r"([!%_])", r"!\1", text)


def _headers(rows: _Rows) -> list[ProgramHeader]:
    return [header_of(header, version, *times) for _, header, version, *times in rows if header]


def _changes(rows: _Rows) -> list[Change]:
    return [_change(*row) for row in rows]


def _change(name: str, header: bytes | None, version: int, *times: int) -> Change:
    """One that cannot be read must not take all others with it."""
    try:
        return Change(version, name, header_of(header, version, *times) if header else None)
    except msgspec.MsgspecError:
        return Change(version, name, None, is_damaged=True)


def header_of(
    static: bytes, version: int, changed_at_ms: int, publish_at_ms: int, window_ends_ms: int
) -> ProgramHeader:
    """A header with what the registry says of its program."""
    return msgspec.structs.replace(
        HEADER.decode(static),
        version=version,
        changed_at_ms=changed_at_ms,
        publish_at_ms=publish_at_ms,
        window_ends_ms=window_ends_ms,
    )


def _first(rows: _Rows) -> bytes | None:
    found = next(iter(rows), None)
    return found[0] if found else None


def registered(rows: _Rows) -> list[RegisteredStation]:
    """Stations out of the columns that `_STATIONS` has."""
    return [
        RegisteredStation(station=name, director=director, media=media, stamp=Stamp(*stamp))
        for name, director, media, *stamp in rows
    ]


def _orders(rows: _Rows) -> dict[str, DistributionOrder]:
    return {station: DistributionOrder(OrderState(state), *terms) for station, state, *terms in rows}


def _locations(rows: _Rows) -> dict[str, frozenset[int]]:
    held: dict[str, set[int]] = {}
    for name, chunk, mask in rows:
        held.setdefault(name, set()).update(segments(chunk, mask))
    return {name: frozenset(held[name]) for name in sorted(held)}
