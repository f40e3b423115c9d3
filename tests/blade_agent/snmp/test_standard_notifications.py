"""linkDown and linkUp, entConfigChange, entStateOperEnabled and Disabled: when each is told, and when it is not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.hardware.machine import InterfaceFigures, MachineFigures
from blade_agent.hardware.reading import KnownReading, Unknown, Why
from blade_agent.snmp.entity import EntityObjects
from blade_agent.snmp.entity_tree import blade_entities, chassis_entities
from blade_agent.snmp.host import HostObjects
from media_network.snmp.objects.alarms import Severity
from media_network.snmp.objects.times import Uptime
from tests.blade_agent.snmp.pictures import BOARD, TEMPERATURE, blade, chassis, empty, replace_fan


def machine(*interfaces):
    return MachineFigures(
        up_s=1.0,
        users=0,
        processes=1,
        memory_bytes=1,
        processors=(),
        processor_model="",
        interfaces=interfaces,
        storages=(),
    )


def interface(name="eth0", number=2, **changes):
    counts = dict.fromkeys(InterfaceFigures.__struct_fields__, 0)
    known = {"name": name, "number": number, "hardware_address": b"", "loopback": False, "wanted_up": True, "up": True}
    return InterfaceFigures(**counts | known | changes)


class Host:
    """A machine's objects, and what they told."""

    def __init__(self):
        self.now, self.told = 0.0, []
        self.objects = HostObjects(Uptime(lambda: self.now), self.told.append)
        self.columns = {known.oid: known for known in self.objects.objects()}

    def show(self, *interfaces):
        self.now += 5.0
        self.objects.update(machine(*interfaces))
        told = [(told.kind.name, [bound.value for bound in told.varbinds]) for told in self.told]
        self.told.clear()
        return told

    def value(self, oid, number):
        known = self.columns[oid]
        return known.read(known.rows.find((number,)))


LAST_CHANGE = (1, 3, 6, 1, 2, 1, 2, 2, 1, 9)
TRAPS_ENABLED = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 14)


def test_a_link_that_goes_down_and_comes_up_is_told_once_each():
    host = Host()
    assert host.show(interface()) == [], "it was found like that"
    assert host.show(interface(up=False)) == [("linkDown", [2, 1, 2])]
    assert host.value(LAST_CHANGE, 2) == 1000
    assert host.show(interface(up=False, wanted_up=False)) == []
    assert host.show(interface()) == [("linkUp", [2, 1, 1])]
    assert host.value(LAST_CHANGE, 2) == 2000
    assert host.show(interface(in_bytes=5)) == []
    assert host.value(LAST_CHANGE, 2) == 2000


def test_interfaces_that_come_and_go_and_loopback_are_not_told_of():
    host = Host()
    host.show(interface("lo", 1, loopback=True))
    assert host.show(interface("lo", 1, loopback=True, up=False), interface("veth7", 7, up=False)) == []
    assert [host.value(TRAPS_ENABLED, number) for number in (1, 7)] == [2, 1]
    assert host.show() == []
    assert host.show(interface("veth7", 8)) == [], "another one of the same name"


class Tree:
    """The entities of a chassis, and what they told."""

    def __init__(self):
        self.now, self.told = 0.0, []
        self.entities = EntityObjects(Uptime(lambda: self.now), tell=self.told.append)
        self.changed = next(known for known in self.entities.objects() if known.oid[-3:] == (1, 4, 1))

    def show(self, *slots, after_s=10.0, alarms=None):
        self.now += after_s
        self.entities.update(chassis_entities(chassis(*slots)), alarms or {})
        told = [told.kind.name for told in self.told]
        self.last, self.told[:] = list(self.told), []
        return told

    @property
    def last_change(self):
        [(_, row)] = self.changed.rows
        return self.changed.read(row)


@pytest.fixture
def tree():
    tree = Tree()
    assert tree.show(blade(1), blade(2), empty(3)) == [], "it was found like that"
    return tree


