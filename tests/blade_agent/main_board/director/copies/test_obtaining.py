"""Claim 12 from the seeking and from the source director, in virtual time."""

import asyncio
from contextlib import asynccontextmanager, contextmanager

import pytest
from msgspec.structs import replace

from blade_agent.main_board.director.copies import directed_copies
from media_network.address import Address
from media_network.http.server import HandlerTable, serve
from media_network.messages.obtaining import (
    LOCATE_SEGMENT,
    OBTAIN,
    CopyResult,
    Fetch,
    LocateSegment,
    Obstacle,
    ObtainStanding,
    SegmentLocation,
)
from media_network.messages.streaming import PLAY, Play, Redirect
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import (
    CONSOLE,
    DIRECTOR_MEDIA,
    EPOCH,
    engine_media,
    order_of,
    program_of,
    stage,
)

SOURCE = Address("127.1.2.1", 8081)
FAR_ENGINE = "127.1.2.2:8080"
FILM = program_of(segments=3, published=False)


@asynccontextmanager
async def source_director(answer=None):
    """The director of the source station, on the host of the onlooker's choice; yields what it was asked."""
    asked = []

    async def locate(question):
        asked.append(question)
        return answer or SegmentLocation(media=FAR_ENGINE, ticket=f"far-{question.segment}")

    table = HandlerTable("source director")
    table.verb(LOCATE_SEGMENT, locate)
    async with serve(table, SOURCE):
        yield asked


def start_source(world, answer=None):
    asked = []

    async def be_source():
        async with source_director(answer) as heard:
            asked.append(heard)
            await asyncio.Event().wait()

    world.simulation.start(world.simulation.host(SOURCE.host), be_source)
    return asked


def order(program=FILM, copies=1):
    return order_of(program, SOURCE, copies)


@contextmanager
def seeking(inventories, program=FILM):
    """A stage whose director has the program's table, and has yet to hear of it."""
    with stage(inventories) as world:
        world.hold(program)
        tell = world.tell

        def tell_with_table(story, published=None):
            async def begin():
                await world.keep_table(program)
                await story()

            tell(begin, published)

        world.tell = tell_with_table
        yield world


def question_of(segment):
    return LocateSegment(program="film", table=FILM.header.table, segment=segment)


def fetches(world):
    return {(engine.slot, each.segment.number): each for engine in world.engines.values() for each in engine.of(Fetch)}


def test_the_conversation_is_in_the_order_of_the_claim():
    short = program_of(segments=1)
    with seeking({2: ""}, short) as world:
        asked = start_source(world)

        async def story():
            assert await world.ask(OBTAIN, order(short)) == ObtainStanding()
            await asyncio.sleep(1.0)
            assert asked == [[LocateSegment(program="film", table=short.header.table, segment=0)]]
            [fetch] = world.engines[2].of(Fetch)
            assert fetch == Fetch(
                epoch=EPOCH,
                program="film",
                segment=short.segments[0],
                table=short.header.table,
                table_bytes=len(short.segments.octets),
                parts=str(DIRECTOR_MEDIA),
                source=FAR_ENGINE,
                ticket="far-0",
            )
            assert await world.held() == {"film": "0"}

        world.tell(story)
        said = ("director/obtain", "director/locate-segment", "engine/fetch", "director/copy-done")
        lines = [line for line in world.simulation.trace.tail() if "POST" in line]
        heard = [verb for line in lines for verb in said if f"POST /{verb} " in line]
        assert [verb for verb in heard if verb in said][-4:] == list(said)


def test_copies_take_no_more_than_the_rate_of_their_order():
    long = program_of(segments=20, packets=1000)
    with seeking({2: "", 3: ""}, long) as world:
        start_source(world)
        segment_s = 2.0
        rate_bps = int(long.segments[0].length_bytes * 8 / segment_s)

        async def story():
            await world.ask(OBTAIN, replace(order(long), rate_bps=rate_bps))
            for copied in (1, 5, 10):
                await asyncio.sleep(0.5)
                assert len(fetches(world)) == copied
                await asyncio.sleep((5 if copied > 1 else 4) * segment_s - 0.5)

        world.tell(story)


def test_segments_go_round_the_slots():
    with seeking({2: "", 3: "", 4: ""}) as world:
        start_source(world)

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(1.0)
            assert set(fetches(world)) == {(2, 0), (3, 1), (4, 2)}
            assert await world.held() == {"film": "0-2"}

        world.tell(story)


