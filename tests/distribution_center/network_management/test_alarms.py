"""The alarm list: raised, cleared, acknowledged, flapping."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from distribution_center.network_management.alarms import (
    FLAP_WITHIN_S,
    FLAPS,
    PRESENT,
    SETTLE_S,
    TRANSITIONS,
    AlarmEvent,
    AlarmList,
    AlarmSeverity,
    AlarmSource,
    AlarmState,
    Cause,
)

HOT = Cause(
    component="north/3", source=AlarmSource.AGENT, kind="sensor threshold", severity=AlarmSeverity.MAJOR, resource="CPU"
)
FAN = replace(HOT, kind="fan failed", severity=AlarmSeverity.MINOR, resource="fan 1")
LOST = replace(HOT, source=AlarmSource.NMS, kind="no answer", severity=AlarmSeverity.CRITICAL, resource="")


def states(alarms):
    return [(alarm.cause.kind, alarm.state) for alarm in alarms]


def test_every_event_has_an_outcome_in_every_state_and_every_state_can_be_reached():
    assert set(TRANSITIONS) == set(product(AlarmState, AlarmEvent))
    assert set(TRANSITIONS.values()) == set(AlarmState)


def test_an_alarm_is_raised_acknowledged_and_over():
    alarms = AlarmList()
    raised = alarms.raise_alarm(HOT, 10.0)
    assert (raised.number, raised.state, raised.raised_at) == (1, AlarmState.ACTIVE, 10.0)
    assert alarms.raise_alarm(HOT, 11.0) is None
    seen = alarms.acknowledge(1, "Ada", 12.0)
    assert (seen.state, seen.acknowledged_by, seen.acknowledged_at) == (AlarmState.ACKNOWLEDGED, "Ada", 12.0)
    assert alarms.acknowledge(1, "Bob", 13.0) == seen
    assert alarms.clear_alarm(HOT, 14.0).state is AlarmState.OVER
    assert list(alarms) == []
    assert alarms.acknowledge(1, "Ada", 15.0) is None
    assert alarms.raise_alarm(HOT, 16.0).number == 2


def test_what_nobody_saw_stays_in_the_list():
    alarms = AlarmList()
    alarms.raise_alarm(HOT, 10.0)
    assert alarms.clear_alarm(HOT, 20.0).state is AlarmState.CLEARED
    assert alarms.clear_alarm(HOT, 21.0) is None
    assert alarms.worst() == {}
    back = alarms.raise_alarm(HOT, 3000.0)
    assert (back.state, back.number, back.raised_at) == (AlarmState.ACTIVE, 1, 3000.0)
    alarms.clear_alarm(HOT, 3001.0)
    assert alarms.acknowledge(1, "Ada", 3002.0).state is AlarmState.OVER
    assert list(alarms) == []


def test_an_acknowledged_alarm_that_comes_again_is_news():
    alarms = AlarmList()
    alarms.raise_alarm(HOT, 1.0)
    alarms.clear_alarm(HOT, 2.0)
    alarms.raise_alarm(HOT, 3.0)
    alarms.acknowledge(1, "Ada", 4.0)
    alarms.clear_alarm(HOT, 5.0)
    again = alarms.raise_alarm(HOT, 6.0)
    assert (again.state, again.acknowledged_by) == (AlarmState.ACTIVE, "")


def test_a_worse_or_better_severity_is_the_same_alarm():
    alarms = AlarmList()
    alarms.raise_alarm(HOT, 1.0)
    changed = alarms.raise_alarm(replace(HOT, severity=AlarmSeverity.CRITICAL, text="95 °C"), 2.0)
    assert (changed.number, changed.cause.severity, changed.raised_at) == (1, AlarmSeverity.CRITICAL, 1.0)


def test_what_a_source_does_not_name_any_more_is_cleared_and_other_sources_are_left_alone():
    alarms = AlarmList()
    alarms.take("north/3", AlarmSource.AGENT, [HOT, FAN], 1.0)
    alarms.take("north/3", AlarmSource.NMS, [LOST], 2.0)
    assert states(alarms) == [("no answer", "active"), ("sensor threshold", "active"), ("fan failed", "active")]
    assert alarms.worst() == {"north/3": AlarmSeverity.CRITICAL}
    news = alarms.take("north/3", AlarmSource.AGENT, [FAN], 3.0)
    assert states(news) == [("sensor threshold", "cleared")]
    assert states(alarms) == [("no answer", "active"), ("fan failed", "active"), ("sensor threshold", "cleared")]
    assert alarms.take("north/3", AlarmSource.AGENT, [FAN], 4.0) == []


def test_what_comes_and_goes_too_often_stays_until_it_is_quiet():
    alarms = AlarmList()
    for turn in range(FLAPS):
        alarms.raise_alarm(HOT, turn * 10.0)
        last = alarms.clear_alarm(HOT, turn * 10.0 + 5)
    assert (last.flapping, last.state, last.wrong) == (True, AlarmState.ACTIVE, False)
    assert alarms.settle(last.changed_at + SETTLE_S - 1) == []
    [settled] = alarms.settle(last.changed_at + SETTLE_S)
    assert (settled.state, settled.flapping) == (AlarmState.CLEARED, False)


def test_a_slow_return_is_no_flapping():
    alarms = AlarmList()
    for turn in range(2 * FLAPS):
        alarms.raise_alarm(HOT, turn * FLAP_WITHIN_S)
        assert alarms.clear_alarm(HOT, turn * FLAP_WITHIN_S + 5).state is AlarmState.CLEARED


def test_a_list_goes_on_after_a_restart():
    alarms = AlarmList()
    alarms.raise_alarm(HOT, 1.0)
    alarms.raise_alarm(FAN, 2.0)
    alarms.acknowledge(2, "Ada", 3.0)
    again = AlarmList(alarms, next_number=7)
    assert list(again) == list(alarms)
    assert again.raise_alarm(LOST, 4.0).number == 7


@given(
    st.lists(
        st.tuples(st.sampled_from(["raise", "clear", "acknowledge", "settle"]), st.sampled_from([HOT, FAN, LOST])),
        max_size=60,
    )
)
def test_what_is_wrong_is_always_shown_and_numbers_are_given_once(events):
    alarms, wrong, given_numbers = AlarmList(), set(), {}
    for now, (event, cause) in enumerate(events):
        if event == "raise":
            alarms.raise_alarm(cause, float(now))
            wrong.add(cause)
        elif event == "clear":
            alarms.clear_alarm(cause, float(now))
            wrong.discard(cause)
        elif event == "settle":
            alarms.settle(float(now))
        else:
            for alarm in list(alarms):
                if alarm.cause == cause:
                    alarms.acknowledge(alarm.number, "Ada", float(now))
        present = {alarm.cause for alarm in alarms if alarm.state in PRESENT}
        assert wrong <= present
        assert all(alarm.flapping for alarm in alarms if alarm.state in PRESENT and alarm.cause not in wrong)
        for alarm in alarms:
            assert given_numbers.setdefault(alarm.number, alarm.cause.key) == alarm.cause.key
