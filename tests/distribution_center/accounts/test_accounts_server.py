"""Subscriber management and billing as stations hear them, with two other implementations, and with real processes."""

import asyncio
import random

import pytest

from distribution_center.accounts.accounts_server import accounts_table, run_accounts
from distribution_center.accounts.database import AccountsUnfit, SqliteDatabase
from distribution_center.accounts.news_desk import NewsDesk
from distribution_center.accounts.settings import AccountsSettings
from distribution_center.accounts.stored_subscribers import StoredSubscribers
from distribution_center.accounts.subscriber_management import ManagedSubscriber
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import serve
from media_network.messages.billing import DELIVER_USAGE, DeliverUsage, UsageDelivered
from media_network.messages.subscribers import (
    ASK_SUBSCRIBER_NEWS,
    ASK_SUBSCRIBER_STANDING,
    AskSubscriberNews,
    AskSubscriberStanding,
    SubscriberNews,
    SubscriberStanding,
    SubscriberState,
)
from media_network.refusal import Reason, Refused
from tests.addresses import free_port
from tests.patience import PATIENCE_S

WAIT_MS = int(PATIENCE_S * 1000)


def conversation(tmp_path, converse):
    async def run():
        address = Address("127.0.0.1", free_port())
        settings = AccountsSettings(state=str(tmp_path), address=address.host, port=address.port)
        server = asyncio.create_task(run_accounts(settings))
        async with HttpClient(random.Random(1)) as http:
            try:
                await converse(http, address)
            finally:
                server.cancel()
                await asyncio.wait([server])
        if not server.cancelled():
            server.result()

    asyncio.run(run())


def test_who_waits_hears_of_what_another_process_changes_and_of_nothing_else(tmp_path):
    async def converse(http, address):
        first = await http.ask(address, ASK_SUBSCRIBER_NEWS, AskSubscriberNews(), deadline_s=PATIENCE_S)
        assert first == SubscriberNews(until=0)
        asked = AskSubscriberNews(since=0, wait_ms=min(WAIT_MS, 30_000))
        waiting = [
            asyncio.create_task(http.ask(address, ASK_SUBSCRIBER_NEWS, asked, deadline_s=PATIENCE_S)) for _ in range(3)
        ]
        nothing = AskSubscriberNews(since=0, wait_ms=300)
        assert await http.ask(address, ASK_SUBSCRIBER_NEWS, nothing, deadline_s=PATIENCE_S) == first
        assert not any(each.done() for each in waiting)
        command = SqliteDatabase(tmp_path / "accounts.sqlite")
        await StoredSubscribers(command).add(ManagedSubscriber(id="a1", name="ada"))
        await command.close()
        for news in await asyncio.gather(*waiting):
            assert [(each.subscriber, each.state) for each in news.changes] == [("a1", SubscriberState.ACTIVE)]

    conversation(tmp_path, converse)


def test_a_standing_is_that_of_the_database(tmp_path):
    async def converse(http, address):
        asked = AskSubscriberStanding(subscriber="a1", program="film-a")
        answer = await http.ask(address, ASK_SUBSCRIBER_STANDING, asked, deadline_s=PATIENCE_S)
        assert answer == SubscriberStanding(state=SubscriberState.NOBODY)
        delivered = await http.ask(address, DELIVER_USAGE, DeliverUsage(), deadline_s=PATIENCE_S)
        assert delivered == UsageDelivered(new=0, known=0)

    conversation(tmp_path, converse)


class SomebodyElses:
    """A subscriber management and a ledger that nobody here wrote: whoever asks is cancelled, and nothing is kept."""

    def __init__(self):
        self.delivered = 0

    async def standing(self, subscriber, program, now_ms):
        if subscriber == "trouble":
            raise AccountsUnfit("the disk is full")
        return SubscriberStanding(state=SubscriberState.CANCELLED, number=int(now_ms > 0))

    async def news(self, since, most):
        return SubscriberNews(until=0)

    async def deliver(self, delivery):
        self.delivered += 1
        return UsageDelivered(new=0, known=0)


def test_another_implementation_takes_the_place_and_its_trouble_is_a_refusal():
    async def run():
        theirs = SomebodyElses()
        table = accounts_table(theirs, theirs, NewsDesk(theirs))
        async with serve(table, Address("127.0.0.1", free_port())) as address, HttpClient(random.Random(1)) as http:
            asked = AskSubscriberStanding(subscriber="a1", program="film-a")
            answer = await http.ask(address, ASK_SUBSCRIBER_STANDING, asked, deadline_s=PATIENCE_S)
            assert answer == SubscriberStanding(state=SubscriberState.CANCELLED, number=1)
            asked = AskSubscriberStanding(subscriber="trouble", program="film-a")
            answer = await http.ask(address, ASK_SUBSCRIBER_STANDING, asked, deadline_s=PATIENCE_S)
            assert answer == Refused(Reason.BUSY, "the database of subscribers does not answer")
            await http.ask(address, DELIVER_USAGE, DeliverUsage(), deadline_s=PATIENCE_S)
            assert theirs.delivered == 1

    asyncio.run(run())


@pytest.mark.parametrize("count", [1, 50])
def test_the_database_is_looked_at_once_for_all_who_wait(count):
    class Counting(SomebodyElses):
        looked = 0

        async def news(self, since, most):
            self.looked += since is None
            return SubscriberNews(until=4 if self.looked > 3 else 3)

    async def run():
        theirs = Counting()
        desk = NewsDesk(theirs)
        running = asyncio.create_task(desk.run())
        asked = AskSubscriberNews(since=3, wait_ms=30_000)
        answers = await asyncio.gather(*(desk.tell(asked) for _ in range(count)))
        assert {answer.until for answer in answers} == {4}
        assert theirs.looked == 4
        running.cancel()

    asyncio.run(run())
