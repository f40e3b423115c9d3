"""Slips in what goes fast, each a line that is wrong: a seed of the story catches it (claim 21)."""

import pytest
from msgspec.structs import replace

from blade_agent.main_board.director.sessions import session
from blade_agent.main_board.director.sessions.course import Course
from blade_agent.main_board.director.sessions.events import ScaleAsked
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.states import Streaming
from blade_agent.main_board.director.sessions.table import TABLE
from blade_agent.main_board.engine.sending.trick_play import TrickPlay
from chassis_emulator.simulation.errors import SimulationError
from chassis_emulator.simulation.story import tell
from tests.chassis_emulator.simulation.failing import first_failure
from tests.conftest import SAID

SEEDS = range(1, 13)
"""One of them catches each."""


def a_speed_leaves_the_old_turn_to_its_engine(patch):
    right = Session._scale_asked

    def wrong(core, event, now):
        if isinstance(core.state, Streaming):
            holder = core.state.holder
            place = (holder.segment, holder.packet)
            return core._go(holder, place, place, Course(event.scale, 0), now)
        return right(core, event, now)

    patch.setitem(Session._HANDLERS, ScaleAsked, wrong)
    patch.setattr(session, "TABLE", {state: dict.fromkeys(row, frozenset(TABLE)) for state, row in TABLE.items()})


def packets_of_a_fast_turn_are_taken_for_the_program_s(patch):
    patch.setattr(Course, "place", lambda _, program, segment, packet: program.segments.advance(segment, packet, 0))


def a_fast_turn_is_followed_by_itself(patch):
    patch.setattr(Course, "after", lambda _, __, segment: segment)


def who_goes_on_in_the_middle_of_a_fast_turn_begins_it_again(patch):
    patch.setattr(TrickPlay, "seek", lambda self, _: None)


def the_clock_of_a_fast_turn_begins_anew(patch):
    right = Course.trick

    def wrong(self, program, segment):
        trick = right(self, program, segment)
        return trick and replace(trick, clock=0)

    patch.setattr(Course, "trick", wrong)


def backwards_is_forward(patch):
    right = TrickPlay.__init__

    def wrong(self, index, trick, rate_bps, length_bytes):
        right(self, index, replace(trick, scale=abs(trick.scale)), rate_bps, length_bytes)

    patch.setattr(TrickPlay, "__init__", wrong)


SLIPS = [
    a_speed_leaves_the_old_turn_to_its_engine,
    packets_of_a_fast_turn_are_taken_for_the_program_s,
    a_fast_turn_is_followed_by_itself,
    who_goes_on_in_the_middle_of_a_fast_turn_begins_it_again,
    the_clock_of_a_fast_turn_begins_anew,
    backwards_is_forward,
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.__name__)
def test_a_slip_is_caught_by_a_seed(slip, monkeypatch, record_property):
    slip(monkeypatch)
    failure = first_failure(tell, SEEDS)
    record_property(SAID, f"slip {slip.__name__}: {failure}")
    assert isinstance(failure, SimulationError)
