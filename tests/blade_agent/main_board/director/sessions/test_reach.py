"""Where a turn cannot have got to: never short of what was sent, never beyond its segment."""

from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.reach import past_turn
from blade_agent.main_board.engine.sending.pacing import Pacing
from media_network.schedule import TICK_S
from tests.blade_agent.main_board.director.stage import PACKETS_PER_S, RATE_BPS, engine_address, program_of

PROGRAM = program_of(segments=3, packets=60_000)


def turn_of(segment, packet, given_at):
    return GivenTurn(number=1, engine=engine_address(2), boot="boot", segment=segment, packet=packet, given_at=given_at)


@given(st.integers(0, 2), st.integers(0, 59_999), st.floats(0, 200))
def test_nobody_can_have_sent_so_far_and_no_turn_goes_beyond_its_segment(segment, packet, elapsed_s):
    past = past_turn(PROGRAM, turn_of(segment, packet, 100.0), None, 100.0 + elapsed_s)
    reached = PROGRAM.segments.advance(segment, packet, int(elapsed_s * PACKETS_PER_S))
    end = (segment + 1, 0)
    assert (past or (3, 0)) >= min(reached or (3, 0), end)
    assert (past or (3, 0)) <= end


@settings(max_examples=500)
@given(st.floats(0, 1), st.integers(0, 1000), st.floats(0, 3), st.floats(0, TICK_S), st.sets(st.integers(0, 100)))
def test_an_engine_that_keeps_to_the_schedule_is_never_past_it_however_it_was_held_up(
    due_s, packet, looked_s, first_tick_s, missed
):
    pacing = Pacing(RATE_BPS, 60_000, packet, due_s)
    for number in range(-1, int(looked_s / TICK_S) + 1):
        tick_s = first_tick_s + number * TICK_S
        if number not in missed and due_s <= tick_s <= looked_s:
            pacing.sent(pacing.due_packets(tick_s + TICK_S))
    past = past_turn(PROGRAM, turn_of(0, packet, 0.0), None, looked_s)
    assert (0, pacing.packet) <= past
