"""The cache of subscribers at work (claim 6): simulated hosts, and a management that hangs, goes and changes."""

import asyncio
import random
from contextlib import contextmanager
from pathlib import Path

import pytest

from blade_agent.main_board.accounts.settings import AccountsLinkSettings
from blade_agent.main_board.accounts.station_accounts import StationAccounts
from blade_agent.main_board.accounts.subscriber_cache import ANSWER_WITHIN_S, STANDINGS_FILE
from chassis_emulator.simulation.simulation import Simulation
from distribution_center.accounts.accounts_server import accounts_table
from distribution_center.accounts.news_desk import NewsDesk
from media_network.address import Address
from media_network.http.server import serve
from media_network.messages.billing import AdmissionGround, UsageDelivered
from media_network.messages.subscribers import (
    Grant,
    SubscriberChange,
    SubscriberNews,
    SubscriberStanding,
    SubscriberState,
)
from media_network.refusal import Reason, Refused

MANAGEMENT, BLADE, STATE = Address("127.1.0.3", 8085), "127.1.1.1", Path("/blade/state")
ALL = SubscriberStanding(state=SubscriberState.ACTIVE, grants=(Grant(what="*"),))
GONE = SubscriberStanding(state=SubscriberState.CANCELLED)
FRESH, STALE, GRACE = AdmissionGround.FRESH, AdmissionGround.STALE, AdmissionGround.GRACE
MINUTE, HOUR = 60.0, 3600.0


class Management:
    """One of somebody else's, that may hang; everybody may see everything, until that is changed."""

    def __init__(self):
        self.standings, self.changes, self.asked = {}, [], 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def standing(self, subscriber, program, now_ms):
        self.asked += 1
        await self.goes_on.wait()
        return self.standings.get(subscriber, ALL)

    async def news(self, since, most):
        await self.goes_on.wait()
        new = tuple(self.changes[since:]) if since is not None else ()
        return SubscriberNews(changes=new[:most], until=len(self.changes))

    async def deliver(self, delivery):
        return UsageDelivered(new=0, known=0)

    def change(self, subscriber, standing):
        self.standings[subscriber] = standing
        number = len(self.changes) + 1
        self.changes.append(SubscriberChange(number=number, subscriber=subscriber, state=standing.state))


class World:
    def __init__(self, simulation):
        self.simulation, self.management = simulation, Management()
        self.blade, self.host = simulation.host(BLADE), simulation.host(MANAGEMENT.host)
        self.disk = simulation.disk("blade", self.blade, Path("/blade"))
        self.accounts = None

    async def _serve(self):
        desk = NewsDesk(self.management)
        async with serve(accounts_table(self.management, self.management, desk), MANAGEMENT):
            await desk.run()

    def serve(self):
        self.simulation.start(self.host, self._serve)

    def boot(self, **different):
        settings = AccountsLinkSettings(subscribers=str(MANAGEMENT), **different)
        self.accounts = StationAccounts(settings, STATE, self.disk, random.Random(1), Address(BLADE, 8081))
        self.simulation.start(self.blade, self.accounts.run)
        self.wait(0.1)

    def wait(self, seconds):
        self.simulation.run(until_s=self.simulation.loop.time() + seconds)

    def admit(self, *subscribers, program="film-a"):
        """What becomes of viewers who come at once; and how long the last of them waited, in seconds."""

        answered = self.simulation.loop.create_future()

        async def come():
            began_s = asyncio.get_running_loop().time()
            answers = await asyncio.gather(*(self.accounts.admit(each, program) for each in subscribers))
            answered.set_result((answers, asyncio.get_running_loop().time() - began_s))

        async def look():
            return await answered

        self.simulation.start(self.blade, come)
        return self.simulation.run_until_complete(look())


@contextmanager
def world(serves=True):
    with Simulation(1) as simulation:
        it = World(simulation)
        if serves:
            it.serve()
        it.boot()
        yield it