def test_two_copies_are_on_two_engines_and_the_second_comes_from_within():
    with seeking({2: "", 3: "", 4: ""}) as world:
        asked = start_source(world)

        async def story():
            await world.ask(OBTAIN, order(copies=2))
            await asyncio.sleep(1.0)
            assert set(fetches(world)) == {(2, 0), (3, 0), (3, 1), (4, 1), (4, 2), (2, 2)}
            assert len(asked[0]) == 3  # the source was asked once a segment
            assert fetches(world)[3, 0].source == str(engine_media(2))
            assert fetches(world)[3, 0].ticket.startswith("copy-0.")

        world.tell(story)


@pytest.mark.parametrize("result", [CopyResult.NO_SPACE, CopyResult.UNKNOWN])
def test_an_engine_that_fails_is_replaced_by_another(result):
    with seeking({2: "", 3: "", 4: ""}) as world:
        start_source(world)
        world.engines[2].copies = result

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(1.0)
            assert await world.held() == {"film": "0-2"}
            assert {(2, 0), (3, 0)} <= set(fetches(world))

        world.tell(story)


def standing_after(world, duration_s=1.0):
    """What the order is answered when it is said again."""

    async def again():
        await asyncio.sleep(duration_s)
        return await world.ask(OBTAIN, order())

    return again()


def test_an_order_says_that_the_disks_are_full_and_when_they_are_no_more():
    with seeking({2: "", 3: ""}) as world:
        start_source(world)
        segment_bytes = FILM.segments[0].length_bytes
        world.engines[2].free_bytes, world.engines[3].free_bytes = segment_bytes, 0

        async def story():
            await asyncio.sleep(1.0)
            await world.ask(OBTAIN, order())
            full = await standing_after(world)
            assert full.obstacle is Obstacle.NO_SPACE
            assert (full.needs_bytes, full.free_bytes) == (3 * segment_bytes, segment_bytes)
            world.engines[3].free_bytes = 10**12
            await asyncio.sleep(1.0)
            await world.ask(OBTAIN, order())
            assert await standing_after(world) == ObtainStanding()
            assert await world.held() == {"film": "0-2"}

        world.tell(story)


@pytest.mark.parametrize(
    ("result", "obstacle", "detail"),
    [
        (CopyResult.NO_SPACE, Obstacle.NO_SPACE, "fit"),
        (CopyResult.IO_ERROR, Obstacle.NOT_STORED, "io_error"),
        (CopyResult.HASH_MISMATCH, Obstacle.NOT_STORED, "hash_mismatch"),
        (CopyResult.SOURCE_LOST, Obstacle.SOURCE_LOST, "did not come"),
    ],
)
def test_an_order_says_what_became_of_its_copies(result, obstacle, detail):
    with seeking({2: "", 3: ""}) as world:
        start_source(world)
        for engine in world.engines.values():
            engine.copies = result

        async def story():
            await world.ask(OBTAIN, order())
            standing = await standing_after(world)
            assert standing.obstacle is obstacle
            assert detail in standing.detail

        world.tell(story)


def test_an_order_says_that_the_source_has_it_not_and_that_no_engine_is_there():
    with seeking({2: ""}) as world:
        start_source(world, Refused(Reason.NOT_HERE, "not at south"))

        async def story():
            await world.ask(OBTAIN, order())
            standing = await standing_after(world)
            assert standing.obstacle is Obstacle.SOURCE_LOST
            assert str(SOURCE) in standing.detail
            world.simulation.power_cut(world.engines[2].host)
            await asyncio.sleep(6.0)
            await world.ask(OBTAIN, order())
            assert (await standing_after(world)).obstacle is Obstacle.NO_ENGINE

        world.tell(story)


def test_where_every_engine_fails_the_order_comes_to_nothing_until_it_is_said_again():
    with seeking({2: "", 3: ""}) as world:
        start_source(world)
        for engine in world.engines.values():
            engine.copies = CopyResult.HASH_MISMATCH

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(1.0)
            assert len(fetches(world)) == 6
            assert await world.held() == {}
            for engine in world.engines.values():
                engine.copies = CopyResult.STORED
            await world.ask(OBTAIN, order())
            await asyncio.sleep(1.0)
            assert await world.held() == {"film": "0-2"}

        world.tell(story)


def test_an_engine_that_dies_over_a_copy_does_not_hold_the_program_up():
    with seeking({2: "", 3: ""}) as world:
        start_source(world)
        world.engines[2].copies = None

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(1.0)
            world.simulation.power_cut(world.engines[2].host)
            await asyncio.sleep(10.0)
            assert await world.held() == {"film": "0-2"}

        world.tell(story)


