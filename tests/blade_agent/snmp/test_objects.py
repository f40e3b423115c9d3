"""Every object that is served, against the module that defines it: number, type, range, access, indexes in order."""

import asyncio
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from blade_agent.hardware.reading import KnownReading
from blade_agent.snmp.entity import EntityObjects
from blade_agent.snmp.entity_tree import PhysicalPort, blade_entities, chassis_entities
from distribution_center.center_figures import (
    CenterCounters,
    CenterFigures,
    IngestFigures,
    ProgramFigures,
    StationFigures,
)
from distribution_center.headquarters.figures import HeadquartersFigures, OrderCounters
from distribution_center.headquarters.objects import HeadquartersObjects
from distribution_center.snmp.objects import CenterObjects
from media_network.messages.headquarters import CenterRow
from media_network.snmp.index import Index, Rows
from media_network.snmp.objects.alarms import Alarms
from media_network.snmp.objects.arcs import BLADE_PRODUCT, BOARD_PART, CHANNEL_PART, MANAGER_PRODUCT
from media_network.snmp.objects.times import Uptime
from media_network.snmp.sought_rows import RowsAway
from media_network.snmp.targets import TargetSettings
from tests.blade_agent.snmp.agents import Orders, blade_agent, manager_agent
from tests.blade_agent.snmp.pictures import blade, chassis, figures
from tests.mib_facts import all_objects

DOCUMENT = Path(__file__).parents[3] / "docs/operations/snmp.md"
KINDS = {"Enumeration": "Integer32", "DisplayString": "OctetString"}
CENTER = CenterFigures(
    name="center",
    home="home",
    programs=1,
    published=1,
    program_segments=3,
    stations=2,
    silent=1,
    held_segments=4,
    ingests=(IngestFigures(ingest="i-1", program="other", state="failed", cause="no video"),),
    orders_open=6,
    counted=CenterCounters(
        registrations=1,
        full_reports=2,
        locations_added=3,
        locations_removed=4,
        stale_refused=5,
        orders_done=7,
        ingests_done=8,
        ingests_failed=9,
    ),
)

HEADQUARTERS = HeadquartersFigures(
    centers=(
        CenterRow(
            center="east",
            address="127.0.0.2:8081",
            reachable=True,
            heard_ms=1200,
            newest=7,
            programs=3,
            open_downloads=2,
        ),
        CenterRow(
            center="west",
            address="127.0.0.3:8081",
            reachable=False,
            heard_ms=None,
            newest=0,
            programs=0,
            open_downloads=1,
            obstacle="nobody answers",
        ),
    ),
    counted=OrderCounters(done=4, failed=5, cancelled=6),
)


class CenterRows:
    """The tables of a center with a program and two stations."""

    async def programs(self, after, limit):
        film = ProgramFigures(
            program="film",
            title="A film",
            published=True,
            segments=3,
            length_bytes=3000,
            duration_ms=6500,
            rate_bps=4_000_000,
            whole=1,
        )
        return [((1,), film)] if after < (1,) else []

    async def stations(self, after, limit):
        facts = {"director": "127.0.0.1:80", "epoch": 1, "engines": 2, "silent_ms": 100}
        home = StationFigures(number=1, station="home", home=True, whole=1, **facts)
        north = StationFigures(number=2, station="north", home=False, **facts)
        return [(index, row) for index, row in (((1,), home), ((2,), north)) if index > after]

    async def holdings(self, after, limit):
        return [(index, held) for index, held in (((1, 1), 3), ((1, 2), 1)) if index > after]


def hot(picture):
    """The same chassis with an alarm: one blade is too hot."""
    slot = picture.slots[1]
    sensors = (replace(slot.hardware.sensors[0], reading=KnownReading(88.0)), *slot.hardware.sensors[1:])
    hotter = replace(slot, hardware=replace(slot.hardware, sensors=sensors))
    return replace(picture, slots=(picture.slots[0], hotter, *picture.slots[2:]))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """All object types of all agents, by agent and context, with every instance and its value."""

    async def collect():
        contexts = {}
        target = TargetSettings(address="127.0.0.1:9", user="reader")
        async with blade_agent(tmp_path_factory.mktemp("blade"), figures, Orders(), targets=(target,)) as agent:
            contexts["blade"] = await read(agent.index.contexts[b""])
        async with manager_agent(tmp_path_factory.mktemp("manager"), lambda: hot(chassis()), Orders()) as manager:
            await asyncio.sleep(0)
            for name, context in manager.agent.index.contexts.items():
                contexts[f"manager {name.decode()}".strip()] = await read(context)
        index, uptime = Index(), Uptime()
        ports = EntityObjects(uptime, tell=lambda _: None)
        ports.update(blade_entities(blade(1), ports=(PhysicalPort("eth0", 2),)), {})
        index.add(ports)
        contexts["blade with a port"] = await read(index.contexts[b""])
        index = Index()
        alarms = Alarms(uptime, lambda _: None)
        center = CenterObjects(alarms, lambda _: None, CenterRows(), lambda: 0.0)
        index.add(center)
        index.add(alarms)
        center.update(CENTER)
        contexts["center"] = await read(index.contexts[b""])
        index = Index()
        headquarters = HeadquartersObjects(alarms, lambda _: None)
        index.add(headquarters)
        headquarters.update(HEADQUARTERS)
        contexts["headquarters"] = await read(index.contexts[b""])
        return contexts

    return asyncio.run(collect())


