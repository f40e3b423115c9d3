"""The sysfs tree of an emulated blade: what its hardware profile names, with what the physics says.

The blade reads it with its own hardware layer, given this folder as root path instead of `/`: the very same code as on
a board. What the physics does not model has no file here, so the blade finds it unknown. What the blade sets (its fan's
PWM, its lights) is read back.
"""

from pathlib import Path
from typing import NamedTuple

from blade_agent.hardware.fan import read_duty_at
from blade_agent.hardware.hwmon import COUNTS_PER_UNIT
from blade_agent.hardware.led import read_led, read_trigger
from blade_agent.hardware.profile import HardwareProfile, SensorProfile
from blade_agent.hardware.reading import KnownReading, Quantity
from blade_agent.hardware.sysfs import read_integer
from chassis_emulator.physics.attributes import Attributes, replace, write, write_once
from chassis_emulator.physics.chassis import MeasuredBlade

_CHANNEL_PREFIXES = {"temperature": "temp", "voltage": "in", "current": "curr", "power": "power"}
_BRIGHTNESS_MAX = 255
_WATCHDOG_TIMEOUT_S = 15
_LABELLED_FROM = 50
"""Channels that a profile knows by label get numbers from here, beyond those it knows by number."""
_TIMER = "timer"


class Shine(NamedTuple):
    """How a light shines: on for `on_ms`, off for `off_ms`, and again. `on_ms` 0: off; `off_ms` 0: steadily on."""

    on_ms: int
    off_ms: int


_OFF = Shine(0, 0)
_ON = Shine(1000, 0)


class SysfsTree:
    """The tree of one blade. Calls block for some small files."""

    def __init__(self, root: Path, profile: HardwareProfile) -> None:
        self.profile = profile
        self._attributes = Attributes(root)
        self._inputs: dict[str, Path] = {}
        """Of each sensor by its name: the file that holds its count."""

    @property
    def root(self) -> Path:
        """The folder that stands for `/`."""
        return self._attributes.root

    def lay_out(self, state: MeasuredBlade) -> None:
        """Make the tree, as drivers do when they come up. What was set in one that is there stays set."""
        self._attributes = Attributes(self.root)
        for number, sensor in enumerate(self.profile.sensors):
            self._inputs[sensor.name] = self._lay_out_sensor(number, sensor)
        for fan in self.profile.fans:
            chip = self._attributes.chip(fan.chip)
            if fan.pwm:
                write_once(chip / fan.pwm, str(round(state.fan_duty * COUNTS_PER_UNIT[Quantity.DUTY])))
        for led in self.profile.leds:
            folder = self.root / "sys/class/leds" / led.device
            write_once(folder / "max_brightness", str(_BRIGHTNESS_MAX))
            write_once(folder / "brightness", "0")
            # The kernel's class of LEDs, with its timer trigger (drivers/leds/trigger/ledtrig-timer.c).
            write_once(folder / "trigger", "[none] timer")
            write_once(folder / "delay_on", "0")
            write_once(folder / "delay_off", "0")
        if self.profile.watchdog:
            folder = self.root / "sys/class/watchdog/watchdog0"
            write(folder / "identity", self.profile.watchdog.identity)
            write(folder / "timeout", str(self.profile.watchdog.timeout_max_s or _WATCHDOG_TIMEOUT_S))
            write_once(self.root / "dev/watchdog0", "")
        self.write(state)

    def write(self, state: MeasuredBlade) -> None:
        """Let the sensors and tachometers measure this."""
        for sensor in self.profile.sensors:
            value = _measured(sensor, state)
            if value is not None:
                self._attributes.measure(self._inputs[sensor.name], sensor.measures, value)
        for fan in self.profile.fans:
            if fan.tach:
                tachometer = self._attributes.chip(fan.chip) / f"{fan.tach}_input"
                self._attributes.measure(tachometer, Quantity.FAN_SPEED, state.fan_rpm)

    def move_handle(self, *, is_open: bool) -> None:
        """Open or close the handle, if the profile knows of its switch."""
        handle = self.profile.handle
        if handle:
            self._attributes.show(self._attributes.chip(handle.chip) / handle.attribute, "1" if is_open else "0")

    def darken(self) -> None:
        """Put all lights out: the blade has no power."""
        for led in self.profile.leds:
            folder = self.root / "sys/class/leds" / led.device
            write(folder / "brightness", "0")
            write(folder / "trigger", "[none] timer")

    def fan_duty(self) -> float | None:
        """What the blade drives its first fan at, 0 to 1; None while that is unknown, or it has none."""
        for fan in self.profile.fans:
            duty = read_duty_at(self._attributes.chip(fan.chip), fan)
            if isinstance(duty, KnownReading):
                return duty.value
        return None

    def lights(self) -> dict[str, Shine]:
        """How its lights shine, by name."""
        return {led.name: self._shine(led.device) for led in self.profile.leds}

    def write_fru(self, image: bytes) -> None:
        """Put FRU information into the blade's EEPROM, once. Raises ValueError where there is none, or no room."""
        eeprom = self.profile.eeprom
        if eeprom is None or eeprom.offset_bytes + len(image) > eeprom.size_bytes:
            raise ValueError(f"no EEPROM that holds {len(image)} bytes")
        rest = eeprom.size_bytes - eeprom.offset_bytes - len(image)
        path = self.root / "sys/bus/nvmem/devices" / eeprom.device / "nvmem"
        if not path.exists():
            replace(path, b"\xff" * eeprom.offset_bytes + image + b"\xff" * rest)

    def _shine(self, device: str) -> Shine:
        if read_trigger(self.root, device) == _TIMER:
            folder = self.root / "sys/class/leds" / device
            on_ms, off_ms = read_integer(folder / "delay_on"), read_integer(folder / "delay_off")
            return Shine(on_ms, off_ms) if isinstance(on_ms, int) and isinstance(off_ms, int) else _OFF
        brightness = read_led(self.root, device)
        return _ON if isinstance(brightness, KnownReading) and brightness.value > 0 else _OFF

    def _lay_out_sensor(self, number: int, sensor: SensorProfile) -> Path:
        if sensor.hwmon is None:
            folder = self.root / f"sys/class/thermal/thermal_zone{number}"
            write(folder / "type", str(sensor.zone))
            return folder / "temp"
        chip = self._attributes.chip(sensor.hwmon.chip, sensor.hwmon.device)
        if sensor.hwmon.channel:
            return chip / f"{sensor.hwmon.channel}_input"
        channel = f"{_CHANNEL_PREFIXES[sensor.quantity]}{_LABELLED_FROM + number}"
        write(chip / f"{channel}_label", str(sensor.hwmon.label))
        return chip / f"{channel}_input"


def _measured(sensor: SensorProfile, state: MeasuredBlade) -> float | None:
    return {
        ("temperature", "processor"): state.temperature_c,
        ("temperature", "air_inlet"): state.inlet_c,
        ("voltage", "power_supply"): state.voltage_v,
        ("current", "system_board"): state.current_a,
        ("power", "system_board"): state.power_w,
    }.get((sensor.quantity, sensor.entity))
