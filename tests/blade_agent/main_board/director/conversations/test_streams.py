"""The director's side of a pushed stream, in virtual time: never two senders, never a packet twice."""

import asyncio
import dataclasses

import msgspec
import pytest
from msgspec.structs import replace

from blade_agent.main_board.director.conversations.push_sessions import ENDED_KEPT_S
from chassis_emulator.simulation.simulation import ONLOOKER
from media_network.address import Address
from media_network.messages.enlisting import REPORT
from media_network.messages.streaming import (
    CEASE,
    PLAY,
    PRELOAD,
    START,
    Cease,
    HandOver,
    Next,
    Play,
    Preload,
    Redirect,
    Start,
    StopCause,
)
from media_network.messages.verb import Done
from media_network.messages.watching import LIST_SESSIONS, ListSessions, PresentTurn, Served, SessionState
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import (
    CONSOLE,
    EPOCH,
    LEASE_S,
    PACKETS_PER_S,
    RATE_BPS,
    cursor_of,
    engine_address,
    engine_media,
    program_of,
    stage,
)

FILM = program_of()
"""Four segments of ten seconds."""
ALL = "0-3"
THREE = {2: ALL, 3: ALL, 4: ALL}


def hand_over(answer):
    assert isinstance(answer, Next), answer
    return int(answer.hand_over.engine.partition(":")[0].rpartition(".")[2]), answer.hand_over.turn


def reason(answer):
    assert isinstance(answer, Refused), answer
    return answer.reason


# Consoles


def test_play_redirects_to_an_engine_that_has_preloaded():
    with stage({2: "1-3", 3: "0"}) as world:

        async def story():
            redirect = await world.play()
            assert isinstance(redirect, Redirect)
            assert (redirect.engine, redirect.turn) == (str(engine_media(3)), 1)
            assert (redirect.program, redirect.first) == (FILM.header, FILM.segments[0])
            assert world.engines[3].of(Preload) == [
                Preload(
                    epoch=EPOCH,
                    session=redirect.session,
                    turn=1,
                    program="film",
                    table=FILM.header.table,
                    segment=FILM.segments[0],
                    rate_bps=RATE_BPS,
                    console=CONSOLE,
                    redirected=True,
                )
            ]
            assert await world.loads() == {2: 0, 3: RATE_BPS}
            assert (await world.view(redirect.session)).state is SessionState.REDIRECTED

        world.tell(story, FILM)


@pytest.mark.parametrize(
    ("program", "console", "expected"),
    [
        ("film", "not an address", Reason.BAD_MESSAGE),
        ("epic", CONSOLE, Reason.UNKNOWN_PROGRAM),
    ],
)
def test_play_refused(program, console, expected):
    with stage({2: ALL}) as world:

        async def story():
            assert reason(await world.ask(PLAY, Play(program=program, console=console))) is expected
            assert await world.loads() == {2: 0}

        world.tell(story, FILM)


ELSEWHERE = "127.1.200.1:5000"
"""Of another host than the one that asks."""


def test_nothing_is_sent_to_a_host_that_did_not_ask_for_it():
    with stage({2: ALL}) as world:

        async def story():
            refused = await world.ask(PLAY, Play(program="film", console=ELSEWHERE))
            assert refused.reason is Reason.NOT_ALLOWED
            assert refused.detail == f"{ONLOOKER} asks, and nothing is sent to 127.1.200.1, which does not"
            assert world.engines[2].of(Preload) == []
            assert (await world.ask(LIST_SESSIONS, ListSessions())).sessions == ()
            assert isinstance(await world.ask(PLAY, Play(program="film", console=f"{ONLOOKER}:1")), Redirect)

        world.tell(story, FILM)


def test_sessions_are_listed_in_pages():
    with stage({2: ALL}) as world:

        async def story():
            begun = {
                (await world.ask(PLAY, Play(program="film", console=f"{ONLOOKER}:{port}"))).session
                for port in range(1, 8)
            }
            listed, pages, more = [], 0, True
            while more:
                after = listed[-1] if listed else ""
                page = await world.ask(LIST_SESSIONS, ListSessions(after=after, limit=3))
                listed += [view.session for view in page.sessions]
                pages, more = pages + 1, page.more
            assert (listed, pages) == (sorted(begun), 3)

        world.tell(story, FILM)


