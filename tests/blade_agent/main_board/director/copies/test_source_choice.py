"""A seeking director chooses among what the registry names (claims 14, 15), in virtual time."""

import asyncio
from contextlib import contextmanager

from msgspec.structs import replace

from blade_agent.main_board.director.copies import source_choice
from blade_agent.main_board.director.copies.source_choice import SourceDirector
from media_network.address import Address
from media_network.http.server import HandlerTable, serve
from media_network.messages.obtaining import LOCATE_SEGMENT, OBTAIN, CopyResult, Fetch, Obstacle, SegmentLocation
from media_network.messages.sources import ASK_EXPLANATION, ASK_SOURCES, AskExplanation, AskSources, Source
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.scripted_center import stage_with_center
from tests.blade_agent.main_board.director.stage import order_of, program_of

FILM = program_of(segments=3, published=False)
LONG = program_of(segments=40, published=False)
DIRECTORS = {name: Address(f"127.1.{number}.1", 8081) for number, name in enumerate(("home", "near", "far"), start=2)}


def media(station):
    return f"{DIRECTORS[station].host[:-1]}2:8080"


def source(station, **facts):
    known = Source(
        station=station, director=str(DIRECTORS[station]), load=0.0, free_bps=10**9, segments=99, silent_ms=0
    )
    return replace(known, **facts)


class Stations:
    """The directors of sources, what they answer, and what they were asked."""

    def __init__(self, world):
        self.asked, self.answers = [], {}
        self.hosts = {}
        for station, address in DIRECTORS.items():
            self.hosts[station] = world.simulation.host(address.host)
            world.simulation.start(self.hosts[station], self._be(station, address))

    def _be(self, station, address):
        async def locate(question):
            self.asked.append((station, question.segment))
            return self.answers.get(station) or SegmentLocation(media=media(station), ticket="t")

        async def be():
            table = HandlerTable(station)
            table.verb(LOCATE_SEGMENT, locate)
            async with serve(table, address):
                await asyncio.Event().wait()

        return be

    def of(self, segment):
        return [station for station, number in self.asked if number == segment]


@contextmanager
def seeking(*sources, program=FILM, inventories=None, up=True):
    """A station that seeks a program, its center, and the stations that hold it."""
    with stage_with_center(inventories or {2: ""}, [program], up=up) as (world, center):
        center.sources = list(sources)
        yield world, center, Stations(world)


def order(program=FILM, hint="home"):
    return order_of(program, DIRECTORS[hint], source_station=hint)


def sources_of(world, slot=2):
    """From where each segment was fetched, in order."""
    where = {media(station): station for station in DIRECTORS}
    return [(each.segment.number, where[each.source]) for each in world.engines[slot].of(Fetch)]


def test_the_cheapest_of_all_that_the_registry_names_is_asked():
    with seeking(source("far", distance_km=500), source("near"), source("home", distance_km=100)) as (world, center, _):

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(1.0)
            assert sorted(sources_of(world)) == [(0, "near"), (1, "near"), (2, "near")]
            [question] = center.of(AskSources)  # for the program once, not for a segment each
            assert question == AskSources(
                station="north", zone="", program="film", table=FILM.header.table, segment=None
            )

        world.tell(story)


def test_what_is_used_again_and_again_is_not_forgotten_for_what_was_asked_once(monkeypatch):
    """Of the whole program the registry is asked once a while, however many segments were asked about since."""
    monkeypatch.setattr(source_choice, "_QUESTIONS_MAX", 4)
    with seeking(source("near"), program=LONG) as (world, center, _):

        async def story():
            async def look():
                choice = world.director._choice
                for segment in LONG.segments:
                    await choice.in_order(LONG, segment)
                    await choice.in_order(LONG, segment, anywhere=False)

            await world.as_director(look)
            asked = [question.segment for question in center.of(AskSources)]
            assert sorted(asked, key=str) == sorted([None, *range(40)], key=str)

        world.tell(story)


def test_the_order_of_the_conversation_is_the_claims():
    with seeking(source("near"), program=program_of(segments=1, published=False)) as (world, _, _):
        short = program_of(segments=1, published=False)

        async def story():
            await world.ask(OBTAIN, order(short))
            await asyncio.sleep(1.0)

        world.tell(story)
        said = ("director/obtain", "registry/sources", "director/locate-segment", "engine/fetch", "director/copy-done")
        lines = [line for line in world.simulation.trace.tail() if "POST" in line]
        heard = [verb for line in lines for verb in said if f"POST /{verb} " in line]
        assert heard[-5:] == list(said)


