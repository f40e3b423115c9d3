"""What a person reads who asks for help, or asks for what is not there."""

import json
import os

import pytest
from click.testing import CliRunner

from chassis_emulator.commands.cli import main
from chassis_emulator.commands.demo import _folder_for
from chassis_emulator.faults.kinds import KINDS
from chassis_emulator.network.known_networks import remember
from chassis_emulator.network.state_folder import NetworkRecord, StateFolder
from chassis_emulator.topology.topology import find_topology, read_topology
from media_network.holding import holding_name


@pytest.mark.parametrize("kind", KINDS)
def test_help_of_every_kind_of_fault_shows_one_that_can_be_typed(kind, tmp_path):
    result = CliRunner().invoke(main, ["fault", kind, "--help"])
    example = result.output.partition("Example:\n")[2].splitlines()[0].split()
    assert example[:3] == ["chassis-emulator", "fault", kind]
    tried = CliRunner().invoke(main, [*example[1:], "--state-dir", str(tmp_path)])
    assert "No network is up" in tried.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["up", "no-such-file.yaml"],
            "no example of that name (headquarters, one-station, sixteen-blades, two-stations)",
        ),
        (["ps"], "No network is up"),
        (["ps", "--watch"], "No network is up"),
        (["inspect"], "No network is up"),
        (["restart", "north/1"], "No network is up"),
        (["logs", "north/1"], "There is no log of 'north/1'"),
    ],
)
def test_errors_are_one_sentence_and_a_hint(words, sentence, tmp_path):
    result = CliRunner().invoke(main, [*words, "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    error, hint = result.stderr.splitlines()
    assert error.startswith("Error: ")
    assert sentence in error
    assert hint.startswith("Hint: ")


def a_network_that_is_down(path, name="two-stations", number=1):
    """The folder of a network that was up once, as far as other commands can tell."""
    folder = StateFolder(path)
    folder.prepare()
    (path / "lock").touch()
    topology = read_topology(find_topology(name))
    record = NetworkRecord(network=number, name=name, center="127.1.0.1:8081", pid=1, boot="b", topology=topology)
    folder.write_record(record)
    remember(folder)
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Of somebody who has no network yet."""
    monkeypatch.delenv("MEDIA_STATION_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def completed(words, folder):
    """What a shell is offered at the end of the words."""
    line = f"chassis-emulator {words}"
    position = len(line.split()) - (not line.endswith(" "))
    environment = {
        "_CHASSIS_EMULATOR_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(position),
        "MEDIA_STATION_STATE": str(folder),
    }
    result = CliRunner().invoke(main, prog_name="chassis-emulator", env=environment)
    return [line.partition(",")[2] for line in result.output.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("pull so", ["south/1", "south/2", "south/3", "south/4"]),
        ("restart home", ["home/manager", "home/1", "home/2", "home"]),
        ("inspect north/s", ["north/supply-1", "north/supply-2"]),
        ("fault supply-failure home/", ["home/supply-1", "home/supply-2"]),
        ("fault hot-inlet s", ["south"]),
        ("fault over-temperature north/1", ["north/1"]),
        ("up two", ["two-stations", "two"]),
        ("fault clear fault", []),
    ],
)
def test_a_shell_completes_the_names_of_the_network(words, names, tmp_path):
    a_network_that_is_down(tmp_path / "state")
    assert completed(words, tmp_path / "state") == names
    assert completed("pull no", tmp_path / "nothing") == []


def test_the_networks_of_this_laptop_are_listed_up_or_down(home, tmp_path):
    def listed(*options):
        return CliRunner().invoke(main, ["ls", *options])

    assert "There is no network yet" in listed().output or "(not known here)" in listed().output
    a_network_that_is_down(home / "media-station")
    elsewhere = a_network_that_is_down(tmp_path / "elsewhere", "one-station", 2)
    lock = elsewhere.take()
    rows = [row for row in json.loads(listed("--json").output) if row["folder"]]
    assert [(row["network"], row["name"], row["state"], row["blades"]) for row in rows] == [
        (1, "two-stations", "down", 10),
        (2, "one-station", "up", 5),
    ]
    lines = [line.split() for line in listed().output.splitlines()]
    assert ["*", "1", "two-stations", "down", "3", "10", "127.1.x.y", str(home / "media-station")] in lines
    assert ["2", "one-station", "up", "2", "5", "127.2.x.y", str(elsewhere.path)] in lines
    os.close(lock)
    assert CliRunner().invoke(main, ["down", "--delete", "--state-dir", str(elsewhere.path)]).exit_code == 0
    assert str(elsewhere.path) not in listed().output


def test_a_number_that_somebody_else_has_is_listed(home):
    with holding_name("network/253", "a test"):
        rows = json.loads(CliRunner().invoke(main, ["ls", "--json"]).output)
    assert {"network": 253, "name": None, "state": "up", "stations": None, "blades": None, "folder": None} in rows


def test_a_demo_that_is_kept_leaves_the_usual_folder_to_the_network_it_belongs_to(home):
    usual = home / "media-station"
    wanted, other = (read_topology(find_topology(name)) for name in ("two-stations", "one-station"))
    assert _folder_for(wanted, usual) == usual
    a_network_that_is_down(usual)
    assert _folder_for(wanted, usual) == usual
    assert _folder_for(other, usual) == home / "media-station-demo"
