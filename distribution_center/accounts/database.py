"""A database of subscribers and of the ledger: work is done in transactions, whichever it is.

Work is a generator. It yields a `Query` and is sent its rows, or yields `Repeat` and is sent none; what it returns is
the answer. It may be begun anew, when its transaction has to be, so it changes nothing but the database.
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import apsw

from distribution_center.accounts.tables import ACCOUNTS_VERSION, account_tables
from distribution_center.registry.sqlite_connection import require_sqlite
from distribution_center.registry.tables import SQLITE
from media_network.files import make_durable_folder
from media_network.os_trouble import in_words
from media_network.sqlite_file import set_damaged_aside, sqlite_in_words

_Answer = TypeVar("_Answer")
_Value: TypeAlias = str | int | None

_BUSY_TIMEOUT_MS = 5000
_BEGIN_ANEW = "there are no subscribers and no ledger: put a copy back"


class Query(NamedTuple):
    """One statement. Parameters are `$1` and on, and first appear in the order of `values`."""

    sql: str
    values: tuple[_Value, ...] = ()


class Repeat(NamedTuple):
    """One statement for each of many values."""

    sql: str
    rows: list[tuple[_Value, ...]]


Work: TypeAlias = Generator[Query | Repeat, list[tuple[Any, ...]], _Answer]


class AccountsUnfit(Exception):
    """The database cannot be used, or does not take what it should."""


class Database(Protocol):
    """Where the tables are."""

    async def do(self, work: Callable[[], Work[_Answer]]) -> _Answer:
        """Do it in a transaction; durable on return. Raises AccountsUnfit, and then nothing of it was done."""
        ...

    async def close(self) -> None:
        """Let go of it."""


class SqliteDatabase:
    """`Database` in a file, which a server and commands may have open at the same time."""

    def __init__(self, path: Path, *, check: bool = False) -> None:
        """Open or make the file. `check`: read all of it first, and set a damaged one aside. Raises AccountsUnfit."""
        self._path = path
        self._lock = threading.Lock()
        try:
            make_durable_folder(path.parent, 0o700)
            if check:
                set_damaged_aside(path, _BEGIN_ANEW, expected=False)
            self._connection = _opened(path)
        except apsw.Error as error:
            raise AccountsUnfit(f"{path}: {sqlite_in_words(error)}") from error
        except OSError as error:
            raise AccountsUnfit(f"{path}: {in_words(error)}") from error

    async def do(self, work: Callable[[], Work[_Answer]]) -> _Answer:
        """See `Database`."""
        return await asyncio.get_running_loop().run_in_executor(None, self._do, work)

    async def close(self) -> None:
        """See `Database`."""
        with self._lock:
            self._connection.close()

    def _do(self, work: Callable[[], Work[_Answer]]) -> _Answer:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:  # nested: a savepoint
                    answer = _carry_out(self._connection, work())
                self._connection.execute("COMMIT")
            except apsw.Error as error:
                self._undo()
                raise AccountsUnfit(f"{self._path}: {sqlite_in_words(error)}") from error
            except BaseException:
                self._undo()
                raise
        return answer

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _opened(path: Path) -> apsw.Connection:
    """Raises apsw.Error, AccountsUnfit."""
    require_sqlite(apsw.sqlite_lib_version())
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        path.chmod(0o600)  # SQLite gives what it has beside the file the same mode
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        with connection:
            _make_tables(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: apsw.Connection, path: Path) -> None:
    version = connection.pragma("user_version")
    if version == 0:
        for statement in account_tables(SQLITE):
            connection.execute(statement)
        connection.pragma("user_version", ACCOUNTS_VERSION)
    elif version != ACCOUNTS_VERSION:
        raise AccountsUnfit(f"{path} has version {version}, and this release {ACCOUNTS_VERSION}")


def _carry_out(connection: apsw.Connection, work: Work[_Answer]) -> _Answer:
    rows: list[tuple[Any, ...]] = []
    try:
        step = next(work)
        while True:
            if isinstance(step, Repeat):
                connection.executemany(step.sql, step.rows)
                rows = []
            else:
                rows = list(connection.execute(step.sql, step.values))
            step = work.send(rows)
    except StopIteration as done:
        answer: _Answer = done.value
        return answer
