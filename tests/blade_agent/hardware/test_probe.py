import json

import pytest
from click.testing import CliRunner

from blade_agent.cli import main
from blade_agent.hardware.probe import probe, profile_for
from blade_agent.hardware.profile import ProfileError


def run(*arguments):
    return CliRunner().invoke(main, ["profile", "probe", *map(str, arguments)])


def test_the_device_tree_names_the_profile(pi5):
    found = probe(pi5.root)
    assert (found.profile, found.candidates) == ("raspberry-pi-5", ("raspberry-pi-5",))
    assert [offer.place for offer in found.offers] == [
        "zone cpu-thermal",
        "hwmon cpu_thermal temp1",
        "hwmon rp1_adc in1",
        "hwmon rp1_adc temp1",
        "hwmon pwmfan fan1",
    ]
    assert (found.leds, found.watchdogs) == (("ACT", "PWR"), ("Broadcom BCM2835 Watchdog timer",))
    assert found.load is None, "the load is this machine's, not that of the tree"


def test_a_module_is_a_candidate_for_the_carriers_it_may_be_on(tree):
    tree.put("proc/device-tree/compatible", b"raspberrypi,4-compute-module\0brcm,bcm2711\0")
    assert probe(tree.root).candidates == ("compute-blade-cm4",)


def test_without_a_device_tree_nothing_is_guessed(x86):
    result = run("--root", x86.root)
    assert result.exit_code == 0, result.output
    assert "profile     none bound" in result.output
    assert "offered     hwmon coretemp temp1 Package id 0: 51 °C" in result.output
    assert "offered     hwmon nvme temp1 Composite: 38.85 °C" in result.output
    assert "sensor" not in result.output


def test_a_label_cannot_speak_to_the_terminal(tree):
    tree.hwmon(0, "platform/a", "chip", temp1_input=20000, temp1_label="\x1b[2Jgone")
    tree.hwmon(1, "platform/b", "\x1b[31mchip", temp1_input=20000)
    output = run("--root", tree.root).output
    assert "offered     hwmon chip temp1: 20 °C" in output
    assert "\x1b" not in output


def test_json_shows_values_and_reasons(x86):
    x86.put("sys/class/thermal/thermal_zone1/temp", "hot")
    found = json.loads(run("generic-x86", "--root", x86.root, "--json").output)
    assert found["profile"] == "generic-x86"
    assert found["board"]["sensors"] == [
        {"name": "CPU temp", "quantity": "temperature", "reading": {"type": "Known", "value": 51.0}}
    ]
    by_place = {offer["place"]: offer["reading"] for offer in found["offers"]}
    assert by_place["zone acpitz"] == {"type": "Known", "value": 27.8}
    assert by_place["zone x86_pkg_temp"]["why"] == "garbled"


def test_a_person_sees_why_something_is_unknown(tmp_path):
    result = run("raspberry-pi-5", "--root", tmp_path)
    assert result.exit_code == 0, result.output
    assert "sensor      SoC temp: unknown, absent (0 thermal zones are of type 'cpu-thermal')" in result.output


def test_this_machine_can_be_probed():
    found = json.loads(run("--json").output)
    assert 0 < found["load"]["memory"]["value"] < 1


def test_a_profile_that_is_not_there_is_an_error_with_a_hint(tmp_path):
    result = run("no-such-board", "--root", tmp_path)
    assert result.exit_code == 1
    assert "there is none of that name" in result.output
    assert "Hint:" in result.output


def test_a_blade_without_a_profile_in_its_settings_has_that_of_its_board(pi5):
    assert profile_for(pi5.root) == "raspberry-pi-5"


def test_or_that_of_any_x86_machine(x86):
    assert profile_for(x86.root) == "generic-x86"


def test_or_none_where_the_board_is_not_known(tree):
    tree.put("proc/device-tree/compatible", b"somebody,board\0")
    with pytest.raises(ProfileError, match="'somebody,board': no profile is known for this board; there are: "):
        profile_for(tree.root)
