"""The registry on one machine: SQLite in WAL mode, every commit synchronous."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Self

import apsw
import msgspec

from distribution_center.registry.group_commit import GroupCommit
from distribution_center.registry.masks import masks, place, segments
from distribution_center.registry.repository import Order, OrderState, Stamp, Station, Verdict
from distribution_center.registry.schema import open_reader, open_writer
from distribution_center.registry.writes import (
    Inventory,
    add_locations,
    add_program,
    remove_locations,
    remove_program,
    replace_station,
    see_station,
    set_order,
    set_state,
)
from media_network.program import Program, ProgramState

_SEGMENTS_END = 1 << 62  # beyond it a number does not fit a column


class SqliteRepository:
    """`Repository` in a file. Writes are committed in groups off the event loop; reads are made on it, each some 10 us
    plus the answer."""

    def __init__(self, writer: apsw.Connection, reader: apsw.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._commits = GroupCommit(writer)
        self._decoder = msgspec.json.Decoder(Program)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the registry at `path`. Raises `SqliteTooOldError`, `SchemaVersionError`, `apsw.Error`."""
        writer = open_writer(path)
        return cls(writer, open_reader(path))

    async def close(self) -> None:
        """See `Repository`."""
        await self._commits.drain()
        self._reader.close()
        self._writer.close()

    async def add_program(self, program: Program) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(add_program, program=program))

    async def remove_program(self, program: str) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(remove_program, program=program))

    async def set_state(self, program: str, state: ProgramState) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(set_state, program=program, state=state))

    async def set_order(self, program: str, station: str, state: OrderState, copies: int) -> Verdict:
        """See `Repository`."""
        order = Order(state, copies)
        return await self._commits.write(partial(set_order, program=program, station=station, order=order))

    async def see_station(self, station: Station) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(see_station, station=station))

    async def add_locations(self, program: str, station: str, stamp: Stamp, segments: Iterable[int]) -> Verdict:
        """See `Repository`."""
        inventory = Inventory(station, stamp, {program: masks(segments)})
        return await self._commits.write(partial(add_locations, inventory=inventory))

    async def remove_locations(self, program: str, station: str, stamp: Stamp, segments: Iterable[int]) -> Verdict:
        """See `Repository`."""
        inventory = Inventory(station, stamp, {program: masks(segments)})
        return await self._commits.write(partial(remove_locations, inventory=inventory))

    async def replace_station(self, station: str, stamp: Stamp, segments: Mapping[str, Iterable[int]]) -> Verdict:
        """See `Repository`."""
        held = {program: masks(numbers) for program, numbers in segments.items()}
        return await self._commits.write(partial(replace_station, inventory=Inventory(station, stamp, held)))

    def programs(self) -> list[Program]:
        """See `Repository`."""
        rows = self._reader.execute("SELECT information, state FROM programs ORDER BY program")
        return [self._program(*row) for row in rows]

    def program(self, program: str) -> Program | None:
        """See `Repository`."""
        row = self._reader.execute("SELECT information, state FROM programs WHERE program = ?", (program,)).fetchone()
        return None if row is None else self._program(*row)

    def orders(self, program: str) -> dict[str, Order]:
        """See `Repository`."""
        rows = self._reader.execute(
            "SELECT station, orders.state, copies FROM orders JOIN programs ON number = orders.program"
            " WHERE programs.program = ? ORDER BY station",
            (program,),
        )
        return {station: Order(OrderState(state), copies) for station, state, copies in rows}

    def stations(self) -> list[Station]:
        """See `Repository`."""
        rows = self._reader.execute("SELECT station, director, epoch, generation FROM stations ORDER BY station")
        return [_station(*row) for row in rows]

    def station(self, station: str) -> Station | None:
        """See `Repository`."""
        row = self._reader.execute(
            "SELECT station, director, epoch, generation FROM stations WHERE station = ?", (station,)
        ).fetchone()
        return None if row is None else _station(*row)

    def stations_with(self, program: str, segment: int) -> list[str]:
        """See `Repository`."""
        if not 0 <= segment < _SEGMENTS_END:
            return []
        chunk, mask = place(segment)
        rows = self._reader.execute(
            "SELECT stations.station FROM locations JOIN stations ON number = locations.station"
            " WHERE locations.program = (SELECT number FROM programs WHERE program = ?) AND chunk = ? AND mask & ?",
            (program, chunk, mask),
        )
        return sorted(station for (station,) in rows)

    def locations(self, program: str) -> dict[str, frozenset[int]]:
        """See `Repository`."""
        rows = self._reader.execute(
            "SELECT stations.station, chunk, mask FROM locations JOIN stations ON number = locations.station"
            " WHERE locations.program = (SELECT number FROM programs WHERE program = ?)",
            (program,),
        )
        held: dict[str, set[int]] = {}
        for station, chunk, mask in rows:
            held.setdefault(station, set()).update(segments(chunk, mask))
        return {station: frozenset(held[station]) for station in sorted(held)}

    def _program(self, information: bytes, state: str) -> Program:
        return msgspec.structs.replace(self._decoder.decode(information), state=ProgramState(state))


def _station(station: str, director: str, epoch: int, generation: int) -> Station:
    return Station(station=station, director=director, stamp=Stamp(epoch, generation))
