"""Every figure of a role is shown: who counts something more binds an object to it, or says here who shows it."""

from enum import Enum

import pytest
from msgspec.structs import replace

from blade_agent.snmp.chassis import ChassisObjects
from blade_agent.snmp.entity import EntityObjects
from blade_agent.snmp.entity_tree import chassis_entities
from blade_agent.snmp.station import StationObjects
from distribution_center.headquarters.objects import HeadquartersObjects
from distribution_center.snmp.objects import CenterObjects
from media_network.snmp.index import Rows
from media_network.snmp.objects.alarms import Alarms
from media_network.snmp.objects.times import Uptime
from tests.blade_agent.snmp.pictures import CHANNELS, DIRECTOR, ENGINE, MAIN_BOARD, blade, chassis, figures
from tests.blade_agent.snmp.test_objects import CENTER, HEADQUARTERS, CenterRows

SHOWN_OTHERWISE = {
    "engines_lost": "their rows go from mssEngineTable, and the chassis manager tells of their blades",
    "streams_lost": "each becomes a take-over or a lost session, and those are shown",
    "counted": "its own fields are shown",
}


def with_engine(counters):
    return StationObjects, figures(replace(MAIN_BOARD, engine=counters))


def with_channel(channel):
    return StationObjects, figures(replace(MAIN_BOARD, channels=(channel, CHANNELS[1])))


def with_channel_counters(counters):
    return with_channel(replace(CHANNELS[0], counted=counters))


def with_director(director):
    return StationObjects, figures(replace(MAIN_BOARD, director=director))


def with_director_counters(counters):
    return with_director(replace(DIRECTOR, counted=counters))


def with_request_counters(counters):
    return chassis_objects, chassis(blade(1, asked=counters))


def with_center_counters(counters):
    return center_objects, replace(CENTER, counted=counters)


def with_order_counters(counters):
    return HeadquartersObjects, replace(HEADQUARTERS, counted=counters)


ROLES = [
    (ENGINE, with_engine),
    (CHANNELS[0].counted, with_channel_counters),
    (CHANNELS[0], with_channel),
    (DIRECTOR.counted, with_director_counters),
    (DIRECTOR, with_director),
    (blade(1).asked, with_request_counters),
    (CENTER.counted, with_center_counters),
    (HEADQUARTERS.counted, with_order_counters),
]


@pytest.mark.parametrize(
    ("counted", "within", "name"),
    [
        pytest.param(counted, within, name, id=f"{type(counted).__name__}.{name}")
        for counted, within in ROLES
        for name in counted.__struct_fields__
        if name not in SHOWN_OTHERWISE
    ],
)
def test_a_figure_that_moves_moves_an_object(counted, within, name):
    moved = replace(counted, **{name: other_than(getattr(counted, name))})
    assert shown(*within(moved)) != shown(*within(counted))


def other_than(value):
    match value:
        case bool():
            return not value
        case Enum():
            return next(other for other in type(value) if other is not value)
        case str():
            return f"another {value}"
        case frozenset():
            return value | {"another"}
        case _:
            return value + 1


def center_objects(alarms, tell):
    return CenterObjects(alarms, tell, CenterRows(), lambda: 0.0)


def chassis_objects(alarms, tell):
    uptime = Uptime(lambda: 0.0)
    return ChassisObjects(
        uptime=uptime,
        alarms=alarms,
        tell=tell,
        entities=EntityObjects(uptime, tell=tell),
        tree=chassis_entities,
        entity_of=lambda slot: 1000 * slot + 1,
        orders=None,
    )


def shown(objects_of_role, pictured):
    """Every instance and its value."""
    objects = objects_of_role(Alarms(Uptime(lambda: 0.0), lambda _: None, wall=lambda: 0.0), lambda _: None)
    objects.update(pictured)
    return {
        (known.oid, index): known.read(row)
        for known in objects.objects()
        if isinstance(known.rows, Rows)
        for index, row in known.rows
    }


def test_what_is_shown_otherwise_is_still_counted():
    counted = {name for one, _ in ROLES for name in one.__struct_fields__}
    assert counted >= set(SHOWN_OTHERWISE)
