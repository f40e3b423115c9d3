"""Rows on a blade's disk, by kind and key: a SQLite file, open only while it is used, so that a simulated disk has it.

Rows have checksums, for a card's bytes change: one that was damaged is left out, and said. Every function blocks and
belongs in an executor.
"""

import logging
import zlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from media_network.files import Files
from media_network.sqlite_file import is_filled, opened_to_write, set_damaged_aside, set_unreadable_aside

logger = logging.getLogger(__name__)

_VERSION = 1
_TABLE = """
    CREATE TABLE IF NOT EXISTS rows (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        octets BLOB NOT NULL,
        crc32 INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID;
"""
_PUT = """
    INSERT INTO rows (kind, key, octets, crc32) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, key) DO UPDATE SET octets = excluded.octets, crc32 = excluded.crc32
"""
_REMOVE = "DELETE FROM rows WHERE kind = ? AND key = ?"
# What has been put in its place meanwhile stays.
_REMOVE_SAME = "DELETE FROM rows WHERE kind = ? AND key = ? AND octets = ?"
_SELECT = "SELECT kind, key, octets, crc32 FROM rows WHERE kind = ? ORDER BY key LIMIT ?"


class Row(NamedTuple):
    """One of them."""

    kind: str
    key: str
    octets: bytes


class KeptRows:
    """A file of rows."""

    def __init__(self, files: Files, path: Path, rebuilt: str) -> None:
        """`rebuilt` is for the log: what is done without what was damaged."""
        self._files = files
        self._path = path
        self._rebuilt = rebuilt

    def take_stock(self) -> None:
        """Set the file aside if it is damaged, and say so. Raises OSError."""
        set_damaged_aside(
            self._path,
            self._rebuilt,
            expected=False,
            versions=(0, _VERSION),
            with_indexes=True,
            files=self._files,
        )

    def first(self, kind: str, most: int = -1) -> list[Row]:
        """So many rows of a kind, by their keys; -1: all. Raises OSError."""
        if not is_filled(self._files, self._path):
            return []
        try:
            with self._transaction() as connection:
                found: list[tuple[Any, ...]] = connection.execute(_SELECT, (kind, most)).fetchall()
                rows = [row for *fields, crc32 in found if _crc32(row := Row(*fields)) == crc32]
                if len(rows) < len(found):
                    logger.warning(
                        "%d rows of %s are damaged, and left out: %s",
                        *(len(found) - len(rows), self._path, self._rebuilt),
                    )
                    whole = {row.key for row in rows}
                    damaged = [(kind, key) for _, key, *_ in found if key not in whole]
                    connection.executemany(_REMOVE, damaged)
        except OSError as error:
            set_unreadable_aside(self._files, self._path, error, self._rebuilt)
            return []
        return rows

    def keep(self, rows: Iterable[Row] = (), removed: Iterable[tuple[str, str]] = ()) -> None:
        """Keep these, and no more those; on return that survives a power cut. Raises OSError, and then none is."""
        self._files.make_folder(self._path.parent)
        with self._transaction() as connection:
            connection.executemany(_PUT, [(*row, _crc32(row)) for row in rows])
            connection.executemany(_REMOVE, list(removed))

    def remove(self, rows: Iterable[Row]) -> None:
        """Keep these no more, unless others are in their place. Raises OSError."""
        with self._transaction() as connection:
            connection.executemany(_REMOVE_SAME, [tuple(row) for row in rows])

    def _transaction(self) -> AbstractContextManager[apsw.Connection]:
        return opened_to_write(self._files, self._path, _make_table)


def _make_table(connection: apsw.Connection) -> None:
    if connection.pragma("user_version") != _VERSION:
        connection.execute(_TABLE)
        connection.pragma("user_version", _VERSION)


def _crc32(row: Row) -> int:
    return zlib.crc32(repr(row).encode())
