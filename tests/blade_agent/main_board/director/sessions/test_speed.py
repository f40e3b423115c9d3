"""A stream at another speed: how its turns are counted, and what its session makes of what happens to it."""

from itertools import pairwise

import pytest

from blade_agent.main_board.director.sessions.course import NORMAL, Course, packets_before
from blade_agent.main_board.director.sessions.effects import GetReady, NameNext, SeekEngine, SettleTurn
from blade_agent.main_board.director.sessions.events import (
    EndAsked,
    GotReady,
    NextAsked,
    PauseAsked,
    ResumeAsked,
    ScaleAsked,
    SeekAsked,
    StartAnswered,
    TurnStopped,
)
from blade_agent.main_board.director.sessions.states import Ended, Paused, SettlingSender, Streaming
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import StopCause
from media_network.trick import SCALES, used_scale
from tests.blade_agent.main_board.director.sessions.test_session import PROGRAM, Desk
from tests.blade_agent.main_board.director.sessions.test_steering import ceased_at

ALL = PROGRAM.segments.before(len(PROGRAM.segments)).packets
FAST = [scale for scale in SCALES if scale != 1]


def whole(scale):
    """From the beginning, or back from the end."""
    return Course(scale, 0 if scale > 0 else ALL)


def turns_of(course):
    number = 0 if course.scale > 0 else len(PROGRAM.segments) - 1
    while number is not None:
        yield number
        number = course.after(PROGRAM, number)


@pytest.mark.parametrize("scale", FAST)
def test_all_turns_together_last_as_long_as_the_program_does_at_that_speed_and_the_clock_goes_on(scale):
    course = whole(scale)
    turns = list(turns_of(course))
    assert sum(course.packets(PROGRAM, number) for number in turns) == ALL // abs(scale)
    tricks = [course.trick(PROGRAM, number) for number in turns]
    assert tricks[0].clock == course.entered
    assert all(later.clock == earlier.clock + earlier.packets for earlier, later in pairwise(tricks))


@pytest.mark.parametrize("scale", FAST)
def test_a_place_is_entered_again_where_it_was_left_and_never_before(scale):
    course = whole(scale)
    for number in turns_of(course):
        for packet in (0, 1, 333, course.packets(PROGRAM, number) - 1):
            place = course.place(PROGRAM, number, packet)
            again = course.enter(PROGRAM, place)
            before = course.begins(PROGRAM, number) + packet
            assert before <= course.begins(PROGRAM, again[0]) + again[1] <= before + 1
    assert course.enter(PROGRAM, (len(PROGRAM.segments), 0) if scale > 0 else (0, 0)) is None


def test_the_program_s_own_speed_is_the_table_s():
    assert NORMAL.place(PROGRAM, 1, 500) == NORMAL.enter(PROGRAM, (1, 500)) == (1, 500)
    assert NORMAL.trick(PROGRAM, 1) is None
    assert [NORMAL.after(PROGRAM, number) for number in range(len(PROGRAM.segments))][-1] is None


@pytest.mark.parametrize(
    ("wanted", "used"),
    [(1, 1), (0, 1), (2, 2), (3, 4), (2.7, 2), (5, 4), (100, 16), (0.3, 1), (-1, -2), (-3, -4), (-1e9, -16)],
)
def test_a_scale_that_cannot_be_had_is_the_next_one_that_can(wanted, used):
    assert used_scale(wanted) == used


def go(desk, effects):
    """Have an engine take the turn that an order brought."""
    (ready,) = [effect for effect in effects if isinstance(effect, GetReady)]
    desk.on(GotReady(ready.turn.number))
    desk.on(StartAnswered(turn=ready.turn.number, outcome=StartOutcome.TAKEN))
    assert isinstance(desk.state, Streaming)
    return ready.turn


def fast(scale, packet=1000):
    desk = Desk().streaming()
    (settle,) = [effect for effect in desk.on(ScaleAsked(scale)) if isinstance(effect, SettleTurn)]
    assert isinstance(desk.state, SettlingSender)
    return desk, go(desk, desk.on(ceased_at(settle.turn.number, 0, packet)))


