"""A board: a profile bound to sysfs under a root path. Only what the profile names is read, and written."""

from pathlib import Path

from msgspec import Struct

from blade_agent.hardware.eeprom import read_fru
from blade_agent.hardware.fan import FanReading, drive_fan, read_fan
from blade_agent.hardware.hwmon import read_channel
from blade_agent.hardware.led import light_led, read_led
from blade_agent.hardware.profile import HardwareProfile, Sensor
from blade_agent.hardware.reading import Quantity, Reading, Unknown, Why
from blade_agent.hardware.thermal_zone import read_zone
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


class Board:
    """A board under a root path: `/` on the board itself. Every call blocks for some files of sysfs."""

    def __init__(self, profile: HardwareProfile, root: Path = Path("/")) -> None:
        self.profile = profile
        self.root = root

    def read(self) -> BoardReadings:
        """Measure everything."""
        watchdog = self.profile.watchdog
        return BoardReadings(
            sensors=tuple(self.read_sensor(sensor) for sensor in self.profile.sensors),
            fans=tuple(read_fan(self.root, fan) for fan in self.profile.fans),
            leds=tuple(LedReading(led.name, read_led(self.root, led.device)) for led in self.profile.leds),
            watchdog=read_watchdog(self.root, watchdog.identity) if watchdog else None,
        )

    def read_sensor(self, sensor: Sensor) -> SensorReading:
        """Measure one of the profile's sensors."""
        if sensor.hwmon:
            reading = read_channel(self.root, sensor.measures, sensor.hwmon)
        elif sensor.zone:
            reading = read_zone(self.root, sensor.zone)
        else:
            reading = Unknown(Why.ABSENT, "the profile does not say where it is read")
        return SensorReading(sensor.name, sensor.measures, reading)

    def drive_fan(self, name: str, duty: float) -> Unknown | None:
        """Run a fan at a share of full drive; None when its driver took it. Raises KeyError for a name not there."""
        fans = {fan.name: fan for fan in self.profile.fans}
        return drive_fan(self.root, fans[name], duty)

    def light_led(self, name: str, brightness: float) -> Unknown | None:
        """Let a light shine, 0 to 1; None when its driver took it. Raises KeyError for a name not there."""
        devices = {led.name: led.device for led in self.profile.leds}
        return light_led(self.root, devices[name], brightness)

    def read_fru(self) -> bytes | Unknown:
        """The FRU information of the board's EEPROM."""
        if self.profile.eeprom is None:
            return Unknown(Why.ABSENT, "the profile knows of no EEPROM")
        return read_fru(self.root, self.profile.eeprom)
