"""The registry's SQLite file: how it is opened, and its tables."""

from pathlib import Path

import apsw

from distribution_center.registry.repository import RepositoryUnfit

OLDEST_SQLITE = (3, 51, 3)
"""Before it a checkpoint that overlaps a write of another connection can lose committed transactions in WAL mode."""

SCHEMA_VERSION = 2

_BUSY_TIMEOUT_MS = 5000
_TABLES = """
CREATE TABLE programs (
    program TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    segments INTEGER NOT NULL,
    state TEXT NOT NULL,
    information BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE orders (
    program INTEGER NOT NULL,
    station TEXT NOT NULL,
    state TEXT NOT NULL,
    copies INTEGER NOT NULL,
    PRIMARY KEY (program, station)
) STRICT, WITHOUT ROWID;
CREATE TABLE stations (
    station TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    director TEXT NOT NULL,
    media TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    inventory_epoch INTEGER NOT NULL DEFAULT -1,
    inventory_generation INTEGER NOT NULL DEFAULT -1
) STRICT, WITHOUT ROWID;
CREATE TABLE locations (
    program INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    station INTEGER NOT NULL,
    mask INTEGER NOT NULL,
    PRIMARY KEY (program, chunk, station)
) STRICT, WITHOUT ROWID;
CREATE INDEX locations_by_station ON locations (station);
"""


class SqliteTooOld(RepositoryUnfit):
    """This SQLite can lose what was committed."""


class UnknownSchemaVersion(RepositoryUnfit):
    """The store was written by another release."""

    def __init__(self, store: str, version: int) -> None:
        super().__init__(store, f"it has schema version {version} and this release {SCHEMA_VERSION}")


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
    with connection:
        version = connection.pragma("user_version")
        if version == 0:
            connection.execute(_TABLES)
            connection.pragma("user_version", SCHEMA_VERSION)
    if version not in {0, SCHEMA_VERSION}:
        connection.close()
        raise UnknownSchemaVersion(str(path), version)
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """A connection for point reads on the event loop, beside the writer."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    return connection
