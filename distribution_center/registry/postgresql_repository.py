"""The registry on PostgreSQL, for those who outgrow one machine: serializable transactions, every commit synchronous.

Settings name the server without a password: that comes from a password file or the environment, as for every client of
PostgreSQL, and so never gets into a log.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec

from distribution_center.registry.group_commit import Result
from distribution_center.registry.migrations import steps_from
from distribution_center.registry.postgresql_neighbours import PostgresqlNeighbours, in_use
from distribution_center.registry.reads import Read
from distribution_center.registry.repository import (
    HeaderUnreadable,
    RepositoryError,
    RepositoryFailed,
    RepositoryLost,
    RepositoryUnfit,
    Verdict,
)
from distribution_center.registry.sql_repository import SqlRepository
from distribution_center.registry.statements import Each, FeedGrows, Rows, Steps, Write
from distribution_center.registry.tables import POSTGRESQL, SCHEMA_VERSION, UnknownSchemaVersion, tables
from media_network.time_of_day import now_ms

_Answer = TypeVar("_Answer")

_ANSWER_WITHIN_S = 5.0
_READERS_MAX = 4
_TRIES = 5
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server said something while it went
    OSError,
)
_SERVER_ERRORS = (*_LOST, asyncpg.PostgresError)
_TRY_AGAIN = (asyncpg.TransactionRollbackError, asyncpg.UniqueViolationError)  # another center wrote in between

_SCHEMA = "CREATE TABLE registry_schema (version BIGINT PRIMARY KEY)"


class PostgresqlStore:
    """`SqlStore` on a server: a pool of connections that read and one that writes, each made anew when it is lost."""

    def __init__(self, dsn: str) -> None:
        """Raises `RepositoryUnfit` for a DSN with a password."""
        self.server = without_password(dsn)
        self._dsn = dsn
        self._writer: Any = None
        self._readers: Any = None
        self.neighbours = PostgresqlNeighbours(
            self.server, partial(_connect, dsn, command_timeout=_ANSWER_WITHIN_S), self._errors
        )

    async def begin(self, home: str, *, alone: bool) -> None:
        """Make sure that the server is there, keeps what it commits, and has the tables; then be one of the processes
        of a center that has this home station, or have it alone. Raises `RepositoryError`.
        """
        async with self._errors():
            writer = await self._open_writer()
            fsync = await writer.fetchval("SELECT current_setting('fsync')")
            if fsync != "on":
                raise RepositoryUnfit(self.server, "its fsync is off: a power cut would take what it acknowledged")
            # What an earlier release has left may be large: that takes its time, and other processes wait for it.
            patient = await _connect(self._dsn)
            try:
                async with patient.transaction():
                    await patient.execute("SELECT pg_advisory_xact_lock(hashtext('media-station registry'))")
                    await self._bring_up_to_date(patient)
            finally:
                await patient.close(timeout=_ANSWER_WITHIN_S)
            self._readers = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=_READERS_MAX,
                connect=_connect,
                reset=_keep_as_it_is,
                command_timeout=_ANSWER_WITHIN_S,
            )
        await self.neighbours.begin(home, alone=alone)

    async def _bring_up_to_date(self, writer: Any) -> None:
        if await writer.fetchval("SELECT to_regclass('registry_schema')") is None:
            for statement in (_SCHEMA, *tables(POSTGRESQL, now_ms())):
                await writer.execute(statement)
            version = None
        else:
            version = await writer.fetchval("SELECT max(version) FROM registry_schema")
            steps = steps_from(version, POSTGRESQL, now_ms())
            if steps is None:
                raise UnknownSchemaVersion(self.server, version)
            if steps:
                schema = await writer.fetchval("SELECT current_schema()")
                if not await writer.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", *in_use(schema)):
                    raise RepositoryUnfit(self.server, "a center of an earlier release has it open: end that first")
            for step in steps:
                await _carry_out(writer, step(), _ignore_feed)
        if version != SCHEMA_VERSION:
            await writer.execute("INSERT INTO registry_schema VALUES ($1)", SCHEMA_VERSION)

    async def read(self, read: Read[_Answer]) -> _Answer:
        """See `SqlStore`. A connection that had broken unnoticed is no reason to fail."""
        try:
            return await self._read(read)
        except RepositoryLost:
            return await self._read(read)

    async def commit(self, writes: list[Write]) -> list[Result]:
        """See `SqlStore`."""
        try:
            return list(await self._commit_together(writes))
        except (RepositoryFailed, OverflowError) as error:
            if len(writes) == 1:
                return [error]
        except RepositoryError as error:
            return [error] * len(writes)
        # One of them cannot be made. Each by itself: the others can.
        return [result for write in writes for result in await self.commit([write])]

    async def close(self) -> None:
        """See `SqlStore`."""
        await self.neighbours.end()
        for open_one in (self._readers, self._writer):
            if open_one is not None:
                open_one.terminate()  # nothing is under way

    async def _read(self, read: Read[_Answer]) -> _Answer:
        async with self._errors(), self._readers.acquire(timeout=_ANSWER_WITHIN_S) as connection:
            with _terminating(connection):
                rows = await connection.fetch(read.sql, *read.values)
            return read.result(rows)

    async def _commit_together(self, writes: list[Write]) -> list[Verdict]:
        async with self._errors():
            for _ in range(_TRIES - 1):
                try:
                    return await self._transact(writes)
                except _TRY_AGAIN:
                    continue
            return await self._transact(writes)

    async def _transact(self, writes: list[Write]) -> list[Verdict]:
        writer = await self._open_writer()
        grew = False

        async def notify() -> None:
            nonlocal grew
            if not grew:
                await writer.execute("SELECT pg_notify($1, $2)", *self.neighbours.growing)
            grew = True

        with _terminating(writer):
            async with writer.transaction(isolation="serializable"):
                verdicts = [await _carry_out(writer, write(), notify) for write in writes]
        if grew:
            self.neighbours.news.ring()
        return verdicts

    async def _open_writer(self) -> Any:
        if self._writer is None or self._writer.is_closed():
            self._writer = await _connect(self._dsn, command_timeout=_ANSWER_WITHIN_S)
            if await self._writer.fetchval("SELECT current_setting('synchronous_commit')") == "off":
                await self._writer.execute("SET synchronous_commit TO on")
        return self._writer

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        """What goes wrong, in the registry's words."""
        try:
            yield
        except msgspec.MsgspecError as error:
            raise HeaderUnreadable(self.server, f"a header in it cannot be read: {error}") from error
        except ValueError as error:  # asyncpg cannot read the DSN, or we what is in the tables
            raise RepositoryUnfit(self.server, _reason(error)) from error
        except _SERVER_ERRORS as error:
            kind = RepositoryLost if isinstance(error, _LOST) else RepositoryFailed
            raise kind(self.server, _reason(error)) from error


