"""The cooling policy: the nearer to a limit, the more air; nothing heard, all there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.board import FanProperties
from blade_agent.chassis_manager.keeping.journal import Hold, read_journal
from blade_agent.chassis_manager.policy.cooling import FULL, HYSTERESIS_C, level_for, scaled
from blade_agent.chassis_manager.policy.notice import NoticeKind
from blade_agent.chassis_manager.slots.measurements import FAR_C
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware

MARGINS = st.floats(-40, 60, allow_nan=False)


@given(MARGINS, MARGINS)
def test_less_distance_never_means_less_air(one, other):
    near, far = sorted((one, other))
    assert level_for(near, 0, None) >= level_for(far, 0, None)


@given(MARGINS)
def test_a_reading_that_trembles_moves_the_fan_once_at_most(margin):
    level, at = level_for(margin, 0, None), margin
    for tremble in (0.9, -0.9, 0.9, -0.9):
        new = level_for(margin + tremble * HYSTERESIS_C / 2, level, at)
        assert new >= level
        level, at = new, min(at, margin + tremble * HYSTERESIS_C / 2)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_levels_stay_within_what_the_fan_can_do(per_cent, one, other):
    lowest, highest = sorted((one, other))
    level = scaled(per_cent, FanProperties(lowest=lowest, highest=highest, normal=lowest, properties=0))
    assert lowest <= level <= highest


@pytest.fixture
def cooled(bench):
    made = {}

    def make_hardware(slot):
        made[slot] = DeskHardware()
        return made[slot]

    chassis = bench(slots=3, make_hardware=make_hardware)
    chassis.made = made
    chassis.run(12)
    return chassis


def fans(chassis):
    return {slot: made.fan.overridden for slot, made in chassis.made.items()}


def test_cool_blades_are_left_to_their_own_control(cooled):
    assert fans(cooled) == {1: None, 2: None, 3: None}
    readings = {slot.number: list(slot.measurements.readings.values()) for slot in cooled.chassis.slots.values()}
    assert all(abs(values[0] - 40) < 0.5 for values in readings.values())


def test_a_hot_blade_gets_air_and_its_neighbours_help(cooled):
    cooled.made[1].temperature.celsius = 68.0
    cooled.run(6)
    levels = fans(cooled)
    assert levels == {1: 50, 2: 40, 3: None}
    cooled.made[1].temperature.celsius = 70.0
    cooled.run(6)
    levels = fans(cooled)
    assert levels[1] == cooled.made[1].fan.range.highest
    assert levels[3] is None
    cooled.made[1].temperature.celsius = 30.0
    cooled.run(6)
    assert fans(cooled) == {1: None, 2: None, 3: None}


def test_a_blade_whose_temperature_is_not_heard_gets_all_the_air(cooled):
    cooled.made[2].temperature.celsius = None
    cooled.run(6)
    assert fans(cooled) == dict.fromkeys((1, 2, 3), cooled.made[2].fan.range.highest)
    assert cooled.chassis.cooling.highest == FULL


def test_neighbours_of_a_blade_that_is_lost_get_all_the_air(cooled):
    cooled.crash_blade(2)
    cooled.run(3)
    levels = fans(cooled)
    assert (levels[1], levels[3]) == (60, 60)


def test_beyond_the_non_recoverable_threshold_a_blade_leaves_service_and_stays_out(cooled):
    cooled.made[2].temperature.celsius = 95.0
    cooled.run_until(lambda: cooled.chassis.slots[2].hot_swap is HotSwapState.M1_INACTIVE, 8)
    assert read_journal(cooled.kept_journal).of(2).hold is Hold.HEAT
    assert [n.detail[0] for n in cooled.notices if n.kind is NoticeKind.OVERHEATED] == [95]
    cooled.made[2].temperature.celsius = 40.0
    cooled.run(10)
    assert cooled.chassis.slots[2].hot_swap is HotSwapState.M1_INACTIVE
    cooled.chassis.service.activate(2)
    cooled.run_until(lambda: cooled.served_by(1), 5)


def test_temperatures_are_asked_for_slowly(cooled):
    cooled.requests = 0
    cooled.run(100)
    timing = cooled.settings.timing
    polls = 100 / timing.director_heartbeat_s + 2 * 100 / timing.heartbeat_s
    readings = 3 * 100 / timing.temperature_s
    assert cooled.requests <= polls + readings + 3


def test_a_blade_far_from_its_limits_is_asked_half_as_often_and_one_near_them_always(cooled):
    def requests_in(seconds):
        cooled.requests = 0
        cooled.run(seconds)
        return cooled.requests

    interval_s = cooled.settings.timing.temperature_s
    (limited,) = cooled.chassis.slots[2].facts.temperatures
    cooled.made[2].temperature.celsius = min(limited.upper.values()) - FAR_C - 5
    cooled.run(2 * interval_s)
    far = requests_in(100)
    cooled.made[2].temperature.celsius += 10
    cooled.run(2 * interval_s)
    assert 100 / interval_s / 3 < requests_in(100) - far < 100 / interval_s
