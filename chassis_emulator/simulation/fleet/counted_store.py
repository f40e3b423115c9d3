"""A registry's store that counts what is asked of it."""

from dataclasses import dataclass
from typing import TypeVar

from distribution_center.registry.group_commit import Result
from distribution_center.registry.reads import Read
from distribution_center.registry.sql_store import SqlStore
from distribution_center.registry.statements import Write

_Answer = TypeVar("_Answer")


@dataclass
class StoreCounts:
    """Since the beginning."""

    reads: int = 0
    writes: int = 0
    transactions: int = 0
    """Writes that come while one is being made share the next."""


class CountedStore:
    """`SqlStore` over another."""

    def __init__(self, store: SqlStore, counts: StoreCounts) -> None:
        self.neighbours = store.neighbours
        self._store = store
        self._counts = counts

    async def read(self, read: Read[_Answer]) -> _Answer:
        """See `SqlStore`."""
        self._counts.reads += 1
        return await self._store.read(read)

    async def commit(self, writes: list[Write]) -> list[Result]:
        """See `SqlStore`."""
        self._counts.writes += len(writes)
        self._counts.transactions += 1
        return await self._store.commit(writes)

    async def close(self) -> None:
        """See `SqlStore`."""
        await self._store.close()