async def read(context):
    return [
        (known, [(index, known.read(row)) for index, row in await all_rows(known.rows)]) for known in context.objects
    ]


async def all_rows(rows):
    """Those in memory, or all that are sought."""
    if isinstance(rows, Rows):
        return list(rows)
    found = []
    while True:
        try:
            more = rows.after(found[-1][0] if found else ())
        except RowsAway as away:
            await away.fetch()
            continue
        if not more:
            return found
        found += more


@pytest.fixture(scope="module")
def facts():
    return {
        tuple(map(int, known["oid"].split("."))): {"name": name, "module": module} | known
        for module, objects in all_objects().items()
        for name, known in objects.items()
    }


def test_every_object_is_of_a_module(served, facts):
    strangers = {known.oid for objects in served.values() for known, _ in objects if known.oid not in facts}
    assert strangers == set()


def test_types_are_those_of_the_modules(served, facts):
    wrong = [
        (facts[known.oid]["name"], known.syntax.name, facts[known.oid]["type"])
        for objects in served.values()
        for known, _ in objects
        if KINDS.get(known.syntax.name, known.syntax.name) != facts[known.oid]["type"]
    ]
    assert wrong == []


def test_enumerations_have_the_modules_names(served, facts):
    wrong = [
        facts[known.oid]["name"]
        for objects in served.values()
        for known, _ in objects
        if known.syntax.names and dict(known.syntax.names) != facts[known.oid]["names"]
    ]
    assert wrong == []


def test_values_are_in_their_ranges_and_sizes(served, facts):
    wrong = []
    for where, objects in served.items():
        for known, instances in objects:
            fact = facts[known.oid]
            for index, value in instances:
                if value is not None and not fits(fact, value):
                    wrong.append((where, fact["name"], index, value))
    assert wrong == []


def fits(fact, value):
    kind = fact["type"]
    if kind == "OctetString":
        octets = len(value.encode() if isinstance(value, str) else value)
        return any(low <= octets <= high for low, high in fact.get("size", [[0, 65535]]))
    if kind == "ObjectIdentifier":
        return isinstance(value, tuple)
    if "names" in fact:
        return value in fact["names"].values()
    least = -(2**31) if kind == "Integer32" else 0
    most = {"Integer32": 2**31 - 1, "Counter64": 2**64 - 1}.get(kind, 2**32 - 1)
    # What is counted is written modulo its size.
    counted = kind.startswith("Counter")
    return any(low <= value <= high or (counted and value >= 0) for low, high in fact.get("range", [[least, most]]))


def test_only_what_a_module_lets_be_written_can_be(served, facts):
    written = {
        facts[known.oid]["name"] for objects in served.values() for known, _ in objects if known.prepare is not None
    }
    allowed = {fact["name"] for fact in facts.values() if fact.get("access") in {"read-write", "read-create"}}
    assert written <= allowed
    assert written == {"mscSlotAdminState", "mscSlotIdentify", "msaTestNumber", "snmpSetSerialNo"}


def test_what_can_be_written_takes_the_range_of_its_module(served, facts):
    for objects in served.values():
        for known, _ in objects:
            fact = facts[known.oid]
            if known.prepare is None:
                continue
            if "names" in fact:
                assert sorted(known.syntax.ranges) == [(number, number) for number in sorted(fact["names"].values())]
            elif "range" in fact:
                assert [list(one) for one in known.syntax.ranges] == fact["range"], fact["name"]


def test_nothing_is_read_that_is_not_accessible(served, facts):
    hidden = {
        facts[known.oid]["name"]
        for objects in served.values()
        for known, _ in objects
        if not facts[known.oid]["access"].startswith("read")
    }
    assert hidden == set()


def test_indexes_strictly_increase(served):
    for objects in served.values():
        oids = [known.oid for known, _ in objects]
        assert oids == sorted(set(oids))
        for _, instances in objects:
            indexes = [index for index, _ in instances]
            assert indexes == sorted(set(indexes))


def test_indexes_have_the_form_of_their_rows(served, facts):
    """A scalar has the instance 0; a column as many sub-identifiers as the INDEX clause asks for."""
    rows = {fact["name"]: fact for fact in facts.values() if fact["kind"] == "row"}
    names = {fact["name"]: fact for fact in facts.values()}
    for objects in served.values():
        for known, instances in objects:
            fact = facts[known.oid]
            if fact["kind"] == "scalar":
                assert [index for index, _ in instances] == [(0,)], fact["name"]
                continue
            row = facts[known.oid[:-1]]
            while isinstance(row["index"], str):
                row = rows[row["index"]]
            for index, _ in instances:
                assert taken(index, [(names[name], implied) for name, implied in row["index"]]) == (), fact["name"]


