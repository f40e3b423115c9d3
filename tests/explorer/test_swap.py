"""Two consoles that are exchanged between two engines (claim 22): whatever happens, never two senders of either stream,
never a packet twice, and both sessions end.

`make soak` looks two steps deeper.
"""

import os

import pytest
from msgspec.structs import replace

from blade_agent.main_board.director.sessions.events import EngineFound, ExchangeAsked, Sought
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.states import Ended
from blade_agent.main_board.engine.turns.effects import GiveAway
from blade_agent.main_board.engine.turns.engine_stream import EngineStream
from blade_agent.main_board.engine.turns.events import GivenAway, SegmentOpened
from tests.conftest import SAID
from tests.explorer import pair
from tests.explorer.search import Faults, search
from tests.explorer.test_explorer import (
    an_engine_takes_doubt_for_refusal,
    nothing_tells_that_a_sender_is_lost,
    the_next_engine_is_forgotten_when_the_sender_is_lost,
    told,
)
from tests.explorer.world import LEASE_TICKS

DEEPER = 2 if os.environ.get("SOAK") else 0
MOMENTS = [pair.foreseen, pair.swapping, pair.returned, pair.committing, pair.crossing]
FAULTS = Faults(losses=1, repetitions=0, crashes=1, late=1)


@pytest.mark.parametrize("start", MOMENTS, ids=lambda start: start.__name__)
def test_whatever_happens_in_a_swap_the_invariants_hold_for_both(start, record_property):
    found = search(start(), FAULTS, depth=4 + DEEPER, check_calm=50, ways=pair.WAYS)
    record_property(SAID, f"explored from {start.__name__}: {found.states:,} states, {found.depth} steps deep")
    assert not found.violation, told(found)
    assert found.depth == 4 + DEEPER


CRASHES = Faults(losses=0, repetitions=0, crashes=2, late=0)
REPETITIONS = Faults(losses=0, repetitions=2, crashes=0, late=1)


@pytest.mark.parametrize("faults", [CRASHES, REPETITIONS], ids=["two crashes", "repetitions"])
@pytest.mark.parametrize(
    "start", [pair.swapping, pair.committing, pair.crossing, pair.crossing_late], ids=lambda start: start.__name__
)
def test_so_they_do_when_both_engines_crash_or_all_is_said_again(start, faults):
    found = search(start(), faults, depth=4 + DEEPER, check_calm=50, ways=pair.WAYS)
    assert not found.violation, told(found)


NOTHING_LOST = Faults(losses=0, repetitions=1, crashes=0, late=0, drains=1, foresights=1)


@pytest.mark.parametrize("start", [pair.apart, pair.swapping, pair.committing], ids=lambda start: start.__name__)
def test_where_nothing_fails_no_packet_of_either_is_left_out(start):
    found = search(start(exact=True), NOTHING_LOST, depth=4 + DEEPER, check_calm=10, ways=pair.WAYS)
    assert not found.violation, told(found)


def test_when_all_goes_well_each_engine_has_the_other_s_stream_in_the_end():
    both = pair.crossing(exact=True)
    pair.led_to_the_end(both)
    senders = [world.senders for world in both.worlds]
    assert senders == [(0, 1), (1, 0)]


SWAPPERS = (0, 1)
"""The engine that foresees, and the one that has the whole segment."""
SENT_AGAIN_WITHIN = LEASE_TICKS + 4
"""Ticks: a lease, and what it takes to find an engine, have it ready and start it."""


def the_whole_way():
    """A swap in which nothing fails, step by step: from the question until each has begun with the other's stream."""
    both = pair.foreseen(exact=True, datagrams=40)
    while not all(world.senders[-1:] == (1 - which,) for which, world in enumerate(both.worlds)):
        yield both.copy()
        pair.next_step(both)
    yield both


@pytest.mark.parametrize("victim", SWAPPERS)
def test_whichever_crashes_at_whatever_step_both_streams_are_sent_again_within_the_lease(victim, record_property):
    steps = list(the_whole_way())
    for number, both in enumerate(steps):
        for world in both.worlds:
            world.exact = False
        both.crash(victim)
        still = [0, 0]
        while not all(world.over for world in both.worlds):
            before = [world.due for world in both.worlds]
            pair.calm_step(both)
            for which, world in enumerate(both.worlds):
                goes_on = world.due != before[which] or isinstance(world.session.state, Ended)
                still[which] = 0 if goes_on else still[which] + 1
            assert max(still) <= SENT_AGAIN_WITHIN, (number, both.worlds[0].session.state, both.worlds[1].session.state)
    record_property(SAID, f"engine {victim} crashed at each of {len(steps)} steps of a swap")
    assert len(steps) > 10


# Slips: each is one line of a core that is wrong


def a_stream_is_given_before_the_other_has_begun(patch):
    right = EngineStream._opened

    def wrong(stream, event):
        effects = right(stream, event)
        return (GiveAway(event.given), *effects) if event.given else effects

    patch.setitem(EngineStream._HANDLERS, SegmentOpened, wrong)


def who_gives_a_stream_goes_on_sending_it(patch):
    right = EngineStream._given_away

    def wrong(stream, event):
        effects = right(stream, event)
        return (*stream._start_neighbour(stream.active),) if effects else ()

    patch.setitem(EngineStream._HANDLERS, GivenAway, wrong)
    patch.setattr("blade_agent.main_board.engine.turns.engine_stream.TABLE", ANYWHERE)


def what_is_given_is_thought_to_begin_where_its_turn_began(patch):
    def wrong(session, event, now):
        holder = session.state.holder
        sought = Sought(segment=holder.segment, packet=holder.packet)
        found = EngineFound(sought=sought, engine=event.engine, boot=event.boot)
        session.state = replace(session.state, next=session._give(found, now))
        return ()

    patch.setitem(Session._HANDLERS, ExchangeAsked, wrong)


class _Anywhere(dict):
    def __missing__(self, _):
        return _Anywhere()

    def __contains__(self, _):
        return True


ANYWHERE = _Anywhere()
"""A table that forbids nothing."""

SLIPS = [
    (a_stream_is_given_before_the_other_has_begun, pair.foreseen, FAULTS, 3),
    (who_gives_a_stream_goes_on_sending_it, pair.committing, FAULTS, 4),
    (what_is_given_is_thought_to_begin_where_its_turn_began, pair.crossing_late, CRASHES, 5),
    (the_next_engine_is_forgotten_when_the_sender_is_lost, pair.crossing, FAULTS, 5),
    (an_engine_takes_doubt_for_refusal, pair.crossing, FAULTS, 5),
    (nothing_tells_that_a_sender_is_lost, pair.swapping, FAULTS, 4),
]


@pytest.mark.parametrize(("slip", "start", "faults", "depth"), SLIPS, ids=lambda part: getattr(part, "__name__", None))
def test_a_slip_is_found_with_the_way_to_it(slip, start, faults, depth, monkeypatch, record_property):
    slip(monkeypatch)
    found = search(start(), faults, depth=depth, check_calm=5, ways=pair.WAYS)
    record_property(SAID, f"slip {slip.__name__}: {found.violation}, after {len(found.trace)} steps")
    assert found.violation
    assert found.trace
