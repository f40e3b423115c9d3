"""All that can happen to a session within so many steps: never two senders, never a packet twice, never for ever.

`make soak` looks deeper. A deliberate slip in a core is found, with the shortest way to it.
"""

import os

import pytest
from msgspec.structs import replace

from blade_agent.main_board.director.sessions import session as director_core
from blade_agent.main_board.director.sessions import turn_keeping
from blade_agent.main_board.director.sessions.course import NORMAL
from blade_agent.main_board.director.sessions.events import (
    EngineLost,
    NextAsked,
    PauseAsked,
    ResumeAsked,
    SeekAsked,
    SenderUnnamed,
    StartAnswered,
)
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.states import Paused, SettlingSender, Starting, Streaming
from blade_agent.main_board.director.sessions.table import TABLE
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
    starts.cut_after_a_late_question: 5,
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


ORDERS = Faults(losses=1, repetitions=0, crashes=1, late=1, orders=2)
"""A console pauses, resumes and seeks: any of it twice."""
ORDERED = {
    starts.pausing: 5,
    starts.pausing_at_the_end: 5,
    starts.paused: 5,
    starts.going_on: 5,
    starts.jumping: 5,
    starts.jumping_at_the_end: 5,
}


@pytest.mark.parametrize("start", ORDERED, ids=lambda start: start.__name__)
def test_so_they_do_whatever_a_console_orders(start, record_property):
    found = search(start(), ORDERS, depth=ORDERED[start] + DEEPER, check_calm=25)
    record_property(SAID, f"explored from {start.__name__}: {found.states:,} states, {found.depth} steps deep")
    assert not found.violation, told(found)
    assert found.depth == ORDERED[start] + DEEPER


@pytest.mark.parametrize(
    ("start", "faults", "depth"),
    [
        (starts.pausing_at_the_end, Faults(losses=0, repetitions=2, crashes=0, late=0, orders=1), 5),
        (starts.going_on, Faults(losses=0, repetitions=2, crashes=0, late=0, orders=1), 5),
        (starts.prepared, Faults(losses=0, repetitions=0, crashes=1, late=0, orders=1, drains=1), 5),
        (starts.going_on, Faults(losses=0, repetitions=0, crashes=1, late=0, orders=1, drains=1), 5),
    ],
    ids=["pausing, repetitions", "going on, repetitions", "draining and pausing", "draining and going on"],
)
def test_so_they_do_when_orders_meet_repetitions_and_drains(start, faults, depth):
    found = search(start(), faults, depth=depth + DEEPER, check_calm=25)
    assert not found.violation, told(found)


NOTHING_LOST = Faults(losses=0, repetitions=1, crashes=0, late=0, orders=3, drains=1)


@pytest.mark.parametrize("start", [starts.prepared, starts.starting, starts.going_on], ids=lambda start: start.__name__)
def test_where_nothing_fails_no_packet_is_left_out_whatever_is_ordered(start):
    found = search(start(exact=True), NOTHING_LOST, depth=5 + DEEPER, check_calm=10)
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
    right = turn_keeping.past_turn
    patch.setattr(turn_keeping, "past_turn", lambda program, turn, mark, now: right(program, turn, mark, now - 0.25))


def a_turn_in_the_middle_is_thought_to_begin_where_it_was_asked_for(patch):
    patch.setattr(Session, "_give_within", lambda session, _, found, now: session._give(found, now))


