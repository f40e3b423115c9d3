"""The registry over an SQL database: the `Repository` once, for every database that can carry out its statements."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from distribution_center.registry import deletion_reads, deletion_writes, reads, share_reads, source_reads, writes
from distribution_center.registry.attaching import add_program_with
from distribution_center.registry.deletions import Asked, Deletion, DeletionTerms, SurplusFound
from distribution_center.registry.group_commit import GroupCommit, Result
from distribution_center.registry.masks import masks
from distribution_center.registry.repository import (
    ALL_PROGRAMS,
    PAGE,
    Change,
    DistributionOrder,
    FeedStanding,
    HeaderUnreadable,
    Holder,
    OpenOrder,
    OrdersElsewhere,
    RegisteredStation,
    RepositoryError,
    ShareChange,
    Stamp,
    Verdict,
    WantedPrograms,
)
from distribution_center.registry.sql_store import SqlStore
from distribution_center.registry.statements import Write
from distribution_center.registry.tally_repository import TallyRepository
from distribution_center.registry.writes import ReportedHoldings
from media_network.cut import Cut
from media_network.program import Program
from media_network.program_header import ProgramHeader
from media_network.time_of_day import now_ms

WRITES = "writes"
"""Of `Repository.troubles`: that it takes nothing that is written."""

logger = logging.getLogger(__name__)


class SqlRepository(TallyRepository):
    """`Repository` over an `SqlStore`. Writes are committed in groups."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self.neighbours = store.neighbours
        self.troubles: dict[str, str] = {}
        self._commits = GroupCommit(self._commit)
        self.recalls = False
        self._damaged: set[str] = set()
        """Programs of which it was said that their headers cannot be read."""

    async def _commit(self, write: list[Write]) -> list[Result]:
        """As the store does; and note whether it takes what is written."""
        try:
            results = await self.store.commit(write)
        except RepositoryError as error:
            self.troubles[WRITES] = f"Nothing can be written: {error}."
            raise
        failed = [one for one in results if isinstance(one, RepositoryError) and not isinstance(one, HeaderUnreadable)]
        if failed:
            self.troubles[WRITES] = f"Nothing can be written: {failed[0]}."
        else:
            self.troubles.pop(WRITES, None)
        return results

    async def close(self) -> None:
        """See `Repository`."""
        await self._commits.drain()
        await self.store.close()

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
        return await self._commits.write(partial(deletion_writes.withdraw_program, program=program, now_ms=now_ms()))

    async def publish_program(self, program: str, at_ms: int, until_ms: int | None = None) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(
            partial(writes.publish_program, program=program, at_ms=at_ms, until_ms=until_ms, now_ms=now_ms())
        )

    async def renumber_above(self, version: int) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(writes.renumber_above, version=version, now_ms=now_ms()))

    async def set_order(self, program: str, station: str, copies: int, rate_bps: int | None = None) -> Verdict:
        """See `Repository`."""
        write = partial(deletion_writes.set_order, program=program, station=station, copies=copies, rate_bps=rate_bps)
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
        inventory = ReportedHoldings(station, stamp, {cut: [masks(segments)]})
        return await self._commits.write(partial(writes.add_locations, inventory=inventory, copies=copies))

    async def remove_locations(self, cut: Cut, station: str, stamp: Stamp, segments: Iterable[int]) -> Verdict:
        """See `Repository`."""
        inventory = ReportedHoldings(station, stamp, {cut: [masks(segments)]})
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
        inventory = ReportedHoldings(station, stamp, held, after, until, keeps)
        return await self._commits.write(partial(deletion_writes.replace_station, inventory=inventory))

    async def hear_station(self, station: str, now_ms: int) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(deletion_writes.hear_station, station=station, now_ms=now_ms))

    async def wish_deletion(self, program: str, station: str) -> Verdict:
        """See `Repository`."""
        write = partial(deletion_writes.wish_deletion, program=program, station=station, now_ms=now_ms())
        return await self._commits.write(write)

    async def request_deletion(
        self, cut: Cut, station: str, stamp: Stamp, terms: DeletionTerms, asked: Asked
    ) -> Verdict:
        """See `Repository`."""
        write = partial(
            deletion_writes.request_deletion, cut=cut, station=station, stamp=stamp, terms=terms, asked=asked
        )
        return await self._commits.write(write)

    async def deletion_done(self, cut: Cut, station: str, stamp: Stamp) -> Verdict:
        """See `Repository`."""
        write = partial(deletion_writes.deletion_done, cut=cut, station=station, stamp=stamp)
        return await self._commits.write(write)

    async def end_deletion(self, program: str, station: str) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(deletion_writes.end_deletion, program=program, station=station))

    async def dismiss_deletion(self, program: str, station: str) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(deletion_writes.dismiss_deletion, program=program, station=station))

    async def look_elsewhere(self, program: str, station: str) -> Verdict:
        """See `Repository`."""
        return await self._commits.write(partial(deletion_writes.look_elsewhere, program=program, station=station))

    async def programs(
        self, after: str = "", limit: int = PAGE, wanted: WantedPrograms = ALL_PROGRAMS
    ) -> list[ProgramHeader]:
        """See `Repository`."""
        found: list[ProgramHeader] = []
        while True:
            asked = limit - len(found)
            rows = self._told(await self.store.read(reads.programs(after, asked, wanted)))
            found += [row.header for row in rows if row.header]
            if len(found) == limit or len(rows) < asked:
                return found
            after = rows[-1].program

    async def program(self, program: str) -> ProgramHeader | None:
        """See `Repository`."""
        found = await self.store.read(reads.program(program))
        return found[0] if found else None

    async def changes(self, since: int, limit: int = PAGE) -> list[Change]:
        """See `Repository`."""
        return self._told(await self.store.read(reads.changes(since, limit)))

    def _told(self, rows: list[Change]) -> list[Change]:
        """The same; what cannot be read is said, once each."""
        for name in {row.program for row in rows if row.is_damaged} - self._damaged:
            self._damaged.add(name)
            logger.error("the header of %s in the registry cannot be read: it is left out of lists and the feed", name)
        return rows

    async def newest_version(self) -> int:
        """See `Repository`."""
        return await self.store.read(reads.newest_version())

    async def shares(self, since: int, limit: int = PAGE) -> list[ShareChange]:
        """See `Repository`."""
        return await self.store.read(share_reads.shares(since, limit))

    async def share_feed(self) -> FeedStanding:
        """See `Repository`."""
        return await self.store.read(share_reads.share_feed())

    async def part(self, sha256: str) -> bytes | None:
        """See `Repository`."""
        return await self.store.read(reads.part(sha256))

    async def open_orders(self, after: tuple[int, str] = (0, ""), limit: int = PAGE) -> list[OpenOrder]:
        """See `Repository`."""
        return await self.store.read(reads.open_orders(after, limit))

    async def open_order(self, program: str, station: str) -> OpenOrder | None:
        """See `Repository`."""
        found = await self.store.read(reads.open_order(program, station))
        return found[0] if found else None

    async def open_orders_at(self, station: str, after: int = 0, limit: int = PAGE) -> list[OpenOrder]:
        """See `Repository`."""
        return await self.store.read(reads.open_orders_at(station, after, limit))

    async def count_open_orders(self) -> int:
        """See `Repository`."""
        return await self.store.read(reads.count_open_orders())

    async def orders(self, program: str, after: str = "", limit: int = PAGE) -> dict[str, DistributionOrder]:
        """See `Repository`."""
        return await self.store.read(reads.orders(program, after, limit))

    async def order(self, program: str, station: str) -> DistributionOrder | None:
        """See `Repository`."""
        return (await self.store.read(reads.order(program, station))).get(station)

    async def open_orders_of(self, program: str, limit: int = PAGE) -> dict[str, int]:
        """See `Repository`."""
        return await self.store.read(reads.open_orders_of(program, limit))

    async def orders_elsewhere(self, program: str, home: str) -> OrdersElsewhere:
        """See `Repository`."""
        return await self.store.read(reads.orders_elsewhere(program, home))

    async def deletions(
        self, after: tuple[int, str] = (0, ""), limit: int = PAGE, *, denied: bool = False
    ) -> list[Deletion]:
        """See `Repository`."""
        return await self.store.read(deletion_reads.deletions(after, limit, denied=denied))

    async def deletion(self, program: str, station: str) -> Deletion | None:
        """See `Repository`."""
        found = await self.store.read(deletion_reads.deletion(program, station))
        return found[0] if found else None

    async def surplus(self, station: str, after: str = "", limit: int = PAGE) -> SurplusFound:
        """See `Repository`."""
        return await self.store.read(deletion_reads.surplus(station, after, limit))

    async def stations(self, after: str = "", limit: int = PAGE, *, begins: str = "") -> list[RegisteredStation]:
        """See `Repository`."""
        return await self.store.read(reads.stations(after, limit, begins))

    async def station_names(self, limit: int) -> list[str]:
        """See `Repository`."""
        return await self.store.read(reads.station_names(limit))

    async def station(self, station: str) -> RegisteredStation | None:
        """See `Repository`."""
        found = await self.store.read(reads.station(station))
        return found[0] if found else None

    async def some_holders(self, program: str, wanted: Sequence[int], after: int) -> list[Holder]:
        """See `Repository`."""
        return await self.store.read(source_reads.some_holders(program, wanted, after))

    async def holders_among(self, program: str, wanted: Sequence[int], stations: Sequence[str]) -> list[Holder]:
        """See `Repository`."""
        return await self.store.read(source_reads.holders_among(program, wanted, stations))

    async def count_held(self, program: str, chunks: Sequence[int], stations: Sequence[int]) -> dict[int, int]:
        """See `Repository`."""
        return await self.store.read(source_reads.count_held(program, chunks, stations))

    async def locations(self, program: str) -> dict[str, frozenset[int]]:
        """See `Repository`."""
        return await self.store.read(reads.locations(program))
