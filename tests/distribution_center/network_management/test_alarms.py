"""The alarm list: raised, cleared, acknowledged, flapping; one event is one alarm."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from distribution_center.network_management.alarms import (
    FLAP_WITHIN_S,
    FLAPS,
    SETTLE_S,
    TRANSITIONS,
    AlarmEvent,
    AlarmList,
    AlarmState,
)
from distribution_center.network_management.cause import AlarmSeverity, AlarmSource, Cause, subject_of

HOT = Cause(
    component="north/3", source=AlarmSource.AGENT, kind="sensor threshold", severity=AlarmSeverity.MAJOR, resource="CPU"
)
FAN = replace(HOT, kind="fan failed", severity=AlarmSeverity.MINOR, resource="fan 1")
SILENT = replace(HOT, source=AlarmSource.NMS, kind="no answer", severity=AlarmSeverity.CRITICAL, resource="")
PULLED = replace(HOT, component="north/chassis", kind="blade lost", slot=3, resource="blade 3")
HOT_SEEN_BY_MANAGER = replace(HOT, component="north/chassis", slot=3, resource="blade 3 CPU")
NO_DIRECTOR = replace(
    HOT, component="north/chassis", kind="no director", severity=AlarmSeverity.CRITICAL, resource="north"
)
UNHEARD = replace(HOT, component="@center", kind="station silent", resource="north")


def say(alarms, now, *causes, of=HOT, within=""):
    """All that the agent of a cause's component, or the system, says of it from now on."""
    return alarms.take(of.component, of.source, causes, now, within=within)


def states(alarms):
    return [(alarm.cause.kind, alarm.state) for alarm in alarms]


def test_every_event_has_an_outcome_in_every_state_and_every_state_can_be_reached():
    assert set(TRANSITIONS) == set(product(AlarmState, AlarmEvent))
    assert set(TRANSITIONS.values()) == set(AlarmState)


def test_an_alarm_is_raised_acknowledged_and_cleared():
    alarms = AlarmList()
    [raised] = say(alarms, 10.0, HOT)
    assert (raised.number, raised.state, raised.raised_at) == (1, AlarmState.ACTIVE, 10.0)
    assert say(alarms, 11.0, HOT) == []
    [seen] = alarms.acknowledge([1], "Ada", "a fan is on its way", 12.0)
    assert (seen.state, seen.acknowledged_by, seen.acknowledged_at) == (AlarmState.ACKNOWLEDGED, "Ada", 12.0)
    assert seen.comment == "a fan is on its way"
    assert alarms.acknowledge([1], "Bob", "", 13.0) == [seen]
    [cleared] = say(alarms, 14.0)
    assert (cleared.state, cleared.acknowledged_by, cleared.comment) == ("cleared", "Ada", "a fan is on its way")
    assert list(alarms) == []
    assert alarms.acknowledge([1], "Ada", "", 15.0) == []
    [again] = say(alarms, 16.0, HOT)
    assert (again.number, again.acknowledged_by) == (2, "")


def test_many_are_acknowledged_at_once():
    alarms = AlarmList()
    say(alarms, 1.0, HOT, FAN)
    say(alarms, 1.0, SILENT, of=SILENT)
    assert len(alarms.acknowledge([1, 2, 3, 77], "Ada", "on it", 2.0)) == 3
    assert {(alarm.state, alarm.comment) for alarm in alarms} == {(AlarmState.ACKNOWLEDGED, "on it")}


def test_what_nobody_saw_leaves_by_itself_and_what_comes_again_is_a_new_alarm():
    alarms = AlarmList()
    say(alarms, 10.0, HOT)
    assert states(say(alarms, 20.0)) == [("sensor threshold", "cleared")]
    assert say(alarms, 21.0) == []
    assert alarms.worst_of("north/3") is None
    assert list(alarms) == []
    [back] = say(alarms, 3000.0, HOT)
    assert (back.state, back.number, back.raised_at) == (AlarmState.ACTIVE, 2, 3000.0)


def test_another_severity_is_the_same_alarm_and_a_worse_one_is_to_be_seen_again():
    alarms = AlarmList()
    say(alarms, 1.0, HOT)
    alarms.acknowledge([1], "Ada", "", 2.0)
    [better] = say(alarms, 3.0, replace(HOT, severity=AlarmSeverity.MINOR, text="86 °C"))
    assert (better.number, better.state, better.acknowledged_by) == (1, AlarmState.ACKNOWLEDGED, "Ada")
    [worse] = say(alarms, 4.0, replace(HOT, severity=AlarmSeverity.CRITICAL, text="95 °C"))
    assert (worse.number, worse.cause.severity, worse.raised_at) == (1, AlarmSeverity.CRITICAL, 1.0)
    assert (worse.state, worse.acknowledged_by) == (AlarmState.ACTIVE, "")


def test_a_pulled_blade_is_one_alarm_whoever_says_it_first():
    for first, second in ((PULLED, SILENT), (SILENT, PULLED)):
        alarms = AlarmList()
        say(alarms, 1.0, first, of=first)
        alarms.acknowledge([1], "Ada", "", 2.0)
        say(alarms, 3.0, second, of=second)
        [alarm] = alarms
        assert (alarm.number, alarm.about, alarm.cause, alarm.state) == (1, "north/3", PULLED, AlarmState.ACKNOWLEDGED)
        assert alarm.causes == (PULLED, SILENT)
        say(alarms, 4.0, of=first)
        assert states(alarms) == [(second.kind, "acknowledged")]
        say(alarms, 6.0, of=second)
        assert list(alarms) == []


