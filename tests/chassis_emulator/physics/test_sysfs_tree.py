"""An emulated blade reads the tree that the physics writes with the very code of a real board."""

import pytest

from blade_agent.hardware.board import Board
from blade_agent.hardware.profile import load_profile, profile_names
from blade_agent.hardware.reading import KnownReading, Unknown, Why
from blade_agent.hardware.watchdog import WatchdogDevice
from chassis_emulator.physics.chassis import BladeLoad, ChassisPhysics
from chassis_emulator.physics.parameters import ChassisParameters
from chassis_emulator.physics.sysfs_tree import SysfsTree

EMULATED = load_profile("emulated")
BUSY = [BladeLoad(cpu=1.0, streamed_bps=4e8)]


def make_physics():
    return ChassisPhysics(ChassisParameters(), EMULATED.heat, slots=1, now_s=0.0)


def lay_out(root, profile=EMULATED):
    tree, physics = SysfsTree(root, profile), make_physics()
    tree.lay_out(physics.step(0.0, BUSY).blades[0])
    return tree, physics


def values(root, profile=EMULATED):
    return {row.name: row.reading for row in Board(profile, root).read().sensors}


def test_the_blade_measures_what_the_physics_says(tmp_path):
    tree, physics = lay_out(tmp_path)
    state = physics.step(300.0, BUSY).blades[0]
    tree.write(state)
    assert values(tmp_path) == {
        "SoC temp": KnownReading(pytest.approx(state.temperature_c, abs=0.125)),
        "Inlet temp": KnownReading(22.0),
        "12 V supply": KnownReading(pytest.approx(state.voltage_v, abs=0.005)),
        "Board current": KnownReading(pytest.approx(state.current_a, abs=0.005)),
        "Board power": KnownReading(pytest.approx(state.power_w, abs=0.05)),
    }
    assert 0.1 < state.current_a < state.power_w
    (fan,) = Board(EMULATED, tmp_path).read().fans
    assert fan.speed == KnownReading(pytest.approx(state.fan_rpm, abs=5))
    assert fan.duty == KnownReading(pytest.approx(0.4))


def test_readings_follow_the_physics(tmp_path):
    tree, physics = lay_out(tmp_path)
    seen = []
    for now_s in (10.0, 60.0, 600.0):
        tree.write(physics.step(now_s, BUSY).blades[0])
        seen.append(values(tmp_path)["SoC temp"].value)
    assert seen == sorted(set(seen))


def test_a_fan_that_the_blade_drives_runs_faster_and_cools_it(tmp_path):
    tree, physics = lay_out(tmp_path)
    tree.write(physics.step(600.0, BUSY).blades[0])
    hot = values(tmp_path)["SoC temp"].value
    assert Board(EMULATED, tmp_path).drive_fan("Fan", 1.0) is None
    physics.drive_fan(1, tree.fan_duty())
    tree.write(physics.step(1200.0, BUSY).blades[0])
    board = Board(EMULATED, tmp_path).read()
    assert values(tmp_path)["SoC temp"].value < hot - 5
    assert board.fans[0].speed == KnownReading(pytest.approx(6000, abs=5))


def test_lights_that_the_blade_sets_are_seen_outside(tmp_path):
    tree, _ = lay_out(tmp_path)
    board = Board(EMULATED, tmp_path)
    assert tree.lights() == dict.fromkeys(("hot swap", "fault", "activity", "identify"), (0, 0))
    assert board.light_led("hot swap", 1.0) is None
    assert tree.lights()["hot swap"] == (1000, 0)
    for _ in range(2):  # the timer can be had again after it was stopped
        assert board.blink_led("hot swap", 900, 100) is None
        assert tree.lights()["hot swap"] == (900, 100)
        assert board.light_led("hot swap", 0.0) is None
        assert tree.lights()["hot swap"] == (0, 0)


def test_the_watchdog_is_there_and_what_it_was_fed_is_seen(tmp_path):
    lay_out(tmp_path)
    with WatchdogDevice(tmp_path, "Emulated watchdog") as watchdog:
        watchdog.feed()
    assert (tmp_path / "dev/watchdog0").read_bytes() == b"\0V"
    assert Board(EMULATED, tmp_path).read().watchdog.timeout_s == KnownReading(15.0)


def test_a_restart_of_the_emulator_keeps_what_was_set(tmp_path):
    lay_out(tmp_path)
    board = Board(EMULATED, tmp_path)
    board.light_led("fault", 1.0)
    board.drive_fan("Fan", 0.8)
    tree, _ = lay_out(tmp_path)
    assert tree.lights()["fault"] == (1000, 0)
    assert tree.fan_duty() == pytest.approx(0.8)


@pytest.mark.parametrize("torn", ["", "fast", "-1", "999"])
def test_a_torn_pwm_is_no_duty(tmp_path, torn):
    tree, _ = lay_out(tmp_path)
    (tmp_path / "sys/class/hwmon/hwmon1/pwm1").write_text(torn)
    assert tree.fan_duty() is None


def test_fru_information_put_in_is_what_the_blade_reads(tmp_path):
    tree, _ = lay_out(tmp_path)
    board = Board(EMULATED, tmp_path)
    assert isinstance(board.read_fru(), Unknown)
    image = bytes([1, 0, 0, 1, 0, 0, 0, 254]) + b"board area"
    tree.write_fru(image)
    assert board.read_fru() == image + b"\xff" * (2048 - len(image))
    with pytest.raises(ValueError, match="no EEPROM"):
        tree.write_fru(bytes(2049))


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_can_be_laid_out_and_what_is_not_modelled_is_unknown(tmp_path, name):
    profile = load_profile(name)
    lay_out(tmp_path, profile)
    board = Board(profile, tmp_path).read()
    for sensor, row in zip(profile.sensors, board.sensors, strict=True):
        if (sensor.quantity, sensor.entity) == ("temperature", "system_board"):
            assert isinstance(row.reading, Unknown)
            assert row.reading.why is Why.ABSENT
        else:
            assert isinstance(row.reading, KnownReading), row
    for facts, fan in zip(profile.fans, board.fans, strict=True):
        assert isinstance(fan.speed, KnownReading) == bool(facts.tach)
        assert isinstance(fan.duty, KnownReading)
