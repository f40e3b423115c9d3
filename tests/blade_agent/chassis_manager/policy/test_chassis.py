import pytest

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role, RoleAssignment
from blade_agent.chassis_manager.snapshot import SlotSnapshot, snapshot_of
from media_network.address import Address


def test_slot_1_becomes_director_and_the_others_its_engines(bench):
    chassis = bench()
    assert chassis.run_until(lambda: chassis.served_by(1), 2) < 1
    assert chassis.kept_epochs == [1]
    assert all(slot.hot_swap is HotSwapState.M4_ACTIVE for slot in chassis.chassis.slots.values())


def test_slot_1_is_waited_for_when_it_starts_later(bench):
    chassis = bench()
    chassis.crash_blade(1)
    chassis.run(1.5)
    assert set(chassis.roles().values()) == {Role.UNASSIGNED}
    chassis.start_blade(1)
    assert chassis.run_until(lambda: chassis.served_by(1), 2) < 1


def test_an_empty_slot_1_is_not_waited_for_for_ever(bench):
    chassis = bench()
    chassis.crash_blade(1)
    assert chassis.run_until(lambda: chassis.served_by(2), 5) < 4
    assert chassis.chassis.slots[1].hot_swap is HotSwapState.M0_NOT_INSTALLED


def test_when_the_director_goes_the_next_takes_over_at_a_higher_epoch_and_keeps_it(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.run(1)  # until nothing of the start is under way
    chassis.crash_blade(1)
    taken_over_after_s = chassis.run_until(lambda: chassis.served_by(2), 5)
    timing = chassis.settings.timing
    assert taken_over_after_s < timing.director_heartbeat_s + timing.patience_s + 0.1 < 1
    assert chassis.kept_epochs == [1, 2]
    assert chassis.chassis.slots[1].hot_swap is HotSwapState.M7_COMMUNICATION_LOST
    chassis.start_blade(1)
    chassis.run_until(lambda: chassis.served_by(2), 5)
    chassis.run(20)
    assert chassis.served_by(2)
    assert chassis.kept_epochs == [1, 2]


def test_a_director_that_hung_comes_back_as_an_engine(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.hung.add(1)
    chassis.run_until(lambda: chassis.served_by(2), 5)
    assert chassis.roles()[1] is Role.DIRECTOR  # it cannot know, its epoch fences it off
    assert chassis.blades[1].board.assignment.epoch < chassis.chassis.epoch
    chassis.hung.clear()
    chassis.run_until(lambda: chassis.served_by(2), 5)


def test_an_engine_that_starts_anew_gets_its_role_again_at_the_same_epoch(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.crash_blade(3)
    chassis.start_blade(3)
    assert chassis.roles()[3] is Role.UNASSIGNED
    chassis.run_until(lambda: chassis.served_by(1), 4)
    assert chassis.kept_epochs == [1]


def test_a_director_that_starts_anew_within_a_heartbeat_costs_it_the_directorship(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.crash_blade(1)
    chassis.start_blade(1)
    chassis.run_until(lambda: chassis.served_by(2), 4)
    assert chassis.kept_epochs == [1, 2]


def test_a_director_whose_main_board_failed_is_replaced_though_its_cbc_answers(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.blades[1].board.state = MainBoardState.FAILED
    chassis.run_until(lambda: chassis.roles()[2] is Role.DIRECTOR, 4)
    assert chassis.chassis.director == 2


def test_a_director_that_was_taken_out_of_service_and_back_by_hand_is_not_stuck(bench):
    chassis = bench(slots=1)
    chassis.run_until(lambda: chassis.served_by(1), 2)
    hot_swap = chassis.blades[1].blade.hot_swap
    hot_swap.deactivate()
    chassis.blades[1].blade.settle()
    hot_swap.lock(activation=False, deactivation=False)
    chassis.run_until(lambda: chassis.served_by(1), 4)
    assert chassis.kept_epochs == [1, 2]


def test_opening_a_handle_takes_the_blade_out_of_service(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.blades[1].blade.hot_swap.move_handle(closed=False)
    chassis.run_until(lambda: chassis.chassis.slots[1].hot_swap is HotSwapState.M1_INACTIVE, 4)
    chassis.run(1)
    assert chassis.roles() == {1: Role.UNASSIGNED, 2: Role.DIRECTOR, 3: Role.ENGINE, 4: Role.ENGINE}
    chassis.blades[1].blade.hot_swap.move_handle(closed=True)
    chassis.run_until(lambda: chassis.served_by(2), 4)


def test_blades_serve_on_without_a_manager_which_then_leaves_them_as_they_are(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.crash_blade(1)
    chassis.run_until(lambda: chassis.served_by(2), 5)
    chassis.start_blade(1)
    chassis.run_until(lambda: chassis.served_by(2), 5)
    before = {slot: blade.board.assignment for slot, blade in chassis.blades.items()}
    chassis.stop_manager()
    chassis.run(100)
    chassis.start_manager()
    chassis.run(10)
    assert {slot: blade.board.assignment for slot, blade in chassis.blades.items()} == before
    assert chassis.chassis.director == 2
    assert chassis.kept_epochs == [1, 2]


def test_a_director_lost_while_the_manager_was_away_is_replaced_on_its_return(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.stop_manager()
    chassis.crash_blade(1)
    chassis.run(10)
    chassis.start_manager()
    chassis.run_until(lambda: chassis.served_by(2), 5)
    assert chassis.kept_epochs == [1, 2]


def test_a_manager_that_lost_its_epoch_takes_the_running_directors(bench):
    chassis = bench()
    chassis.kept_epoch = 41
    chassis.start_manager()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.stop_manager()
    chassis.kept_epoch = 0
    chassis.start_manager()
    chassis.run(5)
    assert chassis.served_by(1)
    assert chassis.kept_epochs == [42, 42]


def test_an_epoch_kept_but_never_told_leads_to_a_higher_one_for_the_running_director(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.stop_manager()
    chassis.kept_epoch = 2  # kept, then a crash: whether another blade was told is not known
    chassis.start_manager()
    chassis.run_until(lambda: chassis.served_by(1), 5)
    assert chassis.kept_epochs == [1, 3]


def test_nobody_is_director_before_the_epoch_is_on_disk(bench):
    chassis = bench()
    chassis.disk_takes_epochs = False
    chassis.run(10)
    assert set(chassis.roles().values()) == {Role.UNASSIGNED}
    chassis.disk_takes_epochs = True
    chassis.run_until(lambda: chassis.served_by(1), 2)


def test_a_blade_that_knows_a_higher_epoch_makes_the_manager_go_beyond_it(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.blades[3].blade.post.held = RoleAssignment(epoch=9)
    chassis.run_until(lambda: chassis.chassis.epoch == 10 and chassis.served_by(1), 4)
    assert chassis.kept_epochs == [1, 10]


def test_engines_follow_a_director_that_changes_its_address(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.blades[1].board.address = Address("127.1.1.1", 8181)
    chassis.run_until(lambda: chassis.served_by(1), 4)
    assert chassis.kept_epochs == [1]


def test_engines_need_not_wait_until_the_director_has_left_its_former_role(bench):
    chassis = bench()
    leaving = chassis.blades[1].board
    assign = leaving.assign

    def assign_and_leave(assignment):
        assign(assignment)
        leaving.state = MainBoardState.STOPPING

    leaving.assign = assign_and_leave
    assert chassis.run_until(lambda: chassis.served_by(1), 2) < 1
    assert chassis.kept_epochs == [1]


def test_a_chassis_at_rest_is_only_polled(bench):
    chassis = bench()
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.run(1)
    chassis.requests = 0
    chassis.run(100)
    timing = chassis.settings.timing
    polls = 100 / timing.director_heartbeat_s + 3 * 100 / timing.heartbeat_s
    assert 0.95 * polls <= chassis.requests <= polls + len(chassis.blades)


@pytest.mark.parametrize("seed", range(10))
def test_noise_on_every_line_delays_but_never_stops(bench, seed):
    chassis = bench(seed=seed)
    chassis.noise = 0.2
    chassis.run_until(lambda: chassis.served_by(chassis.chassis.director), 20)
    chassis.run(60)
    assert sum(blade.blade.frame_faults + blade.blade.message_faults for blade in chassis.blades.values())
    chassis.crash_blade(chassis.chassis.director or 1)
    chassis.noise = 0.0
    chassis.run_until(lambda: chassis.served_by(chassis.chassis.director), 10)
    assert chassis.kept_epochs == sorted(set(chassis.kept_epochs))


def go_wrong(chassis):
    """Let one thing go wrong, or come right, somewhere."""
    chassis.noise = chassis.rng.choice([0.0, 0.3])
    slot = chassis.rng.randint(1, 4)
    fault = chassis.rng.randrange(5)
    if fault == 0 and slot in chassis.blades:
        chassis.crash_blade(slot)
    elif fault == 1:
        chassis.start_blade(slot)
    elif fault == 2:
        chassis.hung ^= {slot}
    elif fault == 3:
        chassis.start_manager()


def come_right(chassis):
    """End all that went wrong."""
    chassis.noise = 0.0
    chassis.hung.clear()
    for slot in chassis.settings.slots:
        if slot not in chassis.blades:
            chassis.start_blade(slot)


def directors_of(chassis):
    """Give epoch and start of the agent of everybody who believes to be director."""
    believers = [blade for blade in chassis.blades.values() if blade.board.assignment.role is Role.DIRECTOR]
    return [(blade.board.assignment.epoch, blade.blade.boot_id) for blade in believers]


@pytest.mark.parametrize("seed", range(10))
def test_no_epoch_ever_has_two_directors_whatever_goes_wrong(bench, seed):
    chassis = bench(seed=seed)
    directors = {}
    for _ in range(60):
        go_wrong(chassis)
        for _ in range(chassis.rng.randint(1, 40)):
            chassis.run(0.1)
            for epoch, boot_id in directors_of(chassis):
                assert directors.setdefault(epoch, boot_id) == boot_id
    come_right(chassis)
    chassis.run_until(lambda: chassis.served_by(chassis.chassis.director), 20)
    assert len(directors) > 2


def test_a_snapshot_shows_each_slot(bench):
    chassis = bench(slots=2)
    chassis.run_until(lambda: chassis.served_by(1), 2)
    chassis.run(1)
    chassis.crash_blade(2)
    chassis.run(5)
    first, second = map(snapshot_of, chassis.chassis.slots.values())
    assert first == SlotSnapshot(
        slot=1,
        hot_swap="M4",
        role=Role.DIRECTOR,
        epoch=1,
        main_board=MainBoardState.READY,
        address=Address("127.1.1.1", 8080),
        boot_id=chassis.blades[1].blade.boot_id,
        frame_faults=0,
        message_faults=0,
    )
    assert second == SlotSnapshot(slot=2, hot_swap="M7")
