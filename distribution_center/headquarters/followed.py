"""How far the feeds of each center are known: of the catalogue, and of who holds how much.

A round is once through both from their beginning. While a new one goes on, what earlier ones have told is still known;
when it is complete, what it has not told of goes.
"""

import logging
from collections.abc import Collection
from typing import NamedTuple

import apsw

from distribution_center.headquarters.store import HeadquartersStore, HeadquartersStoreError

logger = logging.getLogger(__name__)

_TRIMMED_AT_ONCE = 500
_KNOWN = (
    "SELECT since, shares_since, begun_at_ms, known_ms, coalesce(programs, 0), coalesce(open_downloads, 0)"
    " FROM (SELECT ?1 AS center) AS asked LEFT JOIN centers USING (center) LEFT JOIN counts USING (center)"
)
_OUTDATED = (
    "SELECT EXISTS (SELECT 1 FROM programs WHERE center = ?1 AND round < ?2)"
    " OR EXISTS (SELECT 1 FROM places WHERE center = ?1 AND round < ?2)"
)
_TRIM_PROGRAMS = (
    "DELETE FROM programs WHERE (program, center) IN"
    " (SELECT program, center FROM programs WHERE center = ?1 AND round < ?2 LIMIT ?3)"
)
_TRIM_PLACES = (
    "DELETE FROM places WHERE (center, program, station) IN"
    " (SELECT center, program, station FROM places WHERE center = ?1 AND round < ?2 LIMIT ?3)"
)


class Progress(NamedTuple):
    """What is known of a center."""

    since: int = 0
    """Number of the newest change of its catalogue that is known, with all before it."""
    shares_since: int = 0
    """The same of its shares."""
    begun_at_ms: int = 0
    """Since when the numbers go on that these are; 0: it was never heard."""
    known_ms: int = 0
    """When all that had changed was known, in milliseconds since 1970; 0: never."""
    programs: int = 0
    open_downloads: int = 0
    """Ordered, and not over."""


class Followed:
    """Progress by center. All raise HeadquartersStoreError."""

    def __init__(self, store: HeadquartersStore) -> None:
        self._store = store

    async def progress(self, center: str) -> Progress:
        """How far a center is known."""

        def read(connection: apsw.Connection) -> Progress:
            row = connection.execute(_KNOWN, (center,)).fetchone()
            return Progress(*(number or 0 for number in row)) if row else Progress()

        return await self._store.read(read)

    async def begin_again(self, center: str, begun_at_ms: int) -> None:
        """Follow the feeds of a center from their beginning: they are not those that were followed so far."""

        def write(connection: apsw.Connection) -> None:
            connection.execute(
                "INSERT INTO centers (center, begun_at_ms) VALUES (?, ?) ON CONFLICT DO UPDATE"
                " SET begun_at_ms = excluded.begun_at_ms, since = 0, shares_since = 0, round = round + 1",
                (center, begun_at_ms),
            )

        await self._store.write(write)

    async def forget_others(self, than: Collection[str]) -> None:
        """Let go, at leisure, of what the feeds of centers have told that are none of these any more; what a store
        does not let go of now it does at the next start."""

        def others(connection: apsw.Connection) -> list[str]:
            return [center for (center,) in connection.execute("SELECT center FROM centers") if center not in than]

        try:
            for center in await self._store.read(others):
                logger.info("%s is no center of ours any more: nothing is kept of its catalogue", center)
                await self.begin_again(center, 0)
                while await self.trim(center):
                    pass
        except HeadquartersStoreError as error:
            logger.warning("%s; what centers of before have told stays until the next start", error)

    async def complete(self, center: str, now_ms: int) -> None:
        """All that has changed at a center is known."""

        def write(connection: apsw.Connection) -> None:
            connection.execute("UPDATE centers SET known_ms = ? WHERE center = ?", (now_ms, center))

        await self._store.write(write)

    async def trim(self, center: str) -> bool:
        """All that a center has is told: let go of some of what only an earlier round has told of.

        Tells whether there was any: there may be more.
        """

        def outdated(connection: apsw.Connection) -> bool:
            row = connection.execute(_OUTDATED, (center, round_of(connection, center))).fetchone()
            return bool(row and row[0])

        def write(connection: apsw.Connection) -> None:
            for statement in (_TRIM_PROGRAMS, _TRIM_PLACES):
                connection.execute(statement, (center, round_of(connection, center), _TRIMMED_AT_ONCE))

        if not await self._store.read(outdated):
            return False
        await self._store.write(write)
        return True


def round_of(connection: apsw.Connection, center: str) -> int:
    """Which round through the feeds of a center this is."""
    row = connection.execute("SELECT round FROM centers WHERE center = ?", (center,)).fetchone()
    return int(row[0]) if row else 0
