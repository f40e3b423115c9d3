"""The built-in subscriber management: subscribers, packages and grants in a database, each change with a number."""

from collections.abc import Generator, Iterable, Sequence
from typing import Any

from distribution_center.accounts.database import Database, Query, Repeat, Work
from distribution_center.accounts.subscriber_management import (
    ManagedSubscriber,
    Rental,
    SubscriberTaken,
    TooMuchGranted,
)
from media_network.fields import Count, ProgramId
from media_network.messages.subscribers import (
    GRANTS_MAX,
    PACKAGES_MAX,
    Grant,
    SubscriberChange,
    SubscriberId,
    SubscriberNews,
    SubscriberStanding,
    SubscriberState,
)

_SELECT = "SELECT id, name, state, added_at_ms FROM account_subscribers"
_NOTE = (
    "INSERT INTO account_changes (kind, name, number)"
    " VALUES ($1, $2, (SELECT 1 + coalesce(max(number), 0) FROM account_changes))"
    " ON CONFLICT (kind, name) DO UPDATE SET number = excluded.number"
)
_NEWEST = "SELECT coalesce(max(number), 0) FROM account_changes"
_CHANGES = (
    "SELECT c.number, c.kind, c.name, s.state FROM account_changes AS c"
    " LEFT JOIN account_subscribers AS s ON c.kind = 'subscriber' AND s.id = c.name"
    " WHERE c.number > $1 ORDER BY c.number LIMIT $2"
)
_GRANTED = "SELECT what, package, from_ms, until_ms FROM account_grants WHERE subscriber = $1 AND until_ms > $2"
_CHARGE = (
    "INSERT INTO account_charges (subscriber, at_ms, number, what, amount)"
    " VALUES ($1, $2, (SELECT 1 + coalesce(max(number), 0) FROM account_charges), $3, $4)"
)
_SUBSCRIBER, _PROGRAM = "subscriber", "program"

_Part = Generator[Query | Repeat, list[tuple[Any, ...]], None]


