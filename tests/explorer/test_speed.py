"""A stream that goes fast, or backwards, in the middle of everything (claim 21): the invariants of any stream hold.

Films here are short, and so are turns. `make soak` looks two steps deeper.
"""

import os
from functools import partial

import pytest
from msgspec.structs import replace

from blade_agent.main_board.director.sessions import course, session
from blade_agent.main_board.director.sessions.course import Course
from blade_agent.main_board.director.sessions.events import ScaleAsked
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.states import Streaming
from tests.conftest import SAID
from tests.explorer import starts
from tests.explorer.search import Faults, search
from tests.explorer.test_explorer import ANYWHERE, told

DEEPER = 2 if os.environ.get("SOAK") else 0
ORDERS = Faults(losses=1, repetitions=0, crashes=1, late=1, orders=1, scales=(1, 2, -2))


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    """A turn stands for one segment."""
    monkeypatch.setattr(course, "_TURN_S", 0.01)


MOMENTS = [
    partial(starts.speeding, 2),
    partial(starts.fast, 2),
    partial(starts.fast, -2),
    partial(starts.fast_and_prepared, 2),
]


def _name(start):
    return f"{start.func.__name__} {start.args[0]}"


@pytest.mark.parametrize("start", MOMENTS, ids=_name)
def test_whatever_happens_at_another_speed_the_invariants_hold(start, record_property):
    found = search(start(), ORDERS, depth=4 + DEEPER, check_calm=40)
    record_property(SAID, f"explored from {_name(start)}: {found.states:,} states, {found.depth} steps deep")
    assert not found.violation, told(found)
    assert found.depth == 4 + DEEPER


NOTHING_LOST = Faults(losses=0, repetitions=1, crashes=0, late=0, orders=1, drains=1, scales=(1, 4))


@pytest.mark.parametrize("start", [MOMENTS[0], MOMENTS[3]], ids=_name)
def test_where_nothing_fails_no_packet_is_left_out_at_any_speed(start):
    found = search(start(exact=True), NOTHING_LOST, depth=4 + DEEPER, check_calm=10)
    assert not found.violation, told(found)


# Slips


def a_speed_leaves_the_old_turn_to_its_engine(patch):
    right = Session._scale_asked

    def wrong(core, event, now):
        if isinstance(core.state, Streaming):
            holder = core.state.holder
            place = (holder.segment, holder.packet)
            return core._go(holder, place, place, Course(event.scale, 0), now)
        return right(core, event, now)

    patch.setitem(Session._HANDLERS, ScaleAsked, wrong)
    patch.setattr(session, "TABLE", ANYWHERE)


def packets_of_a_fast_turn_are_taken_for_the_program_s(patch):
    patch.setattr(Course, "place", lambda _, program, segment, packet: program.segments.advance(segment, packet, 0))


def a_fast_turn_is_followed_by_itself(patch):
    patch.setattr(Course, "after", lambda _, __, segment: segment)


def a_new_speed_is_no_jump(patch):
    right = Session._give
    patch.setattr(Session, "_give", lambda *arguments: replace(right(*arguments), left=None))


ALONE = Faults(losses=0, repetitions=0, crashes=1, late=0, orders=1, scales=(2, 4))
SLIPS = [
    (a_speed_leaves_the_old_turn_to_its_engine, starts.prepared, 7),
    (packets_of_a_fast_turn_are_taken_for_the_program_s, partial(starts.fast_and_prepared, 2), 6),
    (a_fast_turn_is_followed_by_itself, partial(starts.fast, 2), 6),
    (a_new_speed_is_no_jump, partial(starts.speeding, 2), 6),
]


@pytest.mark.parametrize(("slip", "start", "depth"), SLIPS, ids=lambda part: getattr(part, "__name__", None))
def test_a_slip_is_found_with_the_way_to_it(slip, start, depth, monkeypatch, record_property):
    slip(monkeypatch)
    found = search(start(), ALONE, depth=depth, check_calm=5)
    record_property(SAID, f"slip {slip.__name__}: {found.violation}, after {len(found.trace)} steps")
    assert found.violation
    assert found.trace
