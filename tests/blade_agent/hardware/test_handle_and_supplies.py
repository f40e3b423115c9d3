"""Handle, supplies and blinking lights, on trees as drivers make them."""

import pytest
from click.testing import CliRunner

from blade_agent.cli import main
from blade_agent.hardware.board import Board
from blade_agent.hardware.handle import read_handle
from blade_agent.hardware.led import blink_led, light_led, read_trigger
from blade_agent.hardware.profile import HandleSwitch, ProfileError, load_profile
from blade_agent.hardware.reading import KnownReading, Unknown, Why

SOURCE = "a tree of this test"
SUPPLIES = {"in1_input": 12000, "power1_input": 42_500_000, "in2_input": 3100, "power2_input": 0, "temp1_input": 22000}


def switch(*, latched=False):
    return HandleSwitch(chip="it87", attribute="intrusion0_alarm", latched=latched, source=SOURCE)


@pytest.mark.parametrize(("content", "is_open"), [(0, False), (1, True)])
def test_a_handle_is_open_or_closed(tree, content, is_open):
    tree.hwmon(0, "platform/it87.656", "it87", intrusion0_alarm=content)
    assert read_handle(tree.root, switch()) is is_open


@pytest.mark.parametrize(
    ("content", "why"), [("", Why.GARBLED), ("open", Why.GARBLED), (2, Why.IMPLAUSIBLE), (-1, Why.IMPLAUSIBLE)]
)
def test_what_is_neither_is_not_known(tree, content, why):
    tree.hwmon(0, "platform/it87.656", "it87", intrusion0_alarm=content)
    assert read_handle(tree.root, switch()).why is why


def test_a_chip_that_keeps_its_alarm_is_asked_again_each_time(tree):
    chip = tree.hwmon(0, "platform/it87.656", "it87", intrusion0_alarm=1)
    assert read_handle(tree.root, switch(latched=True)) is True
    assert (chip / "intrusion0_alarm").read_text() == "0\n"
    assert read_handle(tree.root, switch(latched=True)) is False


def test_a_board_without_a_switch_has_no_handle(pi5):
    assert Board(load_profile("raspberry-pi-5"), pi5.root).read_handle() is None


def test_supplies_tell_voltage_power_and_whether_they_work(tree):
    tree.hwmon(0, "platform/supplies", "emulated_chassis", **SUPPLIES)
    first, second = Board(load_profile("emulated-chassis"), tree.root).read().supplies
    assert (first.voltage, first.power, first.works) == (KnownReading(12.0), KnownReading(42.5), True)
    assert (second.voltage, second.power, second.works) == (KnownReading(3.1), KnownReading(0.0), False)
    tree.put("sys/class/hwmon/hwmon0/in1_input", "12 V")
    (first, _) = Board(load_profile("emulated-chassis"), tree.root).read().supplies
    assert isinstance(first.voltage, Unknown)
    assert first.works is None, "nobody knows"


def test_probe_shows_handle_and_supplies(tree):
    def probed(profile):
        return CliRunner().invoke(main, ["profile", "probe", profile, "--root", str(tree.root)]).output

    tree.hwmon(0, "platform/supplies", "emulated_chassis", **SUPPLIES)
    assert "supply      Supply 1: works, 12 V, 42.5 W" in probed("emulated-chassis")
    assert "supply      Supply 2: does not work, 3.1 V, 0 W" in probed("emulated-chassis")
    assert "handle      unknown, absent" in probed("emulated")
    tree.hwmon(1, "platform/blade", "emulated_blade", intrusion0_alarm=1)
    assert "handle      open" in probed("emulated")


def test_a_driver_with_another_number_is_found_again(tree):
    tree.hwmon(0, "platform/blade", "emulated_blade", temp1_input=21000)
    board = Board(load_profile("emulated"), tree.root)
    inlet = board.profile.sensors[1]
    assert board.read_sensor(inlet).reading == KnownReading(21.0)
    (tree.root / "sys/class/hwmon/hwmon0").rename(tree.root / "sys/class/hwmon/hwmon7")
    assert board.read_sensor(inlet).reading.why is Why.ABSENT
    board.find_again()
    assert board.read_sensor(inlet).reading == KnownReading(21.0)


def test_the_kernel_blinks_a_light_that_has_the_trigger(tree):
    tree.led("ACT", 0, 255, "none [mmc0] timer")
    for name in ("delay_on", "delay_off"):
        tree.put(f"sys/class/leds/ACT/{name}", 0)
    assert read_trigger(tree.root, "ACT") == "mmc0"
    assert blink_led(tree.root, "ACT", 900, 100) is None
    folder = tree.root / "sys/class/leds/ACT"
    assert [(folder / name).read_text() for name in ("trigger", "delay_on", "delay_off")] == [
        "timer\n",
        "900\n",
        "100\n",
    ]
    assert light_led(tree.root, "ACT", 1.0) is None
    assert [(folder / name).read_text() for name in ("trigger", "brightness")] == ["none\n", "255\n"]
    tree.led("PWR", 0, 1, "[none] default-on")
    assert blink_led(tree.root, "PWR", 900, 100).why is Why.ABSENT


@pytest.mark.parametrize(
    "facts",
    [
        "levels_w = [5.0, 4.0]\nstream_shares = [0.5, 1.0]",
        "levels_w = [4.0, 5.0]\nstream_shares = [0.5]",
        "levels_w = [4.0, 5.0]\nstream_shares = [0.5, 0.9]",
        "levels_w = []\nstream_shares = []",
    ],
)
def test_power_levels_rise_and_the_highest_holds_nothing_back(tmp_path, facts):
    path = tmp_path / "board.toml"
    path.write_text(f'title = "A board"\n[identity]\nsource = "{SOURCE}"\n[power]\nsource = "{SOURCE}"\n{facts}\n')
    with pytest.raises(ProfileError):
        load_profile(str(path))


def test_a_fan_of_the_agents_needs_a_temperature_to_go_by(tmp_path):
    path = tmp_path / "board.toml"
    fan = f'[[fans]]\nname = "Fan"\nchip = "pwmfan"\npwm = "pwm1"\ncontrol = "agent"\nsource = "{SOURCE}"\n'
    path.write_text(f'title = "A board"\n[identity]\nsource = "{SOURCE}"\n{fan}')
    with pytest.raises(ProfileError, match="upper threshold"):
        load_profile(str(path))