def taken(index, parts):
    """What is left of an index when each part has had its share."""
    for fact, implied in parts:
        if fact["type"] in {"OctetString", "ObjectIdentifier"}:
            fixed = fact["type"] == "OctetString" and len(fact.get("size", ())) == 1 and len(set(fact["size"][0])) == 1
            length = len(index) if implied else fact["size"][0][0] if fixed else index[0] + 1
        else:
            length = 1
        assert len(index) >= length
        index = index[length:]
    return index


def test_what_a_module_declares_is_served_or_listed(served, facts):
    has = {known.oid for objects in served.values() for known, instances in objects if instances}
    listed = set(re.findall(r"`(\w+)`", DOCUMENT.read_text().partition("## What is not served")[2]))
    readable = {
        fact["name"]: oid
        for oid, fact in facts.items()
        if fact["kind"] in {"scalar", "column"} and fact["access"].startswith("read")
    }
    missing = {name for name, oid in readable.items() if oid not in has}
    assert missing - listed == set(), "neither served nor listed"
    assert listed & (set(readable) - missing) == set(), "listed although it is served"


def test_entities_are_one_tree(served):
    for where in ("blade", "manager", "manager blade2"):
        columns = {known.oid[-1]: dict(found) for known, found in served[where] if known.oid[:-1] == PHYSICAL}
        inside, names = columns[4], columns[7]
        assert [index for index, above in inside.items() if above == 0] == [(1,)]
        assert all((above,) in inside for above in inside.values() if above)
        assert len(set(names.values())) == len(names)
        assert all(0 < len(name) <= 32 for name in names.values())
        contains = next(dict(found) for known, found in served[where] if known.oid == (*CONTAINS, 1))
        assert {(above, child) for (child,), above in inside.items() if above} == set(contains)
        assert all(child == index[1] for index, child in contains.items())


PHYSICAL = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
CONTAINS = (1, 3, 6, 1, 2, 1, 47, 1, 3, 3, 1)
SENSOR = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)


def test_sensors_are_entities_of_class_sensor_inside_something_that_can_be_pointed_at(served):
    for where in ("blade", "manager"):
        physical = {known.oid[-1]: dict(found) for known, found in served[where] if known.oid[:-1] == PHYSICAL}
        sensors = {known.oid[-1]: dict(found) for known, found in served[where] if known.oid[:-1] == SENSOR}
        assert set(sensors[1]) == {index for index, kind in physical[5].items() if kind == 8}
        assert all(physical[5][physical[4][index],] in {7, 9, 12} for index in sensors[1])


def test_a_sensor_without_a_reading_says_so_and_has_no_value(served):
    columns = {known.oid[-1]: dict(found) for known, found in served["blade"] if known.oid[:-1] == SENSOR}
    inlet, soc = (102,), (101,)
    assert (columns[4][inlet], columns[5][inlet]) == (None, 3)
    assert (columns[1][soc], columns[2][soc], columns[3][soc], columns[4][soc], columns[5][soc]) == (8, 9, 1, 412, 1)


def test_the_numbers_of_entities_stay_when_a_blade_is_out():
    whole = {entity.name: entity.number for entity in chassis_entities(chassis())}
    without = {entity.name: entity.number for entity in chassis_entities(chassis(blade(1), blade(3)))}
    assert without.items() <= whole.items()
    assert without != whole


ENTITY = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
SUPPLY_CLASS, FAN_CLASS, SENSOR_CLASS, MODULE_CLASS, PROCESSOR_CLASS = 6, 7, 8, 9, 12


def column(objects, *oid):
    return next(dict(rows) for known, rows in objects if known.oid == oid)


def test_what_a_part_is_says_its_vendor_type_and_all_but_the_chassis_are_in_something(served):
    of_kind = {}
    for name in ("blade", "manager", "manager blade2"):
        objects = served[name]
        kinds, types, inside = (column(objects, *ENTITY, number) for number in (5, 3, 4))
        for index, kind in kinds.items():
            of_kind.setdefault(kind, set()).add(types[index])
        assert sum(within == 0 for within in inside.values()) == 1, name
    assert len(set.union(*(of_kind[kind] for kind in (SUPPLY_CLASS, FAN_CLASS, SENSOR_CLASS, PROCESSOR_CLASS)))) == 4
    assert {BLADE_PRODUCT, MANAGER_PRODUCT, BOARD_PART, CHANNEL_PART} == of_kind[MODULE_CLASS]


def test_a_blade_has_a_system_group_at_its_manager_too(served):
    system = (1, 3, 6, 1, 2, 1, 1)
    for slot in (1, 2, 3):
        objects = served[f"manager blade{slot}"]
        assert column(objects, *system, 5) == {(0,): f"north-blade-{slot}"}
        assert column(objects, *system, 2) == {(0,): BLADE_PRODUCT}
