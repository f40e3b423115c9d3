"""A live chassis of real blades: pulled, inserted, broken in every way, and seen from outside by ipmitool."""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from blade_agent.chassis_manager import orders as manager_orders
from chassis_emulator.chassis.orders import PICTURE, AskPicture
from chassis_emulator.commands.cli import main
from chassis_emulator.network.control import order
from chassis_emulator.network.state_folder import StateFolder
from media_network import local_orders
from tests.addresses import network_number
from tests.laptop import Laptop, topology
from tests.patience import wait_until

NETWORK = network_number()


class Chassis(Laptop):
    """The network, and what is to be seen of its one chassis."""

    def invoke(self, *words):
        return CliRunner().invoke(main, [*map(str, words)], env={"MEDIA_STATION_STATE": str(self.state)})

    def emulator(self, *words):
        result = self.invoke(*words)
        assert result.exit_code == 0, f"{words}: {result.output}\n{self.logs()}"
        return result.output

    def refused(self, *words):
        result = self.invoke(*words)
        assert result.exit_code == 1, result.output
        assert "Traceback" not in result.stderr
        return result.stderr

    def ps(self):
        return json.loads(self.emulator("ps", "--json"))

    def row(self, name):
        return next(row for row in self.ps() if row["name"] == name)

    def answers(self, name):
        """Whether its HTTP server answers, whatever it says."""
        try:
            urllib.request.urlopen(f"http://{self.row(name)['media']}/", timeout=5).close()
        except urllib.error.HTTPError as answered:
            return answered.code == 404
        return True

    def picture(self):
        return order(StateFolder(self.state), PICTURE, AskPicture()).stations[0]

    def slot(self, number):
        return self.picture().slots[number - 1]

    def managed(self, number):
        path = self.state / "stations/north/manager/orders.sock"
        seen = local_orders.order(path, manager_orders.CHASSIS, manager_orders.AskChassis())
        return next(slot for slot in seen.slots if slot.slot == number)

    def root(self, number):
        return self.state / f"stations/north/{number}/root"

    def ipmitool(self, number, *words):
        serial = self.row(f"north/{number}")["serial"]
        command = ["ipmitool", "-I", "serial-basic", "-D", f"{serial}:115200", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    def sensor(self, number, name):
        lines = self.ipmitool(number, "sdr", "elist").splitlines()
        return next(line for line in lines if line.startswith(name))

    def serves(self):
        """Wait until all that is in a slot serves."""
        self.emulator("up", self.topology)

    def until(self, condition):
        return wait_until(condition, why=self.logs)


@pytest.fixture(scope="module")
def chassis(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chassis")
    text = topology(NETWORK, ("north", 4), home="north")
    (folder / "lab.yaml").write_text(text)
    network = Chassis(folder / "state", folder / "lab.yaml")
    network.up()
    yield network
    network.down()


@pytest.fixture(autouse=True)
def nothing_broken(chassis):
    yield
    chassis.emulator("fault", "clear", "all")
    for row in chassis.ps():
        if row["state"] == "empty":
            chassis.emulator("insert", row["name"])
    chassis.serves()


def test_a_blade_leaves_when_its_blue_light_says_so(chassis):
    pid = chassis.row("north/3")["pid"]
    assert "north/3 is out." in chassis.emulator("pull", "north/3")
    row = chassis.row("north/3")
    assert (row["role"], row["state"], row["pid"], row["exit_code"]) == ("empty", "empty", None, None)
    assert not Path(f"/proc/{pid}").exists()
    slot = chassis.slot(3)
    assert (slot.present, slot.temperature_c) == (False, None)
    chassis.until(lambda: chassis.managed(3).hot_swap in ("M0", "M7"))
    assert "north/3 is in." in chassis.emulator("insert", "north/3")
    chassis.serves()
    assert chassis.until(lambda: chassis.row("north/3")["role"] == "engine")
    assert chassis.slot(3).handle == "closed"


def test_a_handle_that_is_closed_again_keeps_the_blade(chassis):
    handle = next(chassis.root(2).rglob("intrusion0_alarm"))
    pulling = chassis.start("chassis-emulator", "pull", "north/2")
    chassis.until(lambda: handle.read_text() == "1\n")
    chassis.emulator("insert", "north/2")
    _, error = pulling.communicate(timeout=60)
    # It may have been out before: a blade without streams takes a second to leave.
    assert (pulling.returncode == 0) or "was closed again before it could be taken out" in error
    chassis.until(lambda: handle.read_text() == "0\n")
    assert chassis.row("north/2")["pid"]


def test_a_hand_takes_a_blade_without_a_word_and_the_slot_stays_empty(chassis):
    assert "north/4 is out." in chassis.emulator("pull", "north/4", "--surprise")
    assert chassis.row("north/4")["state"] == "empty"
    assert "Started again" not in chassis.emulator("up", chassis.topology), "only what is in a slot is missed"
    assert "north/4 is out." in chassis.emulator("pull", "north/4", "--surprise"), "twice is no mistake"
    chassis.until(lambda: chassis.managed(4).hot_swap == "M7")
    chassis.down()
    chassis.up()
    assert chassis.row("north/4")["state"] == "empty", "over down and up"
    chassis.emulator("insert", "north/4")
    assert "north/4 is in." in chassis.emulator("insert", "north/4")
    chassis.serves()
    assert chassis.row("north/4")["state"] == "ready"


def test_what_is_not_there_is_refused_in_a_sentence(chassis):
    assert "'north/9' is not a slot; there are: north/1, north/2" in chassis.refused("pull", "north/9")
    assert "'west' is not a slot or a station" in chassis.refused("fault", "noise", "west")
    assert "is not a power supply" in chassis.refused("fault", "supply-failure", "north/2")
    assert "There was nothing to end." in chassis.emulator("fault", "clear", "fault-999")
    assert "Nothing is broken on purpose." in chassis.emulator("faults")
    chassis.emulator("fault", "hang", "north/2")
    assert "North/2 is hung: it cannot say when it may be taken out." in chassis.refused("pull", "north/2")
    chassis.emulator("pull", "north/2", "--surprise")
    assert "There is no blade in north/2." in chassis.refused("power", "north/2", "off")


@pytest.mark.peer("ipmitool")
def test_over_temperature_is_measured_and_logged_by_the_blade(chassis):
    assert "| ok" in chassis.sensor(3, "SoC temp")
    chassis.emulator("fault", "over-temperature", "north/3", "--rise-k", 60)
    (row,) = json.loads(chassis.emulator("faults", "--json"))
    assert (row["kind"], row["target"], row["until_s"]) == ("over-temperature", "north/3", None)
    chassis.until(lambda: "| ok" not in chassis.sensor(3, "SoC temp"))
    chassis.until(lambda: "Upper Non-critical going high" in chassis.ipmitool(3, "sel", "elist"))
    assert chassis.slot(3).health != "ok"
    assert "| ok" in chassis.sensor(2, "SoC temp"), "its neighbour is as it was"
    chassis.emulator("fault", "clear", row["id"])
    chassis.until(lambda: "| ok" in chassis.sensor(3, "SoC temp"))


@pytest.mark.peer("ipmitool")
def test_warm_air_a_still_fan_and_a_dead_supply_are_measured(chassis):
    chassis.emulator("fault", "hot-inlet", "north", "--rise-k", 25)
    chassis.emulator("fault", "fan-failure", "north/2")
    chassis.emulator("fault", "supply-failure", "north/supply-1")
    chassis.until(lambda: "| ok" not in chassis.sensor(1, "Inlet temp"))
    chassis.until(lambda: float(chassis.sensor(2, "Fan").split("|")[-1].split()[0]) < 300)
    picture = chassis.picture()
    assert [supply.health for supply in picture.supplies] == ["critical", "ok"]
    assert picture.budget_w == 250
    assert picture.inlet_c > 40
    path = chassis.state / "stations/north/manager/orders.sock"

    def works():
        seen = local_orders.order(path, manager_orders.CHASSIS, manager_orders.AskChassis())
        return [supply.works for supply in seen.supplies]

    chassis.until(lambda: works() == [False, True])
    chassis.emulator("fault", "clear", "all")
    chassis.until(lambda: works() == [True, True])


def test_a_brown_out_ends_a_blade_which_boots_when_the_power_is_good(chassis):
    before = chassis.row("north/3")["pid"]
    chassis.emulator("fault", "brown-out", "north/3", "--voltage-share", 0.8)
    row = chassis.row("north/3")
    assert (row["pid"], row["exit_code"], row["state"]) == (None, -9, "crashed")
    assert chassis.slot(3).health_text == "no power"
    assert "Started again" not in chassis.emulator("up", chassis.topology), "there is no power to start it"
    chassis.emulator("fault", "clear", "all")
    assert chassis.row("north/3")["pid"] not in (None, before)
    chassis.emulator("fault", "brown-out", "north/2", "--voltage-share", 0.95)
    assert chassis.row("north/2")["pid"], "so little less harms nobody"


def test_a_crash_lasts_as_long_as_its_fault(chassis):
    before = chassis.row("north/2")["pid"]
    chassis.emulator("fault", "crash", "north/2", "--for", 1)
    assert chassis.row("north/2")["state"] == "crashed"
    assert chassis.until(lambda: chassis.row("north/2")["pid"]) != before
    assert chassis.emulator("faults") == "Nothing is broken on purpose.\n"


def test_a_blade_that_hangs_goes_on_where_it_was(chassis):
    before = chassis.row("north/2")["pid"]
    chassis.emulator("fault", "hang", "north/2")
    assert chassis.row("north/2")["state"] == "hung"
    assert chassis.slot(2).process == "hung"
    assert " T " in Path(f"/proc/{before}/stat").read_text()
    chassis.until(lambda: chassis.managed(2).hot_swap == "M7")
    chassis.emulator("fault", "clear", "all")
    chassis.until(lambda: chassis.managed(2).hot_swap == "M4")
    assert chassis.row("north/2")["pid"] == before


def test_blades_serve_while_the_manager_hangs(chassis):
    chassis.emulator("fault", "hang", "north/manager")
    assert chassis.row("north/manager")["state"] == "hung"
    assert chassis.answers("north/1")
    assert chassis.picture().manager.process == "hung"


def test_noise_is_counted_and_loses_nobody(chassis):
    before = chassis.managed(3)
    chassis.emulator("fault", "noise-bursts", "north/3", "--bursts-per-s", 50, "--seed", 3)
    chassis.until(lambda: chassis.managed(3).frame_faults > before.frame_faults + 100)
    after = chassis.managed(3)
    assert (after.hot_swap, after.boot_id) == ("M4", before.boot_id)


def test_a_stuck_line_loses_the_blade_to_its_manager_only(chassis):
    chassis.emulator("fault", "stuck-line", "north/3")
    chassis.until(lambda: chassis.managed(3).hot_swap == "M7")
    assert chassis.answers("north/3")
    chassis.emulator("fault", "clear", "all")
    chassis.until(lambda: chassis.managed(3).hot_swap == "M4")


def test_power_and_identify_go_by_the_chassis_manager(chassis):
    chassis.emulator("identify", "north/2", "--seconds", 30)
    chassis.until(lambda: chassis.slot(2).lights.identify.on_ms)
    chassis.emulator("identify", "north/2", "--seconds", 0)
    chassis.emulator("power", "north/4", "off")
    chassis.until(lambda: not chassis.slot(4).powered)
    chassis.emulator("power", "north/4", "on")
    chassis.until(lambda: chassis.slot(4).powered)
    chassis.emulator("reset", "north/4")


def test_a_scenario_is_played_and_leaves_nothing_broken(chassis, tmp_path):
    path = tmp_path / "quick.yaml"
    path.write_text(
        """
name: quick
steps:
  - {at: 0.0, action: fault, kind: noise, target: north, bit_error_rate: 0.0001, name: hiss}
  - {at: 0.1, action: pull, target: north/4, surprise: true}
  - {at: 0.3, action: fault, kind: crash, target: north/3, for: 0.2}
  - {at: 0.4, action: clear, name: hiss}
  - {at: 0.6, action: fault, kind: fan-failure, target: north/2}
  - {at: 0.8, action: insert, target: north/4}
"""
    )
    told = chassis.emulator("scenario", path)
    assert "0.1 s  pull north/4 by surprise: out" in told
    assert "quick: all 6 steps done." in told
    assert chassis.emulator("faults") == "Nothing is broken on purpose.\n"
    assert chassis.until(lambda: chassis.row("north/4")["pid"] and chassis.row("north/3")["pid"])
    path.write_text("name: lost\nsteps: [{at: 0, action: pull, target: west/1}]")
    assert "1 of the 1 steps of lost could not be done" in chassis.refused("scenario", path)


def test_the_panel_is_served_and_takes_orders_only_when_it_may(chassis):
    told = chassis.emulator("up", chassis.topology, "--panel")
    url = f"http://127.{NETWORK}.0.1:8090/"
    assert f"Front panel: {url}" in told
    with urllib.request.urlopen(f"{url}picture", timeout=10) as answer:
        assert b'"north/3"' in answer.read()
    with urllib.request.urlopen(f"{url}console?name=north/manager", timeout=10) as answer:
        assert b"slot" in answer.read()
    assert url in chassis.emulator("up", chassis.topology, "--control")


def test_heat_and_power_are_what_the_blades_do(chassis):
    slot = chassis.until(lambda: (found := chassis.slot(2)).temperature_c and found)
    assert 22 < slot.temperature_c < 70
    assert 2.5 < slot.power_w < 10
    assert (slot.streams, slot.hot_swap, slot.present) == (0, "M4", True)
    assert chassis.picture().power_w > 4 * 2.5


def test_a_disk_that_takes_no_picture_ends_no_blade(chassis):
    """The physics cannot show a temperature: as on a full disk, where writing it fails again and again."""
    pids = {row["name"]: row["pid"] for row in chassis.ps()}
    hwmon, log = chassis.root(2) / "sys/class/hwmon", StateFolder(chassis.state).log("environment")
    away = hwmon.with_name("away")
    hwmon.rename(away)
    hwmon.touch()
    try:
        chassis.emulator("fault", "hot-inlet", "north")
        chassis.until(lambda: "cannot be shown: " in log.read_text())
        before = chassis.picture().slots[0].temperature_c
        chassis.until(lambda: chassis.picture().slots[0].temperature_c > before)
        assert {row["name"]: row["pid"] for row in chassis.ps()} == pids
    finally:
        hwmon.unlink()
        away.rename(hwmon)
    chassis.until(lambda: "cannot be shown: works again" in log.read_text())