def test_an_engine_without_a_word_is_given_up_after_a_while():
    with seeking({2: "", 3: ""}) as world:
        start_source(world)
        world.engines[2].copies = None

        async def story():
            await world.ask(OBTAIN, order())
            await asyncio.sleep(directed_copies._COPY_PATIENCE_S - 1.0)
            assert await world.held() != {"film": "0-2"}
            await asyncio.sleep(directed_copies._COPY_PATIENCE_S + 2.0)
            assert await world.held() == {"film": "0-2"}

        world.tell(story)


@pytest.mark.parametrize("away", ["nobody there", "not there"])
def test_while_the_source_director_has_nothing_to_tell_nothing_is_fetched(away):
    with seeking({2: ""}) as world:
        if away == "not there":
            start_source(world, Refused(Reason.NOT_HERE, "not at south"))

        async def story():
            assert await world.ask(OBTAIN, order()) == ObtainStanding()
            await asyncio.sleep(20.0)
            assert world.engines[2].of(Fetch) == []

        world.tell(story)


def test_an_order_said_again_while_it_is_carried_out_is_the_same_order():
    with seeking({2: "", 3: ""}) as world:
        asked = start_source(world)

        async def story():
            for _ in range(5):
                assert await world.ask(OBTAIN, order()) == ObtainStanding()
            await asyncio.sleep(1.0)
            for _ in range(5):
                assert await world.ask(OBTAIN, order()) == ObtainStanding()
            await asyncio.sleep(1.0)
            assert len(asked[0]) == 3
            assert sum(len(engine.of(Fetch)) for engine in world.engines.values()) == 3

        world.tell(story)


def test_an_order_made_before_the_program_was_published_does_not_take_it_out_of_service():
    with seeking({2: "0-2"}) as world:

        async def story():
            assert await world.ask(OBTAIN, order()) == ObtainStanding()
            assert isinstance(await world.ask(PLAY, Play(program="film", console=CONSOLE)), Redirect)

        world.tell(story, program_of(segments=3, version=2))


def test_a_source_director_tells_the_least_loaded_live_engine():
    with seeking({2: "0-2", 3: "0-2"}) as world:

        async def story():
            await world.play()
            location = await world.ask(LOCATE_SEGMENT, question_of(1))
            assert location.media == str(engine_media(3))
            world.simulation.power_cut(world.engines[3].host)
            await asyncio.sleep(4.6)
            location = await world.ask(LOCATE_SEGMENT, question_of(1))
            assert location.media == str(engine_media(2))
            refused = await world.ask(LOCATE_SEGMENT, question_of(7))
            assert refused.reason is Reason.NOT_HERE

        world.tell(story, program_of(segments=3))


def test_copies_that_were_lost_are_made_again_from_what_is_here():
    with seeking({2: "0-2", 3: "0,2"}) as world:
        asked = start_source(world)

        async def story():
            await world.ask(OBTAIN, order(copies=2))
            await asyncio.sleep(1.0)
            assert set(fetches(world)) == {(3, 1)}
            assert asked == [[]]

        world.tell(story)


def test_an_order_with_other_terms_takes_the_place_of_the_one_before():
    with seeking({2: "", 3: ""}) as world:
        start_source(world)

        async def story():
            await world.ask(OBTAIN, replace(order(), rate_bps=1))
            await asyncio.sleep(1.0)
            assert len(fetches(world)) == 1
            await world.ask(OBTAIN, order())
            await asyncio.sleep(2.0)
            assert await world.held() == {"film": "0-2"}

        world.tell(story)


def test_a_further_copy_that_finds_no_room_is_said():
    with seeking({2: "0-2", 3: ""}) as world:
        world.engines[3].free_bytes = 0

        async def story():
            await asyncio.sleep(1.0)
            await world.ask(OBTAIN, order(copies=2))
            await asyncio.sleep(1.0)
            assert (await world.ask(OBTAIN, order(copies=2))).obstacle is Obstacle.NO_SPACE
            world.engines[3].free_bytes = 10**12
            await asyncio.sleep(1.0)
            await world.ask(OBTAIN, order(copies=2))
            await asyncio.sleep(2.0)
            assert (await world.ask(OBTAIN, order(copies=2))).obstacle is None

        world.tell(story)


def test_an_order_from_nowhere_is_refused():
    with seeking({2: ""}) as world:

        async def story():
            refused = await world.ask(OBTAIN, replace(order(), source_director="nowhere"))
            assert refused.reason is Reason.BAD_MESSAGE

        world.tell(story)
