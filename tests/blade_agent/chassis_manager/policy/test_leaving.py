"""Blades that leave service: role first, then the streams, then the blade; and who may bring them back."""

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import Role
from blade_agent.chassis_manager.keeping.journal import Hold, read_journal

M = HotSwapState


def state(chassis, slot):
    return chassis.chassis.slots[slot].hot_swap


def out(chassis, slot):
    return state(chassis, slot) is M.M1_INACTIVE


def started(bench, **settings):
    chassis = bench(**settings)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    return chassis


def test_an_engines_streams_go_before_it_does(bench):
    chassis = started(bench)
    board = chassis.blades[3].board
    board.streams = 2
    chassis.blades[3].blade.hot_swap.move_handle(closed=False)
    chassis.run(2)
    assert board.draining
    assert state(chassis, 3) is M.M5_DEACTIVATION_REQUEST
    assert chassis.chassis.service.care[3].waits_for == "its streams go to other blades: 2 left"
    board.streams = 0
    assert chassis.run_until(lambda: out(chassis, 3), 2) < 1
    assert chassis.kept_epochs == [1]


def test_a_blade_that_never_ends_its_streams_goes_after_a_while(bench):
    chassis = started(bench)
    chassis.blades[3].board.streams = 7
    chassis.blades[3].blade.hot_swap.move_handle(closed=False)
    took_s = chassis.run_until(lambda: out(chassis, 3), 20)
    timing = chassis.settings.timing
    assert timing.drain_s < took_s < timing.drain_s + 1


def test_the_director_hands_over_first_and_only_then_drains(bench):
    chassis = started(bench)
    board = chassis.blades[1].board
    board.streams = 1
    seen = []
    drain = board.drain

    def note(draining):
        if draining:
            seen.append(chassis.roles()[2])
        return drain(draining)

    board.drain = note
    chassis.blades[1].blade.hot_swap.move_handle(closed=False)
    chassis.run_until(lambda: board.draining, 3)
    assert chassis.chassis.director == 2
    board.streams = 0
    chassis.run_until(lambda: out(chassis, 1), 3)
    assert set(seen) == {Role.DIRECTOR}
    assert chassis.kept_epochs == [1, 2]


def test_a_handle_closed_again_ends_the_drain(bench):
    chassis = started(bench)
    board = chassis.blades[3].board
    board.streams = 2
    chassis.blades[3].blade.hot_swap.move_handle(closed=False)
    chassis.run_until(lambda: board.draining, 2)
    chassis.blades[3].blade.hot_swap.move_handle(closed=True)
    chassis.run_until(lambda: not board.draining, 2)
    chassis.run(20)
    assert state(chassis, 3) is M.M4_ACTIVE
    assert not chassis.chassis.service.care[3].waits_for


def test_a_blade_that_drains_for_a_manager_that_died_takes_work_again(bench):
    chassis = started(bench)
    chassis.blades[3].board.draining = True
    chassis.start_manager()
    chassis.run_until(lambda: not chassis.blades[3].board.draining, 2)


def test_an_order_takes_a_director_out_without_a_gap_and_it_stays_out_over_restarts(bench):
    chassis = started(bench)
    chassis.chassis.service.deactivate(1)
    chassis.run_until(lambda: out(chassis, 1), 4)
    assert chassis.served_by_others(1, 2)
    assert read_journal(chassis.kept_journal).of(1).hold is Hold.ORDER
    chassis.start_manager()
    chassis.run(5)
    assert out(chassis, 1)
    chassis.crash_blade(1)
    chassis.run(2)
    assert state(chassis, 1) is M.M0_NOT_INSTALLED  # it was out of service: that it is gone is no loss
    chassis.start_blade(1)
    chassis.run(5)
    assert out(chassis, 1)
    chassis.chassis.service.activate(1)
    chassis.run_until(lambda: chassis.served_by(2), 4)
    assert read_journal(chassis.kept_journal).of(1).hold is Hold.NONE


def test_the_only_blade_can_be_taken_out_too(bench):
    chassis = started(bench, slots=1)
    chassis.chassis.service.deactivate(1)
    chassis.run_until(lambda: out(chassis, 1), 2)


def test_a_hand_at_the_handle_brings_a_blade_back_that_was_ordered_out(bench):
    chassis = started(bench)
    chassis.chassis.service.deactivate(3)
    chassis.run_until(lambda: out(chassis, 3), 4)
    chassis.run(1)
    hot_swap = chassis.blades[3].blade.hot_swap
    hot_swap.move_handle(closed=False)
    chassis.run(1)
    hot_swap.move_handle(closed=True)
    chassis.run_until(lambda: chassis.served_by(1), 4)


def test_a_blade_taken_out_at_its_service_port_stays_out_when_its_agent_starts_anew(bench):
    chassis = started(bench)
    chassis.blades[3].blade.hot_swap.deactivate()
    chassis.blades[3].blade.settle()
    chassis.run(2)
    assert out(chassis, 3)
    assert read_journal(chassis.kept_journal).of(3).hold is Hold.ORDER
    chassis.crash_blade(3)
    chassis.run(2)
    chassis.start_blade(3)
    chassis.run(3)
    assert out(chassis, 3)


def test_nobody_becomes_director_while_leaving(bench):
    chassis = started(bench)
    chassis.blades[2].board.streams = 1
    chassis.chassis.service.deactivate(2)
    chassis.run_until(lambda: chassis.blades[2].board.draining, 2)
    chassis.crash_blade(1)
    chassis.run_until(lambda: chassis.chassis.director == 3, 3)


def test_what_is_on_disk_comes_before_what_is_switched_on(bench):
    chassis = started(bench)
    chassis.chassis.service.deactivate(3)
    chassis.run_until(lambda: out(chassis, 3), 4)
    chassis.run(1)
    chassis.disk_takes_epochs = False
    chassis.chassis.service.activate(3)
    chassis.run(5)
    assert out(chassis, 3)
    assert not chassis.chassis.journal.works
    chassis.disk_takes_epochs = True
    chassis.run_until(lambda: chassis.served_by(1), 3)