def test_a_station_may_send_to_others_if_its_settings_say_so():
    with stage({2: ALL}) as world:
        world.duty = dataclasses.replace(world.duty, allow_elsewhere=True)

        async def story():
            assert isinstance(await world.ask(PLAY, Play(program="film", console=ELSEWHERE)), Redirect)
            assert [order.console for order in world.engines[2].of(Preload)] == [ELSEWHERE]

        world.tell(story, FILM)


def test_an_inactive_program_is_not_played():
    with stage({2: ALL}) as world:

        async def story():
            assert reason(await world.play()) is Reason.NOT_PUBLISHED

        world.tell(story, program_of(published=False))


def test_engines_that_do_not_get_ready_are_passed_over():
    with stage(THREE) as world:
        world.engines[2].preloaded = Refused(Reason.NOT_HERE)
        world.engines[3].deaf_to = {PRELOAD}

        async def story():
            redirect = await world.play()
            assert (redirect.engine, redirect.turn) == (str(engine_media(4)), 3)
            assert await world.loads() == {2: 0, 3: 0, 4: RATE_BPS}

        world.tell(story, FILM)


def test_a_session_that_nobody_can_serve_leaves_nothing_behind():
    with stage({2: ALL, 3: ALL}) as world:
        for engine in world.engines.values():
            engine.preloaded = Refused(Reason.AT_CAPACITY)

        async def story():
            assert reason(await world.play()) is Reason.NO_ENGINE
            assert await world.loads() == {2: 0, 3: 0}
            assert (await world.ask(LIST_SESSIONS, ListSessions())).sessions == ()

        world.tell(story, FILM)


def test_at_capacity_no_session_begins_but_a_stream_goes_on_where_it_is():
    with stage({2: ALL}, capacity_bps=RATE_BPS) as world:

        async def story():
            session, _ = await world.streaming()
            assert reason(await world.play()) is Reason.AT_CAPACITY
            assert hand_over(await world.next(session, 1)) == (2, 2)

        world.tell(story, FILM)


def test_a_silent_console_ends_its_session_and_all_of_its_engines_are_told_to_cease():
    with stage(THREE) as world:

        async def story():
            session, slot = await world.streaming()
            next_slot, _ = hand_over(await world.next(session, 1))
            await world.watch_for(session, 30.0)
            assert (await world.view(session)).state is SessionState.STREAMING
            await asyncio.sleep(7.0)
            assert (await world.view(session)).state is SessionState.ENDED
            assert world.engines[slot].of(Cease) == [Cease(session=session, turn=1, epoch=EPOCH)]
            assert world.engines[next_slot].of(Cease) == [Cease(session=session, turn=2, epoch=EPOCH)]
            assert set((await world.loads()).values()) == {0}
            assert cursor_of(session, 1, 0, 0) in world.engines[slot].revoked
            await asyncio.sleep(ENDED_KEPT_S + 1.0)
            assert await world.view(session) is None
            assert reason(await world.watch(session)) is Reason.UNKNOWN_SESSION

        world.tell(story, FILM)


@pytest.mark.parametrize("cause", [StopCause.CEASED, StopCause.END_OF_PROGRAM, StopCause.UNKNOWN])
def test_a_stream_that_stopped_is_over(cause):
    with stage(THREE) as world:

        async def story():
            session, slot = await world.streaming()
            next_slot, turn = hand_over(await world.next(session, 1))
            assert await world.stop(session, 1, cause) == Done()
            assert (await world.watch(session)).state is SessionState.ENDED
            await asyncio.sleep(0.1)
            assert world.engines[slot].of(Cease) == []  # it knows
            assert world.engines[next_slot].of(Cease) == [Cease(session=session, turn=2, epoch=EPOCH)]
            assert set((await world.loads()).values()) == {0}
            assert reason(await world.assume(session, turn, next_slot)) is Reason.UNKNOWN_SESSION
            assert reason(await world.next(session, 1)) is Reason.UNKNOWN_SESSION
            assert await world.stop(session, 1) == Done()

        world.tell(story, FILM)


