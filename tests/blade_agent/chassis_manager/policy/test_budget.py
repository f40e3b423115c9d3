"""The power budget: what blades are granted never exceeds what the supplies carry, and lower slots go first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.chassis_manager.keeping.journal import Hold, read_journal
from blade_agent.chassis_manager.policy.budget import Draw, allocate, best_level, drawn_w
from blade_agent.chassis_manager.policy.notice import NoticeKind
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware

M = HotSwapState
RESERVE_W = 10.0


@st.composite
def draws(draw, slot):
    levels = sorted(draw(st.sets(st.integers(1, 40), min_size=1, max_size=4)))
    return Draw(slot=slot, levels_w=tuple(map(float, levels)), desired=draw(st.integers(1, len(levels))))


@st.composite
def chassis_draws(draw):
    made = [draw(draws(slot)) for slot in range(1, draw(st.integers(1, 8)) + 1)]
    running = {one.slot for one in made if draw(st.booleans())}
    return [one for one in made if one.slot in running], [one for one in made if one.slot not in running]


@given(chassis_draws(), st.integers(0, 200))
def test_the_sum_stays_within_the_capacity_and_nobody_gets_more_than_wanted(made, capacity_w):
    running, waiting = made
    levels = allocate(capacity_w, running, waiting)
    assert drawn_w([*running, *waiting], levels) <= capacity_w
    assert all(0 <= levels[one.slot] <= one.desired for one in [*running, *waiting])


@given(chassis_draws(), st.integers(0, 200))
def test_nothing_is_left_over_that_somebody_could_use(made, capacity_w):
    running, waiting = made
    levels = allocate(capacity_w, running, waiting)
    free_w = capacity_w - drawn_w([*running, *waiting], levels)
    for one in [*running, *waiting]:
        assert best_level(one, free_w + one.watts(levels[one.slot])) == levels[one.slot] or not levels[one.slot]
    assert all(levels[one.slot] or one.watts(1) > free_w for one in waiting)


@given(chassis_draws(), st.integers(0, 200), st.integers(0, 100))
def test_who_runs_is_not_put_out_for_who_waits_and_more_capacity_puts_nobody_out(made, capacity_w, more_w):
    running, waiting = made
    alone, together = allocate(capacity_w, running), allocate(capacity_w, running, waiting)
    assert all(together[one.slot] == alone[one.slot] for one in running)
    if len({one.watts(1) for one in running}) == 1:
        more = allocate(capacity_w + more_w, running)
        assert all(more[one.slot] for one in running if alone[one.slot])


def test_the_highest_slot_is_slowed_down_first_and_goes_first():
    blades = [Draw(slot=slot, levels_w=(6.0, 9.0, 12.0), desired=3) for slot in (1, 2, 3)]
    assert allocate(36, blades) == {1: 3, 2: 3, 3: 3}
    assert allocate(33, blades) == {1: 3, 2: 3, 3: 2}
    assert allocate(18, blades) == {1: 1, 2: 1, 3: 1}
    assert allocate(17, blades) == {1: 2, 2: 1, 3: 0}


def granted(chassis):
    """Give the power level of every blade in service, as its own board has it."""
    return {
        slot: made.power.at if chassis.blades[slot].blade.hot_swap.state >= M.M3_ACTIVATION_IN_PROGRESS else 0
        for slot, made in chassis.made.items()
    }


@pytest.fixture
def powered(bench):
    """A chassis with so much power, whose blades say what they draw."""

    def start(capacity_w, slots=4):
        made = {}

        def make_hardware(slot):
            made[slot] = DeskHardware()
            return made[slot]

        chassis = bench(slots=slots, make_hardware=make_hardware)
        chassis.made = made
        chassis.chassis.service.grants.capacity_w = capacity_w
        return chassis

    return start


def test_blades_come_into_service_in_slot_order_as_far_as_the_supplies_carry_them(powered):
    chassis = powered(RESERVE_W + 32)
    chassis.run(4)
    assert granted(chassis) == {1: 3, 2: 3, 3: 1, 4: 0}
    assert chassis.chassis.slots[4].hot_swap is M.M2_ACTIVATION_REQUEST
    assert chassis.chassis.service.care[4].waits_for == "the supplies cannot carry it: it draws 6 W at least"
    assert [(n.kind, n.number, n.asserted) for n in chassis.notices if n.kind is NoticeKind.NO_POWER] == [
        (NoticeKind.NO_POWER, 4, True)
    ]
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 48
    chassis.run(4)
    assert granted(chassis) == {1: 3, 2: 3, 3: 3, 4: 3}


def test_a_failed_supply_slows_blades_down_and_a_second_one_puts_the_highest_out(powered):
    chassis = powered(RESERVE_W + 48)
    chassis.run(4)
    assert granted(chassis) == dict.fromkeys((1, 2, 3, 4), 3)
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 30
    chassis.run(1.5)
    assert granted(chassis) == {1: 3, 2: 1, 3: 1, 4: 1}
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 20
    chassis.run(4)
    assert granted(chassis) == {1: 2, 2: 1, 3: 1, 4: 0} or granted(chassis) == {1: 1, 2: 1, 3: 1, 4: 0}
    assert chassis.chassis.slots[4].hot_swap is M.M1_INACTIVE
    assert read_journal(chassis.kept_journal).of(4).hold is Hold.POWER
    chassis.start_manager()
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 20
    chassis.run(4)
    assert chassis.chassis.slots[4].hot_swap is M.M1_INACTIVE
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 48
    chassis.run(6)
    assert granted(chassis) == dict.fromkeys((1, 2, 3, 4), 3)


def test_a_manager_that_starts_takes_running_blades_as_they_are(powered):
    chassis = powered(RESERVE_W + 48)
    chassis.run(4)
    before = {slot: list(made.power.set) for slot, made in chassis.made.items()}
    chassis.start_manager()
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 48
    chassis.run(4)
    assert {slot: made.power.set for slot, made in chassis.made.items()} == before


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_what_is_drawn_comes_back_within_the_budget(bench, seed):
    made = {}

    def make_hardware(slot):
        made[slot] = DeskHardware()
        return made[slot]

    chassis = bench(slots=4, seed=seed, make_hardware=make_hardware)
    chassis.made = made
    chassis.chassis.service.grants.capacity_w = RESERVE_W + 48
    for _ in range(25):
        chassis.chassis.service.grants.capacity_w = RESERVE_W + chassis.rng.choice([18, 24, 30, 36, 48])
        slot = chassis.rng.randint(1, 4)
        match chassis.rng.randrange(4):
            case 0:
                chassis.chassis.service.deactivate(slot)
            case 1:
                chassis.chassis.service.activate(slot)
            case 2:
                chassis.crash_blade(slot) if slot in chassis.blades else chassis.start_blade(slot)
            case 3:
                capacity_w = chassis.chassis.service.grants.capacity_w
                chassis.start_manager()
                chassis.chassis.service.grants.capacity_w = capacity_w
        chassis.run(4)
        drawn = sum(
            made[number].power.levels_w[made[number].power.at - 1]
            for number, blade in chassis.blades.items()
            if blade.blade.hot_swap.state >= M.M3_ACTIVATION_IN_PROGRESS
        )
        assert drawn <= chassis.chassis.service.grants.capacity_w - RESERVE_W
