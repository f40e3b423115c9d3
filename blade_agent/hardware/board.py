"""A board: a profile bound to sysfs under a root path. Only what the profile names is read, and written."""

from pathlib import Path

from msgspec import Struct

from blade_agent.hardware.eeprom import read_fru
from blade_agent.hardware.fan import FanReading, drive_fan, read_fan_at
from blade_agent.hardware.handle import read_handle_at
from blade_agent.hardware.hwmon import read_input
from blade_agent.hardware.led import blink_led, light_led, read_led
from blade_agent.hardware.places import Places
from blade_agent.hardware.profile import FanFacts, HardwareProfile, SensorProfile
from blade_agent.hardware.reading import Quantity, Reading, Unknown, Why
from blade_agent.hardware.supply import SupplyReading, read_supply
from blade_agent.hardware.thermal_zone import zone_temperature
from blade_agent.hardware.watchdog import WatchdogReading, read_watchdog


class SensorReading(Struct, frozen=True):
    """What a sensor measured, in the unit of its quantity."""

    name: str
    quantity: Quantity
    reading: Reading


class LedReading(Struct, frozen=True):
    """How a light shines, 0 (off) to 1."""

    name: str
    brightness: Reading


class BoardReadings(Struct, frozen=True):
    """All that a board measures, in the order of its profile."""

    sensors: tuple[SensorReading, ...]
    fans: tuple[FanReading, ...]
    leds: tuple[LedReading, ...]
    watchdog: WatchdogReading | None
    handle_open: bool | Unknown | None
    """None on a board without a switch at its handle."""
    supplies: tuple[SupplyReading, ...]


class Board:
    """A board under a root path: `/` on the board itself. Every call blocks for some files of sysfs."""

    def __init__(self, profile: HardwareProfile, root: Path = Path("/")) -> None:
        self.profile = profile
        self.root = root
        self._places = Places(root)

    def read(self) -> BoardReadings:
        """Measure everything, wherever it is by now."""
        self.find_again()
        watchdog = self.profile.watchdog
        return BoardReadings(
            sensors=tuple(self.read_sensor(sensor) for sensor in self.profile.sensors),
            fans=tuple(self.read_fan(fan) for fan in self.profile.fans),
            leds=tuple(LedReading(led.name, read_led(self.root, led.device)) for led in self.profile.leds),
            watchdog=read_watchdog(self.root, watchdog.identity) if watchdog else None,
            handle_open=self.read_handle(),
            supplies=tuple(read_supply(self.root, supply) for supply in self.profile.supplies),
        )

    def read_sensor(self, sensor: SensorProfile) -> SensorReading:
        """Measure one of the profile's sensors."""
        return SensorReading(sensor.name, sensor.measures, self._measure(sensor))

    def read_fan(self, fan: FanFacts) -> FanReading:
        """Measure one of the profile's fans."""
        chip = self._places.chip(fan.chip)
        may_fail = isinstance(chip, Unknown) or fan.tach is None or self._places.may_fail(chip, fan.tach)
        return read_fan_at(chip, fan, may_fail=may_fail)

    def read_handle(self) -> bool | Unknown | None:
        """Tell whether the handle is open; None on a board without a switch there."""
        switch = self.profile.handle
        return None if switch is None else read_handle_at(self._places.chip(switch.chip), switch)

    def find_again(self) -> None:
        """Look for every chip and zone anew: drivers may have changed places."""
        self._places.forget()

    def drive_fan(self, name: str, duty: float) -> Unknown | None:
        """Run a fan at a share of full drive; None when its driver took it. Raises KeyError for a name not there."""
        fans = {fan.name: fan for fan in self.profile.fans}
        return drive_fan(self.root, fans[name], duty)

    def light_led(self, name: str, brightness: float) -> Unknown | None:
        """Let a light shine, 0 to 1; None when its driver took it. Raises KeyError for a name not there."""
        devices = {led.name: led.device for led in self.profile.leds}
        return light_led(self.root, devices[name], brightness)

    def blink_led(self, name: str, on_ms: int, off_ms: int) -> Unknown | None:
        """Let the kernel blink a light; None when it does. Raises KeyError for a name not there."""
        devices = {led.name: led.device for led in self.profile.leds}
        return blink_led(self.root, devices[name], on_ms, off_ms)

    def read_fru(self) -> bytes | Unknown:
        """The FRU information of the board's EEPROM."""
        if self.profile.eeprom is None:
            return Unknown(Why.ABSENT, "the profile knows of no EEPROM")
        return read_fru(self.root, self.profile.eeprom)

    def _measure(self, sensor: SensorProfile) -> Reading:
        if sensor.hwmon:
            place = self._places.channel(sensor.hwmon)
            if isinstance(place, Unknown):
                return place
            return read_input(*place, sensor.measures, may_fail=self._places.may_fail(*place))
        zone = self._places.zone(str(sensor.zone))
        return zone if isinstance(zone, Unknown) else zone_temperature(zone)