class PostgresqlRepository(SqlRepository):
    """`Repository` on a PostgreSQL server."""

    @classmethod
    async def open(cls, dsn: str, *, home: str = "", alone: bool = False) -> Self:
        """Connect to `postgresql://[USER@][HOST][:PORT]/DATABASE`, and make the tables. Raises `RepositoryError`.

        `home`: of the center that this is a process of; others of it may use the same registry, unless `alone`.
        """
        store = PostgresqlStore(dsn)
        try:
            await store.begin(home, alone=alone)
        except BaseException:
            await store.close()
            raise
        return cls(store)


async def _connect(*arguments: Any, **options: Any) -> Any:
    settings = {"application_name": "media-station registry", **options.pop("server_settings", {})}
    return await asyncpg.connect(*arguments, **{"timeout": _ANSWER_WITHIN_S, **options, "server_settings": settings})


@contextmanager
def _terminating(connection: Any) -> Iterator[None]:
    """Whatever a lost connection still does, nobody waits for it and nobody uses it again."""
    try:
        yield
    except _LOST:
        connection.terminate()
        raise


async def _keep_as_it_is(_connection: Any) -> None:
    """Reads leave nothing behind that would have to be reset, which would cost a round trip."""


async def _ignore_feed() -> None:
    """Nobody waits for it yet."""


async def _carry_out(connection: Any, steps: Steps, on_feed_grows: Callable[[], Awaitable[None]]) -> Verdict:
    row = None
    try:
        while True:
            step = steps.send(row)
            if isinstance(step, Each):
                for values in step.rows:
                    _require_columns(values)
                await connection.executemany(step.sql, step.rows)
                row = None
            elif isinstance(step, FeedGrows):
                await on_feed_grows()
                row = None
            elif isinstance(step, Rows):
                _require_columns(step.values)
                row = tuple(await connection.fetch(step.sql, *step.values))
            else:
                _require_columns(step.values)
                row = await connection.fetchrow(step.sql, *step.values)
    except StopIteration as done:
        verdict: Verdict = done.value
        return verdict


def _require_columns(values: tuple[object, ...]) -> None:
    """Raises OverflowError, as SQLite does, for a number that no column takes."""
    if any(isinstance(value, int) and not -(1 << 63) <= value < 1 << 63 for value in values):
        raise OverflowError("the number does not fit 64 bits")


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in {_ANSWER_WITHIN_S:g} s"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return re.split(r"[\r\n]", text)[0]


def without_password(dsn: str) -> str:
    """The server as people may see it. Raises `RepositoryUnfit` if a password is in it."""
    url = urlsplit(dsn)
    host = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
    if url.password is not None or "password" in parse_qs(url.query):
        raise RepositoryUnfit(host, "its password is in the settings: put it into a password file (PGPASSFILE)")
    return host
