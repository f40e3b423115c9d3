from pathlib import Path

import pytest

from chassis_emulator.data import DEFAULT_EXAMPLE, examples
from chassis_emulator.topology.topology import Snmp, SnmpTarget, TopologyError, find_topology, read_topology

GOOD = """
network: 7
name: lab
center: {name: main, home: home}
stations:
  - {name: home, slots: 2}
  - {name: north, slots: 4, channels: 2, baud_rate: 921600, capacity_bps: 1000, profile: emulated,
     allow_elsewhere: true}
"""


def read(tmp_path: Path, text: str):
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    return read_topology(path)


def test_examples_can_be_brought_up():
    assert DEFAULT_EXAMPLE in examples()
    topologies = {name: read_topology(path) for name, path in examples().items()}
    assert [(station.name, station.slots) for station in topologies["two-stations"].stations] == [
        ("home", 2),
        ("north", 4),
        ("south", 4),
    ]
    assert topologies["sixteen-blades"].stations[0].slots == 16
    assert all(name == topology.name for name, topology in topologies.items())
    numbers = [topology.network for topology in topologies.values()]
    assert len(set(numbers)) == len(numbers), "two examples could not be up at once"


def test_every_key_is_read_and_defaults_fill_the_rest(tmp_path):
    home, north = read(tmp_path, GOOD).stations
    assert (home.channels, home.baud_rate) == (1, 115_200)
    assert (north.channels, north.baud_rate, north.capacity_bps, north.profile) == (2, 921_600, 1000, "emulated")
    assert north.allow_elsewhere


