"""Several centers on one map: stations of one name are kept apart, and every agent is asked as whom it knows."""

import pytest
from msgspec.structs import replace

from distribution_center.network_management.alarms import AlarmList
from distribution_center.network_management.component import Kind, is_part_of, station_of
from distribution_center.network_management.discovery import Discovered
from distribution_center.network_management.network import Network
from distribution_center.network_management.objects import Looked
from distribution_center.network_management.settings import NmsSettings, WatchedCenter
from media_network.address import Address
from media_network.messages.registry import StationRow
from media_network.snmp.usm import EngineIdentity
from tests.distribution_center.network_management.agents import USER

EAST = replace(USER, auth_password="the-east-has-its-own", priv_password="and-keeps-it-secret")
IDENTITY = EngineIdentity(engine_id=bytes.fromhex("8000000001020304"), boots=7)


def settings(**changes):
    named = {
        "east": WatchedCenter(address="127.66.0.2:8081", user=EAST, chassis={"north": "127.66.5.254:161"}),
        "west": WatchedCenter(address="127.66.0.3:8081", chassis={"north": "127.66.8.254:161"}),
    }
    return NmsSettings(**({"named_centers": named, "state": "/nowhere", "user": USER, "snmp_port": 161} | changes))


def row(station, director):
    return StationRow(
        station=station,
        director=f"{director}:8081",
        media=f"{director}:8080",
        epoch=1,
        engines=1,
        programs=0,
        home=False,
        silent_ms=0,
    )


def test_stations_of_one_name_are_two():
    found = Discovered(settings())
    found.registry_said("east", [row("north", "127.66.5.1"), row("coast", "127.66.6.1")])
    found.registry_said("west", [row("north", "127.66.8.1")])
    components = {each.component: each for each in found.components()}
    assert [name for name, each in components.items() if each.kind == "station"] == [
        "east.coast",
        "east.north",
        "west.north",
    ]
    assert components["east.north"].parent == "@east"
    assert components["west.north/chassis"].agent == Address("127.66.8.254", 161)
    assert components["east.north/0"].agent == Address("127.66.5.1", 161)
    for name, user in {"@east": EAST, "east.north/chassis": EAST, "east.coast/0": EAST, "west.north/0": USER}.items():
        assert found.user_of(components[name].agent) == user, name
    assert station_of("east.north/chassis") == "east.north"
    assert not is_part_of("west.north/1", "east.north")
    # One that loses a station takes none of the other's.
    found.registry_said("east", [])
    assert set(found.stations) == {"west.north"}


def test_one_center_is_as_it_was():
    found = Discovered(settings(named_centers={}, centers=("127.66.0.1:8081",), chassis={"north": "127.66.1.254:161"}))
    found.registry_said("", [row("north", "127.66.1.1")])
    assert [(each.component, each.parent) for each in found.components()] == [
        ("@127.66.0.1:8081", ""),
        ("north", "@127.66.0.1:8081"),
        ("north/chassis", "north"),
        ("north/0", "north"),
    ]


def test_several_that_have_no_names_are_refused():
    with pytest.raises(ValueError, match="name each"):
        settings(centers=("127.66.0.1:8081", "127.66.0.2:8081"))


def test_their_headquarters_is_looked_at_where_it_answers_and_stands_first():
    found = Discovered(settings(headquarters="127.66.0.1:1163"))
    [first, *_] = found.components()
    assert (first.component, first.kind, first.agent) == (
        "@/headquarters",
        Kind.HEADQUARTERS,
        Address("127.66.0.1", 1163),
    )
    assert found.user_of(first.agent) == USER
    assert not [each for each in Discovered(settings()).components() if each.kind is Kind.HEADQUARTERS]


def test_what_the_headquarters_says_is_shown():
    network = Network(Discovered(settings(headquarters="127.66.0.1:1163")), AlarmList(), 30.0)
    network.rediscover(1000.0, 2000.0)
    network.take_changes()
    away = {"msaAlarmKind": 13, "msaAlarmSeverity": 4, "msaAlarmResource": b"east", "msaAlarmText": b"east is away"}
    looked = Looked(
        {"sysUpTime": 5, "mshCenters": 3, "mshCentersAway": 1, "mshPrograms": 7, "mshOrdersOpen": 2},
        {"alarms": {(1,): away}},
    )
    samples, [alarm] = network.answered("@/headquarters", looked, 1001.0, 2001.0)
    assert {(each.metric, each.value) for each in samples} == {
        ("centers_away", 1.0),
        ("programs", 7.0),
        ("orders_open", 2.0),
    }
    assert (alarm.about, alarm.cause.kind) == ("@/headquarters", "center away")
    shown = network.take_changes().components["@/headquarters"]
    assert shown["scalars"] == {"mshCenters": 3, "mshCentersAway": 1, "mshPrograms": 7, "mshOrdersOpen": 2}
    assert (shown["kind"], shown["health"], shown["colour"]) == ("headquarters", "answering", "orange")
