"""The stations that the registry names to a director that seeks a segment, of however many there are."""

import asyncio
import time

import pytest

from distribution_center.distances import Distances, DistanceSettings, ZonePair
from distribution_center.registry.finding_sources import FindingSources
from distribution_center.registry.presence import Presences
from distribution_center.registry.source_reads import HOLDERS_MAX
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.address import Address
from media_network.messages.registry import RegisterStation
from media_network.messages.sources import SOURCES_MAX, AskSources, CostWeights
from media_network.refusal import Reason
from tests.distribution_center.registry.test_repository import FIRST, program_of, station_of

HOME = "home"
FILM = program_of("film", 200)
DISTANCES = DistanceSettings(default_km=700, between=(ZonePair(zones=("berlin", "hamburg"), km=255),))


class Registry:
    """A registry of stations that hold some of a film, and how they are."""

    def __init__(self, store):
        self.store, self.presences = store, Presences()
        self.finding = FindingSources(
            store, self.presences, HOME, Address("127.0.0.1", 80), Distances(DISTANCES), CostWeights()
        )

    async def station(self, name, held=range(200), *, silent_s=0.0, speaks=True, **said):
        await self.store.see_station(station_of(name))
        await self.store.replace_station(name, FIRST, {FILM.cut: [held]})
        if speaks:
            self.hear(name, silent_s, **said)

    def hear(self, name, silent_s=0.0, **said):
        registration = RegisterStation(station=name, director="", media="", epoch=1, engines=1, heard=0, **said)
        self.presences.hear(registration, asyncio.get_running_loop().time() - silent_s)

    async def ask(self, segment=None, station="seeking", zone="", table=FILM.header.table, program="film"):
        question = AskSources(station=station, zone=zone, program=program, table=table, segment=segment)
        return await self.finding._answer(question)

    async def names(self, *arguments, **facts):
        return [source.station for source in (await self.ask(*arguments, **facts)).sources]


@pytest.fixture
def told(tmp_path):
    """Tell a story to a registry that knows a film of 200 segments."""

    def tell(story):
        async def run():
            store = SqliteRepository.open(tmp_path / "registry.sqlite")
            try:
                await store.add_program(FILM)
                await story(Registry(store))
            finally:
                await store.close()

        asyncio.run(run())

    return tell


def test_a_source_is_described_as_it_registered(told):
    async def story(registry):
        said = {"zone": "berlin", "load": 0.25, "free_bps": 10**8, "lease_ms": 15_000}
        await registry.station(HOME, [0, 70, 199], silent_s=20, **said)
        await registry.station("never", [0, 1], speaks=False)
        answer = await registry.ask(zone="hamburg")
        home, never = answer.sources if answer.sources[0].home else reversed(answer.sources)
        assert (home.director, home.zone, home.distance_km) == ("127.1.1.1:81", "berlin", 255)
        assert (home.load, home.free_bps, home.segments, home.home, home.stale) == (0.25, 10**8, 3, True, True)
        assert 20_000 <= home.silent_ms < 30_000
        assert (never.load, never.free_bps, never.stale, never.distance_km) == (1.0, 0, True, 700)
        assert answer.parts == "127.0.0.1:80"

    told(story)


def test_who_asks_is_not_named_and_only_holders_of_the_segment_are(told):
    async def story(registry):
        await registry.station("north")
        await registry.station("south", range(100))
        await registry.station("seeking", range(50))
        assert await registry.names(10) == ["north", "south"]
        assert await registry.names(100) == ["north"]
        assert await registry.names() == ["north", "south"]
        assert await registry.names(10, station="north") == ["seeking", "south"]

    told(story)


def test_of_the_whole_those_that_hold_most_come_first_then_the_nearest_then_the_least_loaded(told):
    async def story(registry):
        await registry.station("busy", zone="berlin", load=0.9)
        await registry.station("idle", zone="berlin", load=0.1)
        await registry.station("far", zone="paris")
        await registry.station("part", range(150), zone="hamburg")
        await registry.station("silent", zone="hamburg", silent_s=60)
        assert await registry.names(zone="hamburg") == ["idle", "busy", "far", "part", "silent"]

    told(story)


def test_where_nobody_holds_the_ends_those_that_hold_the_middle_are_named(told):
    async def story(registry):
        await registry.station("middle", range(70, 100))
        assert await registry.names() == ["middle"]

    told(story)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"program": "none"}, Reason.UNKNOWN_PROGRAM),
        ({"table": "0" * 64}, Reason.UNKNOWN_PROGRAM),
        ({"segment": 200}, Reason.BAD_MESSAGE),
    ],
)
def test_refusals(told, facts, reason):
    async def story(registry):
        assert (await registry.ask(**facts)).reason is reason

    told(story)


def test_of_a_thousand_holders_a_few_are_named_the_near_and_home_among_them(told, monkeypatch):
    """And no statement gives more rows than of a hundred."""
    rows = []
    read = SqliteRepository.holders_among, SqliteRepository.some_holders

    def counted(reading):
        async def wrapped(*arguments):
            rows.append(await reading(*arguments))
            return rows[-1]

        return wrapped

    monkeypatch.setattr(SqliteRepository, "holders_among", counted(read[0]))
    monkeypatch.setattr(SqliteRepository, "some_holders", counted(read[1]))

    async def story(registry):
        everywhere = [(f"station-{number:03}", f"zone-{number % 100}") for number in range(1000)]
        await asyncio.gather(*(registry.station(name, zone=zone, load=0.5) for name, zone in everywhere))
        await registry.station(HOME, zone="home", load=1.0)
        for zone in ("zone-7", "zone-93"):
            near = {name for name, its in everywhere if its == zone}
            for segment in (None, 0, 130):
                began = time.process_time()
                names = await registry.names(segment, zone=zone)
                assert time.process_time() - began < 0.5
                assert len(names) == SOURCES_MAX
                assert near <= set(names)
                assert set(names[: len(near)]) == near
                assert HOME in names
        # Seekers of one zone in which there are many do not all meet at the same sixteen.
        seekers = [frozenset(await registry.names(5, station=f"seeker-{one}", zone="none")) for one in range(20)]
        assert len(set(seekers)) > 10
        assert max(map(len, rows)) <= HOLDERS_MAX

    told(story)


def test_a_rare_segment_is_found_wherever_it_is(told):
    """Of three hundred stations one holds it, the last that anybody would look at."""

    async def story(registry):
        await asyncio.gather(*(registry.station(f"station-{number}", [0], zone="here") for number in range(300)))
        await registry.station("rare", [199], zone="there")
        for seeker in range(20):
            assert await registry.names(199, station=f"seeker-{seeker}", zone="here") == ["rare"]

    told(story)


def test_the_length_of_a_program_does_not_make_the_answer_dearer(tmp_path):
    """Of the longest programs what is held is an estimate, and all only if all was looked at is held."""

    async def story():
        store = SqliteRepository.open(tmp_path / "registry.sqlite")
        registry = Registry(store)
        epic = program_of("epic", 20_000)
        await store.add_program(epic)
        for name, held in (("whole", range(20_000)), ("half", range(10_000)), ("nearly", range(1, 20_000))):
            await store.see_station(station_of(name))
            await store.replace_station(name, FIRST, {epic.cut: [held]})
        answer = await registry.ask(table=epic.header.table, program="epic")
        assert [source.station for source in answer.sources] == ["whole", "nearly", "half"]
        whole, nearly, half = (source.segments for source in answer.sources)
        assert whole == 20_000
        assert 19_900 < nearly < 20_000
        assert 9_000 < half < 11_000
        await store.close()

    asyncio.run(story())
