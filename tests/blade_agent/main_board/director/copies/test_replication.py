"""A segment whose engines are full is replicated to a further one (claims 19, 20), in virtual time."""

import asyncio
from contextlib import contextmanager

import pytest

from blade_agent.main_board.director.copies import replication
from media_network.messages.deletion import DeleteSegments
from media_network.messages.obtaining import OBTAIN, CopyResult, Fetch
from media_network.messages.registry import AddLocations
from media_network.messages.steering import END_STREAM, EndStream
from media_network.messages.streaming import Next, Redirect
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.copies.test_draining import drain
from tests.blade_agent.main_board.director.copies.test_on_demand import fetches, pull, station
from tests.blade_agent.main_board.director.copies.test_source_choice import media, source
from tests.blade_agent.main_board.director.stage import RATE_BPS, engine_media, order_of, program_of

ONE = program_of(segments=1)
TWO = program_of(segments=2)
CAPACITY_BPS = RATE_BPS * 3 // 2
"""Of an engine that carries one stream and not two."""
SLOTS = {2: "0", 3: "", 4: ""}


@contextmanager
def full_station(*sources, inventories=None, roomy=(3, 4), program=ONE, takes_s=1.0, larger=()):
    """A station whose engines carry a stream each, but for the `roomy` ones; `larger` ones are a little so."""
    with station(*sources, program=program, inventories=inventories or SLOTS, takes_s=takes_s) as world_and_more:
        world, center, stations, tell = world_and_more
        for slot, engine in world.engines.items():
            engine.capacity_bps = 10**9 if slot in roomy else CAPACITY_BPS + (slot in larger) * RATE_BPS // 4
        yield world, center, stations, tell


async def player(world, number):
    """What the player of this number is answered, by a playlist of its own."""
    session = f"{number:024x}"
    return await pull(world, session=f"{session}&ticket={world.director._term.tickets.sign(session, 'film')}")


def test_the_conversation_is_in_the_order_of_the_claims_and_the_console_does_not_wait_for_the_copy():
    with full_station(source("near"), roomy=(3,), inventories={2: "0", 3: ""}) as (world, center, _, tell):

        async def story():
            _, first = await world.streaming()
            assert first == 2
            redirect = await world.play()
            assert isinstance(redirect, Redirect)
            assert redirect.engine == str(engine_media(3)), "to the third"
            [fetch] = world.engines[3].of(Fetch)
            assert (fetch.source, fetch.on_demand) == (media("near"), True), "from the fourth"
            assert not center.of(AddLocations)
            await asyncio.sleep(3.0)
            [added] = center.of(AddLocations)
            assert (added.program, added.segments, added.copies) == ("film", "0", 2)

        tell(story)
        said = ("engine/fetch", "engine/preload", "director/copy-done", "registry/add-locations")
        lines = [line for line in world.simulation.trace.tail() if "POST" in line]
        heard = [verb for line in lines for verb in said if f"POST /{verb} " in line]
        assert heard[-4:] == list(said)


@pytest.mark.parametrize("everybody_else", [(), ("near",)])
def test_an_engine_that_leaves_is_not_full_and_gives_it(everybody_else):
    """It is asked to send a stream only where nobody else has the segment; to copy from it is better than from afar."""
    sources = [source(name) for name in everybody_else]
    with full_station(*sources, inventories={2: "0", 3: "", 5: "0"}, roomy=(3, 5)) as (world, _, stations, tell):

        async def story():
            world.engines[5].reports = False
            await drain(world, 5)
            assert (await world.streaming())[1] == 2
            assert (await world.play()).engine == str(engine_media(3))
            assert [order.source for order in world.engines[3].of(Fetch)] == [str(engine_media(5))]
            assert stations.asked == []

        tell(story)


def test_a_copy_that_is_under_way_is_in_the_load_of_both_engines_and_when_it_is_done_no_more():
    with full_station(inventories={2: "0", 3: "", 4: ""}, roomy=(3, 4), takes_s=1.0) as (world, _, _, tell):

        async def story():
            world.engines[3].takes_s = {str(engine_media(2)): 1.0}
            await world.streaming()
            before = await world.loads()
            await player(world, 1)
            now = await world.loads()
            in_flight_bps = ONE.segments[0].length_bytes * 4
            assert now[2] - before[2] == in_flight_bps
            assert now[3] - before[3] == in_flight_bps + RATE_BPS
            await asyncio.sleep(2.0)
            assert await world.loads() == {2: before[2], 3: RATE_BPS, 4: 0}

        tell(story)


