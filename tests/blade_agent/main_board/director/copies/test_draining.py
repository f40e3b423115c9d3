"""Engines that drain: given nothing that another can do, and relieved of what only they hold."""

import asyncio

import pytest
from msgspec.structs import replace

from media_network.messages.enlisting import REPORT
from media_network.messages.obtaining import OBTAIN, CopyResult, Fetch, ObtainStanding
from media_network.messages.program_information import PUBLISH_PROGRAM, PublishProgram
from media_network.refusal import Refused
from tests.blade_agent.main_board.director.conversations.test_streams import hand_over
from tests.blade_agent.main_board.director.stage import (
    DIRECTOR,
    engine_address,
    engine_media,
    order_of,
    program_of,
    stage,
)

FILM = program_of()
ALL = "0-3"


async def drain(world, slot, *, draining=True):
    """The engine's next report says that it drains; returns how much only it holds."""
    answer = await world.ask(REPORT, replace(world.engines[slot].report(), draining=draining))
    return answer.alone


def quiet(world, *slots):
    for slot in slots:
        world.engines[slot].reports = False


def test_a_draining_engine_is_given_no_session_and_no_turn():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            quiet(world, 2)
            assert await drain(world, 2) == 0
            for _ in range(3):
                session = await world.play()
                assert session.engine == str(engine_media(3))
            await world.assume(session.session, session.turn, 3)
            assert hand_over(await world.next(session.session, session.turn))[0] == 3
            await drain(world, 2, draining=False)
            assert (await world.play()).engine == str(engine_media(2))

        world.tell(story, FILM)


def test_within_a_segment_the_stream_goes_to_another_engine_and_never_back_to_its_sender():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            quiet(world, 2)
            session, slot = await world.streaming()
            assert slot == 2
            await drain(world, 2)
            answer = await world.next(session, 1, packet=4200)
            assert hand_over(answer)[0] == 3
            assert (answer.hand_over.segment, answer.hand_over.packet) == (FILM.segments[0], 4200)
            refused = await world.next(session, 1, packet=4300, failed=(str(engine_address(3)),))
            assert isinstance(refused, Refused) or hand_over(refused)[0] == 3

        world.tell(story, FILM)


def test_a_full_engine_is_not_asked_for_what_a_draining_one_holds():
    with stage({2: "0-1", 3: "1-3", 4: "1-3"}) as world:
        for slot in (3, 4):
            world.engines[slot].free_bytes = 0
        world.engines[3].copies = CopyResult.NO_SPACE

        async def story():
            quiet(world, 2)
            await asyncio.sleep(0.6)  # they have reported
            for _ in range(20):
                assert await drain(world, 2) == 1
                await asyncio.sleep(0.5)
            assert not any(world.engines[slot].of(Fetch) for slot in (3, 4))
            world.engines[4].free_bytes = 10**9
            for _ in range(20):
                alone = await drain(world, 2)
                await asyncio.sleep(0.5)
            assert alone == 0
            [order] = world.engines[4].of(Fetch)
            assert order.segment == FILM.segments[0]

        world.tell(story, FILM)


def test_what_only_a_draining_engine_holds_is_copied_first_and_served_until_then():
    with stage({2: "0-1", 3: "1-3"}) as world:
        world.engines[3].copies = None

        async def story():
            quiet(world, 2)
            assert await drain(world, 2) == 1
            assert (await world.play()).engine == str(engine_media(2))
            [order] = world.engines[3].of(Fetch)
            assert (order.segment, order.source) == (FILM.segments[0], str(engine_media(2)))
            assert await drain(world, 2) == 1
            assert len(world.engines[3].of(Fetch)) == 1  # the same copy is not ordered again
            await world.engines[3].stored(FILM.segments[0])
            await asyncio.sleep(0.1)
            assert await drain(world, 2) == 0
            assert (await world.play()).engine == str(engine_media(3))

        world.tell(story, FILM)


def test_the_only_engine_can_give_nothing_away():
    with stage({2: ALL}) as world:

        async def story():
            quiet(world, 2)
            assert await drain(world, 2) == 4
            assert (await world.play()).engine == str(engine_media(2))

        world.tell(story, FILM)


@pytest.mark.parametrize("result", [CopyResult.NO_SPACE, CopyResult.IO_ERROR])
def test_an_engine_whose_disk_takes_nothing_is_not_asked_for_ever_and_another_is(result):
    with stage({2: "0-9", 3: "", 4: ""}) as world:
        world.engines[3].copies = result

        async def story():
            quiet(world, 2)
            for _ in range(30):
                if await drain(world, 2) == 0:
                    break
                await asyncio.sleep(0.5)
            assert await drain(world, 2) == 0
            assert len(world.engines[3].of(Fetch)) <= 5
            assert {order.segment.number for order in world.engines[4].of(Fetch)} == set(range(10))

        world.tell(story, program_of(segments=10))


def test_where_nobody_takes_a_copy_few_are_ordered():
    with stage({2: ALL, 3: ""}) as world:
        world.engines[3].copies = CopyResult.SOURCE_LOST

        async def story():
            quiet(world, 2)
            for _ in range(40):
                assert await drain(world, 2) == 4
                await asyncio.sleep(0.5)
            assert 4 <= len(world.engines[3].of(Fetch)) <= 4 * 4

        world.tell(story, FILM)


def test_a_program_that_becomes_known_while_a_blade_drains_is_copied_too():
    with stage({2: ALL, 3: ""}) as world:

        async def story():
            quiet(world, 2)
            assert await drain(world, 2) == 0  # nothing is known of what it holds
            await world.keep_table(FILM)
            await world.ask(PUBLISH_PROGRAM, PublishProgram(FILM.header))
            assert await drain(world, 2) == 4

        world.tell(story)


def test_a_segment_that_is_obtained_and_evacuated_at_once_is_copied_once():
    film = program_of(segments=1)
    with stage({2: "0", 3: ""}) as world:
        world.hold(film)
        world.engines[3].copies = None  # it says when the test wants

        async def story():
            quiet(world, 2)
            await asyncio.sleep(0.6)
            await world.keep_table(film)
            await world.ask(PUBLISH_PROGRAM, PublishProgram(film.header))
            order = order_of(film, source=DIRECTOR)
            assert await drain(world, 2) == 1
            assert await world.ask(OBTAIN, order) == ObtainStanding()
            await asyncio.sleep(0.3)
            (fetch,) = world.engines[3].of(Fetch)
            await world.engines[3].stored(fetch.segment)
            assert await drain(world, 2) == 0
            await world.ask(OBTAIN, order)
            assert len(world.engines[3].of(Fetch)) == 1

        world.tell(story)
