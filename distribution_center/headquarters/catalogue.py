"""The catalogue of all centers: an entry is a program at a center.

What a center told of last is kept while it is away.
"""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import apsw
import msgspec
from msgspec.structs import replace

from distribution_center.headquarters.followed import round_of
from distribution_center.headquarters.store import HeadquartersStore
from media_network.messages.headquarters import (
    SAME_FILM_SHOWN_MAX,
    CatalogueEntries,
    CatalogueEntry,
    EntryKey,
    ListEntries,
)
from media_network.messages.program_information import Changes
from media_network.program_header import ProgramHeader

LOOKED_AT_MAX = 5000
"""So many entries does one question look at: who seeks a rare word asks on from there."""
_LOOKED_AT_ONCE = 250
_PIECE = "SELECT program, center, CASE WHEN ?1 = '' OR instr(words, ?1) THEN entry END FROM programs WHERE"
_OF_ALL = f"{_PIECE} (program, center) > (?2, ?3) ORDER BY program, center LIMIT ?4"
_OF_CENTER = f"{_PIECE} center = ?3 AND program > ?2 ORDER BY program LIMIT ?4"
_OF_FILM = (
    "SELECT program, center, entry FROM programs WHERE {which} AND (program, center) > (?2, ?3)"
    " ORDER BY program, center LIMIT ?4"
)


class _Row(NamedTuple):
    """An entry that was looked at."""

    program: str
    center: str
    entry: bytes | None
    """None: it is not what is sought."""


class Catalogue:
    """Entries by program and center. All raise HeadquartersStoreError."""

    def __init__(self, store: HeadquartersStore) -> None:
        self._store = store

    async def take(self, center: str, changes: Changes) -> None:
        """Take a page of a center's feed, and remember that it was taken, at once."""

        def write(connection: apsw.Connection) -> None:
            number = round_of(connection, center)
            for change in changes.changes:
                if change.header is None:
                    _remove(connection, center, change.program)
                else:
                    _keep(connection, center, change.header, number)
            connection.execute("UPDATE centers SET since = ? WHERE center = ?", (changes.until, center))

        await self._store.write(write)

    async def entries(self, wanted: ListEntries) -> CatalogueEntries:
        """A page of the catalogue: so many as are wanted, or what there is among `LOOKED_AT_MAX`."""
        found: list[bytes] = []
        place, looked_at, more = wanted.after, 0, True
        while more and len(found) < wanted.limit and looked_at < LOOKED_AT_MAX:
            piece = await self._store.read(partial(_piece, wanted=wanted, after=place))
            more = len(piece) == _LOOKED_AT_ONCE
            for row in piece:
                if len(found) == wanted.limit:
                    more = True
                    break
                place = EntryKey(row.center, row.program)
                if row.entry is not None:
                    found.append(row.entry)
            looked_at += len(piece)
        page = [msgspec.json.decode(entry, type=CatalogueEntry) for entry in found]
        shown = await self._store.read(partial(_with_same_films, entries=page))
        return CatalogueEntries(shown, after=place if more else None)


def _piece(connection: apsw.Connection, *, wanted: ListEntries, after: EntryKey | None) -> list[_Row]:
    """The next entries of those that may be wanted."""
    program, center = (after.program, after.center) if after else ("", "")
    if wanted.film:
        # Each by an index of its own, for none leads to both.
        rows = [
            _Row(*row)
            for which in ("program = ?1", "sha256 = ?1 AND program <> ?1")
            for row in connection.execute(_OF_FILM.format(which=which), (wanted.film, program, center, _LOOKED_AT_ONCE))
        ]
        return [row if _is_wanted(row, wanted) else row._replace(entry=None) for row in sorted(rows)[:_LOOKED_AT_ONCE]]
    words = wanted.search.casefold()
    if wanted.center is not None:
        found = connection.execute(_OF_CENTER, (words, program, wanted.center, _LOOKED_AT_ONCE))
    else:
        found = connection.execute(_OF_ALL, (words, program, center, _LOOKED_AT_ONCE))
    return [_Row(*row) for row in found]


def _is_wanted(row: _Row, wanted: ListEntries) -> bool:
    """Whether an entry of a film that is sought is of the center that is wanted, and has the word in it."""
    entry = msgspec.json.decode(row.entry or b"", type=CatalogueEntry)
    words = f"{entry.program} {entry.title}".casefold()
    return wanted.center in {None, entry.center} and wanted.search.casefold() in words


def _keep(connection: apsw.Connection, center: str, header: ProgramHeader, number: int) -> None:
    entry = CatalogueEntry(
        center=center,
        program=header.program,
        version=header.version,
        title=header.title,
        sha256=header.sha256,
        segments=header.segments,
        bytes=header.length_bytes,
        duration_ms=header.duration_ms,
        publish_at_ms=header.publish_at_ms,
        window_ends_ms=header.window_ends_ms,
    )
    connection.execute(
        "INSERT INTO programs (program, center, version, round, sha256, words, entry) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET version = excluded.version, round = excluded.round, sha256 = excluded.sha256,"
        " words = excluded.words, entry = excluded.entry",
        (
            *(header.program, center, header.version, number, header.sha256),
            f"{header.program} {header.title}".casefold(),
            msgspec.json.encode(entry),
        ),
    )


def _remove(connection: apsw.Connection, center: str, program: str) -> None:
    connection.execute("DELETE FROM programs WHERE center = ? AND program = ?", (center, program))


def _with_same_films(connection: apsw.Connection, *, entries: Iterable[CatalogueEntry]) -> tuple[CatalogueEntry, ...]:
    return tuple(_with_same_film(connection, entry) for entry in entries)


def _with_same_film(connection: apsw.Connection, entry: CatalogueEntry) -> CatalogueEntry:
    rows = connection.execute(
        "SELECT center, program FROM programs WHERE sha256 = ?1 AND (center, program) <> (?2, ?3)"
        " ORDER BY program, center LIMIT ?4",
        (entry.sha256, entry.center, entry.program, SAME_FILM_SHOWN_MAX),
    )
    return replace(entry, same_film=tuple(EntryKey(center, program) for center, program in rows))
