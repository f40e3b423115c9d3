"""A state folder and its network over more than one `up`: whose it is, what may change, what is begun and deleted."""

import json
import os
import signal

import psutil
import pytest
from msgspec.structs import replace

from chassis_emulator.network.binding import begin, changes, go_on
from chassis_emulator.network.deleting import delete_network
from chassis_emulator.network.errors import BelongsToAnother, Unrecorded
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.topology import find_topology, read_topology
from media_network.holding import holding_name
from tests.addresses import network_number
from tests.chassis_emulator.network.lab import ROOT, Emulator, gone, refused
from tests.patience import wait_until

NETWORK = network_number()


@pytest.fixture
def emulator(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    emulator = Emulator(tmp_path, NETWORK)
    yield emulator
    (tmp_path / "hold").unlink(missing_ok=True)
    assert emulator.run("down").exit_code == 0


# Whose a folder is


def test_a_folder_goes_on_with_its_own_network_and_refuses_another(emulator):
    emulator.up()
    emulator.run("down")
    said = refused(emulator.run("up", "two-stations"))
    assert "belongs to the network 'lab', with which the topology 'two-stations' does not go on" in said
    assert "it has no station" not in said  # it has both stations, and more slots
    emulator.write_topology(("  - {name: north, slots: 3}\n", ""))
    assert "it has no station 'north'" in refused(emulator.run("up", emulator.topology))
    emulator.write_topology(("slots: 3", "slots: 4, inlet_c: 30"))
    said = emulator.up()
    assert "north slots 4 (was 3)" in said
    assert "north inlet_c 30.0 (was 22.0)" in said
    assert "north/4" in emulator.ps()
    emulator.write_topology()
    assert "slots 3 (was 4)" in refused(emulator.run("up", emulator.topology), 75)
    emulator.run("down")

    said = emulator.up("--no-wait")  # without a name: its own
    assert "lab is up: 2 stations, 6 blades" in said
    assert "Otherwise" not in said
    assert "was up already" in emulator.up("--no-wait", "--network", "free")


SOUTH = """  - name: south
    zone: berlin
    slots: 4
distances:
  between:
    - zones: [hamburg, berlin]
      km: 255
"""
"""To the end: no station is left in its zone."""


@pytest.mark.parametrize(
    ("before", "after", "loss"),
    [
        ("name: two-stations", "name: three-stations", "its name is 'three-stations'"),
        ("home: home", "home: north", "its home is 'north' instead of 'home'"),
        (SOUTH, "", "it has no station 'south'"),
        ("slots: 2", "slots: 1", "home has 1 slots instead of 2"),
        ("    slots: 2\n", "    slots: 2\n    channels: 2\n", None),
        ("network: 1", "network: 7", None),
        ("slots: 2", "slots: 16", None),
        ("km: 255", "km: 300", None),
        ("zone: hamburg\n    slots: 2", "zone: berlin\n    slots: 2", None),
        ("home: home", "home: home\n  cost: {load: 5}", None),
    ],
)
def test_what_has_state_in_a_folder_must_not_vanish(tmp_path, before, after, loss):
    text = find_topology("two-stations").read_text()
    other = tmp_path / "other.yaml"
    assert before in text
    other.write_text(text.replace(before, after))
    kept, wanted = read_topology(find_topology("two-stations")), read_topology(other)
    if loss is None:
        assert len(go_on(tmp_path, kept, wanted)) == 1
        assert go_on(tmp_path, kept, kept) == ()
    else:
        with pytest.raises(BelongsToAnother) as refusal:
            go_on(tmp_path, kept, wanted)
        assert refusal.value.losses == (loss,)
        assert changes(kept, wanted)


@pytest.mark.parametrize(
    ("before", "after", "loss"),
    [
        ("  - name: west\n", "  - name: far-west\n", "it has no center 'west'"),
        ("      - name: coast\n        slots: 2\n", "", "it has no station 'east.coast'"),
        (
            "      - name: hills\n        slots: 2\n",
            "      - name: hills\n        slots: 1\n",
            "hills has 1 slots",
        ),
        (
            "  - name: east\n    home: home\n",
            "  - name: east\n    home: coast\n",
            "home of east is 'coast'",
        ),
        ("      - name: hills\n        slots: 2\n", "      - name: hills\n        slots: 3\n", None),
    ],
)
def test_nor_what_another_center_has(tmp_path, before, after, loss):
    text = find_topology("headquarters").read_text()
    other = tmp_path / "other.yaml"
    assert before in text
    other.write_text(text.replace(before, after))
    kept, wanted = read_topology(find_topology("headquarters")), read_topology(other)
    if loss is None:
        assert go_on(tmp_path, kept, wanted) == ("west.hills slots 3 (was 2)",)
    else:
        with pytest.raises(BelongsToAnother) as refusal:
            go_on(tmp_path, kept, wanted)
        assert loss in str(refusal.value)


def test_a_network_may_get_other_centers_and_not_lose_them(tmp_path):
    several = read_topology(find_topology("headquarters"))
    alone = replace(several, other_centers=())
    said = go_on(tmp_path, alone, several)
    assert {"center east is new", "center west is new", "station east.north is new"} <= set(said)
    with pytest.raises(BelongsToAnother) as refusal:
        go_on(tmp_path, several, alone)
    assert "it has no center 'east'" in str(refusal.value)
    for name in ("home", "north", "south", "east.north"):
        (tmp_path / "stations" / name).mkdir(parents=True)
    begin(tmp_path, several)
    with pytest.raises(Unrecorded):
        begin(tmp_path, alone)


def test_a_network_that_is_not_recorded_any_more_is_not_mixed_with_another(tmp_path):
    one, two = (read_topology(find_topology(name)) for name in ("one-station", "two-stations"))
    begin(tmp_path, two)
    for station in two.stations:
        (tmp_path / "stations" / station.name).mkdir(parents=True)
    begin(tmp_path, two)
    with pytest.raises(Unrecorded, match="stations that the topology 'one-station' does not have: south"):
        begin(tmp_path, one)


# Numbers


def test_a_number_that_is_taken_is_named_and_another_one_can_be_had(emulator):
    with holding_name(f"network/{NETWORK}", "a test"):
        said = refused(emulator.run("up", emulator.topology))
        assert f"network number {NETWORK}, with the addresses 127.{NETWORK}.x.y, is taken" in said
        assert f"(process {os.getpid()})" in said
        assert "--network free" in said
        result = emulator.run("up", emulator.topology, "--network", "free", "--json")
        assert result.exit_code == 0, result.output
        up = json.loads(result.stdout)
        assert up["network"] != NETWORK
        assert {row["address"].split(".")[1] for row in emulator.ps().values()} == {str(up["network"])}
        emulator.run("down")
        again = json.loads(emulator.run("up", "--network", "free", "--json").stdout)
    assert again["network"] == up["network"], "it had that number before"
    assert again["changes"] == []


@pytest.mark.parametrize("number", ["0", "255", "-1", "1.5", "any", ""])
def test_what_is_no_number_is_said(emulator, number):
    result = emulator.run("up", emulator.topology, "--network", number)
    assert result.exit_code == 2
    assert "neither a number from 1 to 254 nor `free`" in result.output


# Restart


def test_processes_are_restarted_in_order_and_no_others(emulator):
    emulator.up()
    before = emulator.ps()
    assert json.loads(emulator.run("restart", "north/2", "center", "--json").stdout) == ["north/2", "center"]
    after = emulator.ps()
    anew = {name for name, row in after.items() if row["pid"] != before[name]["pid"]}
    assert anew == {"north/2", "center"}
    assert all(row["exit_code"] is None for row in after.values())
    starts = emulator.state / "stations" / "north" / "2" / "state" / "starts"
    assert starts.read_text() == "2"
    assert after["north/2"]["serial"] == before["north/2"]["serial"], "its line is where it was"
    said = refused(emulator.run("restart", "north/9"))
    assert "'north/9' is neither a process nor a station; there are: home, north, center" in said
    assert emulator.run("fault", "hang", "north/3").exit_code == 0
    assert "hangs, by a fault" in refused(emulator.run("restart", "north/3"))
    assert emulator.run("pull", "north/2", "--surprise").exit_code == 0
    assert "there is no blade in its slot" in refused(emulator.run("restart", "north/2"))
    restarted = json.loads(emulator.run("restart", "north", "--no-wait", "--json").stdout)
    assert restarted == ["north/manager", "north/1"], "all of it that can be restarted"


# Ctrl-C


def stop(process, number=signal.SIGINT):
    process.send_signal(number)
    out, errors = process.communicate()
    assert "Traceback" not in errors
    return process.returncode, out, errors


def is_held(emulator):
    return (emulator.state / "lock").exists() and StateFolder(emulator.state).is_up()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_up_that_is_stopped_while_its_network_is_loaded_leaves_nothing(emulator, number):
    hold = emulator.state.with_name("hold")
    hold.touch()
    process = emulator.start("up", emulator.topology)
    wait_until(lambda: is_held(emulator), process=process)
    process.send_signal(number)
    assert process.stderr.readline() == "\n"
    assert process.stderr.readline() == "Stopped: what has been started is ended again.\n"
    hold.unlink()
    out, errors = process.communicate()
    assert (process.returncode, out, errors) == (130, "", "Nothing of it is up any more.\n")
    assert not is_held(emulator)
    assert not (emulator.state / "network.json").exists(), "no process of it was ever started"


def test_an_up_that_is_killed_leaves_nothing(emulator):
    hold = emulator.state.with_name("hold")
    hold.touch()
    process = emulator.start("up", emulator.topology)
    wait_until(lambda: is_held(emulator), process=process)
    process.kill()
    process.communicate()
    hold.unlink()
    wait_until(lambda: not is_held(emulator))
    assert not (emulator.state / "network.json").exists()


def test_an_up_that_is_stopped_while_it_waits_ends_what_it_started_and_nothing_else(emulator):
    blade = emulator.state / "stations" / "north" / "2" / "state"
    blade.mkdir(parents=True)
    (blade / "hang").touch()
    process = emulator.start("up", emulator.topology)
    wait_until(lambda: (blade / "starts").exists() and emulator.run("ps").exit_code == 0, process=process)
    pids = [row["pid"] for row in emulator.ps().values()]
    code, _, errors = stop(process)
    assert (code, errors.splitlines()[-1]) == (130, "Nothing of it is up any more.")
    assert all(map(gone, pids))
    assert not is_held(emulator)

    emulator.up("--no-wait")
    other = emulator.state / "stations" / "north" / "3" / "state" / "starts"
    wait_until(lambda: emulator.ps()["north/3"]["role"] == "engine")
    started = int(other.read_text())
    os.kill(emulator.ps()["north/3"]["pid"], signal.SIGKILL)
    wait_until(lambda: emulator.ps()["north/3"]["pid"] is None)
    process = emulator.start("up")
    wait_until(lambda: int(other.read_text() or started) > started, process=process)
    code, _, errors = stop(process)
    assert (code, "The network stays up" in errors) == (130, True)
    assert all(row["pid"] for row in emulator.ps().values())


def test_a_down_that_is_stopped_says_that_the_network_goes_on_ending(emulator):
    emulator.up()
    rows = emulator.ps()
    environment = json.loads((emulator.state / "network.json").read_text())["pid"]
    ending = psutil.Process(environment)
    nursery = ending.ppid()
    # The end takes as long as the nursery does nothing.
    os.kill(nursery, signal.SIGSTOP)
    try:
        process = emulator.start("down")
        wait_until(lambda: ending.status() == psutil.STATUS_ZOMBIE, process=process)
        code, _, errors = stop(process)
    finally:
        os.kill(nursery, signal.SIGCONT)
    assert code == 130
    assert errors == "\nThe network goes on ending; `chassis-emulator down` waits for that.\n"
    assert emulator.run("down").exit_code == 0
    assert all(gone(row["pid"]) for row in rows.values())


# Delete


def test_a_network_is_deleted_with_all_that_is_its_own_and_nothing_else(emulator):
    emulator.up()
    pids = [row["pid"] for row in emulator.ps().values()]
    (emulator.state / "letter.txt").write_text("Dear viewer")
    said = emulator.run("down", "--delete").output
    assert "is deleted. Not the emulator's, and still there: letter.txt" in said
    assert all(map(gone, pids))
    assert [path.name for path in emulator.state.iterdir()] == ["letter.txt"]
    assert "There is no network in" in emulator.run("down", "--delete").output
    (emulator.state / "letter.txt").unlink()
    emulator.up()
    emulator.run("down")
    assert emulator.run("down", "--delete").exit_code == 0
    assert not emulator.state.exists()


@pytest.mark.parametrize("there", [("lock",), ("logs", "center", "stations"), ("lock", "logs"), ()])
def test_a_folder_that_is_no_networks_is_left_alone(tmp_path, there):
    for name in there:
        (tmp_path / name).mkdir()
    assert delete_network(StateFolder(tmp_path)) is None
    assert {path.name for path in tmp_path.iterdir()} == set(there)


def test_deleting_that_was_interrupted_is_ended_the_next_time(tmp_path, monkeypatch):
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    (folder.path / "lock").touch()
    (folder.path / "stations" / "north").mkdir(parents=True)

    def interrupt(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("chassis_emulator.network.deleting.shutil.rmtree", interrupt)
        with pytest.raises(KeyboardInterrupt):
            delete_network(folder)
    assert {path.name for path in folder.path.iterdir()} == {"lock", ".deleted"}
    assert delete_network(folder) == ()
    assert not folder.path.exists()
