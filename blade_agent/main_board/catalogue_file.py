"""What a blade keeps of its catalogue: one SQLite file, a row a program, and how much of the feed was heard.

A page of changes is one transaction, so a catalogue of any length is caught up with in a few writes to the disk. The
file is open only while it is used. Rows have checksums, for a card's bytes change: a row that was damaged costs its
program, and all is to be heard once more. Every function blocks and belongs in an executor.
"""

import logging
import zlib
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from media_network.fields import ProgramId
from media_network.files import Files
from media_network.sqlite_file import is_filled, opened_to_write, set_damaged_aside, set_unreadable_aside

logger = logging.getLogger(__name__)

REBUILT = "the center, or another blade of the station, says it again"

_SCHEMA_VERSION = 1
_TABLES = """
    CREATE TABLE IF NOT EXISTS feed (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 0),
        heard INTEGER NOT NULL,
        told_ms INTEGER NOT NULL,
        crc32 INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS changes (
        number INTEGER PRIMARY KEY,
        program TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        header BLOB,
        crc32 INTEGER NOT NULL
    ) STRICT;
"""
_KEEP_CHANGE = """
    INSERT INTO changes (program, version, header, crc32) VALUES (?, ?, ?, ?)
    ON CONFLICT (program) DO UPDATE SET version = excluded.version, header = excluded.header, crc32 = excluded.crc32
"""
_KEEP_FEED = """
    INSERT INTO feed (only_row, heard, told_ms, crc32) VALUES (0, ?, ?, ?)
    ON CONFLICT (only_row) DO UPDATE
        SET heard = excluded.heard, told_ms = excluded.told_ms, crc32 = excluded.crc32
"""


class KeptChange(NamedTuple):
    """The newest change of a program."""

    program: ProgramId
    version: int
    header: bytes | None
    """As JSON; None: it was withdrawn."""


class Feed(NamedTuple):
    """What was heard of the center."""

    heard: int = 0
    """All changes up to this number are known."""
    told_ms: int = 0
    """The newest time that it has told."""


class CatalogueFile:
    """A blade's catalogue on its disk."""

    def __init__(self, files: Files, path: Path) -> None:
        self._files = files
        self._path = path

    def read(self) -> tuple[Feed, list[KeptChange]]:
        """All that is kept; what is damaged is set aside, and said. Raises OSError."""
        if not self._is_fit():
            return Feed(), []
        try:
            feeds, rows = self._rows()
        except OSError as error:
            set_unreadable_aside(self._files, self._path, error, REBUILT)
            return Feed(), []
        kept = [change for *fields, crc32 in rows if _crc32(change := KeptChange(*fields)) == crc32]
        feed = next((feed for *fields, crc32 in feeds if _crc32(feed := Feed(*fields)) == crc32), None)
        if feed and len(kept) == len(rows):
            return feed, kept
        # What was heard of these has to be said again, be it that one was withdrawn.
        logger.warning("%d rows of %s are damaged: %s", len(rows) - len(kept) + (feed is None), self._path, REBUILT)
        self._files.remove(self._path)
        with suppress(OSError):  # what is known now is served all the same, and heard once more
            self.keep(kept, Feed())
        return Feed(), kept

    def keep(self, changes: Iterable[KeptChange], feed: Feed) -> None:
        """Keep these; on return they survive a power cut. Raises OSError, and then nothing of them is kept."""
        self._files.make_folder(self._path.parent)
        with self._transaction() as connection:
            connection.executemany(_KEEP_CHANGE, [(*change, _crc32(change)) for change in changes])
            _keep_feed(connection, feed)

    def _rows(self) -> tuple[list[Any], list[Any]]:
        with self._transaction() as connection:
            feeds = connection.execute("SELECT heard, told_ms, crc32 FROM feed").fetchall()
            return feeds, connection.execute("SELECT program, version, header, crc32 FROM changes").fetchall()

    def _is_fit(self) -> bool:
        """Whether there is a file that can be read; what cannot is set aside."""
        set_damaged_aside(
            self._path,
            REBUILT,
            expected=False,
            versions=(0, _SCHEMA_VERSION),
            with_indexes=True,
            files=self._files,
        )
        return is_filled(self._files, self._path)

    def _transaction(self) -> AbstractContextManager[apsw.Connection]:
        return opened_to_write(self._files, self._path, _make_tables)


def _make_tables(connection: apsw.Connection) -> None:
    if connection.pragma("user_version") != _SCHEMA_VERSION:
        connection.execute(_TABLES)
        connection.pragma("user_version", _SCHEMA_VERSION)


def _keep_feed(connection: apsw.Connection, feed: Feed) -> None:
    connection.execute(_KEEP_FEED, (*feed, _crc32(feed)))


def _crc32(row: KeptChange | Feed) -> int:
    return zlib.crc32(repr(row).encode())
