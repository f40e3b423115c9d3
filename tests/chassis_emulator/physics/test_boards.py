"""The heat of boards side by side, against what physics demands of any such model."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_emulator.physics.boards import warm
from chassis_emulator.physics.fans import air_of_slots

temperatures = st.floats(-20, 120)
watts = st.floats(0, 100)
conductances = st.floats(0.05, 5)


@st.composite
def racks(draw):
    count = draw(st.integers(1, 16))

    def one_a_slot(values):
        return draw(st.lists(values, min_size=count, max_size=count))

    return {
        "temperatures_c": one_a_slot(temperatures),
        "heating_w": one_a_slot(watts),
        "capacity_j_per_k": draw(st.floats(5, 500)),
        "to_air": one_a_slot(conductances),
        "between_w_per_k": draw(st.floats(0, 3)),
        "inlet_c": draw(temperatures),
        "duration_s": draw(st.floats(0.01, 100)),
    }


def warmed(rack, **changes):
    given_rack = rack | changes
    return warm(given_rack.pop("temperatures_c"), **given_rack)


@settings(max_examples=100, deadline=None)
@given(racks())
def test_what_is_stored_is_what_was_given_less_what_the_air_took(rack):
    after = warmed(rack)
    stored = rack["capacity_j_per_k"] * (sum(after) - sum(rack["temperatures_c"]))
    rises = [temperature - rack["inlet_c"] for temperature in after]
    taken = rack["duration_s"] * sum(rise * air for rise, air in zip(rises, rack["to_air"], strict=True))
    assert stored == pytest.approx(rack["duration_s"] * sum(rack["heating_w"]) - taken, rel=1e-9, abs=1e-3)


@settings(max_examples=100, deadline=None)
@given(racks(), st.data())
def test_more_heat_anywhere_cools_nobody(rack, data):
    slot = data.draw(st.integers(0, len(rack["heating_w"]) - 1))
    hotter = list(rack["heating_w"])
    hotter[slot] += data.draw(st.floats(0.1, 50))
    before, after = warmed(rack), warmed(rack, heating_w=hotter)
    assert all(second >= first - 1e-9 for first, second in zip(before, after, strict=True))
    assert after[slot] > before[slot]


@settings(max_examples=100, deadline=None)
@given(racks())
def test_without_heat_nothing_leaves_the_range_between_boards_and_air(rack):
    after = warmed(rack, heating_w=[0.0] * len(rack["heating_w"]))
    known = [*rack["temperatures_c"], rack["inlet_c"]]
    assert min(known) - 1e-9 <= min(after) <= max(after) <= max(known) + 1e-9


@settings(max_examples=50, deadline=None)
@given(racks())
def test_it_settles_where_the_air_takes_all_that_is_given(rack):
    settled = warmed(rack, duration_s=1e13)
    again = warmed(rack, temperatures_c=settled, duration_s=1e13)
    assert again == pytest.approx(settled, abs=1e-3)
    rises = [temperature - rack["inlet_c"] for temperature in settled]
    taken = sum(rise * air for rise, air in zip(rises, rack["to_air"], strict=True))
    assert taken == pytest.approx(sum(rack["heating_w"]), rel=1e-6, abs=1e-3)


def test_one_board_alone_follows_the_law_of_cooling():
    """Against the exact solution: 60 J/K cooled by 0.5 W/K, so a time constant of 120 s."""
    temperature = [80.0]
    for _ in range(1200):
        temperature = warm(
            temperature,
            heating_w=[0.0],
            capacity_j_per_k=60.0,
            to_air=[0.5],
            between_w_per_k=0.0,
            inlet_c=20.0,
            duration_s=0.1,
        )
    assert temperature[0] == pytest.approx(20 + 60 / 2.718281828, abs=0.05)


def test_heat_reaches_neighbours_and_fades_with_distance():
    settled = warm(
        [20.0] * 5,
        heating_w=[0, 0, 20, 0, 0],
        capacity_j_per_k=60.0,
        to_air=[0.4] * 5,
        between_w_per_k=0.2,
        inlet_c=20.0,
        duration_s=1e13,
    )
    assert settled == pytest.approx(settled[::-1])
    assert settled[2] > settled[1] > settled[0] > 20.0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=16), st.floats(0, 1 / 3))
def test_no_air_is_lost_on_its_way_to_the_slots(flows, to_neighbour):
    air = air_of_slots(flows, to_neighbour)
    assert sum(air) == pytest.approx(sum(flows))
    assert all(share >= 0 for share in air)


def test_air_reaches_the_own_slot_most():
    air = air_of_slots([0, 0, 1, 0], 0.15)
    assert air == pytest.approx([0, 0.15, 0.7, 0.15])
    assert air_of_slots([1, 0], 0.15) == pytest.approx([0.85, 0.15])
    assert all(first <= second for first, second in pairwise(air_of_slots([0, 0.5, 1], 0.1)))
