"""The life of a network of stand-ins: it comes, is looked at, loses parts and goes."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.addresses import network_number
from tests.chassis_emulator.network.lab import ROOT, Emulator, gone, refused

NETWORK = network_number()


@pytest.fixture
def emulator(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # Longer than the 108 bytes of a UNIX address: the control socket must not mind.
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    folder.mkdir(parents=True)
    emulator = Emulator(folder, NETWORK)
    yield emulator
    assert emulator.run("down").exit_code == 0


def test_life_of_a_network(emulator):
    assert "lab is up: 2 stations, 5 blades" in emulator.up()
    rows = emulator.ps()
    assert set(rows) == {
        "center",
        *("home/manager", "home/1", "home/2"),
        *("north/manager", "north/1", "north/2", "north/3"),
    }
    wanted = {
        "network": NETWORK,
        "station": "north",
        "slot": 2,
        "role": "engine",
        "state": "ready",
        "address": f"127.{NETWORK}.2.2",
        "control": f"127.{NETWORK}.2.2:8081",
        "media": f"127.{NETWORK}.2.2:8080",
        "snmp": f"127.{NETWORK}.2.2:1161",
        "ipmi": None,
    }
    assert {key: rows["north/2"][key] for key in wanted} == wanted
    assert rows["north/2"]["serial"].startswith("/dev/pts/")
    assert rows["north/1"]["role"] == "director"
    assert (rows["center"]["role"], rows["north/manager"]["role"]) == ("center", "chassis_manager")
    assert len({row["pid"] for row in rows.values()}) == 8
    assert all(row["pss_bytes"] > 0 for row in rows.values())
    assert "managing [1, 2, 3] of north" in emulator.run("logs", "north/manager").output
    assert "north/manager | managing" in emulator.run("logs").output
    table = emulator.run("ps").output
    assert "north/2" in table
    assert "chassis manager" in table
    assert table.splitlines()[0].split() == [
        *("NAME", "ROLE", "STATE", "PID", "CONTROL", "MEDIA", "SNMP", "IPMI", "SERIAL", "MEMORY", "PAGE"),
    ]
    manager = next(line for line in table.splitlines() if line.startswith("north/manager"))
    assert f"127.{NETWORK}.2.254:1161" in manager.split()
    assert f"127.{NETWORK}.2.254:6623" in manager.split()
    assert "process.role: engine" in emulator.run("inspect", "north/2").output.splitlines()
    inspected = json.loads(emulator.run("inspect", "north/2", "--json").output)
    assert inspected["process"]["address"] == f"127.{NETWORK}.2.2"
    assert inspected["slot"]["name"] == "north/2"
    for name in ("center", "north", "north/manager", "home/supply-1"):
        assert emulator.run("inspect", name).output.strip()
    assert f"network.number: {NETWORK}" in emulator.run("inspect").output
    assert "Did you mean north/manager?" in refused(emulator.run("inspect", "north/manger"))
    assert json.loads(emulator.run("credentials", "--json").output).keys() == {"ipmi", "snmp"}

    result = emulator.run("down")
    assert (result.exit_code, "is down" in result.output) == (0, True)
    assert all(gone(row["pid"]) for row in rows.values())
    assert "No network was up" in emulator.run("down").output
    assert "No network is up" in refused(emulator.run("ps"))


def test_a_second_up_changes_nothing(emulator):
    emulator.up()
    before = emulator.ps()
    assert "was up already" in emulator.up()
    assert {name: row["pid"] for name, row in emulator.ps().items()} == {
        name: row["pid"] for name, row in before.items()
    }


def test_another_topology_in_the_same_folder_is_refused(emulator):
    emulator.up()
    emulator.write_topology(("name: lab", "name: other"))
    assert "Another network, 'lab', is up" in refused(emulator.run("up", emulator.topology), 75)


def test_a_crash_is_seen_and_up_starts_it_again_with_its_state(emulator):
    emulator.up()
    before = emulator.ps()
    os.kill(before["north/3"]["pid"], signal.SIGKILL)
    while emulator.ps()["north/3"]["pid"]:
        pass
    crashed = emulator.ps()["north/3"]
    assert (crashed["state"], crashed["exit_code"], crashed["pid"]) == ("crashed", -9, None)
    assert (crashed["serial"], crashed["control"], crashed["media"]) == (None, None, None)
    assert "Started again: north/3" in emulator.up()
    after = emulator.ps()
    assert after["north/3"]["state"] == "ready"
    assert after["north/3"]["serial"] == before["north/3"]["serial"], "the line is where it was"
    assert after["north/2"]["pid"] == before["north/2"]["pid"]
    starts = emulator.state / "stations" / "north" / "3" / "state" / "starts"
    assert starts.read_text() == "2"

    emulator.run("down")
    emulator.up()
    assert starts.read_text() == "3", "the state survives down and up"


def test_a_process_that_ends_at_once_is_named_with_its_log(emulator):
    state = emulator.state / "stations" / "north" / "2" / "state"
    state.mkdir(parents=True)
    (state / "fail").touch()
    sentence = refused(emulator.run("up", emulator.topology))
    assert "north/2 has ended" in sentence
    assert "RuntimeError: told to fail" in sentence
    assert str(emulator.state / "logs" / "north.2.log") in sentence


def test_an_engine_that_never_comes_is_named_when_the_time_is_over(emulator):
    state = emulator.state / "stations" / "north" / "2" / "state"
    state.mkdir(parents=True)
    (state / "hang").touch()
    sentence = refused(emulator.run("up", emulator.topology, "--timeout", "1"))
    assert "north has 1 of 2 engines" in sentence
    assert str(emulator.state / "logs") in sentence
    assert emulator.run("up", emulator.topology, "--no-wait").exit_code == 0


@pytest.mark.parametrize("port", [8080, 8081])
def test_an_address_in_use_is_named(emulator, port):
    with socket.create_server((f"127.{NETWORK}.2.3", port)):
        sentence = refused(emulator.run("up", emulator.topology))
    assert f"north/3 cannot listen at 127.{NETWORK}.2.3:{port}: address already in use" in sentence
    assert "north.3.log" in sentence
    emulator.up()


@pytest.mark.parametrize("victim", ["environment", "nursery"])
def test_nothing_is_left_when_environment_or_nursery_is_killed(emulator, victim):
    emulator.up()
    pids = [row["pid"] for row in emulator.ps().values()]
    environment = json.loads((emulator.state / "network.json").read_text())["pid"]
    nursery = int(Path(f"/proc/{environment}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(environment if victim == "environment" else nursery, signal.SIGKILL)
    assert emulator.run("down").exit_code == 0
    while not all(map(gone, [*pids, environment])):
        pass
    assert "lab is up" in emulator.up()
