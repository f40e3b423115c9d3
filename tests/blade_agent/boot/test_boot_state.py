"""What becomes of an update: every state that can be reached, and every move in it."""

from pathlib import Path

import pytest

from blade_agent.boot.boot_state import (
    MOVES,
    TRIES,
    TRIES_MAX,
    BootState,
    Standing,
    SystemSlot,
    UpdateEvent,
    UpdateRefused,
    apply,
    begin,
    boot,
    commit,
    rollback,
    stage,
)
from blade_agent.boot.release import Release
from tests.blade_agent.boot.boot_states import FIRST, RELEASES, all_states, moves_of

OLD, NEW, NEWEST = RELEASES
A, B = SystemSlot


def tried_with(release=NEW, minimum=OLD, tries=TRIES):
    return apply(stage(begin(FIRST), release, minimum), tries)


def test_the_table_is_total_and_every_move_of_it_is_made():
    assert MOVES.keys() == set(Standing)
    made = {(state.other, event, then.other) for state in all_states() for event, then, _ in moves_of(state) if then}
    table = {(before, event, after) for before, row in MOVES.items() for event, ends in row.items() for after in ends}
    assert made == table


def test_what_is_not_in_the_table_is_refused_with_a_reason():
    refused = {(state.other, event) for state in all_states() for event, then, why in moves_of(state) if why}
    beside = {(before, event) for before in Standing for event in UpdateEvent if event not in MOVES[before]}
    assert beside <= refused
    assert all(why for state in all_states() for _, then, why in moves_of(state) if then is None)


def test_there_is_always_something_to_boot_and_nobody_writes_there():
    for state in all_states():
        slot, kept = boot(state)
        release = state.good_release if slot is state.good else state.other_release
        assert release is not None
        assert slot is state.good or state.other is Standing.PENDING
        assert (kept.good, kept.good_release, kept.minimum) == (state.good, state.good_release, state.minimum)
        for event, then, _ in moves_of(state):
            if then and event in (UpdateEvent.BEGIN, UpdateEvent.STAGE, UpdateEvent.APPLY):
                assert (then.good, then.good_release) == (state.good, state.good_release)


def test_the_lowest_release_rises_by_a_commit_alone():
    risen = 0
    for state in all_states():
        for event, then, _ in moves_of(state):
            if then and then.minimum != state.minimum:
                assert event is UpdateEvent.COMMIT
                assert then.minimum > state.minimum
                risen += 1
    assert risen


def test_tries_count_down_only_while_an_update_is_pending():
    for state in all_states():
        then = boot(state)[1]
        pending = state.other is Standing.PENDING
        assert then.tries == (state.tries - 1 if pending and state.tries else 0)
        assert pending or then == state


def test_an_update_that_never_works_is_tried_so_often_and_then_never_again():
    state, booted = tried_with(tries=3), []
    for _ in range(10):
        slot, state = boot(state)
        booted.append(slot)
    assert booted == [B, B, B, *[A] * 7]
    assert (state.other, state.other_release, state.minimum) == (Standing.FAILED, NEW, OLD)
    with pytest.raises(UpdateRefused, match="no update is staged"):
        apply(state)


def test_an_update_that_works_becomes_the_good_one_and_the_one_before_stays():
    slot, state = boot(tried_with(minimum=OLD))
    state = commit(state, slot)
    assert state == BootState(good=B, other=Standing.FORMER, good_release=NEW, other_release=OLD, minimum=OLD, tries=0)
    back = rollback(state)
    assert (boot(back)[0], back.other, back.other_release) == (A, Standing.FAILED, NEW)


def test_who_does_not_run_from_it_cannot_commit_it():
    with pytest.raises(UpdateRefused, match="this is slot a, and the update is in slot b"):
        commit(tried_with(), A)


def test_nothing_older_than_the_lowest_is_staged_or_gone_back_to():
    state = commit(boot(tried_with(minimum=NEW))[1], B)
    assert state.minimum == NEW
    with pytest.raises(UpdateRefused, match=r"release 0.1.0 is older than 0.2.0, the lowest that is taken"):
        rollback(state)
    with pytest.raises(UpdateRefused, match=r"release 0.1.0 is older than 0.2.0"):
        stage(begin(state), OLD, OLD)
    with pytest.raises(UpdateRefused, match=r"release 0.2.0 says that nothing older than 0.10.0"):
        stage(begin(state), NEW, NEWEST)


@pytest.mark.parametrize("tries", [0, -1, TRIES_MAX + 1])
def test_how_often_it_is_tried_has_bounds(tries):
    with pytest.raises(UpdateRefused):
        apply(stage(begin(FIRST), NEW, OLD), tries)


@pytest.mark.parametrize(
    "text", ["1.2", "1.2.3.4", "1.2.x", "-1.2.3", "1.2.70000", "1.2.3\n", "\N{ARABIC-INDIC DIGIT ONE}.2.3", ""]
)
def test_what_is_no_release(text):
    with pytest.raises(ValueError, match="is no release"):
        Release.parse(text)


def test_releases_are_compared_by_their_numbers():
    assert Release.parse("0.9.0") < Release.parse("0.10.0")
    assert str(Release.parse("0.10.0")) == "0.10.0"


def test_the_document_has_a_row_for_each_and_every_end_in_it():
    text = (Path(__file__).parents[3] / "docs" / "operations" / "flashing.md").read_text()
    rows = {
        before: next(line for line in text.splitlines() if line.startswith(f"| `{before.value}` |"))
        for before in Standing
    }
    for before, row in MOVES.items():
        ends = {after for afters in row.values() for after in afters}
        said = {after for after in Standing if f"`{after.value}`" in rows[before].rsplit("|", 2)[1]}
        assert said - {before} == ends - {before}, before
