import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.hardware.profile import load_profile
from chassis_emulator.physics.chassis import BladeLoad, ChassisPhysics
from chassis_emulator.physics.parameters import ChassisParameters, SupplyParameters
from chassis_emulator.physics.supplies import deliver

HEAT = load_profile("emulated").heat
SETTLED_S = 3600.0
IDLE, BUSY = BladeLoad(), BladeLoad(cpu=1.0, streamed_bps=800e6)

loads = st.builds(BladeLoad, powered=st.booleans(), cpu=st.floats(0, 1), streamed_bps=st.floats(0, BUSY.streamed_bps))


def chassis(slots=4, **changes):
    return ChassisPhysics(ChassisParameters(**changes), HEAT, slots, now_s=0.0)


def settled(slots=4, load=IDLE, **changes):
    return chassis(slots, **changes).step(SETTLED_S, [load] * slots)


def test_before_anything_happens_all_is_as_warm_as_the_air():
    state = chassis().step(0.0, [IDLE] * 4)
    assert {blade.temperature_c for blade in state.blades} == {22.0}
    assert state.to_air_j == state.from_supplies_j == 0.0


def test_an_idle_chassis_is_warm_a_busy_one_hot_and_both_are_within_the_emulated_limits():
    limits = next(sensor for sensor in load_profile("emulated").sensors if sensor.name == "SoC temp").thresholds
    idle, busy = settled(load=IDLE), settled(load=BUSY)
    for calm, hot in zip(idle.blades, busy.blades, strict=True):
        assert 25 < calm.temperature_c < hot.temperature_c < limits.upper_non_critical
        assert calm.power_good
        assert hot.power_good


def test_a_full_load_without_any_fan_passes_every_limit():
    limits = next(sensor for sensor in load_profile("emulated").sensors if sensor.name == "SoC temp").thresholds
    physics = chassis()
    for slot in range(1, 5):
        physics.break_fan(slot, broken=True)
    state = physics.step(SETTLED_S, [BUSY] * 4)
    assert min(blade.temperature_c for blade in state.blades) > limits.upper_non_recoverable
    assert [blade.fan_rpm for blade in state.blades] == pytest.approx([0.0] * 4, abs=1e-3)


def test_a_failed_fan_warms_its_slot_most_and_its_neighbours_too():
    before, physics = settled(5, BUSY), chassis(5)
    physics.break_fan(3, broken=True)
    after = physics.step(SETTLED_S, [BUSY] * 5)
    rises = [new.temperature_c - old.temperature_c for new, old in zip(after.blades, before.blades, strict=True)]
    assert rises[2] > rises[1] > rises[0] > 0
    assert rises == pytest.approx(rises[::-1])
    assert after.blades[2].fan_rpm == pytest.approx(0.0, abs=1e-3)
    physics.break_fan(3, broken=False)
    mended = physics.step(2 * SETTLED_S, [BUSY] * 5)
    assert [blade.temperature_c for blade in mended.blades] == pytest.approx(
        [b.temperature_c for b in before.blades], abs=0.01
    )


def test_a_busy_neighbour_warms_an_idle_blade():
    alone = settled(3)
    beside = chassis(3).step(SETTLED_S, [IDLE, BUSY, IDLE])
    assert beside.blades[0].temperature_c > alone.blades[0].temperature_c + 1


def test_streaming_alone_warms_a_blade():
    assert settled(1, BladeLoad(streamed_bps=1e9)).blades[0].temperature_c > settled(1).blades[0].temperature_c + 1


def test_a_fan_takes_time_to_change_speed():
    physics = chassis(1)
    physics.drive_fan(1, 1.0)
    speeds = [physics.step(second, [IDLE]).blades[0].fan_rpm for second in (0.5, 2.0, 4.0, 60.0)]
    assert 2400 < speeds[0] < speeds[1] < speeds[2] < speeds[3] == pytest.approx(6000)
    assert speeds[1] == pytest.approx(6000 - 3600 / 2.718281828, rel=1e-6), "one time constant after the change"


def test_a_faster_fan_cools():
    slow, fast = chassis(1), chassis(1)
    fast.drive_fan(1, 1.0)
    assert fast.step(SETTLED_S, [BUSY]).blades[0].temperature_c < slow.step(SETTLED_S, [BUSY]).blades[0].temperature_c


def test_a_blade_without_power_cools_to_the_air():
    physics = chassis(1)
    hot = physics.step(SETTLED_S, [BUSY]).blades[0].temperature_c
    cold = physics.step(2 * SETTLED_S, [BladeLoad(powered=False)]).blades[0]
    assert cold.temperature_c == pytest.approx(22.0, abs=0.05)
    assert hot > 30
    assert (cold.power_w, cold.current_a) == (0.0, 0.0)