def test_who_is_told_of_what_happens(tmp_path):
    snmp = "snmp: {community: open, targets: [{address: '127.0.0.1:9162', inform: true}]}"
    found = read(tmp_path, GOOD + snmp).snmp
    assert (found.community, found.targets) == ("open", (SnmpTarget(address="127.0.0.1:9162", inform=True),))
    assert read(tmp_path, GOOD).snmp == Snmp(), "off by default"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "network: 7",
            "network: 7\nsnmp: {targets: [{address: nowhere}]}",
            "snmp.targets[0].address",
        ),
        (
            "network: 7",
            "network: 7\nsnmp: {comunity: x}",
            "snmp.comunity is not a key of a topology (did you mean community?); ",
        ),
        ("slots: 4", "slots: 200", "stations[1].slots is 200; it must be a whole number from 1 to 16."),
        ("slots: 4", "slots: 0", "stations[1].slots is 0; it must be a whole number from 1 to 16."),
        ("slots: 4", "slots: '4'", "stations[1].slots is '4'; it must be a whole number from 1 to 16."),
        ("slots: 4", "slots: yes", "stations[1].slots is True; it must be a whole number from 1 to 16."),
        ("slots: 4, ", "", "stations[1].slots is missing; it must be a whole number from 1 to 16."),
        (
            "slots: 4",
            "slot: 4",
            "stations[1].slot is not a key of a topology (did you mean slots?); here are: na",
        ),
        (
            "name: lab",
            "name: lab\nnetwrok: 3",
            "netwrok is not a key of a topology (did you mean network?); here",
        ),
        ("network: 7", "network: 255", "network is 255; it must be a whole number from 1 to 254."),
        ("network: 7", "network:", "network is empty; it must be a whole number from 1 to 254."),
        ("slots: 4", "slots: 4, zone: Bad Ischl", "stations[1].zone is 'Bad Ischl'; it must be at most 32 lower case"),
        (
            "network: 7",
            "network: 7\ndistances: {between: [{zones: [ham, berlin], km: 1}]}",
            "distances.between[0].zones[0] is 'ham'; no station is there, but in: none",
        ),
        (
            "network: 7",
            "network: 7\ndistances: {between: [{zones: [ham, ham], km: 1}]}",
            "distances.between[0]: both zones are 'ham': within a zone the distance is 0",
        ),
        (
            "network: 7",
            "network: 7\ndistances: {between: [{zones: [a, b], km: 1}, {zones: [b, a], km: 2}]}",
            "distances: the distance between b and a stands twice",
        ),
        (
            "network: 7",
            "network: 7\ndistances: {between: [{zones: [a, b, c], km: 1}]}",
            "distances.between[0].zones must be a list of two zones",
        ),
        ("name: north", "name: North Pole", "stations[1].name is 'North Pole'; it must be at most 32 lower case"),
        ("name: north", "name: home", "stations[1].name is 'home', as stations[0].name already is."),
        ("home: home", "home: hmoe", "center.home is 'hmoe'; it must be one of the stations: home, north."),
        ("921600", "921601", "stations[1].baud_rate is 921601; it must be one of 9600, 19200,"),
        ("{name: main, home: home}", "main", "center must be a mapping with the keys name, home, providers, cost."),
        ("{name: home, slots: 2}", "home", "stations[0] must be a mapping with the keys name, zone, slots,"),
        ("network: 7", "network: 7\nnetwork: 8", "is not YAML: line 3: the key 'network' stands twice."),
        ("network: 7", "network: [", "is not YAML: line "),
        ("network: 7", "? [1, 2]\n: 3", "is not YAML: line 2: a key must be a word."),
    ],
)
def test_error_names_the_key_and_what_it_may_be(tmp_path, old, new, sentence):
    assert old in GOOD
    with pytest.raises(TopologyError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert sentence in str(caught.value)
    assert str(tmp_path / "lab.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "42", "stations: []", "\x00", "name: &a [*a]"])
def test_what_is_no_topology_is_refused_in_one_sentence(tmp_path, text):
    with pytest.raises(TopologyError):
        read(tmp_path, text)


def test_not_utf8(tmp_path):
    path = tmp_path / "lab.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(TopologyError, match="not UTF-8"):
        read_topology(path)


def test_a_folder_is_no_topology(tmp_path):
    with pytest.raises(TopologyError, match="cannot be read"):
        read_topology(find_topology(str(tmp_path)))


def test_an_example_is_found_by_its_name_and_a_wrong_name_lists_them():
    assert find_topology("one-station") == examples()["one-station"]
    with pytest.raises(TopologyError, match="one-station, sixteen-blades, two-stations"):
        find_topology("three-stations")


SEVERAL = (
    GOOD
    + """
other_centers:
  - name: east
    home: north
    stations: [{name: north, slots: 2}]
  - name: west
    home: home
    stations: [{name: home, slots: 2}, {name: north, slots: 1}]
"""
)


def test_several_centers_may_each_have_a_station_of_one_name(tmp_path):
    topology = read(tmp_path, SEVERAL)
    assert [(center.name, center.home) for center in topology.centers] == [
        ("main", "home"),
        ("east", "north"),
        ("west", "home"),
    ]
    assert [station.name for station in topology.every_station] == ["home", "north", "north", "home", "north"]
    assert topology.station_name("east", "north") == "east.north"
    assert read(tmp_path, GOOD).station_name("main", "north") == "north"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("name: west", "name: east", "other_centers[1].name is 'east', as other_centers[0].name already is"),
        ("name: east", "name: main", "other_centers[0].name is 'main', as center.name already is"),
        ("home: north", "home: south", "other_centers[0].home is 'south'; it must be one of the stations: north"),
        ("{name: north, slots: 1}", "{name: home, slots: 1}", "other_centers[1].stations[1].name is 'home', as other_"),
        ("{name: north, slots: 2}", "{name: north, slots: 0}", "other_centers[0].stations[0].slots is 0; it must be"),
        ("{name: north, slots: 2}", "{name: north, slots: 2, baud_rate: 1}", "other_centers[0].stations[0].baud_rate"),
    ],
)
def test_what_is_wrong_in_another_center_is_said_of_its_key(tmp_path, old, new, sentence):
    assert old in SEVERAL
    with pytest.raises(TopologyError) as refusal:
        read(tmp_path, SEVERAL.replace(old, new, 1))
    assert sentence in str(refusal.value)


def test_there_are_no_more_stations_than_addresses(tmp_path):
    many = ", ".join(f"{{name: s{number}, slots: 1}}" for number in range(200))
    text = SEVERAL.replace("[{name: north, slots: 2}]", f"[{{name: north, slots: 2}}, {many}]")
    text = text.replace("{name: north, slots: 1}]", f"{{name: north, slots: 1}}, {many}]")
    with pytest.raises(TopologyError) as refusal:
        read(tmp_path, text)
    assert "other_centers have 405 stations in all; there are 254 at most" in str(refusal.value)
