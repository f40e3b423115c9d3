"""The built-in ledger: records in a database, each once, by a key that survives whoever makes and delivers them."""

from collections.abc import Sequence

from msgspec import Struct

from distribution_center.accounts.database import Database, Query, Work
from distribution_center.accounts.ledger import AccountCharge, EngineTotal, Tariff, Usage
from media_network.messages.billing import BytesCounted, DeliverUsage, UsageDelivered, UsageRecord, ViewingRecord
from media_network.messages.subscribers import SubscriberId

_VIEWING = (
    "INSERT INTO account_viewings (session, epoch, subscriber, program, station, at_ms, ground, push)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (session) DO NOTHING RETURNING epoch"
)
_USAGE = (
    "INSERT INTO account_usage"
    " (session, epoch, turn, program, engine, boot, sent_bytes, began_at_ms, ended_at_ms)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (session, epoch, turn) DO NOTHING RETURNING turn"
)
# A delivery that was held up says less than what came after it.
_COUNTED = (
    "INSERT INTO account_counters (engine, boot, sent_bytes, under_way_bytes, at_ms) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (engine, boot) DO UPDATE SET sent_bytes = excluded.sent_bytes,"
    " under_way_bytes = excluded.under_way_bytes, at_ms = excluded.at_ms"
    " WHERE excluded.at_ms >= account_counters.at_ms AND excluded.sent_bytes >= account_counters.sent_bytes"
)
_USED = (
    "SELECT v.subscriber, v.program,"
    " count(DISTINCT CASE WHEN v.at_ms >= $1 AND v.at_ms < $2 THEN v.session END),"
    " CAST(coalesce(sum(CASE WHEN u.ended_at_ms >= $1 AND u.ended_at_ms < $2 THEN u.sent_bytes END), 0) AS bigint)"
    " FROM account_viewings AS v JOIN account_usage AS u ON u.session = v.session"
    " WHERE v.subscriber = $3 AND u.sent_bytes > 0"
    " GROUP BY v.subscriber, v.program ORDER BY v.program"
)
_TOTALS = (
    "SELECT e.engine, e.boot, c.sent_bytes, coalesce(c.under_way_bytes, 0), coalesce(u.recorded, 0)"
    " FROM (SELECT engine, boot FROM account_counters UNION SELECT engine, boot FROM account_usage) AS e"
    " LEFT JOIN account_counters AS c ON c.engine = e.engine AND c.boot = e.boot"
    " LEFT JOIN (SELECT engine, boot, CAST(sum(sent_bytes) AS bigint) AS recorded FROM account_usage"
    " GROUP BY engine, boot) AS u ON u.engine = e.engine AND u.boot = e.boot"
    " ORDER BY e.engine, e.boot"
)
_NOBODYS = (
    "SELECT count(*), CAST(coalesce(sum(u.sent_bytes), 0) AS bigint) FROM account_usage AS u"
    " WHERE NOT EXISTS (SELECT 1 FROM account_viewings AS v WHERE v.session = u.session)"
)


class Nobodys(Struct, frozen=True):
    """Usage of which it is not known whose it is: the record of the viewing has not come."""

    records: int
    sent_bytes: int


class StoredLedger:
    """`Ledger` in a database, and what is reckoned from it. Every method raises AccountsUnfit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliver(self, delivery: DeliverUsage) -> UsageDelivered:
        """See `Ledger`."""

        def work() -> Work[UsageDelivered]:
            new = 0
            for viewing in delivery.viewings:
                new += len((yield Query(_VIEWING, _viewing_values(viewing))))
            for used in delivery.usage:
                new += len((yield Query(_USAGE, _usage_values(used))))
            for counted in delivery.counted:
                yield Query(_COUNTED, _counted_values(counted))
            return UsageDelivered(new=new, known=len(delivery.viewings) + len(delivery.usage) - new)

        return await self._database.do(work)

    async def used(self, subscriber: SubscriberId, from_ms: int, until_ms: int) -> Sequence[Usage]:
        """What a subscriber has seen in a period, by program."""

        def work() -> Work[list[Usage]]:
            rows = yield Query(_USED, (from_ms, until_ms, subscriber))
            found = (Usage(subscriber=row[0], program=row[1], viewings=row[2], sent_bytes=row[3]) for row in rows)
            return [each for each in found if each.viewings or each.sent_bytes]

        return await self._database.do(work)

    async def charged(self, subscriber: SubscriberId, from_ms: int, until_ms: int) -> Sequence[AccountCharge]:
        """What was charged in a period, in the order of time."""

        def work() -> Work[list[AccountCharge]]:
            select = (
                "SELECT subscriber, at_ms, what, amount FROM account_charges"
                " WHERE subscriber = $1 AND at_ms >= $2 AND at_ms < $3 ORDER BY at_ms, number"
            )
            rows = yield Query(select, (subscriber, from_ms, until_ms))
            return [AccountCharge(subscriber=row[0], at_ms=row[1], what=row[2], amount=row[3]) for row in rows]

        return await self._database.do(work)

    async def tariffs(self) -> Sequence[Tariff]:
        """All of them."""

        def work() -> Work[list[Tariff]]:
            rows = yield Query("SELECT what, per_viewing, per_gigabyte FROM account_tariffs ORDER BY what")
            return [Tariff(what=row[0], per_viewing=row[1], per_gigabyte=row[2]) for row in rows]

        return await self._database.do(work)

    async def set_tariff(self, tariff: Tariff) -> None:
        """Have this one, in place of the one before for the same."""

        def work() -> Work[None]:
            yield Query(
                "INSERT INTO account_tariffs VALUES ($1, $2, $3) ON CONFLICT (what) DO UPDATE"
                " SET per_viewing = excluded.per_viewing, per_gigabyte = excluded.per_gigabyte",
                (tariff.what, tariff.per_viewing, tariff.per_gigabyte),
            )

        await self._database.do(work)

    async def totals(self) -> tuple[Sequence[EngineTotal], Nobodys]:
        """By engine and boot, what was counted and what is recorded; and what is nobody's."""

        def work() -> Work[tuple[list[EngineTotal], Nobodys]]:
            rows = yield Query(_TOTALS)
            nobodys = yield Query(_NOBODYS)
            totals = [
                EngineTotal(
                    engine=engine, boot=boot, counted_bytes=sent, under_way_bytes=going, recorded_bytes=recorded
                )
                for engine, boot, sent, going, recorded in rows
            ]
            return totals, Nobodys(*nobodys[0])

        return await self._database.do(work)


def _viewing_values(viewing: ViewingRecord) -> tuple[str | int, ...]:
    return (
        *(viewing.session, viewing.epoch, viewing.subscriber, viewing.program, viewing.station),
        *(viewing.at_ms, viewing.ground.value, int(viewing.push)),
    )


def _usage_values(used: UsageRecord) -> tuple[str | int, ...]:
    return (
        *(used.session, used.epoch, used.turn, used.program, used.engine, used.boot),
        *(used.sent_bytes, used.began_at_ms, used.ended_at_ms),
    )


def _counted_values(counted: BytesCounted) -> tuple[str | int, ...]:
    return counted.engine, counted.boot, counted.sent_bytes, counted.under_way_bytes, counted.at_ms
