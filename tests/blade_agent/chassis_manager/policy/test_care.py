"""What is in hand with a blade: late answers undo nothing, and a blade that was seen out has nothing left over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState
from blade_agent.chassis_manager.keeping.journal import Hold
from blade_agent.chassis_manager.policy.care import TRANSITIONS, Care, CareEvent, CareStage, Leaving
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware

M = HotSwapState
RESERVE_W = 10.0


def test_every_stage_answers_every_event():
    assert {(stage, event) for stage, answers in TRANSITIONS.items() for event in answers} == {
        (stage, event) for stage in CareStage for event in CareEvent
    }


@pytest.mark.parametrize(
    ("late", "asked"),
    [
        (CareEvent.NOT_ADMITTED, CareStage.ADMITTED),
        (CareEvent.NOT_FREED, CareStage.FREED),
        (CareEvent.STAY, CareStage.LEAVING),
        (CareEvent.HAND_SEEN, CareStage.PARKED),
    ],
)
def test_an_answer_that_comes_late_changes_nothing(late, asked):
    assert {stage for stage in CareStage if TRANSITIONS[stage][late] is not stage} == {asked}


@given(st.lists(st.sampled_from(CareEvent)))
def test_a_blade_that_was_seen_out_has_nothing_left_over(events):
    care = Care()
    for event in events:
        care.apply(event)
        if event is CareEvent.LEAVE:
            care.leaving = Leaving(until=1.0, ask_at=0.0)
        assert care.leaving is None or care.on_its_way_out
    care.apply(CareEvent.SEEN_OUT)
    assert care == Care()


def test_an_order_holds_though_a_hand_was_at_the_blade_before(bench):
    """The supplies carry three blades of four: the fourth waits, and is ordered out while it does."""
    chassis = bench(slots=4, make_hardware=lambda _: DeskHardware())
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 32
    chassis.run(4)
    service, slot = chassis.chassis.service, chassis.chassis.slots[4]
    service.deactivate(4)
    chassis.run_until(lambda: slot.hot_swap is M.M1_INACTIVE, 4)
    chassis.run(1)
    handle = chassis.blades[4].blade.hot_swap
    handle.move_handle(closed=False)
    chassis.run(1)
    handle.move_handle(closed=True)
    chassis.run_until(lambda: service.care[4].waits_for.startswith("the supplies cannot carry it"), 4)
    service.deactivate(4)
    chassis.run(4)
    assert slot.hot_swap is M.M1_INACTIVE
    assert chassis.chassis.journal.kept.of(4).hold is Hold.ORDER


def test_a_blade_that_was_lost_on_its_way_in_and_went_out_again_comes_back(bench):
    chassis = bench(slots=2)
    hot_swap = chassis.blades[2].blade.hot_swap
    board = chassis.blades[2].board
    board.state = MainBoardState.STARTING
    while hot_swap.state is not M.M3_ACTIVATION_IN_PROGRESS:
        chassis.run(0.001)
    chassis.run(chassis.LATENCY_S + 0.001)  # the manager has heard that it was activated, and asks what came of it
    chassis.hung.add(2)
    chassis.run_until(lambda: chassis.chassis.slots[2].hot_swap is M.M7_COMMUNICATION_LOST, 5)
    board.state = MainBoardState.READY
    hot_swap.move_handle(closed=False)
    chassis.blades[2].settle()
    assert hot_swap.state is M.M1_INACTIVE
    chassis.hung.discard(2)
    chassis.run_until(lambda: chassis.chassis.slots[2].hot_swap is M.M1_INACTIVE, 5)
    hot_swap.move_handle(closed=True)
    chassis.run_until(lambda: chassis.chassis.slots[2].hot_swap is M.M4_ACTIVE, 5)