# Engines, when all is well


def test_a_whole_program_from_engine_to_engine():
    with stage({2: "0,2", 3: "1,3"}) as world:

        async def story():
            session, slot = await world.streaming()
            for segment in range(3):
                following, turn = hand_over(await world.next(session, segment + 1, segment))
                assert (following, turn) == (5 - slot, segment + 2)
                assert await world.assume(session, turn, following, segment + 1) == Done()
                slot = following
            assert await world.next(session, 4, 3) == Next(None)
            assert await world.stop(session, 4, segment=3, packet=10_000) == Done()
            view = await world.watch(session)
            assert view.state is SessionState.ENDED
            assert view.served == tuple(
                Served(
                    turn=number + 1, segment=FILM.segments[number], packet=0, engine=str(engine_media(2 + number % 2))
                )
                for number in range(4)
            )

        world.tell(story, FILM)


def test_the_same_question_gets_the_same_offer():
    with stage(THREE) as world:

        async def story():
            session, _ = await world.streaming()
            first = await world.next(session, 1)
            slot, turn = hand_over(first)
            assert first == Next(HandOver(turn=turn, engine=str(engine_address(slot)), segment=FILM.segments[1]))
            assert await world.next(session, 1) == first

        world.tell(story, FILM)


@pytest.mark.parametrize("told_by", ["next", "report", "stopped"])
def test_whoever_speaks_of_a_turn_has_assumed_it(told_by):
    with stage({2: "0,2", 3: "1,3"}) as world:

        async def story():
            session, _ = await world.streaming()
            _, turn = hand_over(await world.next(session, 1))
            match told_by:
                case "next":
                    assert hand_over(await world.next(session, turn, 1)) == (2, 3)
                case "report":
                    world.engines[3].cursors = (cursor_of(session, turn, 1, 500),)
                    await asyncio.sleep(1.0)
                    assert world.engines[3].revoked == []
                case "stopped":
                    await world.stop(session, turn, StopCause.CEASED, segment=1, packet=500)
            assert [served.turn for served in (await world.watch(session)).served] == [1, 2]
            assert await world.assume(session, 1, 2) != Done()

        world.tell(story, FILM)


def test_messages_of_turns_that_are_over_or_unknown_are_refused():
    with stage({2: "0,2", 3: "1,3"}) as world:

        async def story():
            session, _ = await world.streaming()
            assert reason(await world.assume(session, 2, 3)) is Reason.STALE_TURN  # not given yet
            assert reason(await world.next(session, 1, 2)) is Reason.STALE_TURN  # of another segment
            _, turn = hand_over(await world.next(session, 1))
            await world.assume(session, turn, 3, 1)
            assert reason(await world.next(session, 1)) is Reason.STALE_TURN
            assert reason(await world.assume(session, 1, 2)) is Reason.STALE_TURN
            assert await world.assume(session, turn, 3, 1) == Done()  # said twice
            assert await world.stop(session, 1, StopCause.FAILED) == Done()
            assert (await world.view(session)).state is SessionState.STREAMING
            world.engines[2].cursors = (cursor_of(session, 1, 0, 77), cursor_of("another", 5, 0, 0))
            await asyncio.sleep(0.6)
            assert set(world.engines[2].revoked) == set(world.engines[2].cursors)
            assert reason(await world.next("another", 1)) is Reason.UNKNOWN_SESSION
            assert (await world.view(session)).present.turn == turn

        world.tell(story, FILM)


