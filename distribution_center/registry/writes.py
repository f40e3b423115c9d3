"""The registry's writes on SQLite: each is part of a transaction, and writes nothing if it refuses."""

from typing import Any, NamedTuple

import apsw
import msgspec

from distribution_center.registry.masks import CHUNK_SEGMENTS
from distribution_center.registry.repository import Order, Stamp, Station, Verdict
from media_network.program import Program, ProgramState


class Inventory(NamedTuple):
    """Segments of programs at a station."""

    station: str
    stamp: Stamp
    held: dict[str, dict[int, int]]
    """Masks by chunk by program."""


class _Extent(NamedTuple):
    """A program as the locations know it."""

    number: int
    segments: int


def add_program(connection: apsw.Connection, *, program: Program) -> Verdict:
    """See `Repository.add_program`."""
    information = msgspec.json.encode(msgspec.structs.replace(program, state=ProgramState.INACTIVE))
    known = _one(connection, "SELECT information FROM programs WHERE program = ?", program.program)
    if known is not None:
        return Verdict.REPEATED if known[0] == information else Verdict.CONFLICT
    connection.execute(
        "INSERT INTO programs SELECT ?, 1 + coalesce(max(number), 0), ?, ?, ? FROM programs",
        (program.program, len(program.segments), program.state.value, information),
    )
    return Verdict.ACCEPTED


def remove_program(connection: apsw.Connection, *, program: str) -> Verdict:
    """See `Repository.remove_program`."""
    extent = _extent(connection, program)
    if extent is None:
        return Verdict.UNKNOWN_PROGRAM
    connection.execute("DELETE FROM locations WHERE program = ?", (extent.number,))
    connection.execute("DELETE FROM orders WHERE program = ?", (extent.number,))
    connection.execute("DELETE FROM programs WHERE program = ?", (program,))
    return Verdict.ACCEPTED


def set_state(connection: apsw.Connection, *, program: str, state: ProgramState) -> Verdict:
    """See `Repository.set_state`."""
    known = _one(connection, "SELECT state FROM programs WHERE program = ?", program)
    if known is None:
        return Verdict.UNKNOWN_PROGRAM
    if known[0] == state:
        return Verdict.REPEATED
    connection.execute("UPDATE programs SET state = ? WHERE program = ?", (state.value, program))
    return Verdict.ACCEPTED


def set_order(connection: apsw.Connection, *, program: str, station: str, order: Order) -> Verdict:
    """See `Repository.set_order`."""
    extent = _extent(connection, program)
    if extent is None:
        return Verdict.UNKNOWN_PROGRAM
    key = (extent.number, station)
    known = _one(connection, "SELECT state, copies FROM orders WHERE program = ? AND station = ?", *key)
    if known == (order.state.value, order.copies):
        return Verdict.REPEATED
    connection.execute("REPLACE INTO orders VALUES (?, ?, ?, ?)", (*key, order.state.value, order.copies))
    return Verdict.ACCEPTED


def see_station(connection: apsw.Connection, *, station: Station) -> Verdict:
    """See `Repository.see_station`."""
    verdict = _fence(connection, station.station, station.stamp)
    if verdict is Verdict.UNKNOWN_STATION:
        connection.execute(
            "INSERT INTO stations (station, number, director, epoch, generation)"
            " SELECT ?, 1 + coalesce(max(number), 0), ?, ?, ? FROM stations",
            (station.station, station.director, *station.stamp),
        )
        return Verdict.ACCEPTED
    if verdict is Verdict.ACCEPTED:
        connection.execute(
            "UPDATE stations SET director = ?, epoch = ?, generation = ? WHERE station = ?",
            (station.director, *station.stamp, station.station),
        )
    return verdict


def add_locations(connection: apsw.Connection, *, inventory: Inventory) -> Verdict:
    """See `Repository.add_locations`."""
    verdict = _check(connection, inventory)
    if verdict is Verdict.ACCEPTED:
        _note_stamp(connection, inventory)
        _insert(connection, inventory)
    return verdict


