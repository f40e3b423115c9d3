"""The sysfs tree of an emulated blade: what its hardware profile names, with what the physics says.

The blade reads it with its own hardware layer, given this folder as root path instead of `/`: the very same code as on
a board. What the physics does not model has no file here, so the blade finds it unknown. What the blade sets (its fan's
PWM, its lights) is read back.
"""

import os
from pathlib import Path

from blade_agent.hardware.fan import read_fan
from blade_agent.hardware.hwmon import COUNTS_PER_UNIT
from blade_agent.hardware.led import read_led
from blade_agent.hardware.profile import HardwareProfile, Sensor
from blade_agent.hardware.reading import Known, Quantity
from chassis_emulator.physics.chassis import BladeState

_CHANNEL_PREFIXES = {"temperature": "temp", "voltage": "in", "current": "curr", "power": "power"}
_BRIGHTNESS_MAX = 255
_WATCHDOG_TIMEOUT_S = 15
_LABELLED_FROM = 50
"""Channels that a profile knows by label get numbers from here, beyond those it knows by number."""


class SysfsTree:
    """The tree of one blade. Calls block for some small files."""

    def __init__(self, root: Path, profile: HardwareProfile) -> None:
        self._root = root
        self._profile = profile
        self._chips: dict[str, Path] = {}
        self._inputs: dict[str, Path] = {}
        """Of each sensor by its name: the file that holds its count."""
        self._written: dict[Path, str] = {}
        """What each of those files holds: what has not changed is not written again."""

    def lay_out(self, state: BladeState) -> None:
        """Make the tree, as drivers do when they come up. What was set in one that is there stays set."""
        for number, sensor in enumerate(self._profile.sensors):
            self._inputs[sensor.name] = self._lay_out_sensor(number, sensor)
        for fan in self._profile.fans:
            chip = self._chip(fan.chip)
            if fan.pwm:
                _write_once(chip / fan.pwm, str(round(state.fan_duty * COUNTS_PER_UNIT[Quantity.DUTY])))
        for led in self._profile.leds:
            folder = self._root / "sys/class/leds" / led.device
            _write_once(folder / "max_brightness", str(_BRIGHTNESS_MAX))
            _write_once(folder / "brightness", "0")
            _write_once(folder / "trigger", "[none]")
        if self._profile.watchdog:
            folder = self._root / "sys/class/watchdog/watchdog0"
            _write(folder / "identity", self._profile.watchdog.identity)
            _write(folder / "timeout", str(self._profile.watchdog.timeout_max_s or _WATCHDOG_TIMEOUT_S))
            _write_once(self._root / "dev/watchdog0", "")
        self._written.clear()
        self.write(state)

    def write(self, state: BladeState) -> None:
        """Let the sensors and tachometers measure this."""
        for sensor in self._profile.sensors:
            value = _measured(sensor, state)
            if value is not None:
                self._measure(self._inputs[sensor.name], _count(sensor.measures, value))
        for fan in self._profile.fans:
            if fan.tach:
                tachometer = self._chip(fan.chip) / f"{fan.tach}_input"
                self._measure(tachometer, _count(Quantity.FAN_SPEED, state.fan_rpm))

    def fan_duty(self) -> float | None:
        """What the blade drives its first fan at, 0 to 1; None while that is unknown, or it has none."""
        for fan in self._profile.fans:
            duty = read_fan(self._root, fan).duty
            if isinstance(duty, Known):
                return duty.value
        return None

    def led_brightness(self) -> dict[str, float]:
        """How its lights shine, 0 to 1, by name."""
        readings = {led.name: read_led(self._root, led.device) for led in self._profile.leds}
        return {name: reading.value for name, reading in readings.items() if isinstance(reading, Known)}

    def write_fru(self, image: bytes) -> None:
        """Put FRU information into the blade's EEPROM. Raises ValueError where there is none, or no room."""
        eeprom = self._profile.eeprom
        if eeprom is None or eeprom.offset_bytes + len(image) > eeprom.size_bytes:
            raise ValueError(f"no EEPROM that holds {len(image)} bytes")
        rest = eeprom.size_bytes - eeprom.offset_bytes - len(image)
        path = self._root / "sys/bus/nvmem/devices" / eeprom.device / "nvmem"
        _replace(path, b"\xff" * eeprom.offset_bytes + image + b"\xff" * rest)

    def _measure(self, path: Path, count: str) -> None:
        if self._written.get(path) != count:
            _write(path, count)
            self._written[path] = count

    def _lay_out_sensor(self, number: int, sensor: Sensor) -> Path:
        if sensor.hwmon is None:
            folder = self._root / f"sys/class/thermal/thermal_zone{number}"
            _write(folder / "type", str(sensor.zone))
            return folder / "temp"
        chip = self._chip(sensor.hwmon.chip, sensor.hwmon.device)
        if sensor.hwmon.channel:
            return chip / f"{sensor.hwmon.channel}_input"
        channel = f"{_CHANNEL_PREFIXES[sensor.quantity]}{_LABELLED_FROM + number}"
        _write(chip / f"{channel}_label", str(sensor.hwmon.label))
        return chip / f"{channel}_input"

    def _chip(self, name: str, device: str | None = None) -> Path:
        key = f"{name} {device or ''}"
        if key not in self._chips:
            folder = self._root / f"sys/class/hwmon/hwmon{len(self._chips)}"
            _write(folder / "name", name)
            if device:
                (self._root / "sys/devices" / device).mkdir(parents=True, exist_ok=True)
                _link(folder / "device", self._root / "sys/devices" / device)
            self._chips[key] = folder
        return self._chips[key]


def _measured(sensor: Sensor, state: BladeState) -> float | None:
    return {
        ("temperature", "processor"): state.temperature_c,
        ("temperature", "air_inlet"): state.inlet_c,
        ("voltage", "power_supply"): state.voltage_v,
        ("current", "system_board"): state.current_a,
        ("power", "system_board"): state.power_w,
    }.get((sensor.quantity, sensor.entity))


def _count(quantity: Quantity, value: float) -> str:
    return str(round(value * COUNTS_PER_UNIT[quantity]))


def _write(path: Path, text: str) -> None:
    _replace(path, f"{text}\n".encode())


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        _write(path, text)


def _replace(path: Path, data: bytes) -> None:
    """Set a file at once: who reads it sees the old or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    os.replace(fresh, path)


def _link(path: Path, target: Path) -> None:
    if not path.is_symlink():
        path.symlink_to(os.path.relpath(target, path.parent))
