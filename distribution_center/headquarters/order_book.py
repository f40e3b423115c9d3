"""The orders of the headquarters, each with a download a center: written down before anybody is told of them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw
import msgspec

from distribution_center.headquarters.download_life import DownloadEvent, Heard, after
from distribution_center.headquarters.store import HeadquartersStore
from media_network.message_pages import first_page
from media_network.messages.headquarters import (
    CancelOrder,
    Download,
    DownloadOrder,
    DownloadOrders,
    DownloadStage,
    OrderDownload,
)

OVER_MAX = 10_000
"""So many orders of before the latest are kept when they are over."""


class Conflicting(Exception):
    """There is another order of this name."""


class NotOrdered(Exception):
    """The order is not one for this center; `str()` is a sentence."""

    def __init__(self, order: OrderDownload, center: str) -> None:
        super().__init__(f"order {order.order} is not for {center}; it is for: {', '.join(order.centers)}")


class OpenDownload(NamedTuple):
    """What is still to be said to a center."""

    number: int
    place: int
    order: OrderDownload
    download: Download


_OPEN = (
    "SELECT downloads.number, place, orders.said, downloads.said FROM downloads JOIN orders USING (number)"
    " WHERE center = ?1 AND NOT settled AND cancelling = ?2 ORDER BY downloads.number LIMIT ?3"
)


class OrderBook:
    """Orders by number. All raise HeadquartersStoreError."""

    def __init__(self, store: HeadquartersStore) -> None:
        self._store = store

    async def enter(self, order: OrderDownload, now_ms: int) -> DownloadOrder:
        """Write an order down; one that was said before is the same order. Raises Conflicting."""

        def write(connection: apsw.Connection) -> DownloadOrder:
            before = _find(connection, order.order)
            if before is None:
                connection.execute(
                    "INSERT INTO orders (token, said, ordered_at_ms) VALUES (?, ?, ?)",
                    (order.order, msgspec.json.encode(order), now_ms),
                )
                number = connection.last_insert_rowid()
                connection.executemany(
                    "INSERT INTO downloads (number, place, center, said) VALUES (?, ?, ?, ?)",
                    [
                        (number, place, center, msgspec.json.encode(_ordered(order, center)))
                        for place, center in enumerate(order.centers)
                    ],
                )
                _forget_oldest(connection)
                before = _find(connection, order.order)
            if before is None or before[1] != order:
                raise Conflicting
            return _whole(connection, *before)

        return await self._store.write(write)

    async def cancel(self, wish: CancelOrder) -> DownloadOrder | None:
        """Write down that an order is taken back: what is over stays as it is. None: there is no such order.

        Said again it is the same. Raises NotOrdered.
        """

        def write(connection: apsw.Connection) -> DownloadOrder | None:
            found = _find(connection, wish.order)
            if found is None:
                return None
            number, order, _ = found
            if unknown := next((center for center in wish.centers if center not in order.centers), None):
                raise NotOrdered(order, unknown)
            for place, center in enumerate(order.centers):
                if not wish.centers or center in wish.centers:
                    _move(connection, number, place, Heard(DownloadEvent.TAKEN_BACK))
            return _whole(connection, *found)

        return await self._store.write(write)

    async def ask(self, token: str) -> DownloadOrder | None:
        """What has become of an order; None: there is none."""

        def read(connection: apsw.Connection) -> DownloadOrder | None:
            found = _find(connection, token)
            return _whole(connection, *found) if found else None

        return await self._store.read(read)

    async def orders(self, before: int | None, limit: int) -> DownloadOrders:
        """The latest first, so many as fit."""

        def read(connection: apsw.Connection) -> DownloadOrders:
            rows = connection.execute(
                "SELECT number, said, ordered_at_ms FROM orders WHERE ?1 IS NULL OR number < ?1"
                " ORDER BY number DESC LIMIT ?2",
                (before, limit + 1),
            ).fetchall()
            page, more = first_page(_whole(connection, *_read_order(row)) for row in rows[:limit])
            return DownloadOrders(tuple(page), more=more or len(rows) > limit)

        return await self._store.read(read)

    async def open_at(self, center: str, limit: int) -> list[OpenDownload]:
        """What is still to be said to a center: the oldest of what is taken back, before the oldest of the others."""

        def read(connection: apsw.Connection) -> list[OpenDownload]:
            return [
                OpenDownload(
                    number,
                    place,
                    msgspec.json.decode(order, type=OrderDownload),
                    msgspec.json.decode(download, type=Download),
                )
                for cancelling in (1, 0)
                for number, place, order, download in connection.execute(_OPEN, (center, cancelling, limit))
            ]

        return await self._store.read(read)

    async def note(self, opened: OpenDownload, heard: Heard) -> Download:
        """Write down what is heard of a download, which may have been taken back since it was read; gives what it is
        then.
        """
        return await self._store.write(lambda connection: _move(connection, opened.number, opened.place, heard))

    async def settle(self, opened: OpenDownload) -> None:
        """Its center knows that its end is known here: there is nothing more to say."""

        def write(connection: apsw.Connection) -> None:
            connection.execute(
                "UPDATE downloads SET settled = 1 WHERE number = ? AND place = ?", (opened.number, opened.place)
            )
            connection.execute(
                "UPDATE orders SET over = 1 WHERE number = ?1"
                " AND NOT EXISTS (SELECT 1 FROM downloads WHERE number = ?1 AND NOT settled)",
                (opened.number,),
            )

        await self._store.write(write)


def _ordered(order: OrderDownload, center: str) -> Download:
    """The number is the same for all centers: each has its own ingests."""
    return Download(center=center, ingest=order.order, stage=DownloadStage.ORDERED)


def _move(connection: apsw.Connection, number: int, place: int, heard: Heard) -> Download:
    """Write down what a download is after what is heard of it."""
    key = (number, place)
    [(said,)] = connection.execute("SELECT said FROM downloads WHERE number = ? AND place = ?", key)
    before = msgspec.json.decode(said, type=Download)
    now = after(before, heard)
    if now != before:
        cancelling = now.stage is DownloadStage.CANCELLING
        connection.execute(
            "UPDATE downloads SET said = ?, final = ?, cancelling = ? WHERE number = ? AND place = ?",
            (msgspec.json.encode(now), now.stage.is_final, cancelling, *key),
        )
    return now


def _find(connection: apsw.Connection, token: str) -> tuple[int, OrderDownload, int] | None:
    row = connection.execute("SELECT number, said, ordered_at_ms FROM orders WHERE token = ?", (token,)).fetchone()
    return _read_order(row) if row else None


def _read_order(row: tuple[Any, ...]) -> tuple[int, OrderDownload, int]:
    number, said, ordered_at_ms = row
    return number, msgspec.json.decode(said, type=OrderDownload), ordered_at_ms


def _whole(connection: apsw.Connection, number: int, order: OrderDownload, ordered_at_ms: int) -> DownloadOrder:
    return DownloadOrder(
        number=number,
        order=order.order,
        source=order.source,
        title=order.title,
        ordered_at_ms=ordered_at_ms,
        downloads=tuple(_downloads(connection, number)),
    )


def _downloads(connection: apsw.Connection, number: int) -> Iterator[Download]:
    for (said,) in connection.execute("SELECT said FROM downloads WHERE number = ? ORDER BY place", (number,)):
        yield msgspec.json.decode(said, type=Download)


def _forget_oldest(connection: apsw.Connection) -> None:
    rows = connection.execute(
        "SELECT number FROM orders WHERE over AND number < (SELECT max(number) FROM orders) - ?", (OVER_MAX,)
    )
    gone = rows.fetchall()
    connection.executemany("DELETE FROM downloads WHERE number = ?", gone)
    connection.executemany("DELETE FROM orders WHERE number = ?", gone)
