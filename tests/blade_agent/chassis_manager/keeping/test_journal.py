"""The journal: what was ordered is known after any crash, and nothing is switched on that somebody switched off."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState
from blade_agent.cbc.hardware import BoardAction
from blade_agent.chassis_manager.keeping.journal import (
    Hold,
    Journal,
    JournalError,
    KeptJournal,
    SlotEntry,
    journal_octets,
    read_journal,
)
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware

ENTRIES = st.builds(
    SlotEntry,
    hold=st.sampled_from(Hold),
    releasing=st.booleans(),
    desired_power=st.sampled_from(["on", "off", "unknown"]),
    pending_power=st.sampled_from(["on", "off", ""]),
    observed_power=st.sampled_from(["on", "off", "unknown"]),
)
JOURNALS = st.builds(Journal, slots=st.dictionaries(st.integers(1, 62), ENTRIES))


@given(JOURNALS)
def test_what_is_written_is_read(journal):
    assert read_journal(journal_octets(journal)) == journal


@given(st.binary(min_size=1, max_size=60))
def test_what_is_no_journal_is_said_to_be_none(octets):
    with contextlib.suppress(JournalError):
        assert isinstance(read_journal(octets), Journal)


@given(JOURNALS, st.integers(0, 400))
def test_a_journal_that_is_cut_is_never_taken_for_another(journal, at):
    octets = journal_octets(journal)
    cut = octets[: min(at, len(octets) - 2)]
    if cut:
        with pytest.raises(JournalError):
            read_journal(cut)


def test_a_cycle_that_may_have_begun_is_not_begun_again():
    octets = journal_octets(Journal(slots={1: SlotEntry(desired_power="on", pending_power="cycle")}))
    assert read_journal(octets).of(1).pending_power == "on"


def test_changes_made_while_it_is_written_are_written_next():
    journal = KeptJournal(Journal(), 0.0)
    journal.change(1, hold=Hold.ORDER)
    first = journal.to_keep(0.0)
    journal.change(2, hold=Hold.ORDER)
    journal.written()
    assert journal.kept.of(1).hold is Hold.ORDER
    assert journal.kept.of(2).hold is Hold.NONE
    second = journal.to_keep(0.0)
    assert read_journal(first).slots.keys() < read_journal(second).slots.keys()
    journal.not_written(5.0)
    assert (journal.to_keep(4.0), journal.works) == (None, False)
    assert journal.to_keep(5.0) == second


class SwitchedHardware(DeskHardware):
    """A board whose main board follows its switch."""

    def __init__(self, bench, slot):
        super().__init__()
        self.bench, self.slot = bench, slot

    def act(self, action):
        super().act(action)
        board = self.bench.blades[self.slot].board
        board.state = MainBoardState.OFF if action is BoardAction.POWER_OFF else MainBoardState.READY


@pytest.fixture
def switched(bench):
    def start(seed=1):
        chassis = bench(slots=3, seed=seed)
        chassis.make_hardware = lambda slot: SwitchedHardware(chassis, slot)
        for slot in chassis.settings.slots:
            chassis.start_blade(slot)
        chassis.run_until(lambda: chassis.served_by(1), 3)
        chassis.outcomes = []
        return chassis

    return start


def switch(chassis, slot, power):
    chassis.chassis.power.order(slot, power, chassis.outcomes.append)


def is_on(chassis, slot):
    return chassis.blades[slot].board.state is not MainBoardState.OFF


def test_a_blade_that_was_switched_off_stays_off_when_it_starts_anew(switched):
    chassis = switched()
    switch(chassis, 3, "off")
    chassis.run_until(lambda: not is_on(chassis, 3), 2)
    chassis.run(1)
    assert chassis.outcomes == [0]
    assert read_journal(chassis.kept_journal).of(3) == SlotEntry(desired_power="off", observed_power="off")
    chassis.crash_blade(3)
    chassis.run(2)
    chassis.start_blade(3)
    assert is_on(chassis, 3)
    chassis.run_until(lambda: not is_on(chassis, 3), 3)


def test_what_is_switched_at_the_blade_itself_is_left_alone(switched):
    chassis = switched()
    switch(chassis, 3, "off")
    chassis.run_until(lambda: not is_on(chassis, 3), 2)
    chassis.run(1)
    chassis.blades[3].board.state = MainBoardState.READY
    chassis.run(3)
    assert is_on(chassis, 3)
    assert read_journal(chassis.kept_journal).of(3).desired_power == "unknown"
    chassis.blades[2].board.state = MainBoardState.OFF
    chassis.start_manager()
    chassis.run(5)
    assert not is_on(chassis, 2)


def test_an_order_given_to_a_blade_that_falls_silent_is_carried_out_when_it_is_back(switched):
    chassis = switched()
    chassis.hung.add(3)
    switch(chassis, 3, "off")
    chassis.run(3)
    assert chassis.outcomes == [None]
    chassis.start_manager()
    chassis.hung.clear()
    chassis.run_until(lambda: not is_on(chassis, 3), 3)


def test_a_blade_that_cannot_be_switched_says_so(bench):
    chassis = bench(slots=1)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    outcomes = []
    chassis.chassis.power.order(1, "off", outcomes.append)
    chassis.run(1)
    assert outcomes == [0xD5]
    assert read_journal(chassis.kept_journal).of(1).desired_power == "unknown"


def give_order(chassis, slot, order, acknowledged):
    if order == "out":
        chassis.chassis.service.deactivate(slot)
    elif order == "in":
        chassis.chassis.service.activate(slot)
    elif chassis.chassis.power.can_switch(slot):
        chassis.chassis.power.order(slot, order, acknowledged.append)


def die_around_a_write(chassis):
    """Let the manager die before, or some time after, it writes its journal."""
    before = chassis.rng.random() < 0.3
    chassis.disk_takes_epochs = not before
    chassis.run(0.0 if before else chassis.rng.choice([0.005, 0.02, 0.05, 1.0]))
    chassis.disk_takes_epochs = True


@pytest.mark.parametrize("seed", range(6))
def test_power_cuts_at_every_write_leave_nothing_on_that_was_ordered_off(switched, seed):
    """What was acknowledged, or is on disk, holds for ever."""
    chassis = switched(seed)
    off, out = {}, {}
    for _ in range(20):
        slot, acknowledged = chassis.rng.randint(1, 3), []
        order = chassis.rng.choice(["off", "on", "out", "in"])
        give_order(chassis, slot, order, acknowledged)
        die_around_a_write(chassis)
        if order in ("out", "in"):
            out[slot] = read_journal(chassis.kept_journal).of(slot).hold is Hold.ORDER
        else:
            off[slot] = order == "off" and acknowledged == [0]
        chassis.start_manager()
        chassis.run(chassis.rng.choice([0.1, 3.0]))
    chassis.run(10)
    for slot, blade in chassis.blades.items():
        is_out = blade.blade.hot_swap.state is HotSwapState.M1_INACTIVE
        assert is_out == out.get(slot, False)
        assert not (off.get(slot) and is_on(chassis, slot))
