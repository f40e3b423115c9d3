"""What every implementation of the registry's store does when programs are deleted at stations: whatever is said in
whatever order, no segment of a program that is not withdrawn loses its last copy."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace

from distribution_center.registry import deciding, deletion_writes
from distribution_center.registry.deciding import Counted, Ground, Leave, is_worth_saving
from distribution_center.registry.deletions import ELSEWHERE_MAX, Asked, DeletionState, DeletionTerms, Origin, Room
from distribution_center.registry.opening import open_repository
from distribution_center.registry.repository import Repository, Stamp, Verdict
from tests.distribution_center.registry.postgresql_server import PostgresqlServer
from tests.distribution_center.registry.tallies import require_right_tallies
from tests.distribution_center.registry.test_repository import FILM, FIRST, carry_out, program_of, station_of

STATIONS = ("home", "north", "south", "west")
WHOLE = range(3)
EXAMPLES = 200 if os.environ.get("SOAK") else 8
NOW_MS = 1_000_000
Open = Callable[[], Awaitable[Repository]]


def terms(*roomy: str, since: int = NOW_MS, room_bytes: int = 10**12) -> DeletionTerms:
    rooms = [Room(station, room_bytes) for station in roomy]
    return DeletionTerms(home="home", heard_since_ms=since, roomy=rooms, now_ms=NOW_MS)


@pytest.fixture(scope="module")
def server():
    server = PostgresqlServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer("pg_ctlcluster", "setpriv"))])
def opened(request, tmp_path, monkeypatch):
    """Opens the store anew, with what it held."""
    if request.param == "sqlite":
        return lambda: open_repository(str(tmp_path / "registry"))
    server = request.getfixturevalue("server")
    monkeypatch.setenv("PGPASSFILE", str(server.password_file))
    schema = f"deletions_{abs(hash(tmp_path))}"
    server.execute(f"CREATE SCHEMA {schema}")
    return lambda: open_repository(server.dsn(schema))


def tell(opened: Open, story: Callable[[Repository], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await opened()
        try:
            await store.add_program(program_of("film"))
            for name in STATIONS:
                await store.see_station(station_of(name))
                await store.replace_station(name, FIRST, {})
                await store.hear_station(name, NOW_MS)
            await story(store)
        finally:
            await store.close()

    asyncio.run(run())


async def ask(store: Repository, station: str, asks: DeletionTerms | None = None, stamp: Stamp = FIRST) -> Asked:
    asked = Asked()
    await store.request_deletion(FILM, station, stamp, asks or terms(), asked)
    return asked


async def ground(store: Repository, station: str, asks: DeletionTerms | None = None) -> Ground:
    asked = await ask(store, station, asks)
    assert asked.ruling
    return asked.ruling.ground


async def rows(store: Repository) -> list[tuple[str, Origin, DeletionState]]:
    return [(row.station, row.origin, row.state) for row in await store.deletions(denied=True)]


def test_what_others_hold_may_go_and_its_order_with_it(opened):
    async def story(store):
        for name in ("north", "south"):
            await store.add_locations(FILM, name, FIRST, WHOLE, 2)
        await store.set_order("film", "north", 2)
        await carry_out(store, "film", "north")
        assert await ground(store, "north") is Ground.ORDERED, "a station does not evict what is ordered there"
        assert await store.wish_deletion("film", "north") is Verdict.ACCEPTED
        assert await store.wish_deletion("film", "north") is Verdict.REPEATED
        assert await rows(store) == [("north", Origin.OPERATOR, DeletionState.WISHED)]
        assert await ground(store, "north") is Ground.SPARE
        assert await store.orders("film") == {}
        assert await ground(store, "north") is Ground.SPARE, "said again"
        assert set(await store.locations("film")) == {"north", "south"}, "it may be there yet"
        assert await store.deletion_done(FILM, "north", FIRST) is Verdict.ACCEPTED
        assert await store.locations("film") == {"south": set(WHOLE)}
        assert await store.held("film", 2) == {"south": 3}
        assert await rows(store) == []
        assert await store.deletion_done(FILM, "north", FIRST) is Verdict.REPEATED, "said again"

    tell(opened, story)


def test_leave_that_was_not_used_is_ruled_on_anew(opened):
    """The answer was lost, or came too late; meanwhile the other station has lost what it held."""

    async def story(store):
        for name in ("north", "south"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        await store.wish_deletion("film", "north")
        assert await ground(store, "north") is Ground.SPARE
        await store.remove_locations(FILM, "south", FIRST, [1])
        assert await ground(store, "north") is not Ground.SPARE
        assert await rows(store) == [("north", Origin.OPERATOR, DeletionState.GRANTED)], "until its next inventory"
        await store.add_locations(FILM, "south", FIRST, [1])
        assert await ground(store, "north") is Ground.SPARE

    tell(opened, story)


def test_a_confirmation_without_leave_takes_nothing_away(opened):
    """The station has reported anew since it was granted, and an engine has brought some of it back."""

    async def story(store):
        for name in ("north", "south"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        assert await store.deletion_done(FILM, "north", FIRST) is Verdict.REPEATED
        assert set(await store.locations("film")) == {"north", "south"}

    tell(opened, story)


def test_two_stations_do_not_both_get_leave(opened):
    async def story(store):
        for name in ("north", "south"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        await store.publish_program("film", 1)
        first, second = await asyncio.gather(ask(store, "north"), ask(store, "south"))
        assert sorted(each.ruling.leave for each in (first, second)) == [Leave.DENIED, Leave.GRANTED]

    tell(opened, story)


def test_segments_may_be_spread_over_the_others(opened):
    async def story(store):
        await store.publish_program("film", 1)
        await store.add_locations(FILM, "north", FIRST, WHOLE)
        await store.add_locations(FILM, "south", FIRST, [0, 1])
        await store.add_locations(FILM, "home", FIRST, [2])
        assert await ground(store, "north") is Ground.NO_SURPLUS, "home does not count"
        await store.add_locations(FILM, "west", FIRST, [2])
        assert await ground(store, "north") is Ground.SPARE

    tell(opened, story)


def test_the_last_copy_at_a_station_is_worth_saving_or_home_keeps_it(opened):
    async def story(store):
        await store.add_locations(FILM, "north", FIRST, WHOLE)
        assert await ground(store, "north") is Ground.LAST_OF_ALL
        await store.add_locations(FILM, "home", FIRST, WHOLE)
        await store.publish_program("film", NOW_MS - 10, NOW_MS + 10)
        assert await ground(store, "north") is Ground.NO_SURPLUS
        await store.publish_program("film", NOW_MS - 10, NOW_MS)
        await store.set_order("film", "south", 1)
        assert await ground(store, "north") is Ground.NO_SURPLUS, "south waits for it"
        await store.set_order("film", "home", 1)
        other = program_of("film").cut
        assert other == FILM
        await store.withdraw_program("film")
        await store.add_program(program_of("film"))
        for name in ("home", "north"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        assert await ground(store, "north") is Ground.HOME_HAS_IT
        assert await ground(store, "home") is Ground.LAST_OF_ALL, "north has leave to delete it"

    tell(opened, story)


def test_the_home_station_may_be_asked_for_it_too(opened):
    async def story(store):
        for name in ("home", "north"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        await store.replace_station("home", Stamp(1, 2), {FILM: [WHOLE]}, keeps=True)
        await store.wish_deletion("film", "home")
        asked = await ask(store, "home", stamp=Stamp(1, 2))
        assert asked.ruling.ground is Ground.SPARE
        await store.replace_station("home", Stamp(1, 3), {FILM: [WHOLE]}, keeps=True)
        assert await store.orders("film") == {}, "no order is made for what it is deleting"
        asked = await ask(store, "home", stamp=Stamp(1, 3))
        assert asked.ruling.ground is Ground.SPARE
        await store.deletion_done(FILM, "home", Stamp(1, 3))
        await store.replace_station("home", Stamp(1, 4), {}, keeps=True)
        assert await store.orders("film") == {}

    tell(opened, story)


def test_a_station_out_of_sight_does_not_count_and_holds_the_others_up(opened):
    async def story(store):
        for name in ("north", "south"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        for name in STATIONS:
            await store.hear_station(name, NOW_MS - (name == "south"))
        await store.add_locations(FILM, "home", FIRST, WHOLE)
        await store.publish_program("film", 1)
        assert await ground(store, "north") is Ground.UNSURE
        await store.hear_station("south", NOW_MS)
        await store.see_station(station_of("south", Stamp(2, 0)))
        assert await ground(store, "north") is Ground.UNSURE, "its new director has yet to say what it holds"
        await store.replace_station("south", Stamp(2, 1), {FILM: [WHOLE]})
        assert await ground(store, "north") is Ground.SPARE

    tell(opened, story)


def test_leave_is_asked_for_with_the_inventory_that_is_known(opened):
    async def story(store):
        for name in ("north", "south"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        asked = Asked()
        for stamp, verdict in (
            (Stamp(0, 9), Verdict.OLD_EPOCH),
            (Stamp(1, 0), Verdict.OLD_GENERATION),
            (Stamp(1, 2), Verdict.NO_INVENTORY),
            (Stamp(2, 1), Verdict.NO_INVENTORY),
        ):
            assert await store.request_deletion(FILM, "north", stamp, terms(), asked) is verdict
            assert await store.deletion_done(FILM, "north", stamp) is verdict
            assert asked.ruling is None
        assert await store.request_deletion(FILM, "none", FIRST, terms(), asked) is Verdict.UNKNOWN_STATION
        gone = program_of("gone").cut
        assert await store.request_deletion(gone, "north", FIRST, terms(), asked) is Verdict.UNKNOWN_PROGRAM
        assert set(await store.locations("film")) == {"north", "south"}

    tell(opened, story)


def test_leave_ends_with_the_next_inventory_and_a_wish_does_not(opened):
    """The director has restarted: whether it has deleted anything is what it says now."""

    async def story(store):
        for name in ("north", "south", "west"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        await store.wish_deletion("film", "north")
        await ask(store, "north")
        await ask(store, "south")
        assert [state for _, _, state in await rows(store)] == [DeletionState.GRANTED] * 2
        await store.see_station(station_of("north", Stamp(2, 0)))
        await store.replace_station("north", Stamp(2, 1), {FILM: [WHOLE]}, None, "film")
        assert ("north", Origin.OPERATOR, DeletionState.GRANTED) in await rows(store), "that is half of it"
        await store.replace_station("north", Stamp(2, 1), {}, "film")
        await store.replace_station("south", Stamp(1, 2), {})
        assert await rows(store) == [("north", Origin.OPERATOR, DeletionState.WISHED)]
        assert await ground(store, "west") is Ground.SPARE, "north counts again"

    tell(opened, story)


def test_the_last_copy_is_moved_first(opened):
    async def story(store):
        for name in ("home", "north"):
            await store.add_locations(FILM, name, FIRST, WHOLE)
        await store.publish_program("film", 1)
        await store.wish_deletion("film", "north")
        await store.wish_deletion("film", "west")
        asked = await ask(store, "north", terms("north", "home", "west", "south"))
        assert (asked.ruling.ground, asked.destination) == (Ground.MOVING, "south"), "west is to delete it too"
        assert (await ask(store, "north", terms())).destination == "south", "it stays what was chosen"
        assert await ground(store, "south") is Ground.EXPECTED
        await store.add_locations(FILM, "south", FIRST, [0, 1])
        assert await ground(store, "north") is Ground.MOVING
        await store.add_locations(FILM, "south", FIRST, [2])
        assert await ground(store, "north") is Ground.SPARE
        assert list(await store.orders("film")) == ["south"], "it stays there"

    tell(opened, story)


def test_a_station_that_does_not_take_it_is_not_asked_again(opened):
    async def story(store):
        await store.publish_program("film", 1)
        await store.add_locations(FILM, "north", FIRST, WHOLE)
        assert (await ask(store, "north", terms("south"))).destination == "south"
        assert await store.look_elsewhere("film", "north") is Verdict.ACCEPTED
        assert (await ask(store, "north", terms("west"))).destination == "west"
        await store.look_elsewhere("film", "north")
        assert await ground(store, "north") is Ground.NO_SURPLUS
        assert await rows(store) == [], "nobody wished it"

    tell(opened, story)


def test_what_is_denied_is_said_until_it_is_wished_anew_or_ordered(opened):
    async def story(store):
        await store.add_locations(FILM, "north", FIRST, WHOLE)
        await store.wish_deletion("film", "north")
        assert await ground(store, "north") is Ground.LAST_OF_ALL
        [row] = await store.deletions(denied=True)
        assert (row.state, row.reason) == (DeletionState.DENIED, Ground.LAST_OF_ALL.value)
        assert await store.deletions() == []
        assert await store.wish_deletion("film", "north") is Verdict.ACCEPTED
        assert await rows(store) == [("north", Origin.OPERATOR, DeletionState.WISHED)]
        await store.set_order("film", "north", 1)
        assert await rows(store) == []
        assert await store.end_deletion("film", "north") is Verdict.REPEATED
        await store.wish_deletion("film", "north")
        await store.withdraw_program("film")
        await store.add_program(program_of("film"))
        assert await rows(store) == []
        assert await store.wish_deletion("none", "north") is Verdict.UNKNOWN_PROGRAM
        assert await store.wish_deletion("film", "none") is Verdict.UNKNOWN_STATION

    tell(opened, story)


def test_what_is_not_ordered_is_surplus_and_copies_beyond_the_ordered_ones(opened):
    async def story(store):
        for name in ("a", "b", "c"):
            await store.add_program(program_of(name))
            await store.add_locations(program_of(name).cut, "north", FIRST, WHOLE, 3)
        await store.set_order("b", "north", 2)
        await store.set_order("c", "north", 3)
        await store.add_locations(program_of("a").cut, "south", FIRST, [1])
        found = await store.surplus("north")
        assert [(each.cut, each.ordered, each.elsewhere) for each in found.surplus] == [
            (program_of("a").cut, 0, 1),
            (program_of("b").cut, 2, 0),
        ]
        assert found.until is None
        pages, after = [], ""
        while after is not None:
            page = await store.surplus("north", after, limit=1)
            pages.append([each.cut.program for each in page.surplus])
            after = page.until
        assert pages == [["a"], ["b"], [], []], "what was looked at, whether or not it is surplus"
        assert await store.surplus("none") == ((), None)

    tell(opened, story)


def test_of_those_who_hold_it_too_a_few_are_counted(opened):
    async def story(store):
        for number in range(ELSEWHERE_MAX + 3):
            name = f"many-{number:02}"
            await store.see_station(station_of(name))
            await store.replace_station(name, FIRST, {FILM: [[0]]})
        await store.add_locations(FILM, "north", FIRST, WHOLE)
        [found] = (await store.surplus("north")).surplus
        assert found.elsewhere == ELSEWHERE_MAX

    tell(opened, story)


async def last_copies(store, *names):
    """Programs whose last copies at stations are in the north."""
    for name in names:
        program = program_of(name)
        await store.add_program(program)
        await store.publish_program(name, 0)
        await store.add_locations(program.cut, "north", FIRST, WHOLE)
        await store.add_locations(program.cut, "home", FIRST, WHOLE)


async def ask_for(store, name, asks):
    asked = Asked()
    await store.request_deletion(program_of(name).cut, "north", FIRST, asks, asked)
    return asked


LENGTH_BYTES = program_of("a").header.length_bytes


def test_what_is_to_be_moved_to_a_station_takes_its_room_from_the_next(opened):
    """Several stations may ask at the same moment, and what has been said of their room is the same for all."""

    async def story(store):
        await last_copies(store, "a", "b", "c", "d")
        roomy = terms("south", "west", room_bytes=2 * LENGTH_BYTES)
        said = [await ask_for(store, name, roomy) for name in ("a", "b", "c")]
        assert [asked.destination for asked in said] == ["south", "south", "west"]
        assert (await ask_for(store, "a", roomy)).destination == "south", "asked again, it is the one that was chosen"
        asked = await ask_for(store, "d", terms("south", room_bytes=2 * LENGTH_BYTES))
        assert (asked.ruling.leave, asked.ruling.ground) == (Leave.HELD, Ground.CROWDED)
        await store.look_elsewhere("a", "north")
        assert (await ask_for(store, "d", terms("south", room_bytes=2 * LENGTH_BYTES))).destination == "south"

    tell(opened, story)


def test_what_is_ordered_to_a_station_and_not_there_yet_takes_its_room_too(opened):
    async def story(store):
        await last_copies(store, "a", "b")
        await store.set_order("b", "south", 2)
        little, enough = 3 * LENGTH_BYTES - 1, 3 * LENGTH_BYTES
        assert (await ask_for(store, "a", terms("south", room_bytes=little))).ruling.ground is Ground.CROWDED
        assert (await ask_for(store, "a", terms("south", room_bytes=enough))).destination == "south"
        assert (await ask_for(store, "b", terms("south", room_bytes=2 * LENGTH_BYTES))).destination == "south", (
            "what is ordered there is to come there anyway"
        )

    tell(opened, story)


def test_a_station_with_very_much_on_its_way_has_enough_to_take(opened, monkeypatch):
    monkeypatch.setattr(deletion_writes, "_COMING_MAX", 1)

    async def story(store):
        await last_copies(store, "a", "b", "c")
        roomy = terms("south", "west")
        assert [(await ask_for(store, name, roomy)).destination for name in ("a", "b", "c")] == [
            "south",
            "south",
            "west",
        ]

    tell(opened, story)


def test_a_denied_deletion_is_dismissed_and_no_other(opened):
    async def story(store):
        await store.add_locations(FILM, "north", FIRST, WHOLE)
        assert await store.dismiss_deletion("film", "north") is Verdict.REPEATED
        await store.wish_deletion("film", "north")
        assert await store.dismiss_deletion("film", "north") is Verdict.CONFLICT
        await ask(store, "north")
        assert [row.state for row in await store.deletions(denied=True)] == [DeletionState.DENIED]
        assert await store.dismiss_deletion("film", "north") is Verdict.ACCEPTED
        assert await store.deletions(denied=True) == []
        assert await store.locations("film") == {"north": set(WHOLE)}

    tell(opened, story)


COUNTS = st.integers(0, 3)


@given(
    st.builds(
        Counted,
        alone=COUNTS,
        alone_at_best=COUNTS,
        last=COUNTS,
        last_at_best=COUNTS,
        worth_saving=st.booleans(),
        wished=st.booleans(),
        ordered=st.booleans(),
        expected=st.booleans(),
        destination=st.sampled_from([None, "south"]),
        crowded=st.booleans(),
    )
)
def test_leave_is_given_for_nothing_that_nobody_else_holds(counted):
    counted = counted._replace(last=min(counted.last, counted.alone))  # home holds some of it
    ruling = deciding.rule(counted)
    if ruling.leave is Leave.GRANTED:
        assert not counted.last
        assert not (counted.worth_saving and counted.alone)
        assert not counted.expected
        assert counted.wished or not counted.ordered
    if ruling.ground is Ground.MOVING:
        assert counted.destination
    if ruling.ground in (Ground.CROWDED, Ground.NO_SURPLUS):
        assert counted.destination is None
        assert counted.crowded is (ruling.leave is Leave.HELD)


def test_what_is_worth_saving():
    header = program_of("film").header

    def worth(publish_at_ms=None, window_ends_ms=None, *, ordered_elsewhere=False):
        dated = replace(header, publish_at_ms=publish_at_ms, window_ends_ms=window_ends_ms)
        return is_worth_saving(dated, ordered_elsewhere=ordered_elsewhere, now_ms=50)

    assert not worth()
    assert worth(10)
    assert worth(60, 70), "it is to be published"
    assert not worth(10, 50)
    assert worth(10, 50, ordered_elsewhere=True)
    assert worth(ordered_elsewhere=True)


@dataclass
class Station:
    """A station as it is: its disks, and what its director goes by."""

    disks: set[int] = field(default_factory=set)
    stamp: Stamp = FIRST
    leave: bool = False
    """Its director has leave, and holds nothing any more in what it says, whatever the disks have yet."""


class NeverTheLast(RuleBasedStateMachine):
    """Stations that store, ask, delete, restart and report as they like, and a registry that restarts."""

    opened: Open

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.stations = {name: Station() for name in STATIONS}
        self.stale: list[tuple[str, Stamp]] = []
        self.store = self.runner.run(self.opened())
        self.runner.run(self.begin())

    async def begin(self):
        await self.store.add_program(program_of("film"))
        for name, station in self.stations.items():
            await self.store.see_station(station_of(name))
            await self.store.hear_station(name, NOW_MS)
            await self.store.replace_station(name, FIRST, {FILM: [WHOLE]})
            station.disks = set(WHOLE)

    def teardown(self):
        self.runner.run(require_right_tallies(self.store))
        self.runner.run(self.store.close())
        self.runner.close()

    @rule(name=st.sampled_from(STATIONS), segments=st.sets(st.sampled_from(WHOLE), min_size=1))
    def stores(self, name, segments):
        station = self.stations[name]
        if not station.leave:
            station.disks |= segments
            self.runner.run(self.store.add_locations(FILM, name, station.stamp, segments))

    @rule(names=st.permutations(STATIONS), roomy=st.lists(st.sampled_from(STATIONS), unique=True))
    def ask(self, names, roomy):
        for name in names:
            self.asks(name, roomy)

    def asks(self, name, roomy):
        station = self.stations[name]
        if not station.leave:
            asked = self.runner.run(ask(self.store, name, terms(*roomy), station.stamp))
            station.leave = asked.ruling is not None and asked.ruling.leave is Leave.GRANTED
            self.stale.append((name, station.stamp))

    @rule(name=st.sampled_from(STATIONS), roomy=st.lists(st.sampled_from(STATIONS), unique=True))
    def asks_and_never_hears_the_answer(self, name, roomy):
        station = self.stations[name]
        if not station.leave:
            self.runner.run(ask(self.store, name, terms(*roomy), station.stamp))

    @precondition(lambda self: self.stale)
    @rule(which=st.integers(0, 99))
    def an_old_question_comes_late(self, which):
        name, stamp = self.stale[which % len(self.stale)]
        self.runner.run(ask(self.store, name, terms(*STATIONS), stamp))

    @rule()
    def those_with_leave_delete(self):
        for station in self.stations.values():
            if station.leave:
                station.disks = set()

    @rule(name=st.sampled_from(STATIONS))
    def has_deleted(self, name):
        station = self.stations[name]
        if station.leave and not station.disks:
            self.runner.run(self.store.deletion_done(FILM, name, station.stamp))
            station.leave = False

    @rule(name=st.sampled_from(STATIONS), tells=st.booleans())
    def restarts(self, name, tells):
        station = self.stations[name]
        station.stamp, station.leave = Stamp(station.stamp.epoch + 1, 0), False
        self.runner.run(self.store.see_station(station_of(name, station.stamp)))
        if tells:
            self.reports(name)

    @rule(name=st.sampled_from(STATIONS))
    def reports(self, name):
        station = self.stations[name]
        station.stamp = Stamp(station.stamp.epoch, station.stamp.generation + 1)
        held = {} if station.leave else {FILM: [set(station.disks)]}
        self.runner.run(self.store.replace_station(name, station.stamp, held, keeps=name == "home"))

    @rule(name=st.sampled_from(STATIONS), ago=st.booleans())
    def is_heard(self, name, ago):
        self.runner.run(self.store.hear_station(name, NOW_MS - ago))

    @rule(name=st.sampled_from(STATIONS), what=st.sampled_from(["wish", "end", "order", "elsewhere"]))
    def an_operator_orders(self, name, what):
        store = self.store
        orders = {
            "wish": store.wish_deletion("film", name),
            "end": store.end_deletion("film", name),
            "order": store.set_order("film", name, 1),
            "elsewhere": store.look_elsewhere("film", name),
        }
        self.runner.run(orders.pop(what))
        for other in orders.values():
            other.close()

    @rule(at_ms=st.sampled_from([1, NOW_MS * 2]), until_ms=st.sampled_from([None, 2]))
    def is_published(self, at_ms, until_ms):
        self.runner.run(self.store.publish_program("film", at_ms, until_ms))

    @rule()
    def the_registry_restarts(self):
        self.runner.run(self.store.close())
        self.store = self.runner.run(self.opened())

    @invariant()
    def every_segment_is_somewhere(self):
        assert set().union(*(station.disks for station in self.stations.values())) == set(WHOLE)

    @invariant()
    def every_segment_is_listed(self):
        listed = self.runner.run(self.store.locations("film"))
        assert set().union(*listed.values()) == set(WHOLE)


def state_machine(open_one: Callable[[Path], Open]) -> Callable[[], NeverTheLast]:
    def make() -> NeverTheLast:
        folder = TemporaryDirectory()
        machine = type("Machine", (NeverTheLast,), {"opened": staticmethod(open_one(Path(folder.name)))})()
        machine.folder = folder
        return machine

    return make


def test_whatever_is_said_in_whatever_order_no_segment_is_lost():
    make = state_machine(lambda folder: lambda: open_repository(str(folder / "registry")))
    run_state_machine_as_test(
        make, settings=settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None, phases=[Phase.generate])
    )


@pytest.mark.peer("pg_ctlcluster", "setpriv")
def test_so_it_is_on_postgresql(server, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", str(server.password_file))

    def of(folder: Path) -> Open:
        schema = f"stateful_{folder.name.lower()}"
        server.execute(f"CREATE SCHEMA {schema}")
        return lambda: open_repository(server.dsn(schema))

    run_state_machine_as_test(
        state_machine(of),
        settings=settings(max_examples=EXAMPLES // 4, stateful_step_count=30, deadline=None, phases=[Phase.generate]),
    )