def test_a_console_is_told_the_turns_since_the_one_that_it_knows():
    with stage(THREE) as world:

        async def story():
            session, _ = await world.streaming()
            (first,) = (await world.watch(session)).served
            second, turn = hand_over(await world.next(session, 1))
            await world.assume(session, turn, second, 1)
            (served,) = (await world.watch(session, known_turn=first.turn)).served
            assert (served.turn, served.segment) == (turn, FILM.segments[1])
            view = await world.watch(session, known_turn=turn)
            assert (view.state, view.engine, view.served) == (SessionState.STREAMING, str(engine_media(second)), ())
            listed = await world.view(session)
            assert (listed.present, listed.turns) == (PresentTurn(turn=turn, segment=1, packet=0), 2)

        world.tell(story, FILM)


def test_what_a_console_is_told_weighs_the_same_at_the_end_of_a_long_film():
    film = program_of(segments=600, packets=7)
    with stage({2: "0-599", 3: "0-599"}) as world:

        async def story():
            redirect = await world.play()
            assert len(msgspec.json.encode(redirect)) < 1000
            slot = int(Address.parse(redirect.engine).host.rpartition(".")[2])
            assert await world.assume(redirect.session, 1, slot) == Done()
            turn, known, weights = 1, None, []
            for segment in range(1, 600):
                slot, turn = hand_over(await world.next(redirect.session, turn, segment - 1))
                await world.assume(redirect.session, turn, slot, segment)
                view = await world.watch(redirect.session, known)
                known = view.served[-1].turn
                weights.append(len(msgspec.json.encode(view)))
            assert max(weights) < 1000
            assert (await world.view(redirect.session)).turns == 600

        world.tell(story, film)


# Engine 2 does not take over


def test_a_failed_engine_is_replaced_and_not_asked_again_soon():
    with stage(THREE) as world:

        async def story():
            session, first = await world.streaming()
            second, turn = hand_over(await world.next(session, 1))
            third, later = hand_over(await world.next(session, 1, failed=(str(engine_address(second)),)))
            assert {first, second, third} == {2, 3, 4}
            assert later > turn
            again = await world.next(session, 1, failed=(str(engine_address(second)),))
            assert hand_over(again) == (third, later)
            assert (await world.loads())[second] == 0

        world.tell(story, FILM)


def test_where_nobody_else_is_a_failed_engine_gets_another_turn_when_it_has_reported():
    with stage({2: "0", 3: "1-3"}) as world:

        async def story():
            session, _ = await world.streaming()
            _, turn = hand_over(await world.next(session, 1))
            failed = (str(engine_address(3)), "no address at all")
            assert reason(await world.next(session, 1, failed=failed)) is Reason.NO_ENGINE
            assert (await world.loads())[3] == 0
            await asyncio.sleep(0.6)
            assert hand_over(await world.next(session, 1, failed=failed)) == (3, turn + 1)

        world.tell(story, FILM)


DOUBT = {"doubtful": str(engine_address(3))}


def test_a_doubtful_engine_that_never_sent_gets_the_next_turn():
    with stage({2: "0", 3: "1-3"}) as world:

        async def story():
            session, _ = await world.streaming()
            _, turn = hand_over(await world.next(session, 1))
            assert hand_over(await world.next(session, 1, **DOUBT)) == (3, turn + 1)
            assert [order.turn for order in world.engines[3].of(Cease)] == [turn]
            assert reason(await world.assume(session, turn, 3, 1)) is Reason.STALE_TURN
            await asyncio.sleep(1.1)  # the reports of the sender go on naming its turn
            assert world.engines[2].revoked == []
            assert (await world.view(session)).state is SessionState.STREAMING

        world.tell(story, FILM)


def test_a_doubtful_engine_that_sent_is_resumed_at_its_cursor():
    with stage({2: ALL, 3: ALL, 4: ALL}) as world:

        async def story():
            session, _first = await world.streaming()
            second, turn = hand_over(await world.next(session, 1))
            world.engines[second].ceased = cursor_of(session, turn, 1, 123)
            doubtful = {"doubtful": str(engine_address(second))}
            answers = await asyncio.gather(*(world.next(session, 1, **doubtful) for _ in range(3)))
            assert {reason(answer) for answer in answers} <= {Reason.ASSUMED, Reason.STALE_TURN}
            await asyncio.sleep(1.0)
            [started] = world.starts()
            assert (started.segment, started.packet) == (1, 123)
            view = await world.view(session)
            assert view.state is SessionState.STREAMING
            assert (view.present.segment, view.present.packet) == (1, 123)
            assert reason(await world.next(session, 1, **doubtful)) is Reason.STALE_TURN

        world.tell(story, FILM)


