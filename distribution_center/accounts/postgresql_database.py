"""Subscribers and the ledger on PostgreSQL: serializable transactions, every commit synchronous."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg

from distribution_center.accounts.database import AccountsUnfit, Repeat, Work
from distribution_center.accounts.tables import ACCOUNTS_VERSION, account_tables
from distribution_center.registry.postgresql_repository import without_password
from distribution_center.registry.repository import RepositoryUnfit
from distribution_center.registry.tables import POSTGRESQL

_Answer = TypeVar("_Answer")

_ANSWER_WITHIN_S = 5.0
_TRIES = 8
_TRY_AGAIN = (asyncpg.TransactionRollbackError, asyncpg.UniqueViolationError)  # somebody else wrote in between
_LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_FAILED = (*_LOST, asyncpg.PostgresError, ValueError)


class PostgresqlDatabase:
    """`Database` on a server: one connection, made anew when it is lost."""

    def __init__(self, dsn: str) -> None:
        """Raises AccountsUnfit for a DSN with a password."""
        try:
            self._server = without_password(dsn)
        except RepositoryUnfit as error:
            raise AccountsUnfit(str(error)) from error
        self._dsn = dsn
        self._lock = asyncio.Lock()
        self._connection: Any = None

    async def begin(self) -> None:
        """Make sure that the server is there, keeps what it commits, and has the tables. Raises AccountsUnfit."""
        try:
            connection = await self._open()
            if await connection.fetchval("SELECT current_setting('fsync')") != "on":
                raise AccountsUnfit(f"{self._server}: its fsync is off: a power cut would take what it acknowledged")
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(hashtext('media-station accounts'))")
                await self._bring_up_to_date(connection)
        except _FAILED as error:
            raise self._unfit(error) from error

    async def do(self, work: Callable[[], Work[_Answer]]) -> _Answer:
        """See `Database`."""
        async with self._lock:
            for attempt in range(1, _TRIES + 1):
                try:
                    connection = await self._open()
                    async with connection.transaction(isolation="serializable"):
                        return await _carry_out(connection, work())
                except _TRY_AGAIN as error:
                    if attempt == _TRIES:
                        raise self._unfit(error) from error
                except _LOST as error:
                    self._let_go()
                    if attempt > 1:
                        raise self._unfit(error) from error
                except (asyncpg.PostgresError, OverflowError) as error:
                    raise self._unfit(error) from error
        raise AssertionError("every attempt returns, raises, or is followed by another")

    async def close(self) -> None:
        """See `Database`."""
        self._let_go()

    async def _bring_up_to_date(self, connection: Any) -> None:
        if await connection.fetchval("SELECT to_regclass('account_schema')") is None:
            for statement in ("CREATE TABLE account_schema (version BIGINT PRIMARY KEY)", *account_tables(POSTGRESQL)):
                await connection.execute(statement)
            await connection.execute("INSERT INTO account_schema VALUES ($1)", ACCOUNTS_VERSION)
        version = await connection.fetchval("SELECT max(version) FROM account_schema")
        if version != ACCOUNTS_VERSION:
            raise AccountsUnfit(f"{self._server} has version {version}, and this release {ACCOUNTS_VERSION}")

    async def _open(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=_ANSWER_WITHIN_S,
                command_timeout=_ANSWER_WITHIN_S,
                server_settings={"application_name": "media-station accounts"},
            )
            if await self._connection.fetchval("SELECT current_setting('synchronous_commit')") == "off":
                await self._connection.execute("SET synchronous_commit TO on")
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _unfit(self, error: BaseException) -> AccountsUnfit:
        if isinstance(error, TimeoutError):
            return AccountsUnfit(f"{self._server}: no answer in {_ANSWER_WITHIN_S:g} s")
        text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        return AccountsUnfit(f"{self._server}: {text.splitlines()[0]}")


async def _carry_out(connection: Any, work: Work[_Answer]) -> _Answer:
    rows: list[tuple[Any, ...]] = []
    try:
        step = next(work)
        while True:
            if isinstance(step, Repeat):
                await connection.executemany(step.sql, step.rows)
                rows = []
            else:
                rows = [tuple(row) for row in await connection.fetch(step.sql, *step.values)]
            step = work.send(rows)
    except StopIteration as done:
        answer: _Answer = done.value
        return answer
