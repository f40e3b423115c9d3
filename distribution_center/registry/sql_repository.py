"""The registry over an SQL database: the `Repository` once, for every database that can carry out its statements."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from distribution_center.registry import reads, writes
from distribution_center.registry.attaching import add_program_with
from distribution_center.registry.group_commit import GroupCommit, Result
from distribution_center.registry.masks import masks
from distribution_center.registry.reads import Read
from distribution_center.registry.repository import (
    ALL_PROGRAMS,
    PAGE,
    Change,
    DistributionOrder,
    OpenOrder,
    RegisteredStation,
    Stamp,
    Verdict,
    WantedPrograms,
)
from distribution_center.registry.writes import FullReport, Write
from media_network.cut import Cut
from media_network.program import Program
from media_network.program_header import ProgramHeader
from media_network.time_of_day import now_ms

_Answer = TypeVar("_Answer")


class SqlStore(Protocol):
    """A database with the registry's tables."""

    async def read(self, read: Read[_Answer]) -> _Answer:
        """Carry out a read. Raises `RepositoryError`."""

    async def commit(self, writes: list[Write]) -> list[Result]:
        """Carry out writes in one durable transaction; one that fails takes no other with it."""

    async def close(self) -> None:
        """Let go of the database."""


class SqlRepository:
    """`Repository` over an `SqlStore`. Writes are committed in groups."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._commits = GroupCommit(store.commit)
        self.recalls = False

    async def close(self) -> None:
        """See `Repository`."""
        await self._commits.drain()
        await self._store.close()

    async def add_program(self, program: Program, attachments: Sequence[bytes] = ()) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(
            partial(add_program_with, program=program, attachments=attachments, now_ms=now_ms())
        )

    async def recall_program(self, program: Program) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(writes.recall_program, program=program, now_ms=now_ms()))

    async def withdraw_program(self, program: str) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(writes.withdraw_program, program=program, now_ms=now_ms()))

    async def publish_program(self, program: str, at_ms: int, until_ms: int | None = None) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(
            partial(writes.publish_program, program=program, at_ms=at_ms, until_ms=until_ms, now_ms=now_ms())
        )

    async def renumber_above(self, version: int) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(writes.renumber_above, version=version))

    async def set_order(self, program: str, station: str, copies: int, rate_bps: int | None = None) -> Verdict:
        """See `Repository`."""
        write = partial(writes.set_order, program=program, station=station, copies=copies, rate_bps=rate_bps)
        return await self._commits.write(write)

    async def carried_out(self, order: OpenOrder, reached: int) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(writes.carried_out, order=order, reached=reached))

    async def reopen_short_orders(self, station: str, engines: int) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(writes.reopen_short_orders, station=station, engines=engines))

    async def see_station(self, station: RegisteredStation) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(writes.see_station, station=station))

    async def add_locations(
        self, cut: Cut, station: str, stamp: Stamp, segments: Iterable[int], copies: int = 1
    ) -> Verdict:
        """See `Repository`."""
        inventory = FullReport(station, stamp, {cut: [masks(segments)] * copies})
        return await self._commits.write(partial(writes.add_locations, inventory=inventory, copies=copies))

    async def remove_locations(self, cut: Cut, station: str, stamp: Stamp, segments: Iterable[int]) -> Verdict:
        """See `Repository`."""
        inventory = FullReport(station, stamp, {cut: [masks(segments)]})
        return await self._commits.write(partial(writes.remove_locations, inventory=inventory))

    async def replace_station(
        self,
        station: str,
        stamp: Stamp,
        segments: Mapping[Cut, Sequence[Iterable[int]]],
        after: str | None = None,
        until: str | None = None,
        *,
        keeps: bool = False,
    ) -> Verdict:
        """See `Repository`."""
        held = {cut: [masks(layer) for layer in layers] for cut, layers in segments.items()}
        inventory = FullReport(station, stamp, held, after, until, keeps)
        return await self._commits.write(partial(writes.replace_station, inventory=inventory))

    async def programs(
        self, after: str = "", limit: int = PAGE, wanted: WantedPrograms = ALL_PROGRAMS
    ) -> list[ProgramHeader]:
        """See `Repository`."""
        return await self._store.read(reads.programs(after, limit, wanted))

    async def program(self, program: str) -> ProgramHeader | None:
        """See `Repository`."""
        found = await self._store.read(reads.program(program))
        return found[0] if found else None

    async def changes(self, since: int, limit: int = PAGE) -> list[Change]:
        """See `Repository`."""
        return await self._store.read(reads.changes(since, limit))

    async def newest_version(self) -> int:
        """See `Repository`."""
        return await self._store.read(reads.newest_version())

    async def part(self, sha256: str) -> bytes | None:
        """See `Repository`."""
        return await self._store.read(reads.part(sha256))

    async def open_orders(self, after: tuple[int, str] = (0, ""), limit: int = PAGE) -> list[OpenOrder]:
        """See `Repository`."""
        return await self._store.read(reads.open_orders(after, limit))

    async def count_open_orders(self) -> int:
        """See `Repository`."""
        return await self._store.read(reads.count_open_orders())

    async def orders(self, program: str) -> dict[str, DistributionOrder]:
        """See `Repository`."""
        return await self._store.read(reads.orders(program))

    async def stations(self) -> list[RegisteredStation]:
        """See `Repository`."""
        return await self._store.read(reads.stations())

    async def station(self, station: str) -> RegisteredStation | None:
        """See `Repository`."""
        found = await self._store.read(reads.station(station))
        return found[0] if found else None

    async def stations_with(self, program: str, segment: int) -> list[str]:
        """See `Repository`."""
        return await self._store.read(reads.stations_with(program, segment))

    async def held(self, program: str, copies: int = 1) -> dict[str, int]:
        """See `Repository`."""
        return await self._store.read(reads.held(program, copies))

    async def locations(self, program: str) -> dict[str, frozenset[int]]:
        """See `Repository`."""
        return await self._store.read(reads.locations(program))
