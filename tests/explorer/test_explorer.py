"""All that can happen to a session within so many steps: never two senders, never a packet twice, never for ever.

`make soak` looks deeper. A deliberate slip in a core is found, with the shortest way to it.
"""

import os

import pytest
from msgspec.structs import replace

from blade_agent.main_board.director.sessions import session as director_core
from blade_agent.main_board.director.sessions.events import EngineLost, NextAsked, SenderUnnamed, StartAnswered
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.states import SettlingSender
from blade_agent.main_board.engine.turns.engine_stream import EngineStream
from blade_agent.main_board.engine.turns.events import CeaseOrdered, NeighbourStarted
from blade_agent.main_board.start_outcome import StartOutcome
from tests.conftest import SAID
from tests.explorer import starts
from tests.explorer.search import Faults, search

DEEPER = 2 if os.environ.get("SOAK") else 0
FAULTS = Faults(losses=1, repetitions=0, crashes=1, late=1)
DEPTHS = {
    starts.opening: 7,
    starts.prepared: 8,
    starts.starting: 6,
    starts.handed_over: 6,
    starts.sender_lost: 7,
    starts.next_doubted: 6,
    starts.resumed: 7,
}


def told(found):
    return "\n".join((found.violation, *found.trace))


@pytest.mark.parametrize("start", DEPTHS, ids=lambda start: start.__name__)
def test_whatever_happens_within_so_many_steps_the_invariants_hold(start, record_property):
    found = search(start(), FAULTS, depth=DEPTHS[start] + DEEPER, check_calm=25)
    record_property(SAID, f"explored from {start.__name__}: {found.states:,} states, {found.depth} steps deep")
    assert not found.violation, told(found)
    assert found.depth == DEPTHS[start] + DEEPER


@pytest.mark.parametrize(
    ("start", "faults", "engines", "depth"),
    [
        (starts.starting, Faults(losses=0, repetitions=2, crashes=0, late=1), 2, 6),
        (starts.prepared, Faults(losses=0, repetitions=0, crashes=1, late=0, gone=1), 2, 7),
        (starts.sender_lost, Faults(losses=1, repetitions=0, crashes=1, late=0), 3, 7),
    ],
    ids=["repetitions", "a console that leaves", "three engines"],
)
def test_so_they_do_with_repetitions_consoles_that_leave_and_three_engines(start, faults, engines, depth):
    found = search(start(engines), faults, depth=depth + DEEPER, check_calm=25)
    assert not found.violation, told(found)


# Slips: each is one line of a core that is wrong


def a_doubtful_engine_is_taken_for_one_that_failed(patch):
    right = Session._next_asked

    def wrong(session, event, now):
        failed = event.failed | {event.doubtful} if event.doubtful else event.failed
        return right(session, replace(event, failed=frozenset(failed), doubtful=""), now)

    patch.setitem(Session._HANDLERS, NextAsked, wrong)


def a_ceased_turn_may_be_started(patch):
    right = EngineStream._cease_ordered

    def wrong(stream, event):
        over, ready = stream.past.over, stream.ready
        effects = right(stream, event)
        stream.past, stream.ready = replace(stream.past, over=over), ready
        return effects

    patch.setitem(EngineStream._HANDLERS, CeaseOrdered, wrong)


def a_lost_sender_is_thought_to_have_sent_less(patch):
    right = director_core.past_turn
    patch.setattr(director_core, "past_turn", lambda program, turn, mark, now: right(program, turn, mark, now - 0.25))


def the_next_engine_is_forgotten_when_the_sender_is_lost(patch):
    right = Session._next_is_settled
    patch.setattr(
        Session,
        "_next_is_settled",
        lambda session, lost, following, position, now: right(session, lost, None, position, now),
    )


def a_start_that_may_have_been_taken_counts_as_refused(patch):
    right = Session._start_answered

    def wrong(session, event, now):
        refused = replace(event, outcome=StartOutcome.REFUSED)
        return right(session, refused if event.outcome is StartOutcome.DOUBTFUL else event, now)

    patch.setitem(Session._HANDLERS, StartAnswered, wrong)


def an_engine_takes_doubt_for_refusal(patch):
    right = EngineStream._neighbour_started

    def wrong(stream, event):
        refused = NeighbourStarted(event.turn, event.packet, StartOutcome.REFUSED)
        return right(stream, refused if event.outcome is StartOutcome.DOUBTFUL else event)

    patch.setitem(EngineStream._HANDLERS, NeighbourStarted, wrong)


def nothing_tells_that_a_sender_is_lost(patch):
    for event in (EngineLost, SenderUnnamed):
        patch.setitem(Session._HANDLERS, event, lambda *_: ())


def a_turn_that_was_withdrawn_may_be_assumed(patch):
    patch.setattr(SettlingSender, "offer", property(lambda state: state.next or state.withdrawn))
    patch.setitem(Session._HANDLERS, SenderUnnamed, lambda *_: ())


SLIPS = [
    (a_doubtful_engine_is_taken_for_one_that_failed, starts.starting, FAULTS, 8, 7),
    (a_ceased_turn_may_be_started, starts.next_doubted, FAULTS, 8, 7),
    (a_lost_sender_is_thought_to_have_sent_less, starts.sender_lost, FAULTS, 8, 7),
    (the_next_engine_is_forgotten_when_the_sender_is_lost, starts.starting, FAULTS, 9, 7),
    (a_start_that_may_have_been_taken_counts_as_refused, starts.resumed, FAULTS, 8, 7),
    (an_engine_takes_doubt_for_refusal, starts.starting, FAULTS, 8, 7),
    (nothing_tells_that_a_sender_is_lost, starts.prepared, FAULTS, 6, 7),
    (
        a_turn_that_was_withdrawn_may_be_assumed,
        starts.starting,
        Faults(losses=0, repetitions=0, crashes=1, late=1),
        10,
        25,
    ),
]


@pytest.mark.parametrize(
    ("slip", "start", "faults", "depth", "check_calm"), SLIPS, ids=lambda part: getattr(part, "__name__", None)
)
def test_a_slip_is_found_with_the_way_to_it(slip, start, faults, depth, check_calm, monkeypatch, record_property):
    slip(monkeypatch)
    found = search(start(), faults, depth=depth, check_calm=check_calm)
    record_property(SAID, f"slip {slip.__name__}: {found.violation}, after {len(found.trace)} steps")
    assert found.violation
    assert found.trace
