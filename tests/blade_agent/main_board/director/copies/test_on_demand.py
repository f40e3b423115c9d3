"""What a console asks for and the station does not hold is brought while it waits (claim 14), in virtual time."""

import asyncio
from contextlib import contextmanager

import msgspec
import pytest

from blade_agent.main_board.director.copies import on_demand
from media_network.messages.holdings import ASK_STATION_HOLDINGS, AskHoldings
from media_network.messages.obtaining import OBTAIN, CopyResult, Fetch, SegmentLocation
from media_network.messages.registry import AddLocations
from media_network.messages.sources import AskSources
from media_network.messages.streaming import Next, Preload, Redirect
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.copies.test_source_choice import DIRECTORS, Stations, order, source
from tests.blade_agent.main_board.director.scripted_center import stage_with_center
from tests.blade_agent.main_board.director.stage import DIRECTOR_MEDIA, engine_media, program_of

FILM = program_of(segments=8)
SHORT = program_of(segments=1)
SESSION = "0" * 24
SETTLED_S = 2.0
"""By then the director counts as knowing what its engines hold."""
STORY_WAITS_S = 3.0


@contextmanager
def station(*sources, program=FILM, inventories=None, takes_s=STORY_WAITS_S, **options):
    """A station that holds nothing of a program, its center, and those that have it. A copy takes its time."""
    with stage_with_center(inventories or {2: "", 3: ""}, [program], **options) as (world, center):
        center.sources = list(sources)
        stations = Stations(world)
        for engine in world.engines.values():
            engine.takes_s = dict.fromkeys((f"{at.host[:-1]}2:8080" for at in DIRECTORS.values()), takes_s)

        def tell(story, **how):
            async def begin():
                await world.keep_table(program)
                await asyncio.sleep(SETTLED_S)
                await story()

            world.tell(begin, program, **how)

        yield world, center, stations, tell


def fetches(world):
    """Segment, engine and source of each order to fetch."""
    orders = [(each.segment.number, slot, each.source) for slot, one in world.engines.items() for each in one.of(Fetch)]
    return sorted(orders)


async def pull(world, number=0, session=SESSION):
    """What a player is answered: status, where it is sent, and the refusal."""
    path = f"/programs/film/{number}.ts?session={session}"
    async with world.http.read(DIRECTOR_MEDIA, path) as response:
        body = await response.read()
        refused = msgspec.json.decode(body, type=Refused) if body else None
        return response.status, response.headers, refused


def test_the_conversation_is_in_the_order_of_the_claim_and_the_console_does_not_wait_for_the_copy():
    with station(source("near"), program=SHORT) as (world, center, stations, tell):

        async def story():
            redirect = await world.play()
            assert isinstance(redirect, Redirect)
            [fetch] = world.engines[2].of(Fetch)
            assert fetch.on_demand
            assert redirect.engine == str(engine_media(2))
            assert not center.of(AddLocations)
            assert (await world.ask(ASK_STATION_HOLDINGS, AskHoldings())).holdings == ()
            await asyncio.sleep(STORY_WAITS_S + 1)
            [added] = center.of(AddLocations)
            assert (added.program, added.segments) == ("film", "0")

        tell(story)
        said = (
            *("director/play", "registry/sources", "director/locate-segment", "engine/fetch", "engine/preload"),
            *("director/copy-done", "registry/add-locations"),
        )
        lines = [line for line in world.simulation.trace.tail() if "POST" in line]
        heard = [verb for line in lines for verb in said if f"POST /{verb} " in line]
        assert heard == list(said)[-len(heard) :]
        assert stations.asked == [("near", 0)]


def test_fifty_players_are_sent_to_the_engine_that_receives_it_and_cause_one_copy():
    with station(source("near")) as (world, center, stations, tell):

        async def story():
            sent = await asyncio.gather(*(pull(world, session=f"{number:024x}") for number in range(50)))
            assert {(status, headers["Location"].partition("/segments")[0]) for status, headers, _ in sent} == {
                (302, f"http://{engine_media(2)}")
            }
            await asyncio.sleep(0.5)
            assert [number for number, _, _ in fetches(world)] == [0, 1, 2, 3]
            assert sorted(stations.asked) == [("near", number) for number in range(4)]
            assert len(center.of(AskSources)) == 1
            assert (await pull(world))[0] == 302

        tell(story)


def test_what_will_be_played_next_is_brought_ahead_and_no_further():
    with station(source("near"), takes_s=0.1) as (world, _, _, tell):

        async def story():
            redirect = await world.play()
            await asyncio.sleep(1.0)
            assert [number for number, _, _ in fetches(world)] == [0, 1, 2, 3]
            slot = int(redirect.engine.partition(":")[0].rpartition(".")[2])
            await world.assume(redirect.session, redirect.turn, slot)
            assert isinstance(await world.next(redirect.session, redirect.turn), Next)
            await asyncio.sleep(1.0)
            assert [number for number, _, _ in fetches(world)] == [0, 1, 2, 3, 4]
            assert (await pull(world, 7))[0] == 302
            await asyncio.sleep(1.0)
            assert [number for number, _, _ in fetches(world)] == [0, 1, 2, 3, 4, 7]

        tell(story)