def test_a_crowd_costs_one_question_and_later_ones_none():
    with world() as it:
        answers, _ = it.admit(*["ada"] * 500)
        assert answers == [FRESH] * 500
        assert it.management.asked == 1
        assert it.admit("ada") == ([FRESH], 0.0)
        it.wait(MINUTE)
        assert it.admit("ada") == ([STALE], 0.0)
        it.wait(1.0)
        assert it.management.asked == 2
        assert it.admit("ada") == ([FRESH], 0.0)


def test_management_that_hangs_costs_one_viewer_a_second_and_nobody_else_anything():
    with world() as it:
        it.admit("ada")
        it.wait(2 * HOUR)
        it.management.goes_on.clear()
        answers, waited_s = it.admit("ada")
        assert answers == [GRACE]
        assert waited_s <= ANSWER_WITHIN_S + 0.1
        for _ in range(6):
            it.wait(5.0)
            assert it.admit("ada", "ada") == ([GRACE, GRACE], 0.0)
        assert it.management.asked < 12, "a try at a time"
        it.management.goes_on.set()
        it.wait(3.0)
        it.admit("ada")
        it.wait(1.0)
        assert it.admit("ada") == ([FRESH], 0.0)


def test_what_it_knows_outlives_a_power_cut_with_management_away():
    with world() as it:
        it.management.standings["bob"] = GONE
        it.admit("ada", "bob")
        it.wait(2.0)
        it.simulation.crash(it.host)
        it.simulation.crash(it.blade)
        it.wait(5 * HOUR)
        it.boot(grace_s=6 * HOUR)
        (ada, bob, eve), _ = it.admit("ada", "bob", "eve")
        assert (ada, bob.reason) == (GRACE, Reason.NOT_ENTITLED)
        assert eve is AdmissionGround.UNCONFIRMED
        it.wait(HOUR)
        assert it.admit("ada")[0] == [AdmissionGround.UNCONFIRMED], "a grace has an end"


def test_who_is_cancelled_is_refused_a_moment_later_and_who_is_cut_off_hears_of_it_when_it_is_back():
    with world() as it:
        it.admit("ada", "bob")
        it.wait(2.0)
        it.management.change("ada", GONE)
        it.wait(1.0)
        (refused,), waited_s = it.admit("ada")
        assert isinstance(refused, Refused)
        assert str(refused) == "the subscription is cancelled"
        assert waited_s == 0.0
        it.simulation.crash(it.host)
        it.management.change("bob", GONE)
        it.wait(5.0)
        assert it.admit("bob")[0] == [FRESH], "it has not been told"
        it.serve()
        it.admit("eve")
        it.wait(5.0)
        assert it.admit("bob")[0][0].reason is Reason.NOT_ENTITLED
        it.management.change("ada", ALL)
        it.wait(1.0)
        assert it.admit("ada")[0] == [FRESH], "who pays is let in at once"


def test_a_management_that_begins_anew_is_asked_about_everybody_again():
    with world() as it:
        it.management.change("bob", ALL)
        it.admit("ada")
        it.wait(1.0)
        it.management.changes.clear()
        it.management.standings["ada"] = GONE
        it.wait(30.0)
        assert it.admit("ada")[0][0].reason is Reason.NOT_ENTITLED


def test_without_management_from_the_first_day_the_token_decides():
    with world(serves=False) as it:
        assert it.admit("ada")[0] == [AdmissionGround.UNCONFIRMED]


def test_an_id_that_nobody_can_have_is_no_question():
    with world() as it:
        for subscriber in ("", "a b", "x" * 65, "é"):
            assert it.admit(subscriber)[0][0].reason is Reason.NOT_ENTITLED
        assert it.management.asked == 0


@pytest.mark.parametrize("damage", [b"nonsense" * 1000, b""])
def test_a_damaged_file_is_set_aside_and_everybody_asked_about_again(damage, caplog):
    with world() as it:
        it.admit("ada")
        it.wait(2.0)
        it.simulation.crash(it.blade)
        path = STATE / STANDINGS_FILE
        it.disk.remove(path)
        if damage:
            file = it.disk.append(path)
            file.write(damage)
            file.close()
        it.boot()
        assert it.admit("ada")[0] == [FRESH]
        assert it.management.asked == 2
        assert ("set aside" in caplog.text) == bool(damage)
