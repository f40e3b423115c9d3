import errno
import os

import pytest

from blade_agent.hardware.board import Board
from blade_agent.hardware.eeprom import read_fru
from blade_agent.hardware.fan import pwm_setting
from blade_agent.hardware.hwmon import read_channel
from blade_agent.hardware.load import LoadMeter, busy_share
from blade_agent.hardware.profile import EepromFacts, HwmonChannel, load_profile
from blade_agent.hardware.reading import KnownReading, Quantity, Unknown, Why
from blade_agent.hardware.sysfs import read_integer, write_integer
from blade_agent.hardware.watchdog import WatchdogDevice

SOURCE = "a tree of this test"


def sensors(profile, root):
    return {row.name: row.reading for row in Board(load_profile(profile), root).read().sensors}


def why(reading):
    assert isinstance(reading, Unknown), reading
    return reading.why


def test_a_raspberry_pi_5_reads_all_that_its_profile_knows(pi5):
    board = Board(load_profile("raspberry-pi-5"), pi5.root).read()
    assert {row.name: row.reading for row in board.sensors} == {
        "SoC temp": KnownReading(48.3),
        "I/O chip temp": KnownReading(52.114),
    }
    (fan,) = board.fans
    assert (fan.speed, fan.duty) == (KnownReading(2937.0), KnownReading(75 / 255))
    assert [(led.name, led.brightness) for led in board.leds] == [
        ("activity", KnownReading(0.0)),
        ("power", KnownReading(1.0)),
    ]
    assert (board.watchdog.timeout_s, board.watchdog.left_s) == (KnownReading(15.0), KnownReading(14.0))


def test_a_turing_rk1_finds_its_zones_by_type_among_seven(rk1):
    assert sensors("turing-rk1", rk1.root) == {"SoC temp": KnownReading(41.615), "Big cores temp": KnownReading(42.538)}


def test_a_fan_without_tachometer_has_no_speed(rk1):
    (fan,) = Board(load_profile("rock-5b"), rk1.root).read().fans
    assert why(fan.speed) is Why.ABSENT
    assert fan.duty == KnownReading(95 / 255)


def test_an_x86_board_finds_the_package_by_its_label(x86):
    assert sensors("generic-x86", x86.root) == {"CPU temp": KnownReading(51.0)}


def test_numbers_of_chips_do_not_matter(tree):
    tree.hwmon(7, "platform/coretemp.0", "coretemp", temp9_input=33000, temp9_label="Package id 0")
    tree.hwmon(0, "platform/other", "nct6798", temp1_input=99000, temp1_label="Package id 0")
    assert sensors("generic-x86", tree.root) == {"CPU temp": KnownReading(33.0)}


def test_of_two_chips_with_one_name_the_device_tells_which(tree):
    tree.hwmon(0, "platform/coretemp.0", "coretemp", temp1_input=40000)
    tree.hwmon(1, "platform/coretemp.1", "coretemp", temp1_input=60000)
    any_of_them = HwmonChannel(chip="coretemp", channel="temp1")
    second = HwmonChannel(chip="coretemp", channel="temp1", device="coretemp.1")
    assert why(read_channel(tree.root, Quantity.TEMPERATURE, any_of_them)) is Why.AMBIGUOUS
    assert read_channel(tree.root, Quantity.TEMPERATURE, second) == KnownReading(60.0)


def test_two_zones_of_one_type_are_not_guessed_between(tree):
    tree.zone(0, "cpu-thermal", 40000)
    tree.zone(1, "cpu-thermal", 50000)
    assert why(sensors("emulated", tree.root)["SoC temp"]) is Why.AMBIGUOUS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Why.GARBLED),
        ("warm", Why.GARBLED),
        ("48300 mC", Why.GARBLED),
        ("48.3", Why.GARBLED),
        ("0x10", Why.GARBLED),
        ("4_8", Why.GARBLED),
        ("٤٨٣٠٠", Why.GARBLED),
        ("9" * 5000, Why.GARBLED),
        (b"\xff\xfe\x00", Why.GARBLED),
        ("-127000", Why.IMPLAUSIBLE),
        ("200001", Why.IMPLAUSIBLE),
        ("2147483647", Why.IMPLAUSIBLE),
        ("-9223372036854775808", Why.GARBLED),
    ],
)
def test_what_is_no_temperature_is_unknown(pi5, text, expected):
    pi5.zone(0, "cpu-thermal", text)
    assert why(sensors("raspberry-pi-5", pi5.root)["SoC temp"]) is expected


