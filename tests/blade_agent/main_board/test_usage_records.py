"""Usage records (claim 6): what is sent becomes records, once each, whoever is away meanwhile; and an outage day."""

import asyncio
import itertools
import random
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from blade_agent.main_board.accounts.settings import AccountsLinkSettings
from blade_agent.main_board.accounts.station_accounts import StationAccounts
from chassis_emulator.simulation.simulation import Simulation
from distribution_center.accounts.accounts_server import accounts_table
from distribution_center.accounts.database import SqliteDatabase
from distribution_center.accounts.news_desk import NewsDesk
from distribution_center.accounts.stored_ledger import Nobodys, StoredLedger
from distribution_center.accounts.stored_subscribers import StoredSubscribers
from distribution_center.accounts.subscriber_management import ManagedSubscriber
from media_network.address import Address
from media_network.http.server import serve
from media_network.messages.billing import FIRST_PULLED_TURN, AdmissionGround, UsageDelivered, ViewingRecord
from media_network.messages.subscribers import FOR_EVER_MS, Grant, SubscriberState
from media_network.refusal import Refused
from media_network.time_of_day import now_ms

LEDGER, STATE = Address("127.1.0.3", 8085), Path("/blade/state")
BLADES = ("127.1.1.1", "127.1.1.2")
HOUR, DAY = 3600.0, 86_400.0
ADA = ManagedSubscriber(id="ada", name="ada")


class Blade:
    """A blade's cache, outbox and meter, and counters that say what its engine has sent."""

    def __init__(self, world, address):
        self.world, self.address = world, Address(address, 8081)
        self.host = world.simulation.host(address)
        self.disk = world.simulation.disk(address, self.host, Path("/blade"))
        self.pushed = self.going = 0
        self.boots = 0
        self.boot()

    def boot(self):
        self.boots += 1
        settings = AccountsLinkSettings(subscribers=str(LEDGER))
        rng = random.Random(f"{self.address} {self.boots}")
        self.accounts = StationAccounts(settings, STATE, self.disk, rng, self.address)
        self.accounts.outbox.again_max_s = 300.0  # a day has many of them
        self.pushed = self.going = 0
        self.accounts.meter.pushed_bytes = lambda: self.pushed
        self.accounts.meter.under_way_bytes = lambda: self.going
        self.world.simulation.start(self.host, self.accounts.run)

    def let_in(self, session, subscriber="ada", ground=AdmissionGround.FRESH, program="film"):
        self.accounts.note_viewing(
            ViewingRecord(
                session=session,
                epoch=1,
                subscriber=subscriber,
                program=program,
                station="north",
                at_ms=now_ms(),
                ground=ground,
                push=True,
            )
        )

    def push(self, session, turn, sent_bytes, epoch=1):
        """A turn is sent here, from its begin to its end."""
        self.pushed += sent_bytes
        self.accounts.meter.turn_ended(
            session=session, epoch=epoch, turn=turn, program="film", sent_bytes=sent_bytes, began_at_ms=now_ms()
        )

    def pull(self, session, *pieces):
        part = self.accounts.meter.pull_began(session, 1, "film")
        for piece in pieces:
            self.accounts.meter.pulled(part, piece)
        return part