def test_where_nobody_else_has_it_the_least_loaded_of_the_full_ones_gives_it():
    with full_station(inventories={2: "0", 3: "0", 4: ""}, roomy=(4,), larger=(3,)) as (world, _, _, tell):

        async def story():
            for _ in range(2):
                await world.streaming()
            assert (await world.play()).engine == str(engine_media(4))
            assert [order.source for order in world.engines[4].of(Fetch)] == [str(engine_media(3))]

        tell(story)


def test_fifty_players_of_a_full_segment_cause_one_copy():
    with full_station(source("near"), inventories={2: "0", 3: "", 4: ""}) as (world, center, stations, tell):

        async def story():
            await world.streaming()
            sent = await asyncio.gather(*(player(world, number) for number in range(50)))
            assert {(status, headers["Location"].partition("/segments")[0]) for status, headers, _ in sent} == {
                (302, f"http://{engine_media(3)}")
            }
            assert fetches(world) == [(0, 3, media("near"))]
            assert stations.asked == [("near", 0)]
            await asyncio.sleep(3.0)
            assert {(await player(world, number))[0] for number in range(50, 60)} == {302}
            assert len(fetches(world)) == 1
            assert [added.copies for added in center.of(AddLocations)] == [2]

        tell(story)


def test_one_that_has_been_filled_while_it_receives_is_followed_by_another():
    with full_station(source("near"), roomy=()) as (world, _, _, tell):

        async def story():
            await world.streaming()
            answers = await asyncio.gather(*(player(world, number) for number in range(4)))
            assert sorted(status for status, _, _ in answers) == [302, 302, 503, 503]
            assert {refused.reason for _, _, refused in answers if refused} == {Reason.AT_CAPACITY}
            assert [slot for _, slot, _ in fetches(world)] == [3, 4]

        tell(story)


def test_nothing_is_copied_where_no_engine_has_room_for_the_stream_either():
    with full_station(source("near"), inventories={2: "0", 3: "0"}, roomy=()) as (world, _, stations, tell):

        async def story():
            for _ in range(2):
                await world.streaming()
            assert (await world.play()).reason is Reason.AT_CAPACITY
            assert (fetches(world), stations.asked) == ([], [])

        tell(story)


def test_a_full_disk_takes_no_copy():
    with full_station(source("near")) as (world, _, _, tell):

        async def story():
            world.engines[3].free_bytes = 10
            await asyncio.sleep(1.0)
            await world.streaming()
            assert (await world.play()).engine == str(engine_media(4))

        tell(story)


def test_a_stream_whose_next_segment_is_at_a_full_engine_goes_on_at_another():
    """Nobody waits for it at the director: the engine asks again, as it does while an answer is not to be had."""
    with full_station(source("near"), inventories={2: "0", 3: "1", 4: ""}, roomy=(2, 4), program=TWO) as (
        *(world, _, _),
        tell,
    ):

        async def story():
            session, slot = await world.streaming()
            assert slot == 2
            assert (await pull(world, 1))[0] == 302
            assert (await world.next(session, 1)).reason is Reason.AT_CAPACITY
            await asyncio.sleep(0.3)
            answer = await world.next(session, 1, number=2)
            assert isinstance(answer, Next)
            assert answer.hand_over.engine == str(world.engines[4].address)
            assert fetches(world) == [(1, 4, media("near"))]

        tell(story)


def test_what_does_not_come_is_tried_from_the_next_source_and_then_rests():
    with full_station(source("near"), source("far"), takes_s=0.1) as (world, _, _, tell):

        async def story():
            await world.streaming()
            for engine in world.engines.values():
                engine.copies = CopyResult.SOURCE_LOST
            assert isinstance(await world.play(), Redirect)
            await asyncio.sleep(1.0)
            asked = len(fetches(world))
            assert {origin for _, _, origin in fetches(world)} == {media("near"), media("far"), str(engine_media(2))}
            assert isinstance(await world.play(), Refused)
            assert len(fetches(world)) == asked, "it rests"
            for engine in world.engines.values():
                engine.copies = CopyResult.STORED
            await asyncio.sleep(replication._REST_S)
            assert isinstance(await world.play(), Redirect)

        tell(story)