def test_one_of_two_supplies_carries_the_chassis_and_none_does_not():
    physics = chassis(4, supply=SupplyParameters(capacity_w=100.0))
    both = physics.step(1.0, [BUSY] * 4)
    physics.break_supply(2, broken=True)
    one = physics.step(2.0, [BUSY] * 4)
    physics.break_supply(1, broken=True)
    none = physics.step(3.0, [BUSY] * 4)
    assert (both.supplies_working, one.supplies_working, none.supplies_working) == (2, 1, 0)
    assert both.blades[0].voltage_v > one.blades[0].voltage_v > 11.5
    assert one.power_w == pytest.approx(one.demand_w)
    assert one.blades[0].power_good
    assert (none.power_w, none.blades[0].voltage_v, none.blades[0].power_good) == (0.0, 0.0, False)
    physics.break_supply(1, broken=False)
    assert physics.step(4.0, [BUSY] * 4).blades[0].power_good


def test_overloaded_supplies_brown_out():
    state = settled(8, BUSY, supplies=1, supply=SupplyParameters(capacity_w=50.0))
    assert state.demand_w > 50.0
    assert state.power_w == pytest.approx(50.0)
    assert not state.blades[0].power_good
    assert 0 < state.blades[0].voltage_v < 10.8


@given(st.integers(0, 16), st.floats(0, 1e4), st.floats(0.1, 1e3))
def test_supplies_never_give_more_than_they_have_and_the_voltage_falls_with_the_demand(working, demand_w, more_w):
    parameters = SupplyParameters()
    first, second = deliver(parameters, working, demand_w), deliver(parameters, working, demand_w + more_w)
    assert 0 <= first.power_w <= min(demand_w, working * parameters.capacity_w) + 1e-9
    assert second.voltage_v <= first.voltage_v <= parameters.nominal_v


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 300), loads, loads, loads), min_size=1, max_size=6), st.integers(0, 3))
def test_all_heat_is_in_the_boards_or_in_the_air_and_the_same_story_gives_the_same_numbers(story, broken):
    def told():
        physics, now_s, states = chassis(3), 0.0, []
        if broken:
            physics.break_fan(broken, broken=True)
        for duration_s, *story_loads in story:
            now_s += duration_s
            states.append(physics.step(now_s, story_loads))
        return states

    states = told()
    assert states == told()
    stored_j = HEAT.capacity_j_per_k * sum(blade.temperature_c - 22.0 for blade in states[-1].blades)
    assert states[-1].from_supplies_j == pytest.approx(states[-1].to_air_j + stored_j, rel=1e-6, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.lists(loads, min_size=3, max_size=3), st.integers(0, 2), st.floats(1, 3600))
def test_more_load_on_a_blade_cools_no_blade(before, slot, duration_s):
    more = list(before)
    more[slot] = BUSY
    first, second = chassis(3).step(duration_s, before), chassis(3).step(duration_s, more)
    for one, other in zip(first.blades, second.blades, strict=True):
        assert other.temperature_c >= one.temperature_c - 1e-9


def test_it_settles_and_stays():
    physics = chassis()
    first = physics.step(SETTLED_S, [BUSY] * 4)
    second = physics.step(2 * SETTLED_S, [BUSY] * 4)
    for one, other in zip(first.blades, second.blades, strict=True):
        assert other.temperature_c == pytest.approx(one.temperature_c, abs=0.01)


def test_small_steps_and_a_long_one_come_to_the_same():
    often, once = chassis(), chassis()
    for tenth in range(1, 1201):
        state = often.step(tenth / 10, [BUSY] * 4)
    for one, other in zip(state.blades, once.step(120.0, [BUSY] * 4).blades, strict=True):
        assert one.temperature_c == pytest.approx(other.temperature_c, abs=0.2)


def test_time_does_not_run_backwards_and_loads_are_one_a_slot():
    physics = chassis(2)
    warm = physics.step(60.0, [BUSY] * 2)
    assert physics.step(30.0, [BUSY] * 2) == warm
    with pytest.raises(ValueError, match="1 loads for 2 slots"):
        physics.step(61.0, [BUSY])


def test_loads_that_cannot_be_are_taken_for_the_nearest_that_can():
    wild = chassis(1).step(60.0, [BladeLoad(cpu=7.0, streamed_bps=-5.0)])
    assert wild == chassis(1).step(60.0, [BladeLoad(cpu=1.0)])