def test_a_blade_that_is_put_in_changes_the_configuration_once(tree):
    before = tree.last_change
    assert tree.show(blade(1), blade(2), blade(3)) == ["entConfigChange"]
    assert tree.last_change > before
    assert tree.last[0].varbinds == ()
    assert tree.show(blade(1), blade(2), blade(3)) == []


def test_more_changes_within_five_seconds_are_told_once_when_these_are_over(tree):
    assert tree.show(blade(1), blade(2), blade(3)) == ["entConfigChange"]
    assert tree.show(blade(1), blade(2), empty(3), after_s=1.0) == []
    assert tree.show(blade(1), blade(2), blade(3), after_s=1.0) == []
    assert tree.show(blade(1), blade(2), blade(3), after_s=2.9) == []
    assert tree.show(blade(1), blade(2), blade(3), after_s=0.1) == ["entConfigChange"]
    assert tree.show(blade(1), blade(2), blade(3), after_s=6.0) == []


@given(steps=st.lists(st.tuples(st.floats(0.01, 4.0), st.integers(1, 4)), max_size=40))
def test_whatever_comes_and_goes_no_two_are_nearer_than_five_seconds_and_none_is_lost(steps):
    tree = Tree()
    tree.show(blade(1))
    told_at, shape_told = [], 1
    for after_s, blades in steps:
        slots = [blade(slot) for slot in range(1, blades + 1)]
        if tree.show(*slots, after_s=after_s):
            told_at.append(tree.now)
            shape_told = blades
    assert all(after - before >= 4.98 for before, after in pairwise(told_at))
    if steps and shape_told != steps[-1][1]:
        assert tree.show(*slots, after_s=5.01) == ["entConfigChange"]


def test_what_is_found_at_the_start_is_no_change():
    told, entities = [], EntityObjects(Uptime(lambda: 0.0), tell=lambda one: told.append(one.kind.name))
    entities.settled = False
    entities.update(blade_entities(blade(1)), {})
    entities.update(blade_entities(blade(1), ("disk-a",)), {})
    entities.settled = True
    entities.update(blade_entities(blade(1), ("disk-a",)), {})
    assert told == []
    entities.update(blade_entities(blade(1), ("disk-a", "disk-b")), {})
    assert told == ["entConfigChange"]


def test_a_blade_that_is_lost_and_comes_back_is_disabled_and_enabled(tree):
    lost = blade(2, hot_swap=HotSwapState.M7_COMMUNICATION_LOST, role=None, main_board=None)
    assert tree.show(blade(1), lost, empty(3), alarms={2001: [Severity.MAJOR]}) == ["entStateOperDisabled"]
    [admin, alarm] = tree.last[0].varbinds
    assert (admin.oid[-1], admin.value, alarm.oid[-1], alarm.value) == (2001, 4, 2001, b"\x10")
    assert tree.show(blade(1), lost, empty(3)) == []
    held = replace(lost, wanted_in_service=False)
    assert tree.show(blade(1), held, empty(3)) == [], "it is wanted otherwise, and as unable as before"
    assert tree.show(blade(1), blade(2), empty(3)) == ["entStateOperEnabled"]


def test_a_fan_that_stands_still_is_disabled_and_a_sensor_is_not_told_of(tree):
    still = blade(2, hardware=replace(BOARD, fans=(replace_fan("Fan", speed=0.0),)))
    assert tree.show(blade(1), still, empty(3)) == ["entStateOperDisabled"]
    assert tree.show(blade(1), blade(2), empty(3)) == ["entStateOperEnabled"]
    broken = replace(TEMPERATURE, reading=Unknown(Why.FAILED, "the driver said no"))
    blind = blade(2, hardware=replace(BOARD, sensors=(broken, *BOARD.sensors[1:])))
    assert tree.show(blade(1), blind, empty(3)) == []
    unknown = blade(2, hardware=replace(BOARD, fans=(replace(BOARD.fans[0], speed=Unknown(Why.FAILED, "")),)))
    assert tree.show(blade(1), unknown, empty(3)) == [], "nobody knows"
    assert isinstance(TEMPERATURE.reading, KnownReading)