def test_a_program_that_is_being_deleted_is_not_replicated():
    with full_station(source("near")) as (world, _, _, tell):

        async def story():
            session, _ = await world.streaming()
            world.director._library.closed.add("film")
            await world.next(session, 1)
            assert isinstance(await world.play(), Refused)
            await asyncio.sleep(1.0)
            assert fetches(world) == []

        tell(story)


async def begun(world):
    """A console's stream that an engine has begun to send; its redirect."""
    redirect = await world.play()
    assert isinstance(redirect, Redirect)
    slot = int(redirect.engine.partition(":")[0].rpartition(".")[2])
    assert await world.assume(redirect.session, redirect.turn, slot) == Done()
    return redirect


async def ended(world, *redirects):
    for redirect in redirects:
        for engine in world.engines.values():
            engine.cursors = tuple(cursor for cursor in engine.cursors if cursor.session != redirect.session)
        assert await world.ask(END_STREAM, EndStream(session=redirect.session, ticket=redirect.ticket)) == Done()


async def watched(world, duration_s, *redirects):
    """Let time pass with these consoles there."""
    await asyncio.gather(*(world.watch_for(redirect.session, duration_s) for redirect in redirects))


def test_a_copy_goes_when_it_is_not_needed_any_more_and_not_before():
    with full_station(source("near")) as (world, center, _, tell):

        async def story():
            first, second = await begun(world), await begun(world)
            await watched(world, 120.0, first, second)
            assert world.engines[3].of(DeleteSegments) == [], "both are there"
            await ended(world, second)
            await watched(world, 55.0, first)
            assert world.engines[3].of(DeleteSegments) == [], "somebody may come again"
            await watched(world, 15.0, first)
            assert len(world.engines[3].of(DeleteSegments)) == 1
            assert [added.copies for added in center.of(AddLocations)] == [2, 1]

        tell(story)


def test_copies_do_not_come_and_go_with_consoles():
    """A console comes at the edge of what the first engine can carry, and goes, every forty seconds for ten minutes."""
    with full_station(source("near")) as (world, _, _, tell):

        async def story():
            first = await begun(world)
            for _ in range(15):
                second = await begun(world)
                await watched(world, 20.0, first, second)
                await ended(world, second)
                await watched(world, 20.0, first)
            assert len(fetches(world)) == 1
            assert world.engines[3].of(DeleteSegments) == []
            await watched(world, 70.0, first)
            assert len(world.engines[3].of(DeleteSegments)) == 1

        tell(story, within_s=1000.0)


def test_a_copy_stays_where_what_its_engine_carries_would_fill_the_others():
    """Not what they carry now counts, but what they would: else what has just gone is made again."""
    with full_station(source("near")) as (world, _, _, tell):

        async def story():
            first, second = await begun(world), await begun(world)
            await ended(world, first)
            third = await begun(world)
            assert (second.engine, third.engine) == (str(engine_media(3)), str(engine_media(2)))
            await watched(world, 150.0, second, third)
            assert world.engines[3].of(DeleteSegments) == []

        tell(story)


def test_a_copy_stays_where_those_that_had_it_before_do_not_all_answer():
    with full_station(source("near")) as (world, _, _, tell):

        async def story():
            first, second = await begun(world), await begun(world)
            await asyncio.sleep(2.0)
            await ended(world, first, second)
            world.simulation.power_cut(world.engines[2].host)
            await asyncio.sleep(150.0)
            assert await world.held() == {"film": "0"}
            assert world.engines[3].of(DeleteSegments) == []

        tell(story)


def test_a_copy_that_has_been_ordered_meanwhile_stays():
    with full_station(source("near")) as (world, _, _, tell):

        async def story():
            first, second = await begun(world), await begun(world)
            await asyncio.sleep(2.0)
            await world.ask(OBTAIN, order_of(ONE, copies=2))
            await ended(world, first, second)
            await asyncio.sleep(150.0)
            assert world.engines[3].of(DeleteSegments) == []

        tell(story)