@pytest.mark.parametrize("text", ["0", "-12000", "150000"])
def test_what_a_blade_can_measure_is_known(pi5, text):
    pi5.zone(0, "cpu-thermal", text)
    assert sensors("raspberry-pi-5", pi5.root)["SoC temp"] == KnownReading(int(text) / 1000)


@pytest.mark.parametrize(
    ("text", "expected"), [("-1", Why.IMPLAUSIBLE), ("65535000", Why.IMPLAUSIBLE), ("", Why.GARBLED)]
)
def test_a_fan_does_not_run_backwards_or_at_a_register_s_greatest_value(pi5, text, expected):
    pi5.put("sys/devices/platform/cooling_fan/hwmon/hwmon2/fan1_input", text)
    pi5.put("sys/devices/platform/cooling_fan/hwmon/hwmon2/pwm1", "256")
    (fan,) = Board(load_profile("raspberry-pi-5"), pi5.root).read().fans
    assert why(fan.speed) is expected
    assert why(fan.duty) is Why.IMPLAUSIBLE


def test_a_chip_that_says_its_sensor_is_broken_is_believed(x86):
    x86.put("sys/devices/platform/coretemp.0/hwmon/hwmon2/temp1_fault", 1)
    assert why(sensors("generic-x86", x86.root)["CPU temp"]) is Why.FAILED


def test_power_is_read_as_an_average_where_there_is_no_instant(tree):
    tree.hwmon(0, "platform/ina226", "emulated_blade", power1_average=7250000)
    assert sensors("emulated", tree.root)["Board power"] == KnownReading(7.25)


@pytest.mark.parametrize("profile", ["compute-blade-cm4", "compute-blade-cm5", "rock-5b", "emulated"])
def test_a_bare_machine_has_nothing_and_says_so(tmp_path, profile):
    board = Board(load_profile(profile), tmp_path).read()
    readings = [row.reading for row in board.sensors] + [led.brightness for led in board.leds]
    readings += [reading for fan in board.fans for reading in (fan.speed, fan.duty)]
    readings += [board.watchdog.timeout_s, board.watchdog.left_s]
    assert {why(reading) for reading in readings} == {Why.ABSENT}


