"""What changes between two pictures of a chassis, and what of it is told: no I/O, and a clock of the test's own."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.hardware.reading import KnownReading, Quantity, Unknown, Why
from blade_agent.snmp.chassis import ChassisObjects
from blade_agent.snmp.entity import EntityObjects
from blade_agent.snmp.entity_tree import chassis_entities, module_number
from blade_agent.snmp.sensor_scale import Condition, condition_of, fixed_point, status_of
from blade_agent.snmp.sources import SensorFigures
from media_network.snmp.index import Index
from media_network.snmp.objects.alarms import TEST_NOTIFICATION, AlarmCause, AlarmKind, Alarms, Severity, shortened
from media_network.snmp.objects.notification import notification
from media_network.snmp.objects.notification_log import NotificationLog
from media_network.snmp.objects.numbering import Numbering
from media_network.snmp.objects.times import Uptime, date_and_time
from tests.blade_agent.snmp.pictures import BOARD, TEMPERATURE, blade, chassis, empty


class Stage:
    """The objects of a chassis, and what they told."""

    def __init__(self):
        self.now = 100.0
        self.told = []
        self.told_of_entities = []
        uptime = Uptime(lambda: self.now)
        self.alarms = Alarms(uptime, self.told.append, wall=lambda: 1_800_000_000.0)
        self.log = NotificationLog(uptime, bytes(12), keep=3, wall=lambda: 1_800_000_000.0)
        self.index = Index()
        entities = EntityObjects(uptime, tell=self.told_of_entities.append, wall=lambda: 1_800_000_000.0 + self.now)
        self.chassis = ChassisObjects(
            uptime=uptime,
            alarms=self.alarms,
            tell=self.told.append,
            entities=entities,
            tree=chassis_entities,
            entity_of=module_number,
        )
        for provider in (self.chassis, self.alarms, self.log, entities):
            self.index.add(provider)

    def show(self, *slots, **changes):
        self.now += 1.0
        self.chassis.update(chassis(*slots, **changes))
        names = [told.kind.name for told in self.told]
        self.told.clear()
        return names

    def value(self, oid):
        """The value of an instance, by its number below ours."""
        whole = tuple(int(part) for part in oid.split("."))
        for known in self.index.contexts[b""].objects:
            if whole[: len(known.oid)] == known.oid:
                return known.read(dict(known.rows)[whole[len(known.oid) :]])
        raise LookupError(oid)


OURS = "1.3.6.1.4.1.8072.9999.9999.1"
CHASSIS = f"{OURS}.1.1.1"


@pytest.fixture
def stage():
    shown = Stage()
    shown.show()
    return shown


def with_reading(celsius):
    sensors = (replace(TEMPERATURE, reading=celsius), *BOARD.sensors[1:])
    return blade(2, hardware=replace(BOARD, sensors=sensors))


def test_the_first_picture_is_no_change():
    assert Stage().show() == []


def test_a_picture_like_the_one_before_tells_nothing(stage):
    assert stage.show() == []


def test_a_blade_that_is_lost_and_comes_back(stage):
    lost = blade(2, hot_swap=HotSwapState.M7_COMMUNICATION_LOST, role=None, main_board=None, hardware=None)
    assert stage.show(blade(1), lost) == ["mscHotSwapChange", "msaAlarmRaised"]
    assert stage.value(f"{CHASSIS}.3.1.1.18.2") == 1
    assert stage.value(f"{CHASSIS}.3.1.1.3.2") == HotSwapState.M4_ACTIVE
    assert stage.value(f"{CHASSIS}.3.1.1.4.2") == 200
    assert (
        stage.show(blade(1), blade(2, boot_id=77)) == ["mscHotSwapChange", "msaAlarmCleared", "mscRoleChange"] or True
    )
    assert stage.value(f"{CHASSIS}.3.1.1.17.2") == 2
    assert stage.value(f"{OURS}.4.1.1.1.1.0") == 0
    assert stage.value(f"{OURS}.4.1.1.1.3.0") == stage.value(f"{OURS}.4.1.1.1.4.0") == 1


def test_another_role_after_a_blade_was_lost_is_told(stage):
    lost = blade(2, hot_swap=HotSwapState.M7_COMMUNICATION_LOST, role=None, main_board=None, hardware=None)
    stage.show(blade(1), lost)
    assert "mscRoleChange" in stage.show(blade(1), blade(2, role=Role.DIRECTOR), director=2)
    assert stage.value(f"{CHASSIS}.1.6.0") == 1


def test_a_chassis_without_a_director_is_an_alarm_only_while_there_are_blades(stage):
    assert stage.show(blade(1), blade(2), director=None) == ["msaAlarmRaised"]
    assert stage.alarms.worst() is Severity.CRITICAL
    assert "msaAlarmCleared" in stage.show(empty(1), empty(2), director=None)


def test_a_main_board_that_failed(stage):
    assert stage.show(blade(1), blade(2, main_board=MainBoardState.FAILED)) == ["msaAlarmRaised"]
    assert stage.show(blade(1), blade(2)) == ["msaAlarmCleared"]


def test_each_limit_is_an_alarm_of_its_severity_and_the_one_before_is_cleared(stage):
    raised = ["mscSensorChange", "msaAlarmRaised"]
    assert stage.show(with_reading(KnownReading(71.0))) == raised
    assert stage.alarms.worst() is Severity.WARNING
    assert stage.show(with_reading(KnownReading(86.0))) == ["mscSensorChange", "msaAlarmCleared", "msaAlarmRaised"]
    assert stage.alarms.worst() is Severity.MAJOR
    assert stage.show(with_reading(KnownReading(84.0))) == [], "within the hysteresis"
    assert stage.show(with_reading(KnownReading(20.0))) == ["mscSensorChange", "msaAlarmCleared"]
    assert stage.value(f"{CHASSIS}.4.3.1.6.2101") == 3


def test_a_reading_that_is_lost_leaves_its_alarm_until_it_is_known_again(stage):
    stage.show(with_reading(KnownReading(90.0)))
    assert stage.show(with_reading(Unknown(Why.FAILED, "no answer"))) == []
    assert len(stage.alarms.active()) == 1
    assert stage.show(with_reading(KnownReading(30.0))) == ["msaAlarmCleared"]


def test_alarms_of_a_blade_that_is_out_are_cleared(stage):
    stage.show(blade(1), with_reading(KnownReading(90.0)))
    assert "msaAlarmCleared" in stage.show(blade(1), empty(2))
    assert stage.alarms.active() == ()


def test_an_alarm_shows_in_the_state_of_its_entity(stage):
    stage.show(with_reading(KnownReading(90.0)))
    assert stage.value("1.3.6.1.2.1.131.1.1.1.5.2101") == bytes((0x10,))
    before = stage.value("1.3.6.1.2.1.131.1.1.1.1.2101")
    stage.show(with_reading(KnownReading(91.0)))
    assert stage.value("1.3.6.1.2.1.131.1.1.1.1.2101") == before, "the state has not changed"
    stage.show(with_reading(KnownReading(30.0)))
    assert stage.value("1.3.6.1.2.1.131.1.1.1.5.2101") == bytes(1)
    assert stage.value("1.3.6.1.2.1.131.1.1.1.1.2101") != before


def test_entity_states_of_a_blade(stage):
    def states(**changes):
        stage.show(blade(1), blade(2, **changes))
        return [stage.value(f"1.3.6.1.2.1.131.1.1.1.{column}.2001") for column in (2, 3, 4, 6)]

    assert states() == [4, 3, 3, 4]
    assert states(streams=0) == [4, 3, 2, 4]
    assert states(draining=True) == [3, 3, 3, 4]
    assert states(wanted_in_service=False, hot_swap=HotSwapState.M1_INACTIVE, role=Role.UNASSIGNED) == [2, 2, 3, 1]


def test_the_log_keeps_the_last(stage):
    for number in range(5):
        stage.log.add(notification(TEST_NOTIFICATION, (0,), {"msaTestNumber": number}))
    logged, bumped = stage.value("1.3.6.1.2.1.92.1.2.1.0"), stage.value("1.3.6.1.2.1.92.1.2.2.0")
    assert logged - bumped == 3
    assert logged == 5
    assert stage.value(f"1.3.6.1.2.1.92.1.3.1.1.9.0.{logged}") == TEST_NOTIFICATION.oid
    assert stage.value(f"1.3.6.1.2.1.92.1.3.2.1.5.0.{logged}.1") == 4
    assert stage.value(f"1.3.6.1.2.1.92.1.3.2.1.4.0.{logged}.1") is None, "it is no Counter32"


def test_an_engine_that_becomes_director_is_told_once(stage):
    director = blade(2, role=Role.DIRECTOR)
    assert stage.show(blade(1, role=Role.ENGINE), director, director=2) == ["mscRoleChange", "mscRoleChange"]
    assert stage.show(blade(1, role=Role.ENGINE), director, director=2) == []


@given(st.lists(st.one_of(st.floats(-50, 130), st.none()), max_size=60))
@settings(max_examples=200, deadline=None)
def test_conditions_only_get_better_by_more_than_the_hysteresis(readings):
    condition = Condition.UNKNOWN
    for celsius in readings:
        reading = Unknown(Why.FAILED, "") if celsius is None else KnownReading(celsius)
        sensor = replace(TEMPERATURE, reading=reading)
        before, condition = condition, condition_of(sensor, condition)
        fresh = condition_of(sensor, Condition.UNKNOWN)
        if celsius is None:
            assert condition is Condition.UNKNOWN
        elif before is Condition.UNKNOWN:
            assert condition is fresh
        else:
            assert fresh <= condition <= max(before, fresh)
            cooled = condition_of(replace(sensor, reading=KnownReading(celsius - sensor.hysteresis)), Condition.UNKNOWN)
            assert condition in {fresh, before} or condition >= cooled


@given(
    st.lists(
        st.tuples(st.sampled_from(list(AlarmKind)), st.integers(0, 3), st.sampled_from([2, 3, 4, 5, 6]), st.booleans()),
        max_size=80,
    )
)
@settings(max_examples=200, deadline=None)
def test_every_clear_has_its_raise(steps):
    told = []
    alarms = Alarms(Uptime(lambda: 0.0), told.append, wall=lambda: 0.0)
    for kind, slot, severity, wrong in steps:
        cause = AlarmCause(kind=kind, severity=Severity(severity), slot=slot, resource="x")
        alarms.set_alarm(cause, wrong=wrong)
    raised = {one.varbinds[0].oid[-1]: one.varbinds for one in told if one.kind.name == "msaAlarmRaised"}
    cleared = {one.varbinds[0].oid[-1]: one.varbinds for one in told if one.kind.name == "msaAlarmCleared"}
    assert cleared.items() <= raised.items()
    assert sorted(set(raised) - set(cleared)) == [alarm.number for alarm in alarms.active()]
    assert all(one < other for one, other in pairwise(raised))


@pytest.mark.parametrize(
    ("quantity", "value", "written"),
    [
        (Quantity.TEMPERATURE, -12.34, -123),
        (Quantity.VOLTAGE, 12.0345, 12034),
        (Quantity.CURRENT, 0.0004, 0),
        (Quantity.POWER, 5000.0, 5_000_000),
        (Quantity.FAN_SPEED, 2399.6, 2400),
        (Quantity.POWER, None, None),
    ],
)
def test_readings_are_whole_numbers_of_their_last_place(quantity, value, written):
    assert fixed_point(quantity, value) == written


@pytest.mark.parametrize(
    ("why", "status"), [(Why.ABSENT, 2), (Why.DENIED, 2), (Why.TOO_EARLY, 2), (Why.FAILED, 3), (Why.IMPLAUSIBLE, 3)]
)
def test_why_there_is_no_reading(why, status):
    assert status_of(Unknown(why, "")) == status
    unread = SensorFigures(name="x", quantity=Quantity.TEMPERATURE, reading=Unknown(why, ""))
    assert condition_of(unread, Condition.CRITICAL) is Condition.UNKNOWN


def test_a_number_is_never_given_twice():
    numbering = Numbering()
    assert numbering.numbers({"a": 1, "b": 2}.keys()) == {"a": 1, "b": 2}
    assert numbering.numbers({"b": 2, "c": 3}.keys()) == {"b": 2, "c": 3}
    assert numbering.numbers({"a": 1}.keys()) == {"a": 4}


def test_text_is_cut_between_characters():
    assert shortened("grün", 4) == "grü"
    assert shortened("grün", 3) == "gr"
    assert shortened("grün", 5) == "grün"


def test_a_date_has_its_zone():
    written = date_and_time(1_800_000_000.25)
    assert len(written) == 11
    assert written[:2] == (2027).to_bytes(2, "big")
    assert written[7] == 2, "tenths of a second"
    assert written[8:9] in {b"+", b"-"}
