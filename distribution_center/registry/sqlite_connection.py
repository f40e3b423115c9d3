"""Connections to the registry's SQLite file."""

from collections.abc import Callable
from pathlib import Path

import apsw

from distribution_center.registry.migrations import steps_from
from distribution_center.registry.repository import RepositoryUnfit, Verdict
from distribution_center.registry.statements import Each, FeedGrows, Rows, Steps
from distribution_center.registry.tables import SCHEMA_VERSION, SQLITE, UnknownSchemaVersion, tables
from media_network.callback import do_nothing
from media_network.time_of_day import now_ms

OLDEST_SQLITE = (3, 51, 3)
"""Before it a checkpoint that overlaps a write of another connection can lose committed transactions in WAL mode."""

_BUSY_TIMEOUT_MS = 5000


class SqliteTooOld(RepositoryUnfit):
    """This SQLite can lose what was committed."""


def require_sqlite(version: str) -> None:
    """Raises `SqliteTooOld`."""
    if tuple(map(int, version.split("."))) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        reason = f"SQLite {version} can lose committed data: install an apsw with SQLite {oldest} or newer"
        raise SqliteTooOld("in a file", reason)


def open_writer(path: Path) -> apsw.Connection:
    """The one connection that writes; makes the tables. Raises `SqliteTooOld`, `UnknownSchemaVersion`."""
    require_sqlite(apsw.sqlite_lib_version())
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    try:
        with connection:
            _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: apsw.Connection, path: Path) -> None:
    version = connection.pragma("user_version")
    if version == 0:
        for statement in tables(SQLITE, now_ms()):
            connection.execute(statement)
    elif (steps := steps_from(version, SQLITE, now_ms())) is None:
        raise UnknownSchemaVersion(str(path), version)
    else:
        try:
            for step in steps:
                carry_out(connection, step())
        except ValueError as error:
            raise RepositoryUnfit(str(path), f"what release {version} kept cannot be read: {error}") from error
    connection.pragma("user_version", SCHEMA_VERSION)


def carry_out(connection: apsw.Connection, steps: Steps, on_feed_grows: Callable[[], None] = do_nothing) -> Verdict:
    """Carry out one write, in a transaction that is open. `on_feed_grows` is called when it numbers a change."""
    row = None
    try:
        while True:
            step = steps.send(row)
            if isinstance(step, Each):
                connection.executemany(step.sql, step.rows)
                row = None
            elif isinstance(step, FeedGrows):
                on_feed_grows()
                row = None
            elif isinstance(step, Rows):
                row = tuple(connection.execute(step.sql, step.values))
            else:
                row = connection.execute(step.sql, step.values).fetchone()
    except StopIteration as done:
        verdict: Verdict = done.value
        return verdict


def open_reader(path: Path) -> apsw.Connection:
    """A connection for point reads on the event loop, beside the writer."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    return connection
