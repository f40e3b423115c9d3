"""The registry's reads: each a statement, and what its rows mean. Who has the connection carries them out."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from distribution_center.registry.masks import place, segments
from distribution_center.registry.repository import DistributionOrder, OrderState, RegisteredStation, Stamp
from media_network.program import Program, ProgramState

_Result = TypeVar("_Result")
_Rows = Iterable[tuple[Any, ...]]

_SEGMENTS_END = 1 << 62  # beyond it a number does not fit a column
_DECODER = msgspec.json.Decoder(Program)
_STATIONS = "SELECT station, director, media, epoch, generation FROM stations"
_PROGRAMS = "SELECT information, state FROM programs"


class Read(NamedTuple, Generic[_Result]):
    """A statement with numbered parameters, `$1` and on in the order of `values`."""

    sql: str
    values: tuple[str | int, ...]
    result: Callable[[_Rows], _Result]


def programs() -> Read[list[Program]]:
    """See `Repository`."""
    return Read(f"{_PROGRAMS} ORDER BY program", (), _programs)


def program(name: str) -> Read[list[Program]]:
    """At most one program."""
    return Read(f"{_PROGRAMS} WHERE program = $1", (name,), _programs)


def orders(name: str) -> Read[dict[str, DistributionOrder]]:
    """See `Repository`."""
    return Read(
        "SELECT station, orders.state, copies FROM orders JOIN programs ON number = orders.program"
        " WHERE programs.program = $1 ORDER BY station",
        (name,),
        lambda rows: {station: DistributionOrder(OrderState(state), copies) for station, state, copies in rows},
    )


def stations() -> Read[list[RegisteredStation]]:
    """See `Repository`."""
    return Read(f"{_STATIONS} ORDER BY station", (), _stations)


def station(name: str) -> Read[list[RegisteredStation]]:
    """At most one station."""
    return Read(f"{_STATIONS} WHERE station = $1", (name,), _stations)


def stations_with(name: str, segment: int) -> Read[list[str]]:
    """See `Repository`."""
    chunk, mask = place(segment if 0 <= segment < _SEGMENTS_END else _SEGMENTS_END)
    return Read(
        "SELECT stations.station FROM locations JOIN stations ON number = locations.station"
        " WHERE locations.program = (SELECT number FROM programs WHERE program = $1)"
        " AND chunk = $2 AND (mask & $3) <> 0",
        (name, chunk, mask),
        lambda rows: sorted(found for (found,) in rows),
    )


def locations(name: str) -> Read[dict[str, frozenset[int]]]:
    """See `Repository`."""
    return Read(
        "SELECT stations.station, chunk, mask FROM locations JOIN stations ON number = locations.station"
        " WHERE locations.program = (SELECT number FROM programs WHERE program = $1)",
        (name,),
        _locations,
    )


def _programs(rows: _Rows) -> list[Program]:
    return [
        msgspec.structs.replace(_DECODER.decode(information), state=ProgramState(state)) for information, state in rows
    ]


def _stations(rows: _Rows) -> list[RegisteredStation]:
    return [
        RegisteredStation(station=name, director=director, media=media, stamp=Stamp(*stamp))
        for name, director, media, *stamp in rows
    ]


def _locations(rows: _Rows) -> dict[str, frozenset[int]]:
    held: dict[str, set[int]] = {}
    for name, chunk, mask in rows:
        held.setdefault(name, set()).update(segments(chunk, mask))
    return {name: frozenset(held[name]) for name in sorted(held)}
