"""`blade-agent init`: the settings that a person begins with."""

import json
import os
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort, UdpPeer
from blade_agent.cli import main
from blade_agent.configuration import found
from blade_agent.configuration.first_settings import blade_text, chassis_text
from blade_agent.configuration.found import FoundBoard
from blade_agent.hardware.surroundings import HostAddress, data_disks, host_addresses
from blade_agent.settings import BladeSettings, ChannelSettings
from media_network.new_file import write_new
from media_network.settings import read_settings

CM4 = b"raspberrypi,4-compute-module\0brcm,bcm2711\0"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "etc" / "blade.toml"


@pytest.fixture
def cm4(tmp_path):
    root = tmp_path / "root"
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/compatible").write_bytes(CM4)
    return root


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)))


def test_settings_of_this_machine_can_be_run_on(file):
    with patch.object(found, "host_addresses", lambda: (HostAddress(interface="eth0", address="192.0.2.12"),)):
        result = run("init", "--slot", 2, "--profile", "generic-x86", "--settings", file)
    assert result.exit_code == 0, result.output
    assert f"blade-agent config check blade --settings {file} && blade-agent run --settings {file}" in result.stdout
    settings = read_settings(file, BladeSettings)
    assert (settings.slot, settings.address, settings.profile) == (2, "192.0.2.12", "generic-x86")
    assert (settings.backplane, settings.service_port, settings.baud_rate) == ("/dev/ttyS1", "/dev/ttyS0", 115200)
    assert 'address = "192.0.2.12"  # of eth0' in file.read_text()
    assert run("config", "check", "--settings", file).exit_code == 0


def test_the_device_tree_names_the_profile_and_what_it_does_not_know_is_asked_for(file, cm4):
    result = run("init", "--slot", 2, "--root", cm4, "--address", "192.0.2.12", "--settings", file)
    assert result.exit_code == 1
    assert "the profile compute-blade-cm4 does not know where the backplane is" in result.stderr
    assert "Hint: --backplane /dev/ttyS1" in result.stderr
    assert not file.exists()
    words = (
        "--root",
        cm4,
        "--address",
        "192.0.2.12",
        "--backplane",
        "udp:192.0.2.12:623",
        "--settings",
        file,
        "--json",
    )
    result = run("init", "--slot", 2, *words)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["board"]["profile"], told["backplane"]) == ("compute-blade-cm4", "udp:192.0.2.12:623")
    assert read_settings(file, BladeSettings).profile == "compute-blade-cm4"


def test_a_board_that_nobody_knows_is_said_with_what_is_there(file, cm4):
    (cm4 / "proc/device-tree/compatible").write_bytes(b"acme,board\0")
    result = run("init", "--slot", 2, "--root", cm4, "--settings", file)
    assert "no profile is known for this board; there are: compute-blade-cm4" in result.stderr
    assert "--profile" in result.stderr


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        ((), "this machine has no IPv4 address"),
        (("192.0.2.12", "198.51.100.7"), "several IPv4 addresses: 192.0.2.12 (eth0), 198.51.100.7 (eth1)"),
    ],
)
def test_an_address_that_is_not_clear_is_asked_for(file, addresses, said):
    there = tuple(HostAddress(interface=f"eth{number}", address=each) for number, each in enumerate(addresses))
    with patch.object(found, "host_addresses", lambda: there):
        result = run("init", "--slot", 2, "--profile", "generic-x86", "--settings", file)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Hint: --address" in result.stderr
    assert not file.parent.exists()


def test_nothing_is_ever_overwritten(file):
    words = ("init", "--slot", 2, "--address", "192.0.2.12", "--profile", "generic-x86", "--settings", file)
    file.parent.mkdir()
    for there in ("mine\n", ""):
        file.write_text(there)
        result = run(*words)
        assert result.exit_code == 1
        assert f"{file} is there already, and is left as it is" in result.stderr
        assert file.read_text() == there
    file.unlink()
    file.symlink_to(file.parent / "elsewhere")
    assert run(*words).exit_code == 1
    assert [path.name for path in file.parent.iterdir()] == ["blade.toml"]


@pytest.mark.parametrize(
    "wrong", [("--address", "192.0.2.500"), ("--backplane", "udp:nowhere"), ("--backplane", "a\x00b\x7f")]
)
def test_what_a_blade_would_refuse_is_not_written(file, wrong):
    told = {"--address": "192.0.2.12", "--backplane": "/dev/ttyS1", wrong[0]: wrong[1]}
    options = [word for pair in told.items() for word in pair]
    result = run("init", "--slot", 2, "--profile", "generic-x86", "--settings", file, *options)
    assert result.exit_code == 1, result.output
    assert not file.exists()


@pytest.mark.parametrize(
    "wires", [("1",), ("one=/dev/ttyS1",), ("1=",), ("1=/dev/ttyS1", "1=/dev/ttyS2"), ("63=/dev/x",)]
)
def test_a_wire_that_is_none(file, wires):
    options = [word for wire in wires for word in ("--wire", wire)]
    result = run("chassis", "init", "--station", "north", "--profile", "generic-x86", "--settings", file, *options)
    assert result.exit_code == 1, result.output
    assert "Hint: " in result.stderr
    assert not file.exists()


def test_a_chassis_manager_s_settings(file):
    wires = ("--wire", "1=/dev/ttyS1", "--wire", "2=udp:192.0.2.12:623")
    words = ("--station", "north", "--center", "192.0.2.1:8081", "--profile", "generic-x86", "--settings", file)
    result = run("chassis", "init", *wires, *words, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["wires"] == {"1": "/dev/ttyS1", "2": "udp:192.0.2.12:623"}
    settings = read_settings(file, ManagerSettings)
    assert settings.slots == {1: SerialPort(path="/dev/ttyS1"), 2: UdpPeer(address="192.0.2.12:623")}
    assert (settings.station, settings.center, settings.profile) == ("north", "192.0.2.1:8081", "generic-x86")
    assert run("config", "check", "chassis", "--settings", file).exit_code == 0


def test_disks_are_channels_and_mount_points(tmp_path):
    board = FoundBoard(
        profile="a.toml",
        title="A board",
        backplane="",
        service_port="",
        baud_rate=None,
        addresses=(),
        disks=("/media/a", '/media/with "quotes" \N{SNOWMAN}'),
    )
    path = tmp_path / "blade.toml"
    write_new(path, blade_text(board, slot=1, address="192.0.2.12", backplane="/dev/ttyS1"))
    channels = read_settings(path, BladeSettings).channels
    assert channels == tuple(ChannelSettings(path=disk, mount=True) for disk in board.disks)
    text = chassis_text(board, station="north", wires={3: "/dev/ttyS3"}, center="")
    assert "center" not in text


def test_the_surroundings_are_this_machine_s():
    assert all(not one.address.startswith(("127.", "169.254.")) for one in host_addresses())
    assert all(os.path.ismount(disk) and disk.startswith(("/media", "/mnt", "/srv")) for disk in data_disks())


def test_a_new_file_is_whole_and_others_may_read_it(tmp_path):
    path = tmp_path / "made" / "here" / "file"
    write_new(path, "text \N{SNOWMAN}\n")
    assert path.read_text() == "text \N{SNOWMAN}\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(Path(path.parent).iterdir()) == [path]
