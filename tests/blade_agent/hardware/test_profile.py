import msgspec
import pytest

from blade_agent.hardware.profile import HardwareProfile, ProfileError, load_profile, profile_names

BOARDS = {
    "compute-blade-cm4",
    "compute-blade-cm5",
    "emulated",
    "emulated-chassis",
    "generic-x86",
    "raspberry-pi-5",
    "rock-5b",
    "turing-rk1",
}
HEAD = """
title = "A board"
[identity]
source = "a test of this project"
"""
SENSOR = """
[[sensors]]
name = "SoC temp"
quantity = "temperature"
entity = "processor"
source = "a test of this project"
"""


def facts(value):
    """Every fact in a profile: the structs that are not the profile itself nor a channel of a fact."""
    if isinstance(value, msgspec.Struct):
        if "chip" not in value.__struct_fields__ or "source" in value.__struct_fields__:
            yield value
        for name in value.__struct_fields__:
            yield from facts(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from facts(item)


def test_the_boards_that_are_known():
    assert set(profile_names()) == BOARDS


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_fact_has_a_source_that_others_can_look_up(name):
    profile = load_profile(name)
    found = [fact for fact in facts(profile) if not isinstance(fact, HardwareProfile)]
    assert found
    for fact in found:
        own = fact.source.startswith(("The emulator's own", "The device id is this project's own", "No maker"))
        assert own or "/" in fact.source, fact


@pytest.mark.parametrize("name", sorted(BOARDS - {"emulated", "emulated-chassis", "generic-x86"}))
def test_a_real_board_has_no_fact_of_the_emulator(name):
    profile = load_profile(name)
    assert profile.heat is None
    assert all("emulator" not in fact.source for fact in facts(profile) if not isinstance(fact, HardwareProfile))
    assert profile.compatible


def test_device_ids_and_machines_tell_boards_apart():
    profiles = [load_profile(name) for name in profile_names()]
    ids = [profile.identity.device_id for profile in profiles]
    machines = [profile.compatible.machine for profile in profiles if profile.compatible]
    assert len(set(ids)) == len(ids)
    assert len(set(machines)) == len(machines)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SENSOR, "either `zone` or `hwmon`"),
        (SENSOR + 'zone = "cpu-thermal"\nhwmon = { chip = "a", channel = "temp1" }', "either `zone` or `hwmon`"),
        (SENSOR + 'hwmon = { chip = "a" }', "either `channel` or `label`"),
        (SENSOR + 'hwmon = { chip = "a", channel = "temp1", label = "b" }', "either `channel` or `label`"),
        (SENSOR + 'hwmon = { chip = "a", channel = "../temp1" }', "such as temp1"),
        (SENSOR + 'hwmon = { chip = "../a", channel = "temp1" }', "not a path"),
        (SENSOR + 'zone = ".."', "not a path"),
        (SENSOR.replace("temperature", "voltage") + 'zone = "cpu-thermal"', "measures a temperature"),
        (SENSOR.replace("temperature", "humidity") + 'zone = "cpu-thermal"', "humidity"),
        (SENSOR.replace('source = "a test of this project"', "") + 'zone = "cpu-thermal"', "source"),
        (SENSOR + 'zone = "cpu-thermal"\nnumber = 0', "number"),
        (SENSOR.replace("SoC temp", "A name too long for a record") + 'zone = "cpu-thermal"', "1 to 16 printable"),
        (2 * (SENSOR + 'zone = "cpu-thermal"\n'), "same name"),
        (
            SENSOR
            + 'zone = "a"\n[sensors.thresholds]\nupper_critical = 9\nupper_non_critical = 10\nsource = "a test of it"',
            "rise",
        ),
        (SENSOR + 'zone = "a"\n[sensors.thresholds]\nsource = "a test of it"', "at least one"),
        ('[[fans]]\nname = "a"\nchip = "b"\nsource = "a test of it"', "`tach`, `pwm` or both"),
        ('[[fans]]\nname = "a"\nchip = "b"\npwm = "pwm1"\nlevels = [9, 0]\nsource = "a test of it"', "rise"),
        ('[[fans]]\nname = "a"\nchip = "b"\npwm = "pwm1"\nlevels = [256]\nsource = "a test of it"', "255"),
        ('[[leds]]\nname = "a"\ndevice = "../../etc"\nsource = "a test of it"', "not a path"),
        ('[eeprom]\ndevice = "a"\nsize_bytes = 16\noffset_bytes = 9\nsource = "a test of it"', "inside the memory"),
        ('[watchdog]\nidentity = ""\nsource = "a test of it"', "1 to 32 letters"),
    ],
)
def test_a_profile_that_does_not_follow_the_schema_is_refused(tmp_path, text, reason):
    path = tmp_path / "board.toml"
    path.write_text(HEAD + text)
    with pytest.raises(ProfileError, match=reason):
        load_profile(str(path))