def test_an_engine_that_asks_for_the_next_one_is_told_as_soon_as_it_comes():
    with station(source("near"), inventories={2: "0", 3: ""}) as (world, _, _, tell):

        async def story():
            session, slot = await world.streaming()
            assert slot == 2
            await asyncio.sleep(0.5)
            answer = await world.next(session, 1)
            assert answer.hand_over.segment.number == 1
            await asyncio.sleep(0.5)
            assert [number for number, _, _ in fetches(world)] == [1, 2, 3, 4]

        tell(story)


def test_a_stream_that_has_lost_the_last_engine_with_its_segment_goes_on_with_what_is_brought():
    with station(source("near"), program=SHORT, inventories={2: "0", 3: ""}, takes_s=0.2) as (world, _, _, tell):

        async def story():
            session, _ = await world.streaming()
            world.simulation.power_cut(world.engines[2].host)
            view = await world.watch_for(session, 8.0)
            assert view.engine == str(engine_media(3))
            assert [(number, slot) for number, slot, _ in fetches(world)] == [(0, 3)]
            assert world.engines[3].of(Preload)

        tell(story)


@pytest.mark.parametrize("failure", [CopyResult.HASH_MISMATCH, CopyResult.SOURCE_LOST])
def test_a_source_that_fails_is_left_for_the_next(failure):
    with station(source("near"), source("far", distance_km=500), program=SHORT, takes_s=0.5) as (world, _, _, tell):
        for engine in world.engines.values():
            engine.copies = failure

        async def story():
            assert (await pull(world))[0] == 302
            await asyncio.sleep(0.6)
            for engine in world.engines.values():
                engine.copies = CopyResult.STORED
            assert (await pull(world))[0] == 302
            await asyncio.sleep(1.0)
            assert [source for _, _, source in fetches(world)] == ["127.1.3.2:8080", "127.1.4.2:8080"]
            assert await world.held() == {"film": "0"}

        tell(story)


def test_an_engine_whose_disk_takes_it_not_is_left_for_another():
    with station(source("near"), program=SHORT, takes_s=0.1) as (world, _, stations, tell):
        world.engines[2].copies = CopyResult.NO_SPACE

        async def story():
            await pull(world)
            await asyncio.sleep(1.0)
            assert [slot for _, slot, _ in fetches(world)] == [2, 3]
            assert await world.held() == {"film": "0"}
            assert stations.asked == [("near", 0)]

        tell(story)


def test_where_nobody_gives_it_the_console_is_asked_to_come_again():
    with station(source("near"), source("far"), program=SHORT) as (world, center, stations, tell):
        stations.answers = dict.fromkeys(DIRECTORS, Refused(Reason.NOT_HERE))

        async def story():
            status, headers, refused = await pull(world)
            assert (status, headers["Retry-After"], refused.reason) == (503, "1", Reason.NO_ENGINE)
            assert str(refused) == "no station that answers gives segment 0 of film"
            answer = await world.play()
            assert answer == refused
            assert fetches(world) == []
            stations.answers = {"far": SegmentLocation(media="127.1.4.2:8080", ticket="t")}
            assert (await pull(world))[0] == 302
            assert [question.segment for question in center.of(AskSources)][:2] == [None, 0]

        tell(story)


def test_the_last_known_sources_are_used_while_the_registry_is_away():
    with station(source("near"), takes_s=0.1) as (world, center, _, tell):

        async def story():
            assert (await pull(world, 0))[0] == 302
            await asyncio.sleep(1.0)
            world.simulation.power_cut(center.host)
            await asyncio.sleep(60.0)
            assert (await pull(world, 6))[0] == 302
            assert [number for number, _, _ in fetches(world)][-2:] == [6, 7]

        tell(story)


def test_what_an_order_is_obtaining_already_is_not_copied_twice():
    with station(source("near"), program=SHORT) as (world, _, _, tell):

        async def story():
            await world.ask(OBTAIN, order(SHORT, hint="near"))
            await asyncio.sleep(0.5)
            status, headers, _ = await pull(world)
            assert (status, len(fetches(world))) == (302, 1)
            assert f"127.1.1.{fetches(world)[0][1]}:8080" in headers["Location"]

        tell(story)


def test_only_so_many_are_brought_at_once(monkeypatch):
    monkeypatch.setattr(on_demand, "_AT_ONCE", 3)
    monkeypatch.setattr(on_demand, "_AHEAD_AT_ONCE", 2)
    with station(source("near"), takes_s=5.0) as (world, _, _, tell):

        async def story():
            assert (await pull(world, 0))[0] == 302
            assert (await pull(world, 4))[0] == 302
            assert [number for number, _, _ in fetches(world)] == [0, 1, 4]
            status, headers, refused = await pull(world, 6)
            assert (status, headers["Retry-After"], refused.reason) == (429, "1", Reason.BUSY)
            await asyncio.sleep(6.0)
            assert (await pull(world, 6))[0] == 302

        tell(story)


def test_nothing_is_brought_while_engines_have_yet_to_say_what_they_hold():
    with stage_with_center({2: "0-7"}, [FILM]) as (world, center):
        center.sources = [source("near")]

        async def story():
            await world.keep_table(FILM)
            assert (await pull(world))[0] == 302
            assert not center.of(AskSources)

        world.tell(story, FILM)


def test_a_program_that_is_not_in_service_is_not_brought():
    hidden = program_of(segments=1, published=False)
    with station(source("near"), program=hidden) as (world, center, _, tell):

        async def story():
            assert (await pull(world))[0] == 403
            answer = await world.play()
            assert answer.reason is Reason.NOT_PUBLISHED
            assert not center.of(AskSources)

        tell(story)