def test_a_source_that_fails_is_left_for_the_next_and_comes_back():
    with seeking(source("far", distance_km=500), source("near"), program=LONG) as (world, center, stations):
        world.simulation.power_cut(stations.hosts["near"])

        async def story():
            await world.ask(OBTAIN, replace(order(LONG), rate_bps=int(LONG.segments[0].length_bytes * 8 / 2)))
            await asyncio.sleep(30.0)
            early = sources_of(world)
            assert len(early) > 8
            assert {station for _, station in early} == {"far"}
            world.simulation.start(stations.hosts["near"], stations._be("near", DIRECTORS["near"]))
            await asyncio.sleep(45.0)
            assert sources_of(world)[-1][1] == "near"
            # Asked anew when one had failed, and each quarter of a minute: not for each segment.
            assert 3 <= len(center.of(AskSources)) <= 9

        world.tell(story)


def test_a_copy_that_does_not_come_from_one_source_comes_from_the_next():
    with seeking(source("far", distance_km=500), source("near")) as (world, _, stations):
        engine = world.engines[2]
        copied = engine._copied

        async def fails_from_near(fetch):
            engine.copies = CopyResult.SOURCE_LOST if fetch.source == media("near") else CopyResult.STORED
            return await copied(fetch)

        engine._copied = fails_from_near

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(2.0)
            assert await world.held() == {"film": "0-2"}
            assert {station for _, station in sources_of(world)} == {"near", "far"}
            assert all(stations.of(number)[-1] == "far" for number in range(3))

        world.tell(story)


def test_a_source_without_the_segment_is_no_bad_source():
    lacks = source("near", segments=98)
    with seeking(source("far", distance_km=500), lacks, program=LONG) as (world, center, stations):
        stations.answers["near"] = Refused(Reason.NOT_HERE, "not at near")

        async def story():
            await world.ask(OBTAIN, replace(order(LONG), rate_bps=int(LONG.segments[0].length_bytes * 8)))
            await asyncio.sleep(12.0)
            assert {station for _, station in sources_of(world)} == {"far"}
            assert [stations.of(number) for number in range(10)] == [["near", "far"]] * 10
            assert len(center.of(AskSources)) == 1

        world.tell(story)


def test_the_source_that_the_order_names_is_the_last_resort():
    with seeking(source("near")) as (world, _, stations):
        stations.answers["near"] = Refused(Reason.NOT_HERE, "not at near")

        async def story():
            await world.ask(OBTAIN, order(hint="home"))
            await asyncio.sleep(2.0)
            assert [stations.of(number) for number in range(3)] == [["near", "home"]] * 3
            assert await world.held() == {"film": "0-2"}

        world.tell(story)


def test_where_nobody_says_where_it_is_all_are_named():
    with seeking(source("near")) as (world, _, stations):
        stations.answers = dict.fromkeys(DIRECTORS, Refused(Reason.NOT_HERE, "not here"))

        async def story():
            await world.ask(OBTAIN, order(hint="home"))
            await asyncio.sleep(2.0)
            standing = await world.ask(OBTAIN, order(hint="home"))
            assert standing.obstacle is Obstacle.SOURCE_LOST
            assert str(DIRECTORS["near"]) in standing.detail
            assert str(DIRECTORS["home"]) in standing.detail

        world.tell(story)


def test_while_the_registry_is_away_what_it_said_last_is_used():
    with seeking(source("far", distance_km=500), source("near"), program=LONG) as (world, center, _):

        async def story():
            await world.ask(OBTAIN, replace(order(LONG), rate_bps=int(LONG.segments[0].length_bytes * 8 / 4)))
            await asyncio.sleep(5.0)
            world.simulation.power_cut(center.host)
            before = len(sources_of(world))
            await asyncio.sleep(100.0)
            later = sources_of(world)[before:]
            assert len(later) > 20
            assert {station for _, station in later} == {"near"}
            hint = SourceDirector("home", DIRECTORS["home"])
            for _ in range(5):  # and nobody waits for who is away
                began_at = asyncio.get_running_loop().time()
                await world.as_director(lambda: world.director._choice.in_order(LONG, LONG.segments[0], hint))
                assert asyncio.get_running_loop().time() - began_at < 0.1
                await asyncio.sleep(20.0)

        world.tell(story)