def test_a_folder_in_place_of_a_file_and_a_pipe_do_not_hold_the_agent_up(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert why(read_integer(tmp_path / "folder")) is Why.FAILED
    assert why(read_integer(tmp_path / "pipe")) is Why.GARBLED
    assert why(write_integer(tmp_path / "pipe", 1)) is Why.ABSENT, errno.errorcode[errno.ENXIO]


def test_what_may_not_be_read_is_denied(pi5):
    pi5.zone(0, "cpu-thermal", 48300).chmod(0)
    me = os.geteuid()
    try:
        if me == 0:
            os.seteuid(65534)  # root may read everything
        zone = read_integer(pi5.root / "sys/class/thermal/thermal_zone0/temp")
    finally:
        os.seteuid(me)
    assert why(zone) is Why.DENIED


def test_a_fan_is_driven_at_the_next_higher_of_its_maker_s_levels(pi5):
    board = Board(load_profile("raspberry-pi-5"), pi5.root)
    assert board.drive_fan("Fan", 0.5) is None
    assert (pi5.root / "sys/class/hwmon/hwmon2/pwm1").read_text() == "175\n"
    assert board.read().fans[0].duty == KnownReading(175 / 255)
    with pytest.raises(ValueError, match="0 to 1"):
        board.drive_fan("Fan", 1.1)
    with pytest.raises(KeyError):
        board.drive_fan("Turbine", 0.5)


@pytest.mark.parametrize(
    ("levels", "duty", "setting"),
    [
        ((), 0.0, 0),
        ((), 1.0, 255),
        ((), 0.5, 128),
        ((0, 95, 255), 0.0, 0),
        ((0, 95, 255), 0.01, 95),
        ((0, 75, 250), 1.0, 250),
    ],
)
def test_settings_of_a_fan(levels, duty, setting):
    assert pwm_setting(levels, duty) == setting


def test_a_fan_that_is_not_there_is_not_driven(tmp_path):
    assert why(Board(load_profile("raspberry-pi-5"), tmp_path).drive_fan("Fan", 1.0)) is Why.ABSENT


def test_a_light_shines_and_is_read_back(pi5):
    board = Board(load_profile("raspberry-pi-5"), pi5.root)
    assert board.light_led("activity", 1.0) is None
    assert (pi5.root / "sys/class/leds/ACT/brightness").read_text() == "255\n"
    assert board.read().leds[0].brightness == KnownReading(1.0)


@pytest.mark.parametrize(("brightness", "highest"), [(300, 255), (-1, 255), (1, 0), (1, 10**9)])
def test_an_impossible_brightness_is_unknown(pi5, brightness, highest):
    pi5.led("ACT", brightness, highest, "[none]")
    led = Board(load_profile("raspberry-pi-5"), pi5.root).read().leds[0]
    assert why(led.brightness) is Why.IMPLAUSIBLE


def test_a_watchdog_is_fed_and_stopped_but_an_error_leaves_it_running(pi5):
    identity, device = "Broadcom BCM2835 Watchdog timer", pi5.root / "dev/watchdog0"
    with WatchdogDevice(pi5.root, identity) as watchdog:
        watchdog.feed()
        watchdog.feed()
    assert device.read_bytes() == b"\0\0V"
    device.write_bytes(b"")
    with pytest.raises(ZeroDivisionError), WatchdogDevice(pi5.root, identity) as watchdog:
        watchdog.feed(1 / 0)
    assert device.read_bytes() == b""
    with pytest.raises(FileNotFoundError, match="another"):
        WatchdogDevice(pi5.root, "another")


@pytest.mark.parametrize(
    "damage", [b"", b"\xff" * 16, bytes([1, 0, 0, 1, 0, 0, 0, 253]), bytes([2, 0, 0, 0, 0, 0, 0, 254])]
)
def test_an_eeprom_without_fru_information_is_not_taken_for_one(tree, damage):
    facts = EepromFacts(device="0-00500", size_bytes=256, source=SOURCE)
    tree.put("sys/bus/nvmem/devices/0-00500/nvmem", damage)
    assert why(read_fru(tree.root, facts)) is Why.GARBLED


def test_fru_information_is_read_from_where_it_starts(tree):
    header = bytes([1, 0, 0, 1, 0, 0, 0, 254])
    facts = EepromFacts(device="0-00500", size_bytes=64, offset_bytes=16, source=SOURCE)
    tree.put("sys/bus/nvmem/devices/0-00500/nvmem", b"\xff" * 16 + header + b"board area" + b"\xff" * 100)
    image = read_fru(tree.root, facts)
    assert image.startswith(header + b"board area")
    assert len(image) == 48
    assert why(Board(load_profile("raspberry-pi-5"), tree.root).read_fru()) is Why.ABSENT


def test_load_is_known_from_the_second_reading_on():
    meter = LoadMeter()
    first = meter.read()
    assert why(first.cpu) is Why.TOO_EARLY
    assert 0 < first.memory.value < 1
    assert busy_share((10.0, 8.0), (12.0, 9.5)) == KnownReading(0.25)
    assert busy_share((10.0, 8.0), (12.0, 8.0)) == KnownReading(1.0)
    assert busy_share((10.0, 8.0), (12.0, 11.0)) == KnownReading(0.0)
    assert why(busy_share((10.0, 8.0), (10.0, 8.0))) is Why.TOO_EARLY