def test_a_doubtful_engine_that_does_not_answer_has_its_lease_waited_out():
    with stage(THREE) as world:

        async def story():
            loop = asyncio.get_running_loop()
            session, _ = await world.streaming()
            second, turn = hand_over(await world.next(session, 1))
            world.engines[second].deaf_to = {CEASE, PRELOAD, START}
            asked_s = loop.time()
            doubtful = str(engine_address(second))
            questions = [asyncio.create_task(world.next(session, 1, doubtful=doubtful)) for _ in range(2)]
            watching = asyncio.create_task(world.watch_for(session, 8.0))
            await asyncio.sleep(LEASE_S - 0.5)
            assert world.starts() == []
            assert reason(await world.assume(session, turn, second, 1)) is Reason.STALE_TURN
            assert cursor_of(session, turn, 1, 0) in world.engines[second].revoked
            answers = await asyncio.gather(*questions)
            assert {reason(answer) for answer in answers} <= {Reason.ASSUMED, Reason.STALE_TURN}
            await watching
            [started] = world.starts()
            assert started.slot != second
            assert started.segment == 1
            assert started.packet > LEASE_S * PACKETS_PER_S
            assert loop.time() - asked_s >= LEASE_S

        world.tell(story, FILM)


def test_while_a_turn_is_settled_its_engine_is_told_with_every_report_not_to_start_it():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            session, _ = await world.streaming()
            second, turn = hand_over(await world.next(session, 1))
            world.engines[second].deaf_to = {CEASE}
            asking = asyncio.create_task(world.next(session, 1, doubtful=str(engine_address(second))))
            await asyncio.sleep(1.1)
            assert cursor_of(session, turn, 1, 0) in world.engines[second].revoked
            await asking

        world.tell(story, FILM)


# The sender is lost


def test_a_sender_that_stopped_short_is_resumed_where_it_stopped():
    with stage(THREE) as world:

        async def story():
            session, _slot = await world.streaming()
            for _ in range(2):  # said twice
                await world.stop(session, 1, StopCause.FAILED, segment=0, packet=4321)
            await asyncio.sleep(1.0)
            [started] = world.starts()
            assert (started.segment, started.packet) == (0, 4321)
            view = await world.watch(session)
            assert [(each.segment.number, each.packet) for each in view.served] == [(0, 0), (0, 4321)]
            assert sum((await world.loads()).values()) == RATE_BPS

        world.tell(story, FILM)


def test_a_sender_that_stopped_at_the_very_end_ends_the_session():
    with stage({2: "0"}) as world:

        async def story():
            session, _ = await world.streaming()
            await world.stop(session, 1, StopCause.LEASE_EXPIRED, segment=0, packet=10_000)
            await asyncio.sleep(0.1)
            assert (await world.view(session)).state is SessionState.ENDED
            assert await world.loads() == {2: 0}

        world.tell(story, program_of(segments=1))


def test_the_position_after_the_death_of_the_sender_never_repeats():
    with stage(THREE) as world:

        async def story():
            loop = asyncio.get_running_loop()
            session, slot = await world.streaming()
            began_s = loop.time()
            await world.watch_for(session, 2.0)
            world.simulation.power_cut(world.engines[slot].host)
            died_s = loop.time()
            view = await world.watch_for(session, 8.0)
            [started] = world.starts()
            assert started.slot != slot
            sent = (died_s - began_s) * PACKETS_PER_S
            assert sent < started.packet < sent + 7 * PACKETS_PER_S
            assert view.state is SessionState.STREAMING
            assert view.served[-1].packet == started.packet
            assert view.engine == str(engine_media(started.slot))

        world.tell(story, FILM)