@pytest.mark.parametrize("scale", [2, 16, -4])
def test_it_goes_on_where_it_is_in_a_turn_of_that_speed(scale):
    desk, turn = fast(scale)
    assert turn.left == (0, 1000)
    assert turn.course == Course(scale, 1000)
    assert abs(packets_before(PROGRAM, turn.at(PROGRAM)) - 1000) <= abs(scale)
    assert desk.on(ScaleAsked(scale)) == []


def test_the_next_turn_goes_as_fast_and_the_last_one_ends_the_stream():
    desk, turn = fast(4)
    asked = NextAsked(question=1, turn=turn.number, number=1, segment=0, packet=None, failed=frozenset(), doubtful=None)
    (named,) = [effect for effect in desk.on(asked) if isinstance(effect, NameNext)]
    assert (named.next.course, named.next.packet) == (turn.course, 0)
    assert named.next.segment == turn.course.after(PROGRAM, 0)
    desk.on(TurnStopped(turn=turn.number, cause=StopCause.END_OF_PROGRAM, segment=0, packet=turn.packet + 1))
    assert isinstance(desk.state, Ended)


def test_who_goes_back_to_the_beginning_waits_there():
    desk, turn = fast(-4)
    desk.on(TurnStopped(turn=turn.number, cause=StopCause.END_OF_PROGRAM, segment=0, packet=turn.packet + 1))
    assert isinstance(desk.state, Paused)
    assert (desk.state.position, desk.state.left) == ((0, 0), (0, 0))
    turn = go(desk, desk.on(ResumeAsked()))
    assert (turn.segment, turn.packet, turn.course, turn.left) == (0, 0, NORMAL, (0, 0))


@pytest.mark.parametrize("event", [ScaleAsked(1), SeekAsked((2, 0))])
def test_at_its_own_speed_it_goes_on_where_decoding_can_begin(event):
    desk, turn = fast(4)
    (settle,) = [effect for effect in desk.on(event) if isinstance(effect, SettleTurn)]
    after = go(desk, desk.on(ceased_at(settle.turn.number, turn.segment, turn.packet + 700)))
    assert after.course == NORMAL
    assert after.packet == 0
    assert packets_before(PROGRAM, after.left) == packets_before(
        PROGRAM, turn.course.place(PROGRAM, turn.segment, turn.packet + 700)
    )


def test_a_pause_brings_it_back_to_its_own_speed_and_a_speed_ends_a_pause():
    desk, turn = fast(8)
    (settle,) = [effect for effect in desk.on(PauseAsked()) if isinstance(effect, SettleTurn)]
    desk.on(ceased_at(settle.turn.number, turn.segment, turn.packet + 300))
    assert isinstance(desk.state, Paused)
    assert desk.state.position[1] == 0
    turn = go(desk, desk.on(ScaleAsked(2)))
    assert turn.course.scale == 2


def test_a_fast_stream_that_is_lost_goes_on_as_fast_and_past_what_may_have_been_sent():
    desk, turn = fast(4)
    effects = desk.on(
        TurnStopped(turn=turn.number, cause=StopCause.FAILED, segment=turn.segment, packet=turn.packet + 100)
    )
    assert not [effect for effect in effects if isinstance(effect, SeekEngine)]  # the desk has found one at once
    (ready,) = [effect for effect in effects if isinstance(effect, GetReady)]
    assert ready.turn.course == turn.course
    assert (ready.turn.segment, ready.turn.packet) == (turn.segment, turn.packet + 100)
    assert ready.turn.left is None


@pytest.mark.parametrize("scale", [1, 2])
def test_nothing_is_made_of_it_before_the_stream_begins_and_after_it_has_ended(scale):
    desk = Desk()
    assert desk.on(ScaleAsked(scale)) == []
    desk = Desk().streaming()
    desk.on(EndAsked())
    assert desk.on(ScaleAsked(scale)) == []
