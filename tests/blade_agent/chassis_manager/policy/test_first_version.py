"""A blade of version 1 among blades of today: it is shown as one that needs an update, and gets no role."""

import logging

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import Role, RoleAssignment
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.snapshot import chassis_state
from tests.blade_agent.chassis_manager.first_version import age

UPDATE = "its agent speaks version 1 of the backplane's messages: update it"


def with_an_old_blade(bench, slot, slots=3):
    chassis = bench(slots)
    age(chassis.blades[slot])
    return chassis


def shown(chassis):
    state = chassis_state("north", chassis.chassis, Supplies(()), chassis.now, 0.0)
    return {slot.slot: slot for slot in state.slots}


def test_an_old_blade_comes_into_service_and_gets_no_role(bench, caplog):
    chassis = with_an_old_blade(bench, 1)
    with caplog.at_level(logging.WARNING):
        chassis.run(10)
    assert chassis.roles() == {1: Role.UNASSIGNED, 2: Role.DIRECTOR, 3: Role.ENGINE}
    assert chassis.blades[1].board.assignment == RoleAssignment()
    old, today = shown(chassis)[1], shown(chassis)[2]
    assert (old.hot_swap, old.protocol_version, old.waits_for) == ("M4", 1, UPDATE)
    assert (today.protocol_version, today.waits_for) == (2, "")
    said = [record.message for record in caplog.records]
    assert said == ["slot 1: the blade speaks version 1 of our messages, not 2: it needs an update and gets no role"]


def test_an_old_blade_that_leads_goes_on_until_another_can(bench):
    """What it was given by a manager before it keeps: nobody takes the viewers it has away from it."""
    chassis = with_an_old_blade(bench, 1, slots=2)
    post = chassis.blades[1].blade.post
    held = RoleAssignment(role=Role.DIRECTOR, epoch=41, station="north", director=chassis.blades[1].board.address)
    chassis.run(5)
    post._take(held)
    chassis.run(10)
    assert post.held == held
    assert chassis.roles()[2] is Role.DIRECTOR
    assert chassis.chassis.epoch == 42, "the director of today fences off the old one"


def test_what_an_old_blade_says_without_a_seal_counts_when_it_says_it_twice(bench):
    chassis = with_an_old_blade(bench, 1)
    chassis.run(10)
    slot = chassis.chassis.slots[1]
    before = slot.status
    blade = chassis.blades[1]
    today = blade.answer

    def once_wrong(request):
        response = today(request)
        if request.net_fn == 0x2E and request.command == 1:
            blade.answer = today
            spoiled = bytearray(response.data)
            spoiled[4] = HotSwapState.M1_INACTIVE.value
            return type(response)(**{**_fields(response), "data": bytes(spoiled)})
        return response

    blade.answer = once_wrong
    chassis.run(10)
    assert blade.answer is today, "it was asked"
    assert slot.hot_swap is HotSwapState.M4_ACTIVE
    assert slot.status.hot_swap is before.hot_swap


def _fields(response):
    return {name: getattr(response, name) for name in response.__struct_fields__}


def test_an_old_blade_leaves_service_as_ordered(bench):
    chassis = with_an_old_blade(bench, 3)
    chassis.run(10)
    chassis.chassis.service.deactivate(3)
    chassis.run_until(lambda: chassis.chassis.slots[3].hot_swap is HotSwapState.M1_INACTIVE, 15)
    chassis.chassis.service.activate(3)
    chassis.run_until(lambda: chassis.chassis.slots[3].hot_swap is HotSwapState.M4_ACTIVE, 15)
    assert chassis.kept_epochs == [1]


def test_an_old_blade_is_cooled(bench):
    """Its sensors are read one by one, as they always were."""
    chassis = with_an_old_blade(bench, 3)
    chassis.run(10)
    assert chassis.chassis.slots[3].facts.surveyed
    assert shown(chassis)[3].serial_number == shown(chassis)[2].serial_number


def test_a_blade_that_was_updated_gets_its_role(bench):
    chassis = with_an_old_blade(bench, 2)
    chassis.run(10)
    chassis.crash_blade(2)
    chassis.start_blade(2)
    chassis.run_until(lambda: chassis.served_by(1), 5)
    assert shown(chassis)[2].waits_for == ""


def test_a_chassis_of_old_blades_is_managed_and_has_no_director(bench):
    chassis = with_an_old_blade(bench, 1, slots=2)
    age(chassis.blades[2])
    chassis.run(30)
    assert set(chassis.roles().values()) == {Role.UNASSIGNED}
    assert [slot.hot_swap for slot in shown(chassis).values()] == ["M4", "M4"]
    before = chassis.requests
    chassis.run(30)
    assert chassis.requests - before < 30 * 2 * 3, "it is not asked all the time"