def test_another_boot_of_the_sender_means_that_the_stream_is_lost():
    with stage({2: ALL}) as world:

        async def story():
            session, _ = await world.streaming()
            await world.watch_for(session, 1.0)
            world.simulation.crash(world.engines[2].host)
            world.engines[2].cursors = ()
            world.simulation.restart(world.engines[2].host)
            await world.watch_for(session, 1.0)
            [started] = world.starts()
            assert started.slot == 2
            assert 1.0 * PACKETS_PER_S < started.packet < 2.5 * PACKETS_PER_S

        world.tell(story, FILM)


def test_a_turn_ends_with_its_segment_however_long_it_took_to_notice():
    film = program_of(packets=2000)
    with stage(THREE) as world:

        async def story():
            session, slot = await world.streaming()
            world.simulation.power_cut(world.engines[slot].host)
            await world.watch_for(session, 10.0)
            [started] = world.starts()
            assert (started.segment, started.packet) == (1, 0)

        world.tell(story, film)


def test_a_sender_that_only_missed_its_reports_is_resumed_exactly():
    with stage(THREE) as world:

        async def story():
            session, slot = await world.streaming()
            world.engines[slot].ceased = cursor_of(session, 1, 0, 2500)
            world.engines[slot].reports = False
            await world.watch_for(session, 3.6)
            [started] = world.starts()
            assert (started.segment, started.packet) == (0, 2500)
            assert reason(await world.next(session, 1)) is Reason.STALE_TURN
            assert reason(await world.assume(session, 1, slot)) is Reason.STALE_TURN

        world.tell(story, FILM)


def test_a_holder_that_dies_right_after_it_handed_over_is_followed_by_whom_it_handed_over_to():
    """ASSUMED comes while the director waits out the lease of the dead one: nothing is resumed."""
    with stage(THREE) as world:

        async def story():
            session, first = await world.streaming()
            second, turn = hand_over(await world.next(session, 1))
            world.simulation.power_cut(world.engines[first].host)
            await world.watch_for(session, 3.6)
            assert (await world.view(session)).state is SessionState.RESUMING
            assert await world.assume(session, turn, second, 1) == Done()
            view = await world.watch_for(session, 10.0)
            assert view.state is SessionState.STREAMING
            assert view.served[-1].turn == turn
            assert world.starts() == []
            assert world.engines[second].of(Cease) == []

        world.tell(story, FILM)


def test_assumed_that_comes_too_late_is_refused_and_the_stream_resumes_from_there():
    with stage(THREE) as world:

        async def story():
            session, first = await world.streaming()
            second, turn = hand_over(await world.next(session, 1))
            world.engines[second].ceased = cursor_of(session, turn, 1, 900)
            world.simulation.power_cut(world.engines[first].host)
            await world.watch_for(session, 8.0)
            assert reason(await world.assume(session, turn, second, 1)) is Reason.STALE_TURN
            [started] = world.starts()
            assert (started.segment, started.packet) == (1, 900)
            assert (await world.view(session)).state is SessionState.STREAMING

        world.tell(story, FILM)


def test_a_healed_stream_that_is_lost_again_is_recovered_once():
    """The first recovery still waits for a lease when the engine it healed by is lost too."""
    with stage(THREE) as world:

        async def story():
            session, first = await world.streaming()
            second, turn = hand_over(await world.next(session, 1))
            world.simulation.power_cut(world.engines[first].host)
            await world.watch_for(session, 2.0)
            await world.assume(session, turn, second, 1)
            await world.stop(session, turn, StopCause.FAILED, segment=1, packet=600)
            view = await world.watch_for(session, 10.0)
            [started] = world.starts()
            assert (started.segment, started.packet) == (1, 600)
            assert [(served.segment.number, served.packet) for served in view.served] == [(0, 0), (1, 0), (1, 600)]

        world.tell(story, FILM)


