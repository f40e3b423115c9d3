"""The life of a turn is a table: no gap in it, nothing out of reach."""

import pytest

from blade_agent.main_board.engine.turns.life import (
    ACTIVE,
    SENDING,
    TRANSITIONS,
    ImpossibleEvent,
    TurnEvent,
    TurnState,
    next_state,
)


def test_every_state_has_a_row_and_can_be_stopped():
    assert set(TRANSITIONS) == set(TurnState)
    assert all(TurnEvent.STOP in row for row in TRANSITIONS.values())


def test_every_pair_is_a_transition_or_an_error_with_facts():
    for state in TurnState:
        for event in TurnEvent:
            if event in TRANSITIONS[state]:
                assert next_state(state, event) is TRANSITIONS[state][event]
            else:
                with pytest.raises(ImpossibleEvent) as caught:
                    next_state(state, event)
                assert (caught.value.state, caught.value.event) == (state, event)


def test_every_state_is_reached_and_every_event_used():
    reached = {TurnState.PRELOADED}
    for _ in TurnState:
        reached |= {after for state in reached for after in TRANSITIONS[state].values()}
    assert reached == set(TurnState)
    assert {event for row in TRANSITIONS.values() for event in row} == set(TurnEvent)


def test_a_turn_that_is_over_never_sends_again():
    over = {TurnState.HANDED_OVER, TurnState.STOPPED}
    for _ in TurnState:
        over |= {after for state in over for after in TRANSITIONS[state].values()}
    assert not over & ACTIVE
    assert SENDING < ACTIVE
