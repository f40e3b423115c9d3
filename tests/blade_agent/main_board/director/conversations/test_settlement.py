"""Every way in which a turn can be settled: exactly if the engine answers, safely past it if not."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.main_board.director.conversations.settlement import Settled, certainly_past, settle
from blade_agent.main_board.director.sessions.session import PushSession
from chassis_emulator.simulation.simulation import Simulation
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.streaming import CEASE, Cease, Ceased, StopCause
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import (
    CONSOLE,
    EPOCH,
    LEASE_S,
    PACKETS_PER_S,
    cursor_of,
    engine_address,
    program_of,
)

ENGINE = engine_address(2)
PROGRAM = program_of(segments=3, packets=60_000)


def settled(answer, *, assumed=True, process_lives=True, given_s_ago=2.0, packet=0):
    """Settle turn 1, of segment 1; `answer` None is no answer. Returns how, how long it took, and what was heard."""
    heard = []

    async def be_engine():
        async def cease(order):
            heard.append(order)
            if answer is None:
                await asyncio.Event().wait()
            return answer

        table = HandlerTable("engine")
        table.verb(CEASE, cease)
        if process_lives:
            async with serve(table, ENGINE):
                await asyncio.Event().wait()

    async def ask():
        loop = asyncio.get_running_loop()
        session = PushSession(session="s", program=PROGRAM, console=CONSOLE, watched_at=0.0)
        turn = session.give_turn(ENGINE, "boot", 1, packet, loop.time() - given_s_ago)
        if assumed:
            session.assume(turn, packet)
        async with HttpClient(random.Random(1)) as http:
            began_s = loop.time()
            result = await settle(http, session, turn, EPOCH, began_s + LEASE_S)
        assert session.offered(turn.number) is None
        return result, loop.time() - began_s

    with Simulation(1) as simulation:
        simulation.start(simulation.host(ENGINE.host), be_engine)
        simulation.run(until_s=5.0)
        return *simulation.run_until_complete(ask()), heard


def test_an_engine_that_sent_tells_how_far_it_got():
    result, took_s, heard = settled(Ceased("boot", cursor_of("s", 1, 1, 1234)))
    assert result == Settled(sent=True, position=(1, 1234))
    assert took_s < 0.5
    assert heard == [Cease(session="s", turn=1, cause=StopCause.FAILED, epoch=EPOCH)]


def test_at_the_end_of_its_segment_the_next_one_follows():
    result, _, _ = settled(Ceased("boot", cursor_of("s", 1, 1, 60_000)))
    assert result == Settled(sent=True, position=(2, 0))


def test_an_engine_that_never_sent_leaves_the_turn_where_it_began():
    result, took_s, _ = settled(Ceased("boot", None), assumed=False, packet=77)
    assert result == Settled(sent=False, position=(1, 77))
    assert took_s < 0.5


def test_a_sender_that_has_forgotten_is_not_believed_to_have_sent_nothing():
    result, _, _ = settled(Ceased("boot", None), assumed=True)
    assert result.sent
    assert result.position > (1, 2 * PACKETS_PER_S)


def test_another_boot_answers_at_once_but_knows_nothing():
    result, took_s, _ = settled(Ceased("later boot", None), assumed=False)
    assert took_s < 0.5
    assert result.sent
    assert (1, 2 * PACKETS_PER_S) < result.position < (1, 3 * PACKETS_PER_S)


def test_a_refused_connection_is_a_dead_engine():
    result, took_s, _ = settled(Ceased("boot", None), process_lives=False)
    assert took_s < 1.0
    assert result.sent
    assert not result.answered
    assert (1, 2 * PACKETS_PER_S) < result.position < (1, 4 * PACKETS_PER_S)


def test_where_no_engine_is_on_duty_nothing_is_sent_any_more():
    result, took_s, _ = settled(Refused(Reason.WRONG_ROLE))
    assert took_s < 0.5
    assert result.sent
    assert (1, 2 * PACKETS_PER_S) < result.position < (1, 3 * PACKETS_PER_S)


@pytest.mark.parametrize("answer", [None, Refused(Reason.BUSY)], ids=["silence", "refusal"])
def test_without_an_answer_the_lease_is_waited_out(answer):
    result, took_s, _ = settled(answer)
    assert LEASE_S <= took_s < LEASE_S + 0.1
    assert result.sent
    assert (1, (2 + LEASE_S) * PACKETS_PER_S) < result.position < (1, (3 + LEASE_S) * PACKETS_PER_S)


@given(st.integers(0, 2), st.integers(0, 59_999), st.floats(0, 200))
def test_nobody_can_have_sent_so_far_and_no_turn_goes_beyond_its_segment(segment, packet, elapsed_s):
    session = PushSession(session="s", program=PROGRAM, console=CONSOLE, watched_at=0.0)
    turn = session.give_turn(ENGINE, "boot", segment, packet, 100.0)
    past = certainly_past(session, turn, 100.0 + elapsed_s)
    reached = PROGRAM.advance(segment, packet, int(elapsed_s * PACKETS_PER_S))
    end = (segment + 1, 0)
    assert (past or (3, 0)) >= min(reached or (3, 0), end)
    assert (past or (3, 0)) <= end
