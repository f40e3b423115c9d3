"""Epochs that nobody gave: one that jumps is heard again before it counts, and none ends the manager."""

import logging

import pytest
from msgspec.structs import replace

from blade_agent.backplane.role import HIGHEST_EPOCH, Role, RoleAssignment
from blade_agent.chassis_manager.slots.epoch_word import HIGHEST_BELIEVED, EpochWord
from tests.blade_agent.chassis_manager.policy.heartbeats import HEARTBEAT

FAR = 25_000_000


def serving(bench, slots=4):
    chassis = bench(slots)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(2)
    return chassis


def claim(chassis, slot, epoch, role=Role.ENGINE):
    """Let a blade hold an epoch that it was never given."""
    post = chassis.blades[slot].blade.post
    post.held = replace(post.held, epoch=epoch, role=role)


def test_an_epoch_that_is_said_once_is_not_kept(bench):
    chassis = serving(bench)
    true = chassis.blades[3].blade.post.held
    claim(chassis, 3, FAR)
    chassis.run_until(lambda: chassis.chassis.slots[3].status.epoch == FAR, 3)
    chassis.blades[3].blade.post.held = true
    chassis.run(5)
    assert chassis.kept_epochs == [1]
    assert chassis.served_by(1)


def test_an_epoch_that_is_another_each_time_is_never_kept_and_holds_nobody_up(bench):
    chassis = serving(bench)
    for step in range(40):
        claim(chassis, 3, FAR + step)
        seen = chassis.chassis.slots[3].status
        chassis.run_until(lambda seen=seen: chassis.chassis.slots[3].status is not seen, 3)
    assert chassis.kept_epochs == [1]
    chassis.crash_blade(1)
    for step in range(40):
        claim(chassis, 3, 2 * FAR + step)
        chassis.run(0.1)
    assert chassis.kept_epochs == [1, 2]
    assert chassis.roles()[2] is Role.DIRECTOR


def test_an_epoch_that_a_blade_stands_by_is_of_a_manager_before_and_counts(bench):
    """What was kept is lost: the station goes on under the director that it has."""
    chassis = serving(bench)
    for slot in chassis.blades:
        post = chassis.blades[slot].blade.post
        post._take(replace(post.held, epoch=57))
    chassis.stop_manager()
    chassis.kept_epoch, chassis.kept_epochs = 0, []
    chassis.start_manager()
    chassis.run(3)
    assert chassis.kept_epochs == [57]
    assert chassis.served_by(1)


@pytest.mark.parametrize("epoch", [HIGHEST_BELIEVED + 1, HIGHEST_EPOCH - 1, HIGHEST_EPOCH])
@pytest.mark.parametrize("slot", [1, 3])
def test_an_epoch_near_the_end_is_never_believed_and_ends_nobody(bench, epoch, slot):
    chassis = serving(bench)
    claim(chassis, slot, epoch, Role.DIRECTOR)
    chassis.run(5)
    assert max(chassis.kept_epochs) <= 2
    others = set(chassis.blades) - {slot}
    assert {chassis.roles()[other] for other in others if other != chassis.chassis.director} == {Role.ENGINE}
    assert chassis.chassis.director in chassis.blades
    chassis.run(60)
    assert max(chassis.kept_epochs) <= 2
    care = chassis.chassis.service.care[slot]
    assert str(epoch) in care.waits_for, "a person is told what is wrong with it"
    chassis.crash_blade(slot)
    chassis.start_blade(slot)
    chassis.run(10)
    assert chassis.served_by(chassis.chassis.director)


@pytest.mark.parametrize("kept", [HIGHEST_EPOCH, HIGHEST_EPOCH + 1, 1 << 40])
def test_at_the_end_of_the_epochs_nobody_is_appointed_and_that_is_said_once(bench, kept, caplog):
    chassis = bench()
    chassis.kept_epoch = kept
    chassis.start_manager()
    with caplog.at_level(logging.ERROR):
        chassis.run(20)
    assert set(chassis.roles().values()) == {Role.UNASSIGNED}
    assert chassis.kept_epochs == []
    assert [record.message for record in caplog.records] == [
        f"no director can be appointed: there is no epoch after {kept}"
    ]


def test_the_last_epoch_is_given_and_kept(bench):
    chassis = bench()
    chassis.kept_epoch = HIGHEST_EPOCH - 1
    chassis.start_manager()
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.crash_blade(1)
    chassis.run(20)
    assert chassis.kept_epochs == [HIGHEST_EPOCH]


def test_a_word_counts_when_it_was_heard_twice():
    word = EpochWord()
    assert word.believed(0), "a blade that has said nothing claims nothing"
    for times, epoch, believed, awaited in (
        (1, 5, False, True),
        (2, 5, True, False),
        (1, 9, False, True),
        (1, 10, False, True),
        (1, 11, False, True),
        (1, 12, False, False),
        (2, 12, True, False),
        (1, 3, True, False),
    ):
        word.hear(replace(HEARTBEAT, epoch=epoch))
        assert (word.believed(3), word.awaited(3)) == (believed, awaited), (times, epoch)


def test_an_assignment_is_not_given_to_a_blade_that_would_refuse_it(bench):
    """A blade with a higher epoch is left alone: it is not told again and again what it cannot take."""
    chassis = serving(bench)
    claim(chassis, 3, HIGHEST_EPOCH)
    chassis.run(5)
    before = chassis.requests
    chassis.run(10)
    assert chassis.requests - before < 10 * (4 + 3 * 2 + 10)
    assert chassis.blades[3].blade.post.held == RoleAssignment(
        epoch=HIGHEST_EPOCH,
        role=Role.ENGINE,
        station="north",
        director=chassis.blades[1].board.address,
        center=chassis.settings.center_address,
    )