def remove_locations(connection: apsw.Connection, *, inventory: Inventory) -> Verdict:
    """See `Repository.remove_locations`."""
    verdict = _check(connection, inventory)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    _note_stamp(connection, inventory)
    station = _station_number(connection, inventory.station)
    for program, held in inventory.held.items():
        extent = _extent(connection, program)
        if extent is not None:
            for chunk, mask in held.items():
                key = (extent.number, chunk, station)
                connection.execute(
                    "UPDATE locations SET mask = mask & ~? WHERE program = ? AND chunk = ? AND station = ?",
                    (mask, *key),
                )
                connection.execute(
                    "DELETE FROM locations WHERE program = ? AND chunk = ? AND station = ? AND mask = 0", key
                )
    return verdict


def replace_station(connection: apsw.Connection, *, inventory: Inventory) -> Verdict:
    """See `Repository.replace_station`."""
    known = inventory._replace(
        held={program: held for program, held in inventory.held.items() if _extent(connection, program) is not None}
    )
    verdict = _check(connection, known)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    last = _one(
        connection, "SELECT inventory_epoch, inventory_generation FROM stations WHERE station = ?", inventory.station
    )
    if last == tuple(inventory.stamp):
        return Verdict.REPEATED
    _note_stamp(connection, known)
    connection.execute(
        "UPDATE stations SET inventory_epoch = ?, inventory_generation = ? WHERE station = ?",
        (*inventory.stamp, inventory.station),
    )
    connection.execute("DELETE FROM locations WHERE station = ?", (_station_number(connection, inventory.station),))
    _insert(connection, known)
    return verdict


def _check(connection: apsw.Connection, inventory: Inventory) -> Verdict:
    """Whether a station's message about segments may be taken."""
    verdict = _fence(connection, inventory.station, inventory.stamp)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    for program, held in inventory.held.items():
        extent = _extent(connection, program)
        if extent is None:
            return Verdict.UNKNOWN_PROGRAM
        for chunk, mask in held.items():
            if chunk < 0 or chunk * CHUNK_SEGMENTS + mask.bit_length() > extent.segments:
                return Verdict.NO_SUCH_SEGMENT
    return Verdict.ACCEPTED


def _fence(connection: apsw.Connection, station: str, stamp: Stamp) -> Verdict:
    known = _one(connection, "SELECT epoch, generation FROM stations WHERE station = ?", station)
    if known is None:
        return Verdict.UNKNOWN_STATION
    epoch, generation = known
    if stamp.epoch < epoch:
        return Verdict.OLD_EPOCH
    if stamp.epoch == epoch and stamp.generation < generation:
        return Verdict.OLD_GENERATION
    return Verdict.ACCEPTED


def _note_stamp(connection: apsw.Connection, inventory: Inventory) -> None:
    connection.execute(
        "UPDATE stations SET epoch = ?, generation = ? WHERE station = ?", (*inventory.stamp, inventory.station)
    )


def _insert(connection: apsw.Connection, inventory: Inventory) -> None:
    station = _station_number(connection, inventory.station)
    for program, held in inventory.held.items():
        extent = _extent(connection, program)
        if extent is not None:
            connection.executemany(
                "INSERT INTO locations VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET mask = mask | excluded.mask",
                [(extent.number, chunk, station, mask) for chunk, mask in held.items()],
            )


def _extent(connection: apsw.Connection, program: str) -> _Extent | None:
    row = _one(connection, "SELECT number, segments FROM programs WHERE program = ?", program)
    return None if row is None else _Extent(*row)


def _station_number(connection: apsw.Connection, station: str) -> int:
    row = _one(connection, "SELECT number FROM stations WHERE station = ?", station)
    if row is None:
        raise LookupError(station)
    return int(row[0])


def _one(connection: apsw.Connection, statement: str, *values: str | int) -> tuple[Any, ...] | None:
    return connection.execute(statement, values).fetchone()
