"""Claims 21 and 22 as the director has them: who foresees an underrun is told an engine that has the whole segment, and
one that is full gives another stream for it."""

from media_network.messages.streaming import Cease, Exchange, Underrun
from media_network.messages.verb import Done
from media_network.messages.watching import SessionState
from media_network.refusal import Reason
from tests.blade_agent.main_board.director.conversations.test_streams import hand_over, reason
from tests.blade_agent.main_board.director.stage import PACKETS_PER_S, RATE_BPS, engine_address, program_of, stage

FILM = program_of()
ALL = "0-3"
ONE = round(RATE_BPS * 1.5)
"""Room for one stream."""
SOON = Underrun(packet=9000, in_ms=700)


async def two_streams(world):
    """Two sessions, each at an engine that has no room for the other."""
    (first, at_first), (second, at_second) = await world.streaming(), await world.streaming()
    assert {at_first, at_second} == {2, 3}
    return (first, at_first), (second, at_second)


def test_who_foresees_an_underrun_is_told_an_engine_with_the_whole_segment_that_has_room():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            session, slot = await world.streaming()
            answer = await world.next(session, 1, packet=700, underrun=SOON)
            offer = answer.hand_over
            assert hand_over(answer) == (5 - slot, 2)
            assert (offer.segment, offer.packet, offer.exchange) == (FILM.segments[0], 700, None)
            assert await world.next(session, 1, packet=800, underrun=SOON) == answer

        world.tell(story, FILM)


def test_an_engine_without_room_gives_another_stream_for_it():
    with stage({2: ALL, 3: ALL}, capacity_bps=ONE) as world:

        async def story():
            (first, at_first), (second, at_second) = await two_streams(world)
            answer = await world.next(first, 1, packet=700, underrun=SOON)
            assert hand_over(answer) == (at_second, 2)
            assert answer.hand_over.exchange == Exchange(session=second, turn=1, next_turn=2)
            assert await world.next(first, 1, packet=800, underrun=SOON) == answer
            assert await world.assume(first, 2, at_second, packet=900) == Done()
            assert await world.assume(second, 2, at_first, packet=1000) == Done()
            for session in (first, second):
                view = await world.watch(session)
                assert view.state is SessionState.STREAMING
                assert [served.turn for served in view.served] == [1, 2]

        world.tell(story, FILM)


def test_nothing_is_given_that_the_other_engine_does_not_hold():
    with stage({2: "0-1", 3: ALL}, capacity_bps=ONE) as world:

        async def story():
            (first, at_first), (second, at_second) = await two_streams(world)
            here, there = (first, second) if at_first == 2 else (second, first)
            # The stream at engine 3 has come to a segment that engine 2 does not hold.
            turn, packet = 1, 0
            for number in (1, 2):
                _, turn = hand_over(await world.next(there, turn, number - 1))
                assert await world.assume(there, turn, 3, segment=number) == Done()
            refused = await world.next(here, 1, packet=packet + 700, underrun=SOON)
            assert reason(refused) is Reason.AT_CAPACITY
            assert {at_first, at_second} == {2, 3}

        world.tell(story, FILM)


def test_what_is_offered_in_exchange_is_settled_with_its_sender():
    """The engine that gives a stream is lost: the one that it may have gone to is asked before anybody else begins."""
    with stage({2: ALL, 3: ALL, 4: ALL}, capacity_bps=ONE) as world:

        async def story():
            await world.streaming()
            (first, at_first), (second, at_second) = await world.streaming(), await world.streaming()
            answer = await world.next(first, 1, packet=700, underrun=SOON, failed=_all_but(at_second))
            exchange = answer.hand_over.exchange
            assert exchange
            assert exchange.session == second
            world.simulation.crash(world.engines[at_second].host)
            await world.watch_for(second, 6.0)
            ceased = [message.turn for message in world.engines[at_first].of(Cease) if message.session == second]
            assert exchange.next_turn in ceased

        world.tell(story, FILM)


def _all_but(slot):
    return tuple(str(engine_address(each)) for each in (2, 3, 4) if each != slot)


def test_the_bound_of_what_is_given_is_where_its_sender_can_be():
    with stage({2: ALL, 3: ALL}, capacity_bps=ONE) as world:

        async def story():
            (first, _), (second, at_second) = await two_streams(world)
            await world.watch_for(first, 2.0)
            await world.watch_for(second, 2.0)
            answer = await world.next(first, 1, packet=PACKETS_PER_S * 4, underrun=SOON)
            if answer.hand_over:
                assert answer.hand_over.exchange.session == second
            state = world.director._pushes._conversations[second].session.state
            assert state.next.packet >= 3 * PACKETS_PER_S
            assert state.next.segment == 0
            assert str(state.holder.engine.host).endswith(f".{at_second}")

        world.tell(story, FILM)
