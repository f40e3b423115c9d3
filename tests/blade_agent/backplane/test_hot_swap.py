from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.backplane.hot_swap import REPORT_OF, TRANSITIONS, HotSwap, HotSwapEvent, HotSwapState, diagram

DOCUMENT = Path(__file__).parents[3] / "docs" / "protocols" / "cbc.md"
S = HotSwapState


def reachable(events):
    reached, frontier = {S.M0_NOT_INSTALLED}, {S.M0_NOT_INSTALLED}
    while frontier:
        frontier = {TRANSITIONS[state][event] for state in frontier for event in events} - reached
        reached |= frontier
    return reached


def test_the_table_is_total():
    assert set(TRANSITIONS) == set(HotSwapState)
    assert all(set(row) == set(HotSwapEvent) for row in TRANSITIONS.values())


def test_every_state_can_be_reached():
    assert reachable(HotSwapEvent) == set(HotSwapState)


def test_a_blade_reaches_all_but_lost_by_causes_alone():
    views = {*REPORT_OF.values(), HotSwapEvent.COMMUNICATION_LOST}
    assert reachable(set(HotSwapEvent) - views) == set(HotSwapState) - {S.M7_COMMUNICATION_LOST}


def test_no_event_is_without_effect_everywhere():
    for event in HotSwapEvent:
        assert any(row[event] is not state for state, row in TRANSITIONS.items()), event


@settings(deadline=None)
@given(st.lists(st.sampled_from(HotSwapEvent), max_size=30))
def test_extraction_and_reports_mean_the_same_after_anything(events):
    hot_swap = HotSwap()
    for event in events:
        hot_swap.apply(event)
    for reported, event in REPORT_OF.items():
        assert TRANSITIONS[hot_swap.state][event] is reported
    assert TRANSITIONS[hot_swap.state][HotSwapEvent.EXTRACTED] is S.M0_NOT_INSTALLED


def test_an_activation_lock_holds_the_closed_handle_back_until_it_is_lifted():
    hot_swap = HotSwap()
    hot_swap.lock(activation=True, deactivation=False)
    hot_swap.move_handle(closed=True)
    hot_swap.insert()
    assert hot_swap.state is S.M1_INACTIVE
    hot_swap.lock(activation=False, deactivation=False)
    assert hot_swap.state is S.M2_ACTIVATION_REQUEST


def active_blade():
    hot_swap = HotSwap()
    hot_swap.move_handle(closed=True)
    hot_swap.insert()
    hot_swap.apply(HotSwapEvent.ACTIVATE)
    hot_swap.apply(HotSwapEvent.MAIN_BOARD_READY)
    assert hot_swap.state is S.M4_ACTIVE
    return hot_swap


def test_a_deactivation_lock_holds_the_open_handle_back_until_it_is_lifted():
    hot_swap = active_blade()
    hot_swap.lock(activation=False, deactivation=True)
    hot_swap.move_handle(closed=False)
    assert hot_swap.state is S.M4_ACTIVE
    hot_swap.lock(activation=False, deactivation=False)
    assert hot_swap.state is S.M5_DEACTIVATION_REQUEST


def test_a_blade_taken_out_of_service_stays_out_until_its_handle_was_opened():
    hot_swap = active_blade()
    hot_swap.deactivate()
    assert hot_swap.state is S.M6_DEACTIVATION_IN_PROGRESS
    hot_swap.release()
    assert hot_swap.state is S.M1_INACTIVE
    hot_swap.move_handle(closed=False)
    hot_swap.move_handle(closed=True)
    assert hot_swap.state is S.M2_ACTIVATION_REQUEST


def test_the_document_shows_the_diagram_of_this_table():
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text()
