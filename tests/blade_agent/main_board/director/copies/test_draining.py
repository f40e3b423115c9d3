"""Engines that drain: given nothing that another can do, and relieved of what only they hold."""

import asyncio

from msgspec.structs import replace

from media_network.messages.enlisting import REPORT
from media_network.messages.obtaining import CopyResult, Fetch
from media_network.refusal import Refused
from tests.blade_agent.main_board.director.conversations.test_streams import hand_over
from tests.blade_agent.main_board.director.stage import engine_address, program_of, stage

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
                assert session.engine == str(engine_address(3))
            await world.assume(session.session, session.turn, 3)
            assert hand_over(await world.next(session.session, session.turn))[0] == 3
            await drain(world, 2, draining=False)
            assert (await world.play()).engine == str(engine_address(2))

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
        world.engines[3].free_bytes = 0
        world.engines[3].copies = CopyResult.NO_SPACE

        async def story():
            quiet(world, 2)
            world.engines[4].reports = False
            await world.ask(REPORT, replace(world.engines[4].report(), free_bytes=0))
            await asyncio.sleep(0.6)
            for _ in range(5):
                assert await drain(world, 2) == 1
                await asyncio.sleep(0.1)
            assert not world.engines[3].of(Fetch)
            await world.ask(REPORT, replace(world.engines[4].report(), free_bytes=10**9))
            await drain(world, 2)
            await asyncio.sleep(0.2)
            assert await drain(world, 2) == 0
            [order] = world.engines[4].of(Fetch)
            assert order.segment == FILM.segments[0]

        world.tell(story, FILM)


def test_what_only_a_draining_engine_holds_is_copied_first_and_served_until_then():
    with stage({2: "0-1", 3: "1-3"}) as world:
        world.engines[3].copies = None

        async def story():
            quiet(world, 2)
            assert await drain(world, 2) == 1
            assert (await world.play()).engine == str(engine_address(2))
            [order] = world.engines[3].of(Fetch)
            assert (order.segment, order.source) == (FILM.segments[0], str(engine_address(2)))
            assert await drain(world, 2) == 1
            assert len(world.engines[3].of(Fetch)) == 1  # the same copy is not ordered again
            await world.engines[3].stored(FILM.segments[0])
            await asyncio.sleep(0.1)
            assert await drain(world, 2) == 0
            assert (await world.play()).engine == str(engine_address(3))

        world.tell(story, FILM)


def test_the_only_engine_can_give_nothing_away():
    with stage({2: ALL}) as world:

        async def story():
            quiet(world, 2)
            assert await drain(world, 2) == 4
            assert (await world.play()).engine == str(engine_address(2))

        world.tell(story, FILM)
