"""Where the programs of all centers are: how much of each its stations hold. It is kept while a center is away."""

from typing import Any, NamedTuple

import apsw

from distribution_center.headquarters.followed import round_of
from distribution_center.headquarters.store import HeadquartersStore
from media_network.messages.headquarters import AskWhere, StationShare
from media_network.messages.shares import Shares


class Found(NamedTuple):
    """A page of the stations that hold something of a program."""

    stations: tuple[StationShare, ...]
    more: bool


class Places:
    """Shares by center, program and station. All raise HeadquartersStoreError."""

    def __init__(self, store: HeadquartersStore) -> None:
        self._store = store

    async def take(self, center: str, shares: Shares) -> None:
        """Take a page of a center's feed, and remember that it was taken, at once."""

        def write(connection: apsw.Connection) -> None:
            number = round_of(connection, center)
            for share in shares.shares:
                key = (center, share.program, share.station)
                if share.segments:
                    connection.execute(
                        "INSERT INTO places VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                        " SET segments = excluded.segments, of = excluded.of, round = excluded.round",
                        (*key, share.segments, share.of, number),
                    )
                else:
                    connection.execute("DELETE FROM places WHERE center = ? AND program = ? AND station = ?", key)
            connection.execute("UPDATE centers SET shares_since = ? WHERE center = ?", (shares.until, center))

        await self._store.write(write)

    async def where(self, wanted: AskWhere) -> Found | None:
        """Where a program of a center is, as that has told; None: it has told of no such program."""

        def read(connection: apsw.Connection) -> Found | None:
            key = (wanted.center, wanted.program)
            if not connection.execute("SELECT 1 FROM programs WHERE center = ? AND program = ?", key).fetchone():
                return None
            rows = connection.execute(
                "SELECT station, segments, of FROM places WHERE center = ? AND program = ? AND station > ?"
                " ORDER BY station LIMIT ?",
                (*key, wanted.after, wanted.limit + 1),
            ).fetchall()
            return Found(tuple(_share(*row) for row in rows[: wanted.limit]), more=len(rows) > wanted.limit)

        return await self._store.read(read)


def _share(station: Any, segments: Any, of: Any) -> StationShare:
    """Of a row."""
    return StationShare(station=station, segments=segments, of=of)