def the_next_engine_is_forgotten_when_the_sender_is_lost(patch):
    right = Session._next_is_settled
    patch.setattr(
        Session,
        "_next_is_settled",
        lambda session, state, *known: right(session, replace(state, next=None, withdrawn=None), *known),
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


def a_pause_leaves_the_sender_its_turn(patch):
    def wrong(session, _, now):
        if not isinstance(session.state, Streaming):
            return ()
        holder = session.state.holder
        session.state = Paused(last=holder, position=(holder.segment, holder.packet), left=None, since=now)
        return ()

    patch.setitem(Session._HANDLERS, PauseAsked, wrong)
    patch.setattr(director_core, "TABLE", ANYWHERE)


def who_was_named_next_may_begin_in_a_pause(patch):
    right = Session._halt

    def wrong(session, aim):
        effects = right(session, aim)
        if isinstance(session.state, SettlingSender):
            session.state = replace(session.state, withdrawn=None)
        return effects

    patch.setattr(Session, "_halt", wrong)


def who_was_told_to_start_is_not_settled_when_the_console_pauses(patch):
    right = Session._pause_asked

    def wrong(session, event, now):
        match session.state:
            case Starting(lost=lost, next=turn):
                session.state = Paused(last=lost, position=(turn.segment, turn.packet), left=turn.left, since=now)
                return ()
        return right(session, event, now)

    patch.setitem(Session._HANDLERS, PauseAsked, wrong)
    patch.setattr(director_core, "TABLE", ANYWHERE)


def _resumes(patch, by_packets):
    right = Session._resume_asked

    def wrong(session, event, now):
        if isinstance(session.state, Paused):
            segment, packet = session.state.position
            session.state = replace(session.state, position=(segment, max(0, packet + by_packets)))
        return right(session, event, now)

    patch.setitem(Session._HANDLERS, ResumeAsked, wrong)


def it_goes_on_one_packet_early(patch):
    _resumes(patch, -1)


def it_goes_on_one_packet_late(patch):
    _resumes(patch, 1)


def a_seek_leaves_the_old_turn_to_its_engine(patch):
    def wrong(session, event, now):
        if not isinstance(session.state, Streaming):
            return ()
        holder = session.state.holder
        return session._go(holder, event.position, (holder.segment, holder.packet), NORMAL, now)

    patch.setitem(Session._HANDLERS, SeekAsked, wrong)
    patch.setattr(director_core, "TABLE", ANYWHERE)


def a_turn_that_jumps_is_not_told_from_others(patch):
    right = Session._give
    patch.setattr(Session, "_give", lambda *arguments: replace(right(*arguments), left=None))


def a_pause_is_for_good(patch):
    patch.setitem(Session._HANDLERS, ResumeAsked, lambda *_: ())
    patch.setattr(director_core, "TABLE", ANYWHERE)


def a_turn_is_withdrawn_only_in_the_mind_of_the_director(patch):
    right = Session._settle_start

    def wrong(session, state, aim):
        right(session, state, aim)
        return ()

    patch.setattr(Session, "_settle_start", wrong)


def paused_exactly():
    return starts.paused(exact=True)


ANYWHERE = {state: dict.fromkeys(row, frozenset(TABLE)) for state, row in TABLE.items()}
"""A table that forbids nothing: without it the core itself would notice some of the slips."""
ORDERS_ALONE = Faults(losses=0, repetitions=0, crashes=0, late=0, orders=2)

SLIPS = [
    (a_pause_leaves_the_sender_its_turn, starts.prepared, ORDERS_ALONE, 6, 25),
    (who_was_named_next_may_begin_in_a_pause, starts.starting, ORDERS_ALONE, 7, 5),
    (who_was_told_to_start_is_not_settled_when_the_console_pauses, starts.going_on, ORDERS_ALONE, 6, 25),
    (it_goes_on_one_packet_early, starts.paused, ORDERS_ALONE, 6, 5),
    (it_goes_on_one_packet_late, paused_exactly, ORDERS_ALONE, 6, 5),
    (a_seek_leaves_the_old_turn_to_its_engine, starts.prepared, ORDERS_ALONE, 8, 25),
    (a_turn_that_jumps_is_not_told_from_others, starts.jumping, ORDERS_ALONE, 6, 5),
    (a_pause_is_for_good, starts.paused, ORDERS_ALONE, 6, 5),
    (a_turn_is_withdrawn_only_in_the_mind_of_the_director, starts.going_on, ORDERS_ALONE, 6, 5),
    (a_doubtful_engine_is_taken_for_one_that_failed, starts.starting, FAULTS, 8, 7),
    (a_ceased_turn_may_be_started, starts.next_doubted, FAULTS, 8, 7),
    (a_lost_sender_is_thought_to_have_sent_less, starts.sender_lost, FAULTS, 8, 7),
    (the_next_engine_is_forgotten_when_the_sender_is_lost, starts.starting, FAULTS, 9, 7),
    (a_start_that_may_have_been_taken_counts_as_refused, starts.resumed, FAULTS, 8, 7),
    (an_engine_takes_doubt_for_refusal, starts.starting, FAULTS, 8, 7),
    (
        a_turn_in_the_middle_is_thought_to_begin_where_it_was_asked_for,
        starts.cut_after_a_late_question,
        Faults(losses=0, repetitions=0, crashes=1, late=0),
        6,
        1,
    ),
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