def test_a_registry_that_was_never_heard_holds_nothing_up():
    with seeking(up=False) as (world, _, _):

        async def story():
            await world.keep_table(FILM)
            await world.ask(OBTAIN, order(hint="far"))
            await asyncio.sleep(5.0)
            assert sorted(sources_of(world)) == [(0, "far"), (1, "far"), (2, "far")]

        world.tell(story)


def test_a_registry_that_refuses_is_as_good_as_away():
    with seeking(source("near"), program=LONG) as (world, center, _):

        async def story():
            await world.ask(OBTAIN, replace(order(LONG), rate_bps=int(LONG.segments[0].length_bytes * 8 / 2)))
            await asyncio.sleep(5.0)
            center.refusals[ASK_SOURCES] = Refused(Reason.IO_ERROR, "the disk is full")
            await asyncio.sleep(40.0)
            assert {station for _, station in sources_of(world)} == {"near"}

        world.tell(story)


def test_a_source_whose_copies_turn_out_slow_is_left_for_another():
    """By measurement: both say that they have as much to give."""
    near, other = source("far", distance_km=1.0), source("near")
    with seeking(near, other, program=LONG) as (world, _, _):
        world.engines[2].takes_s = {media("near"): 5.0, media("far"): 0.2}

        async def story():
            await world.ask(OBTAIN, order(LONG))
            await asyncio.sleep(30.0)
            assert [station for _, station in sources_of(world)][:4] == ["near"] * 4
            assert {station for _, station in sources_of(world)[8:]} == {"far"}

        world.tell(story)


async def explained(world, segment=0, program="film"):
    return await world.ask(ASK_EXPLANATION, AskExplanation(program=program, segment=segment))


def stations_of(explanation):
    return [each.source.station for each in explanation.sources]


def test_what_would_be_chosen_is_explained_as_it_is_chosen():
    with seeking(source("far", distance_km=500), source("near"), source("home", load=0.5)) as (world, center, stations):

        async def story():
            await world.keep_table(FILM)
            before = await explained(world, 1)
            assert (before.station, before.segment, before.engines) == ("north", 1, 0)
            assert before.length_bytes == FILM.segments[1].length_bytes
            assert stations_of(before) == ["near", "home", "far"]
            assert [each.cost for each in before.sources] == sorted(each.cost for each in before.sources)
            assert before.sources[2].terms.distance == 5.0
            assert (before.sources[0].measured_bps, before.registry_away) == (None, False)
            assert center.of(AskSources)[-1].segment == 1
            stations.answers["near"] = Refused(Reason.WRONG_ROLE, "near is directed by another")
            world.engines[2].takes_s = {media("home"): 2.0}
            await world.ask(OBTAIN, order())
            await asyncio.sleep(10.0)
            assert sorted(sources_of(world)) == [(0, "home"), (1, "home"), (2, "home")]
            after = await explained(world, 1)
            assert (after.engines, stations_of(after)) == (1, ["home", "far", "near"])
            assert [each.resting for each in after.sources] == [False, False, True]
            assert 0.9 < after.sources[0].measured_bps / (FILM.segments[1].length_bytes * 8 / 2.0) <= 1.0
            assert after.sources[1].measured_bps is None
            await asyncio.sleep(30.0)
            world.simulation.power_cut(center.host)
            for _ in range(2):
                away = await explained(world, 1)
                await asyncio.sleep(5.0)
            assert (stations_of(away), away.registry_away) == (["near", "home", "far"], True)
            assert away.said_ms > 30_000
            await asyncio.sleep(60.0)
            assert all(each.source.stale for each in (await explained(world, 1)).sources)

        world.tell(story)


def test_what_cannot_be_explained_is_refused_in_words():
    with seeking() as (world, _, _):

        async def story():
            await world.keep_table(FILM)
            unknown = await explained(world, program="none")
            assert unknown.reason is Reason.UNKNOWN_PROGRAM
            beyond = await explained(world, 3)
            assert str(beyond) == "film has no segment 3; it has those from 0 to 2"

        world.tell(story)


def test_of_a_segment_that_was_never_asked_for_what_is_known_of_its_program_is_told():
    with seeking(source("far", distance_km=500), source("near", segments=0)) as (world, center, _):

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(2.0)
            world.simulation.power_cut(center.host)
            told = await explained(world, 2)
            assert (stations_of(told), told.registry_away) == (["far", "near"], True)
            assert told.sources[1].terms.missing == 10.0

        world.tell(story)