def test_an_engine_lost_between_its_start_and_its_word_is_missed():
    """The engine before it is done with the stream, and says so by not naming it any more."""
    with stage(THREE) as world:

        async def story():
            session, first = await world.streaming()
            second, _turn = hand_over(await world.next(session, 1))
            world.simulation.power_cut(world.engines[second].host)
            world.engines[first].cursors = ()
            world.engines[first].ceased = cursor_of(session, 1, 0, 10_000)
            view = await world.watch_for(session, 12.0)
            assert view.state is SessionState.STREAMING
            [started] = world.starts()
            assert started.segment == 1
            assert started.packet > LEASE_S * PACKETS_PER_S

        world.tell(story, FILM)


def test_resuming_goes_on_until_an_engine_takes_it():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            session, slot = await world.streaming()
            other = world.engines[5 - slot]
            world.simulation.power_cut(world.engines[slot].host)
            other.started = Refused(Reason.NOT_READY)
            await world.watch_for(session, 8.0)
            assert 1 < len(other.of(Start)) < 20
            assert len({start.packet for start in other.of(Start)}) == 1
            other.started = Done()
            assert (await world.watch_for(session, 1.0)).state is SessionState.STREAMING
            turns = [start.turn for start in other.of(Start)]
            assert turns == sorted(set(turns))

        world.tell(story, FILM)


@pytest.mark.parametrize("answer", ["none", "overdue", "unknown"])
def test_a_doubtful_start_of_the_director_is_settled(answer):
    with stage(THREE) as world:

        async def story():
            session, slot = await world.streaming()
            others = [engine for engine in world.engines.values() if engine.slot != slot]
            doubtful = min(others, key=lambda engine: engine.slot)
            doubtful.started = Refused(Reason.UNKNOWN if answer == "unknown" else Reason.OVERDUE)
            doubtful.deaf_to = {START} if answer == "none" else set()
            doubtful.ceased = cursor_of(session, 2, 0, 5000)
            await world.stop(session, 1, StopCause.FAILED, segment=0, packet=4000)
            await world.watch_for(session, 3.0)
            assert next((each.slot, each.packet) for each in world.starts()) == (doubtful.slot, 4000)
            doubtful.started, doubtful.deaf_to = Done(), set()
            view = await world.watch_for(session, 3.0)
            assert {each.packet for each in world.starts()[1:]} == {5000}
            assert view.served[-1].packet == 5000

        world.tell(story, FILM)


def test_a_console_that_leaves_while_its_stream_is_resumed_leaves_nothing_behind():
    with stage({2: ALL}) as world:

        async def story():
            session, _ = await world.streaming()
            world.simulation.power_cut(world.engines[2].host)
            await asyncio.sleep(8.0)
            assert (await world.view(session)).state is SessionState.ENDED
            world.simulation.restart(world.engines[2].host)
            await asyncio.sleep(5.0)
            assert world.starts() == []
            assert await world.loads() == {2: 0}

        world.tell(story, FILM)


def test_a_console_that_was_only_redirected_learns_that_its_engine_is_gone():
    with stage(THREE) as world:

        async def story():
            redirect = await world.play()
            world.simulation.power_cut(world.simulation.host(redirect.engine.partition(":")[0]))
            assert (await world.watch_for(redirect.session, 2.0)).state is SessionState.REDIRECTED
            assert (await world.watch_for(redirect.session, 3.0)).state is SessionState.ENDED
            assert sum((await world.loads()).values()) == 0
            assert (await world.play()).engine != redirect.engine

        world.tell(story, FILM)


def test_an_engine_without_a_good_enlistment_reports_in_vain():
    with stage({2: ALL}) as world:

        async def story():
            engine = world.engines[2]
            for wrong in ({"boot": "another"}, {"engine": "127.1.1.9:8080"}, {"engine": "nonsense"}):
                assert reason(await world.ask(REPORT, replace(engine.report(), **wrong))) is Reason.UNKNOWN_ENGINE
            assert reason(await world.ask(REPORT, replace(engine.report(), epoch=EPOCH + 1))) is Reason.STALE_EPOCH

        world.tell(story, FILM)
