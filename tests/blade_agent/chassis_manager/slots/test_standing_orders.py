"""What the manager shows of orders that went over its lines, whoever gave them, and of what was asked there."""

import pytest

from blade_agent.backplane.led_light import LedColor
from blade_agent.backplane.messages.chassis import CHASSIS_IDENTIFY, IdentifyRequest
from blade_agent.backplane.messages.role import DRAIN, Drain
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.slots.requester import Relay, SlotQuestion
from blade_agent.chassis_manager.snapshot import chassis_state
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware


class Light:
    """A light that can blink."""

    colors = (LedColor.GREEN,)

    def show(self, light):
        self.shown = light


def with_light(_slot):
    hardware = DeskHardware()
    hardware.leds, hardware.identify_led = {1: Light()}, 1
    return hardware


@pytest.fixture
def chassis(bench):
    chassis = bench(slots=2, make_hardware=with_light)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(1)
    return chassis


def shown(chassis, slot=2):
    state = chassis_state("north", chassis.chassis, Supplies(()), chassis.now, chassis.wall_s())
    return next(each for each in state.slots if each.slot == slot)


def pass_on(chassis, command, body, slot=2):
    """A request as an IPMI tool sends it across; gives what became of it."""
    ended = []
    data = command.request_data(body)
    relay = Relay(net_fn=command.code.net_fn, command=command.code.number, data=data, ended=ended.append)
    assert chassis.chassis.slots[slot].relay(relay, chassis.now)
    return ended


def test_a_drain_shows_from_the_order_to_its_end(chassis):
    ended = pass_on(chassis, DRAIN, Drain(draining=True))
    assert shown(chassis).draining, "at once: who orders and looks must not see the state of before"
    chassis.run(1)
    assert ended[0].completion == 0
    assert chassis.blades[2].board.draining
    assert shown(chassis).draining
    assert not shown(chassis, 1).draining
    pass_on(chassis, DRAIN, Drain(draining=False))
    chassis.run(1)
    assert not shown(chassis).draining


def test_a_drain_ends_with_the_start_of_the_agent_that_was_told(chassis):
    pass_on(chassis, DRAIN, Drain(draining=True))
    chassis.run(1)
    chassis.start_blade(2)
    chassis.run_until(lambda: chassis.served_by(1), 5)
    assert not shown(chassis).draining


def test_a_light_blinks_for_as_long_as_it_was_ordered_to_by_whomever(chassis):
    pass_on(chassis, CHASSIS_IDENTIFY, IdentifyRequest(interval_s=20, forced=0))
    chassis.run(1)
    assert shown(chassis).identify_s == 19
    assert chassis.blades[2].blade.identification.left_s == pytest.approx(19, abs=0.1)
    chassis.run(20)
    assert shown(chassis).identify_s == 0
    chassis.chassis.slots[2].ask(SlotQuestion(CHASSIS_IDENTIFY, IdentifyRequest()))
    chassis.run(1)
    assert 13 <= shown(chassis).identify_s <= 15
    pass_on(chassis, CHASSIS_IDENTIFY, IdentifyRequest(interval_s=3, forced=1))
    chassis.run(100)
    assert shown(chassis).identify_s == 255
    pass_on(chassis, CHASSIS_IDENTIFY, IdentifyRequest(interval_s=0, forced=0))
    chassis.run(1)
    assert shown(chassis).identify_s == 0


def test_what_a_blade_refuses_or_never_hears_is_not_shown(bench):
    chassis = bench(slots=2)  # without a light
    chassis.run_until(lambda: chassis.served_by(1), 3)
    ended = pass_on(chassis, CHASSIS_IDENTIFY, IdentifyRequest(interval_s=20, forced=0))
    chassis.run(1)
    assert ended[0].completion != 0
    assert shown(chassis).identify_s == 0
    chassis.hung.add(2)
    ended = pass_on(chassis, DRAIN, Drain(draining=True))
    chassis.run(3)
    assert ended == [None]
    assert not shown(chassis).draining
    assert not chassis.chassis.slots[2].orders.draining


def test_a_line_counts_what_is_asked_repeated_and_given_up(chassis):
    before = shown(chassis)
    assert before.requests > 0
    assert before.repeats == before.unanswered == 0
    chassis.run(10)
    quiet = shown(chassis)
    assert quiet.requests >= before.requests + 10
    assert quiet.repeats == quiet.unanswered == 0
    chassis.hung.add(2)
    chassis.run_until(lambda: shown(chassis).hot_swap == "M7", 5)
    lost = shown(chassis)
    assert lost.repeats == chassis.settings.timing.attempts - 1
    assert lost.unanswered == 1
    assert shown(chassis, 1).unanswered == 0
    chassis.run(5)
    asked, given_up = shown(chassis).requests - lost.requests, shown(chassis).unanswered - lost.unanswered
    assert given_up > 10
    assert 0 <= asked - given_up <= 1, "all but the one that is under way"