class World:
    """Blades, and the built-in subscriber management and billing on a real database."""

    def __init__(self, simulation, tmp_path):
        self.simulation = simulation
        self.place = tmp_path / "accounts.sqlite"
        self.host = simulation.host(LEDGER.host)
        self.forgets = 0
        """So many deliveries are taken, and the answer lost."""
        self.database = SqliteDatabase(self.place)
        self.ledger, self.subscribers = StoredLedger(self.database), StoredSubscribers(self.database)
        self.run_in(self.subscribers.add(ADA))

    async def _serve(self):
        desk = NewsDesk(self.subscribers)
        async with serve(accounts_table(self.subscribers, self, desk), LEDGER):
            await desk.run()

    async def deliver(self, delivery) -> UsageDelivered:
        taken = await self.ledger.deliver(delivery)
        if self.forgets:
            self.forgets -= 1
            raise ConnectionResetError
        return taken

    def serve(self):
        self.simulation.start(self.host, self._serve)

    def run_in(self, coroutine):
        return self.simulation.run_until_complete(coroutine)

    def wait(self, seconds):
        self.simulation.run(until_s=self.simulation.loop.time() + seconds)

    def used(self, subscriber="ada"):
        found = self.run_in(self.ledger.used(subscriber, 0, FOR_EVER_MS))
        return {each.program: (each.viewings, each.sent_bytes) for each in found}

    def on(self, blade, act):
        """Something that happens in a blade's process; what it gives."""
        done = self.simulation.loop.create_future()

        async def program():
            answer = act()
            done.set_result(await answer if asyncio.iscoroutine(answer) else answer)

        async def look():
            return await done

        self.simulation.start(blade.host, program)
        return self.run_in(look())

    def reconciled(self):
        totals, nobodys = self.run_in(self.ledger.totals())
        assert nobodys == Nobodys(0, 0)
        return [total.difference_bytes for total in totals]


@contextmanager
def world(tmp_path, serves=True):
    with Simulation(1) as simulation:
        it = World(simulation, tmp_path)
        if serves:
            it.serve()
        yield it
        it.run_in(it.database.close())


def test_turns_and_what_was_fetched_are_in_the_ledger_once_though_answers_are_lost(tmp_path):
    with world(tmp_path) as it:
        blade = Blade(it, BLADES[0])
        it.wait(1.0)
        it.forgets = 3

        def act():
            blade.let_in("s1")
            blade.push("s1", 0, 1000)
            blade.push("s1", 1, 500)
            part = blade.pull("s1", 70, 7)
            blade.accounts.meter.pull_ended(part)

        it.on(blade, act)
        it.wait(60.0)
        assert it.forgets == 0
        assert it.used() == {"film": (1, 1577)}
        assert it.reconciled() == [0]


def test_what_a_player_fetches_in_a_while_is_one_record_apart_from_turns_of_streams(tmp_path):
    with world(tmp_path, serves=False) as it:
        blade = Blade(it, BLADES[0])
        it.wait(1.0)

        def act():
            for _ in range(50):
                blade.accounts.meter.pull_ended(blade.pull("s1", 10))
            blade.accounts.meter.pull_ended(blade.pull("s1"))  # HEAD, or nothing new

        it.on(blade, act)
        it.wait(2.0)
        rows = it.on(blade, lambda: blade.accounts.outbox._file.first("usage"))
        assert len(rows) == 1
        assert int(rows[0].key.split("/")[2]) >= FIRST_PULLED_TURN


def test_what_is_under_way_is_told_apart(tmp_path):
    with world(tmp_path) as it:
        blade = Blade(it, BLADES[0])
        it.wait(1.0)

        def act():
            blade.let_in("s1")
            blade.push("s1", 0, 1000)
            blade.pushed, blade.going = blade.pushed + 33, 33
            return blade.pull("s1", 7)

        part = it.on(blade, act)
        it.wait(5.0)
        totals, _ = it.run_in(it.ledger.totals())
        assert [(each.counted_bytes, each.under_way_bytes, each.recorded_bytes) for each in totals] == [
            (1040, 40, 1000)
        ]
        it.on(blade, lambda: blade.accounts.meter.pull_ended(part))
        blade.going, blade.pushed = 0, blade.pushed - 33
        it.on(blade, lambda: blade.push("s1", 1, 33))
        it.wait(5.0)
        assert it.reconciled() == [0]
        assert it.used() == {"film": (1, 1040)}