class StoredSubscribers:
    """`SubscriberManagement` in a database, and what its operator does. Every method raises AccountsUnfit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, subscriber: SubscriberId, program: ProgramId, now_ms: int) -> SubscriberStanding:
        """See `SubscriberManagement`."""

        def work() -> Work[SubscriberStanding]:
            states = yield Query("SELECT state FROM account_subscribers WHERE id = $1", (subscriber,))
            granted = yield Query(f"{_GRANTED} ORDER BY package, what LIMIT {GRANTS_MAX}", (subscriber, now_ms))
            packages = yield Query(
                f"SELECT package FROM account_packages WHERE program = $1 ORDER BY package LIMIT {PACKAGES_MAX}",  # noqa: S608 -- of constants
                (program,),
            )
            newest = yield Query(_NEWEST)
            return SubscriberStanding(
                state=SubscriberState(states[0][0]) if states else SubscriberState.NOBODY,
                grants=tuple(map(_grant, granted)),
                packages=tuple(package for (package,) in packages),
                number=newest[0][0],
            )

        return await self._database.do(work)

    async def news(self, since: Count | None, most: int) -> SubscriberNews:
        """See `SubscriberManagement`."""

        def work() -> Work[SubscriberNews]:
            newest = (yield Query(_NEWEST))[0][0]
            if since is None:
                return SubscriberNews(until=newest)
            rows = yield Query(_CHANGES, (min(since, newest) if since <= newest else 0, most))
            until = rows[-1][0] if len(rows) == most else newest
            return SubscriberNews(changes=tuple(map(_change, rows)), until=until)

        return await self._database.do(work)

    async def find(self, name: str) -> ManagedSubscriber | None:
        """The subscriber of that name."""
        return await self._one(f"{_SELECT} WHERE name = $1", name)

    async def listed(self, after: str, most: int) -> Sequence[ManagedSubscriber]:
        """So many, by name, from the one after that name on."""

        def work() -> Work[list[ManagedSubscriber]]:
            rows = yield Query(f"{_SELECT} WHERE name > $1 ORDER BY name LIMIT $2", (after, most))
            return [_subscriber(row) for row in rows]

        return await self._database.do(work)

    async def granted(self, subscriber: SubscriberId) -> Sequence[Grant]:
        """All that was ever granted and not taken back, whether or not it is good now."""

        def work() -> Work[list[Grant]]:
            rows = yield Query(f"{_GRANTED} ORDER BY package, what", (subscriber, -1))
            return [_grant(row) for row in rows]

        return await self._database.do(work)

    async def add(self, added: ManagedSubscriber) -> None:
        """Another subscriber. Raises SubscriberTaken."""

        def work() -> Work[None]:
            taken = yield Query(f"{_SELECT} WHERE name = $1 OR id = $2", (added.name, added.id))
            if taken:
                raise SubscriberTaken(added.name)
            values = (added.id, added.name, added.state.value, added.added_at_ms)
            yield Query("INSERT INTO account_subscribers VALUES ($1, $2, $3, $4)", values)
            yield Query(_NOTE, (_SUBSCRIBER, added.id))

        await self._database.do(work)

    async def set_state(self, subscriber: SubscriberId, state: SubscriberState) -> None:
        """Suspend, cancel or resume; stations are told."""

        def work() -> Work[None]:
            yield Query("UPDATE account_subscribers SET state = $1 WHERE id = $2", (state.value, subscriber))
            yield Query(_NOTE, (_SUBSCRIBER, subscriber))

        await self._database.do(work)

    async def grant(self, subscriber: SubscriberId, granted: Grant, now_ms: int) -> None:
        """Grant something, in place of what was granted of the same before. Raises TooMuchGranted."""

        def work() -> Work[None]:
            yield from _granting(subscriber, granted, now_ms)

        await self._database.do(work)

    async def rent(self, subscriber: SubscriberId, rental: Rental) -> None:
        """Grant something and charge for it, both or neither. Raises TooMuchGranted."""

        def work() -> Work[None]:
            yield from _granting(subscriber, rental.grant, rental.at_ms)
            yield Query(_CHARGE, (subscriber, rental.at_ms, f"rental of {rental.grant.what}", rental.price))

        await self._database.do(work)

    async def withdraw(self, subscriber: SubscriberId, what: str, *, package: bool) -> None:
        """Take back what was granted."""

        def work() -> Work[None]:
            values = (subscriber, what, int(package))
            yield Query("DELETE FROM account_grants WHERE subscriber = $1 AND what = $2 AND package = $3", values)
            yield Query(_NOTE, (_SUBSCRIBER, subscriber))

        await self._database.do(work)

    async def add_to_package(self, package: ProgramId, programs: Iterable[ProgramId]) -> None:
        """Put programs into a package, which is made by its first. Raises TooMuchGranted."""
        wanted = tuple(programs)

        def work() -> Work[None]:
            for program in wanted:
                count = "SELECT count(*) FROM account_packages WHERE program = $1 AND package <> $2"
                if (yield Query(count, (program, package)))[0][0] >= PACKAGES_MAX:
                    raise TooMuchGranted(f"{program} is in {PACKAGES_MAX} packages already")
                insert = "INSERT INTO account_packages VALUES ($1, $2) ON CONFLICT DO NOTHING"
                yield Query(insert, (package, program))
                yield Query(_NOTE, (_PROGRAM, program))

        await self._database.do(work)

    async def take_from_package(self, package: ProgramId, programs: Iterable[ProgramId]) -> None:
        """Take programs out of a package."""
        wanted = tuple(programs)

        def work() -> Work[None]:
            for program in wanted:
                delete = "DELETE FROM account_packages WHERE package = $1 AND program = $2"
                yield Query(delete, (package, program))
                yield Query(_NOTE, (_PROGRAM, program))

        await self._database.do(work)

    async def package(self, package: ProgramId, after: str, most: int) -> Sequence[ProgramId]:
        """So many programs of a package, by name, from the one after that name on."""

        def work() -> Work[list[ProgramId]]:
            select = (
                "SELECT program FROM account_packages WHERE package = $1 AND program > $2 ORDER BY program LIMIT $3"
            )
            rows = yield Query(select, (package, after, most))
            return [program for (program,) in rows]

        return await self._database.do(work)

    async def _one(self, sql: str, value: str) -> ManagedSubscriber | None:
        def work() -> Work[ManagedSubscriber | None]:
            rows = yield Query(sql, (value,))
            return _subscriber(rows[0]) if rows else None

        return await self._database.do(work)


def _granting(subscriber: SubscriberId, granted: Grant, now_ms: int) -> _Part:
    count = (
        "SELECT count(*) FROM account_grants"
        " WHERE subscriber = $1 AND until_ms > $2 AND NOT (what = $3 AND package = $4)"
    )
    values = (subscriber, now_ms, granted.what, int(granted.package))
    if (yield Query(count, values))[0][0] >= GRANTS_MAX:
        raise TooMuchGranted(f"{GRANTS_MAX} grants that are not over are as many as there may be")
    yield Query(
        "INSERT INTO account_grants (subscriber, package, what, from_ms, until_ms) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (subscriber, package, what) DO UPDATE"
        " SET from_ms = excluded.from_ms, until_ms = excluded.until_ms",
        (subscriber, int(granted.package), granted.what, granted.from_ms, granted.until_ms),
    )
    yield Query(_NOTE, (_SUBSCRIBER, subscriber))


def _subscriber(row: tuple[Any, ...]) -> ManagedSubscriber:
    made, name, state, added_at_ms = row
    return ManagedSubscriber(id=made, name=name, state=SubscriberState(state), added_at_ms=added_at_ms)


def _grant(row: tuple[Any, ...]) -> Grant:
    what, package, from_ms, until_ms = row
    return Grant(what=what, package=bool(package), from_ms=from_ms, until_ms=until_ms)


def _change(row: tuple[Any, ...]) -> SubscriberChange:
    number, kind, name, state = row
    if kind == _PROGRAM:
        return SubscriberChange(number=number, program=name)
    return SubscriberChange(number=number, subscriber=name, state=SubscriberState(state or SubscriberState.NOBODY))