def test_what_the_manager_and_the_blade_say_of_one_sensor_is_one_alarm():
    alarms = AlarmList()
    say(alarms, 1.0, HOT_SEEN_BY_MANAGER, of=PULLED)
    say(alarms, 2.0, HOT, FAN)
    assert [(alarm.about, alarm.resource) for alarm in alarms] == [("north/3", "CPU"), ("north/3", "fan 1")]


def test_a_station_that_is_silent_as_a_whole_is_one_alarm_until_its_last_part_is_back():
    alarms = AlarmList()
    silences = [replace(SILENT, component=name) for name in ("north/chassis", "north/1", "north/2")]
    for now, silence in enumerate(silences):
        say(alarms, float(now), silence, of=silence, within="north")
    say(alarms, 4.0, UNHEARD, of=UNHEARD)
    [alarm] = alarms
    assert (alarm.number, alarm.about, len(alarm.causes), alarm.cause.kind) == (1, "north", 4, "no answer")
    assert alarms.worst_in("north") is AlarmSeverity.CRITICAL
    say(alarms, 5.0, of=silences[0])
    say(alarms, 6.0, silences[1], of=silences[1])
    assert [alarm.about for alarm in alarms] == ["north"]
    for now, silence in enumerate((silences[1], UNHEARD, silences[2])):
        say(alarms, 7.0 + now, of=silence)
    assert list(alarms) == []


def test_a_station_without_a_director_is_one_alarm():
    assert subject_of(NO_DIRECTOR) == subject_of(UNHEARD) == subject_of(SILENT, within="north")


def test_what_a_source_does_not_name_any_more_is_cleared_and_other_sources_are_left_alone():
    alarms = AlarmList()
    say(alarms, 1.0, HOT, FAN)
    say(alarms, 2.0, SILENT, of=SILENT)
    assert states(alarms) == [("no answer", "active"), ("sensor threshold", "active"), ("fan failed", "active")]
    assert alarms.worst_of("north/3") is AlarmSeverity.CRITICAL
    assert states(say(alarms, 3.0, FAN)) == [("sensor threshold", "cleared")]
    assert states(alarms) == [("no answer", "active"), ("fan failed", "active")]
    assert say(alarms, 4.0, FAN) == []


def test_what_comes_and_goes_too_often_is_one_alarm_and_stays_until_it_is_quiet():
    alarms = AlarmList()
    for turn in range(FLAPS):
        say(alarms, turn * 10.0, HOT)
        [last] = say(alarms, turn * 10.0 + 5)
    assert (last.flapping, last.state, last.wrong) == (True, AlarmState.ACTIVE, False)
    [again] = say(alarms, 50.0, HOT)
    assert again.number == last.number
    [last] = say(alarms, 55.0)
    assert alarms.settle(last.changed_at + SETTLE_S - 1) == []
    [settled] = alarms.settle(last.changed_at + SETTLE_S)
    assert (settled.state, settled.flapping) == (AlarmState.CLEARED, False)
    assert list(alarms) == []


def test_a_slow_return_is_no_flapping():
    alarms = AlarmList()
    for turn in range(2 * FLAPS):
        say(alarms, turn * FLAP_WITHIN_S, HOT)
        alarms.settle(turn * FLAP_WITHIN_S + 4)
        assert states(say(alarms, turn * FLAP_WITHIN_S + 5)) == [("sensor threshold", "cleared")]


def test_a_list_goes_on_after_a_restart():
    alarms = AlarmList()
    say(alarms, 1.0, HOT, FAN)
    say(alarms, 1.0, PULLED, of=PULLED)
    say(alarms, 1.0, SILENT, of=SILENT)
    alarms.acknowledge([2], "Ada", "", 3.0)
    again = AlarmList(alarms, next_number=7)
    assert list(again) == list(alarms)
    assert say(again, 4.0, HOT, FAN) == []
    assert states(say(again, 5.0, FAN)) == [("sensor threshold", "cleared")]
    say(again, 6.0, of=PULLED)
    assert [alarm.causes for alarm in again if alarm.about == "north/3"] == [(SILENT,), (FAN,)]
    [new] = say(again, 7.0, HOT, FAN)
    assert new.number == 7


CAUSES = [HOT, FAN, SILENT, PULLED, HOT_SEEN_BY_MANAGER, UNHEARD]


@given(
    st.lists(
        st.tuples(st.sampled_from(["raise", "clear", "acknowledge", "settle", "restart"]), st.sampled_from(CAUSES)),
        max_size=60,
    )
)
def test_what_is_wrong_is_always_shown_once_and_numbers_are_given_once(events):
    alarms, wrong, given_numbers = AlarmList(), set(), {}
    for now, (event, cause) in enumerate(events):
        if event in {"raise", "clear"}:
            (wrong.add if event == "raise" else wrong.discard)(cause)
            said = [each for each in wrong if (each.component, each.source) == (cause.component, cause.source)]
            alarms.take(cause.component, cause.source, said, float(now))
        elif event == "settle":
            alarms.settle(float(now))
        elif event == "restart":
            alarms = AlarmList(list(alarms), next_number=max(given_numbers, default=0) + 1)
        else:
            alarms.acknowledge([alarm.number for alarm in alarms if cause in alarm.causes], "Ada", "", float(now))
        shown = [cause for alarm in alarms if alarm.wrong for cause in alarm.causes]
        assert sorted(each.key for each in shown) == sorted(each.key for each in wrong)
        assert len({alarm.subject for alarm in alarms}) == len(list(alarms))
        assert all(alarm.flapping for alarm in alarms if not alarm.wrong)
        for alarm in alarms:
            assert given_numbers.setdefault(alarm.number, alarm.subject) == alarm.subject
