"""The registry on one machine: SQLite in WAL mode, every commit synchronous."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import apsw
import msgspec
from msgspec import Struct

from distribution_center.registry.group_commit import Result
from distribution_center.registry.neighbours import Neighbours
from distribution_center.registry.reads import Read
from distribution_center.registry.repository import HeaderUnreadable, RepositoryFailed
from distribution_center.registry.sql_repository import SqlRepository
from distribution_center.registry.sqlite_connection import carry_out, open_reader, open_writer
from distribution_center.registry.statements import Write
from media_network.durable_file import DurableFile, Origin
from media_network.os_trouble import in_words
from media_network.sqlite_file import set_damaged_aside, sqlite_in_words

_Answer = TypeVar("_Answer")


class SqliteStore:
    """`SqlStore` in a file. Writes are committed off the event loop; reads are made on it, each some 10 us plus the
    answer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.writer = open_writer(path)
        """Used by one executor call at a time and by nobody else."""
        self._reader = open_reader(path)
        self.neighbours = Neighbours()
        """There are none: a file is one process's."""
        self._feed_grew = False
        """In the transaction that is being made."""

    async def read(self, read: Read[_Answer]) -> _Answer:
        """See `SqlStore`."""
        try:
            return read.result(self._reader.execute(read.sql, read.values))
        except apsw.Error as error:
            raise self._failed(error) from error
        except msgspec.MsgspecError as error:
            raise self._unreadable(error) from error

    async def commit(self, writes: list[Write]) -> list[Result]:
        """See `SqlStore`."""
        self._feed_grew = False
        results = await asyncio.get_running_loop().run_in_executor(None, self._commit, writes)
        if self._feed_grew:
            self.neighbours.news.ring()
        return results

    async def close(self) -> None:
        """See `SqlStore`."""
        self._reader.close()
        self.writer.close()

    def _commit(self, writes: list[Write]) -> list[Result]:
        """One transaction; a write that fails is undone by itself, a commit that fails undoes them all."""
        results: list[Result] = []
        try:
            with self.writer:
                results.extend(map(self._apply, writes))
        except apsw.Error as error:
            return [self._failed(error)] * len(writes)
        return results

    def _apply(self, write: Write) -> Result:
        result: Result
        try:
            with self.writer:  # nested: a savepoint
                result = carry_out(self.writer, write(), self._note_feed)
        except apsw.Error as error:
            result = self._failed(error)
        except msgspec.MsgspecError as error:
            result = self._unreadable(error)
        except OverflowError as error:  # a number that is too large for a column is its writer's fault
            result = error
        return result

    def _note_feed(self) -> None:
        self._feed_grew = True

    def _failed(self, error: apsw.Error) -> RepositoryFailed:
        return RepositoryFailed(str(self._path), sqlite_in_words(error))

    def _unreadable(self, error: msgspec.MsgspecError) -> HeaderUnreadable:
        return HeaderUnreadable(str(self._path), f"a header in it cannot be read: {error}")


class SqliteRepository(SqlRepository):
    """`Repository` in a file."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the registry at `path`; a damaged one is set aside. Raises `RepositoryError`."""
        try:
            lost = _take_stock(path)
            repository = cls(SqliteStore(path))
        except apsw.Error as error:
            raise RepositoryFailed(str(path), sqlite_in_words(error)) from error
        except OSError as error:
            raise RepositoryFailed(str(path), in_words(error)) from error
        repository.recalls = lost
        return repository


class _Made(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept beside the registry, to know one that is gone from one that never was."""

    lost: bool = False
    """Whether what one held has been lost."""


def _take_stock(path: Path) -> bool:
    """See that the file is whole, or make room for another; tell whether one was ever lost. Raises OSError."""
    made = DurableFile(
        path.with_name(f"{path.name}.made"),
        partial(msgspec.json.decode, type=_Made),
        rebuilt="it only says that the registry was made, which the registry itself does",
        keeps_before=False,
    )
    found = made.read()
    lost = set_damaged_aside(path, _REBUILT, expected=found.origin is not Origin.NOWHERE)
    now = _Made(lost=lost or (found.value or _Made()).lost)
    if now != found.value:
        made.keep(msgspec.json.encode(now))
    return now.lost


_REBUILT = "stations say again what they hold, and of what programs; orders to distribute have to be given again"