def test_records_outlive_power_cuts_and_a_take_over_makes_no_key_twice(tmp_path):
    with world(tmp_path, serves=False) as it:
        first, second = (Blade(it, address) for address in BLADES)
        it.wait(1.0)
        it.on(first, lambda: (first.let_in("s1"), first.push("s1", 0, 1000)))
        it.on(second, lambda: second.push("s1", 1, 500))
        it.on(first, lambda: first.push("s1", 1, 30, epoch=2))  # a director that did not know of it gave it anew
        it.wait(5.0)
        for blade in (first, second):
            it.simulation.power_cut(blade.host)
            blade.boot()
        it.on(second, lambda: second.push("s1", 2, 4, epoch=2))
        it.wait(HOUR)
        it.serve()
        it.wait(600.0)
        assert it.used() == {"film": (1, 1534)}
        assert it.reconciled() == [0, 0, 0], "two engines, one of them of two boots"


class Day:
    """Viewers who come all day at two stations that have seen them before."""

    ENTITLED, OTHERS = tuple(f"viewer-{n}" for n in range(12)), ("suspended", "cancelled", "lapsed")

    def __init__(self, it):
        self.it, self.rng = it, random.Random(3)
        self.sent, self.wrongly, self.rightly = Counter(), [], 0
        self.numbers = itertools.count()
        for name in (*self.ENTITLED, *self.OTHERS):
            it.run_in(it.subscribers.add(ManagedSubscriber(id=name, name=name)))
        it.run_in(it.subscribers.add_to_package("classics", [f"film-{n}" for n in range(3)]))
        for name in self.ENTITLED:
            it.run_in(it.subscribers.grant(name, Grant(what="classics", package=True), now_ms()))
        for name, state in (("suspended", SubscriberState.SUSPENDED), ("cancelled", SubscriberState.CANCELLED)):
            it.run_in(it.subscribers.set_state(name, state))
        self.blades = [Blade(it, address) for address in BLADES]
        it.wait(1.0)

    def come(self, blade, viewer, film):
        """Somebody comes; who is let in sees some of it."""

        async def view():
            answer = await blade.accounts.admit(viewer, film)
            if not isinstance(answer, Refused):
                session = f"session-{next(self.numbers)}"
                blade.let_in(session, viewer, answer, film)
                for turn in range(3):
                    sent_bytes = 188 * self.rng.randrange(1, 100_000)
                    blade.push(session, turn, sent_bytes)
                    self.sent[viewer, film] += sent_bytes
            refused = isinstance(answer, Refused)
            if refused == (viewer in self.ENTITLED):
                self.wrongly.append((viewer, film))
            self.rightly += refused

        self.it.simulation.start(blade.host, view)

    def evening_before(self):
        for blade in self.blades:
            for number, viewer in enumerate((*self.ENTITLED, *self.OTHERS)):
                self.come(blade, viewer, f"film-{number % 3}")
        self.it.wait(60.0)

    def day(self, visits):
        for visit in range(visits):
            blade = self.rng.choice(self.blades)
            for viewer in self.rng.sample(self.ENTITLED + self.OTHERS, 5):
                self.come(blade, viewer, f"film-{self.rng.randrange(3)}")
            self.it.wait(DAY / visits)
            if visit % 5 == 0:
                self.it.simulation.power_cut(blade.host)
                blade.boot()

    def settled(self):
        found = Counter()
        for viewer in (*self.ENTITLED, *self.OTHERS):
            for used in self.it.run_in(self.it.ledger.used(viewer, 0, FOR_EVER_MS)):
                found[viewer, used.program] += used.sent_bytes
        return found


def test_a_day_without_billing_and_subscriber_management(tmp_path):
    """Nobody is wrongly refused, and nobody wrongly let in; what was used is settled afterwards, to the unit."""
    with world(tmp_path) as it:
        day = Day(it)
        day.evening_before()
        it.simulation.crash(it.host)
        day.day(visits=16)
        assert day.wrongly == []
        assert day.rightly > 5
        it.serve()
        it.wait(600.0)
        assert day.settled() == day.sent
        assert not any(it.reconciled())
