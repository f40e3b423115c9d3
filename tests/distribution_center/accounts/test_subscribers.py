"""What every database makes of subscriber management."""

import asyncio

import apsw
import pytest

from distribution_center.accounts.database import AccountsUnfit
from distribution_center.accounts.opening import opened_database
from distribution_center.accounts.stored_ledger import StoredLedger
from distribution_center.accounts.stored_subscribers import StoredSubscribers
from distribution_center.accounts.subscriber_management import (
    ManagedSubscriber,
    Rental,
    SubscriberTaken,
    TooMuchGranted,
)
from media_network.messages.subscribers import (
    GRANTS_MAX,
    PACKAGES_MAX,
    Grant,
    SubscriberChange,
    SubscriberNews,
    SubscriberState,
)

ADA, BOB = ManagedSubscriber(id="a1", name="ada"), ManagedSubscriber(id="b2", name="bob")
NOW = 1_800_000_000_000


def test_a_subscriber_has_what_was_granted_until_it_is_over_or_taken_back(on):
    async def work(database):
        stored = StoredSubscribers(database)
        await stored.add(ADA)
        await stored.add_to_package("classics", ["film-a", "film-b"])
        film, classics = Grant(what="film-c", until_ms=NOW + 10), Grant(what="classics", package=True)
        for grant in (film, classics):
            await stored.grant("a1", grant, NOW)
        before = await stored.standing("a1", "film-a", NOW)
        assert before.state is SubscriberState.ACTIVE
        assert before.grants == (film, classics)
        assert before.packages == ("classics",)
        assert (await stored.standing("a1", "film-c", NOW + 10)).grants == (classics,), "it is over at that moment"
        await stored.withdraw("a1", "classics", package=True)
        await stored.take_from_package("classics", ["film-a"])
        after = await stored.standing("a1", "film-a", NOW)
        assert after.grants == (film,)
        assert after.packages == ()
        assert after.number > before.number
        assert await stored.package("classics", "", 10) == ["film-b"]

    on(work)


def test_whoever_is_not_known_is_nobody_and_a_state_is_what_was_set_last(on):
    async def work(database):
        stored = StoredSubscribers(database)
        assert (await stored.standing("a1", "film-a", NOW)).state is SubscriberState.NOBODY
        await stored.add(ADA)
        for state in (SubscriberState.SUSPENDED, SubscriberState.CANCELLED, SubscriberState.ACTIVE):
            await stored.set_state("a1", state)
            assert (await stored.standing("a1", "film-a", NOW)).state is state

    on(work)


def test_names_and_ids_are_taken_once(on):
    async def work(database):
        stored = StoredSubscribers(database)
        await stored.add(ADA)
        await stored.add(BOB)
        for taken in (ManagedSubscriber(id="c3", name="ada"), ManagedSubscriber(id="b2", name="carl")):
            with pytest.raises(SubscriberTaken):
                await stored.add(taken)
        assert await stored.find("ada") == ADA
        assert await stored.find("carl") is None
        assert await stored.listed("", 1) == [ADA]
        assert await stored.listed("ada", 5) == [BOB]

    on(work)


def test_news_are_told_in_order_each_subscriber_and_program_once_and_in_pages(on):
    async def work(database):
        stored = StoredSubscribers(database)
        assert await stored.news(None, 10) == SubscriberNews(until=0)
        await stored.add(ADA)
        await stored.add_to_package("classics", ["film-a"])
        await stored.add(BOB)
        await stored.set_state("a1", SubscriberState.CANCELLED)
        first = await stored.news(0, 2)
        assert first.changes == (
            SubscriberChange(number=2, program="film-a"),
            SubscriberChange(number=3, subscriber="b2", state=SubscriberState.ACTIVE),
        )
        rest = await stored.news(first.until, 2)
        assert rest.changes == (SubscriberChange(number=4, subscriber="a1", state=SubscriberState.CANCELLED),)
        assert await stored.news(rest.until, 2) == SubscriberNews(until=4)
        assert await stored.news(None, 2) == SubscriberNews(until=4)
        anew = await stored.news(77, 10)  # of another database, which had more
        assert (len(anew.changes), anew.until) == (3, 4)

    on(work)


def test_a_rental_is_granted_and_charged_or_neither(on):
    async def work(database):
        stored, ledger = StoredSubscribers(database), StoredLedger(database)
        await stored.add(ADA)
        window = Grant(what="film-c", from_ms=NOW, until_ms=NOW + 1000)
        await stored.rent("a1", Rental(grant=window, price=399, at_ms=NOW))
        assert (await stored.standing("a1", "film-c", NOW)).grants == (window,)
        for number in range(GRANTS_MAX - 1):
            await stored.grant("a1", Grant(what=f"film-{number}"), NOW)
        with pytest.raises(TooMuchGranted):
            await stored.rent("a1", Rental(grant=Grant(what="one-more"), price=399, at_ms=NOW))
        charged = await ledger.charged("a1", NOW, NOW + 1)
        assert [(each.what, each.amount) for each in charged] == [("rental of film-c", 399)]
        assert not await ledger.charged("a1", NOW + 1, NOW + 2)
        await stored.rent("a1", Rental(grant=window, price=399, at_ms=NOW + 1))  # of the same: nothing is added
        # What is over makes room.
        await stored.grant("a1", Grant(what="one-more"), NOW + 1000)
        assert len((await stored.standing("a1", "film-c", NOW + 1000)).grants) == GRANTS_MAX

    on(work)


def test_a_program_is_in_so_many_packages_at_most(on):
    async def work(database):
        stored = StoredSubscribers(database)
        for number in range(PACKAGES_MAX):
            await stored.add_to_package(f"package-{number}", ["film-a"])
        with pytest.raises(TooMuchGranted):
            await stored.add_to_package("one-more", ["film-b", "film-a"])
        assert not await stored.package("one-more", "", 10), "all of it, or nothing"
        await stored.add_to_package("package-1", ["film-a"])

    on(work)


def test_what_two_processes_change_at_once_is_changed_with_a_number_each(place):
    async def both():
        async with opened_database(place) as one, opened_database(place) as other:

            async def add(database, name):
                stored = StoredSubscribers(database)
                for number in range(5):
                    await stored.add(ManagedSubscriber(id=f"{name}{number}", name=f"{name}{number}"))

            await asyncio.gather(add(one, "x"), add(other, "y"))
            return await StoredSubscribers(one).news(0, 100)

    news = asyncio.run(both())
    assert [change.number for change in news.changes] == list(range(1, 11))


def test_a_database_of_another_release_is_refused(place, on, tmp_path):
    async def work(database):
        return None

    on(work)
    if place.startswith("postgresql"):
        return
    connection = apsw.Connection(place)
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(AccountsUnfit, match="has version 99"):
        on(work)


def test_a_password_in_the_settings_and_a_server_that_is_away_are_said_in_a_sentence():
    async def opened(place):
        async with opened_database(place):
            pass

    with pytest.raises(AccountsUnfit, match="password file"):
        asyncio.run(opened("postgresql://me:secret@127.0.0.1/db"))
    with pytest.raises(AccountsUnfit, match=r"^postgresql://127\.0\.0\.1:1/db: "):
        asyncio.run(opened("postgresql://me@127.0.0.1:1/db"))
