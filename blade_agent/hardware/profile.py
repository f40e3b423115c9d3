"""Hardware profiles: what is known of a board, each fact with where it was read. Boards are data, not code."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from blade_agent.data import data_folder
from blade_agent.hardware.reading import Quantity
from media_network.document import Document, DocumentError, parse_toml
from media_network.legal_values import did_you_mean

Source = Annotated[str, Meta(min_length=8)]
"""A document or file that others can look the fact up in."""

ShortName = Annotated[str, Meta(pattern=r"^[ -~]{1,16}$", description="1 to 16 printable ASCII characters")]
"""What a person reads of a sensor, fan or light: at most 16 printable ASCII characters, as a sensor record holds."""

EntryName = Annotated[
    str,
    Meta(
        pattern=r"^(?!\.)[A-Za-z0-9_.:-]{1,64}$",
        description="the name of one entry of sysfs, not a path: letters, digits and _.:- without a dot in front",
    ),
]
"""Name of an entry of sysfs: one folder or file, never a path."""


class ProfileError(Exception):
    """A profile that is not there, or does not follow the schema."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"hardware profile {self.name!r}: {self.reason}"


FruText = Annotated[str, Meta(max_length=31, pattern=r"^[ -~]*$", description="at most 31 printable ASCII characters")]
"""A field of an inventory."""


class DeviceIdentity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Get Device ID answers (IPMI 2.0, 20.1). Numbers that nobody assigned are 0, "unspecified" there."""

    device_id: Annotated[int, Meta(ge=0, le=0xFF)] = 0
    device_revision: Annotated[int, Meta(ge=0, le=0x0F)] = 0
    manufacturer: Annotated[int, Meta(ge=0, lt=1 << 20)] = 0
    """IANA enterprise number of the board's maker."""
    product: Annotated[int, Meta(ge=0, lt=1 << 16)] = 0
    maker: FruText = ""
    """Who makes the board, as its inventory says it where it has no EEPROM of its own."""
    part_number: FruText = ""
    """The maker's own number for the board."""
    source: Source


class ProfiledPort(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A serial port of the board."""

    device: str
    baud_rate: Annotated[int, Meta(ge=1200)]
    source: Source


class Compatible(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the device tree of a running board calls it. A carrier board often bears its module's name only."""

    machine: Annotated[str, Meta(min_length=3)]
    source: Source


class Uart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A further serial port, and what is at its other end."""

    name: ShortName
    device: str
    baud_rate: Annotated[int, Meta(ge=1200)] | None = None
    source: Source


class HwmonChannel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel of a chip in /sys/class/hwmon: by number (`temp1`) or, where numbers differ, by its label."""

    chip: EntryName
    """What the chip's `name` says."""
    device: EntryName | None = None
    """Tells chips of one name apart: the device that the chip belongs to."""
    channel: (
        Annotated[
            str,
            Meta(
                pattern=r"^(temp|in|curr|power|fan|pwm)[0-9]{1,3}$",
                description="temp, in, curr, power, fan or pwm with a number, such as temp1",
            ),
        ]
        | None
    ) = None
    label: Annotated[str, Meta(min_length=1, max_length=64)] | None = None

    def __post_init__(self) -> None:
        if (self.channel is None) == (self.label is None):
            raise ValueError("a hwmon channel has either `channel` or `label`")


class SensorThresholds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a sensor in its quantity's unit; those that nobody knows are left out."""

    lower_critical: float | None = None
    upper_non_critical: float | None = None
    upper_critical: float | None = None
    upper_non_recoverable: float | None = None
    """Where the board's own protection resets or cuts it off."""
    hysteresis: Annotated[float, Meta(ge=0)] = 0.0
    source: Source

    def __post_init__(self) -> None:
        limits = (self.lower_critical, self.upper_non_critical, self.upper_critical, self.upper_non_recoverable)
        known = [limit for limit in limits if limit is not None]
        if not known or known != sorted(set(known)):
            raise ValueError("thresholds rise from lower_critical to upper_non_recoverable, and at least one is known")

    @property
    def upper(self) -> tuple[float, ...]:
        """The upper limits that are known, rising."""
        limits = (self.upper_non_critical, self.upper_critical, self.upper_non_recoverable)
        return tuple(limit for limit in limits if limit is not None)


class SensorProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something the board measures, in a thermal zone (by its type) or by a channel of a chip."""

    name: ShortName
    quantity: Literal["temperature", "voltage", "current", "power"]
    entity: Literal["processor", "system_board", "air_inlet", "power_supply"]
    """Where it is measured, in the words of IPMI 2.0, table 43-13."""
    zone: EntryName | None = None
    hwmon: HwmonChannel | None = None
    thresholds: SensorThresholds | None = None
    shown_max: Annotated[float, Meta(gt=0)] | None = None
    """Top of the scale on which tools see it, in the quantity's unit; the finer the scale, the finer what they see."""
    source: Source

    def __post_init__(self) -> None:
        if (self.zone is None) == (self.hwmon is None):
            raise ValueError("a sensor has either `zone` or `hwmon`")
        if self.zone and self.measures is not Quantity.TEMPERATURE:
            raise ValueError("a thermal zone measures a temperature")

    @property
    def measures(self) -> Quantity:
        """The quantity."""
        return Quantity(self.quantity)


class FanFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fan that the board drives. A fan without a tachometer has no speed."""

    name: ShortName
    chip: EntryName
    tach: Annotated[str, Meta(pattern=r"^fan[0-9]{1,3}$", description="fan with a number, such as fan1")] | None = None
    pwm: Annotated[str, Meta(pattern=r"^pwm[0-9]{1,3}$", description="pwm with a number, such as pwm1")] | None = None
    levels: tuple[Annotated[int, Meta(ge=0, le=255)], ...] = ()
    """Settings of the PWM, of 255, that the board's maker uses, rising."""
    control: Literal["agent", "kernel"] = "kernel"
    """Who chooses its speed by temperature. Where it is the kernel, the agent only raises it when it is told to."""
    speed_max_rpm: Annotated[float, Meta(gt=0)] | None = None
    """At full drive."""
    thresholds: SensorThresholds | None = None
    """Of its speed, in rotations a minute."""
    source: Source

    def __post_init__(self) -> None:
        if self.tach is None and self.pwm is None:
            raise ValueError("a fan has `tach`, `pwm` or both")
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError("the levels of a fan rise")


class LedFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A light in /sys/class/leds."""

    name: ShortName
    device: EntryName
    use: Literal["hot_swap", "fault", "activity", "identify"] | None = None
    """What the agent shows by it. A light without a use stays with the kernel until somebody overrides it."""
    color: Literal["blue", "red", "green", "amber", "orange", "white"] | None = None
    source: Source


class WatchdogFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The watchdog that resets the board, by what its driver says it is."""

    identity: Annotated[str, Meta(min_length=1, max_length=32)]
    timeout_max_s: Annotated[int, Meta(ge=1)] | None = None
    source: Source


class EepromFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Memory with the board's FRU information, in /sys/bus/nvmem/devices."""

    device: EntryName
    size_bytes: Annotated[int, Meta(ge=8, le=1 << 16)]
    offset_bytes: Annotated[int, Meta(ge=0)] = 0
    writable: bool = False
    """The agent may change what is in it."""
    source: Source

    def __post_init__(self) -> None:
        if self.offset_bytes + 8 > self.size_bytes:
            raise ValueError("FRU information starts inside the memory")


class HandleSwitch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The switch at the blade's handle, as a chassis intrusion input of a chip: 0 closed, 1 open.

    Documentation/hwmon/sysfs-interface.rst of the Linux kernel, intrusion[0-*]_alarm.
    """

    chip: EntryName
    """What the chip's `name` says."""
    attribute: Annotated[
        str, Meta(pattern=r"^intrusion[0-9]{1,3}_alarm$", description="intrusion, a number and _alarm")
    ]
    latched: bool = False
    """The chip keeps a 1 until 0 is written to it, as the kernel's documents say; the agent writes it at every look."""
    source: Source


class PowerFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Power levels of the board (PICMG 3.0, 3.9.1), and what the agent does to stay within each."""

    levels_w: Annotated[tuple[Annotated[float, Meta(gt=0)], ...], Meta(min_length=1, max_length=20)]
    """What it draws at most at level 1, 2 and so on, rising."""
    stream_shares: tuple[Annotated[float, Meta(ge=0, le=1)], ...]
    """Of each level: the share of its capacity that the blade streams at most. The highest level holds nothing back."""
    source: Source

    def __post_init__(self) -> None:
        for rising in (self.levels_w, self.stream_shares):
            if list(rising) != sorted(set(rising)):
                raise ValueError("power levels and their shares rise")
        if len(self.stream_shares) != len(self.levels_w) or self.stream_shares[-1] != 1:
            raise ValueError("every power level has its share of the streams, and that of the highest is 1")


class SupplyFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A power supply of the chassis, as its management board sees it."""

    name: ShortName
    capacity_w: Annotated[float, Meta(gt=0)]
    """What it can give for as long as need be."""
    voltage: HwmonChannel | None = None
    """At its output."""
    power: HwmonChannel | None = None
    """What it gives."""
    voltage_min_v: Annotated[float, Meta(gt=0)] | None = None
    """At its output: below this it does not count as working."""
    source: Source


class Pin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a GPIO chip and what the board uses it for: for who wires the board, the agent does not drive it."""

    name: ShortName
    line: Annotated[int, Meta(ge=0)]
    use: str
    source: Source


class Heat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the board draws and how it warms: what the emulator's physics needs of it."""

    idle_w: Annotated[float, Meta(gt=0)]
    busy_w: Annotated[float, Meta(gt=0)]
    """With all processors busy."""
    stream_w_per_gbps: Annotated[float, Meta(ge=0)]
    """More for every Gbit/s streamed."""
    capacity_j_per_k: Annotated[float, Meta(gt=0)]
    """Heat that warms the board by one degree."""
    still_air_w_per_k: Annotated[float, Meta(gt=0)]
    """Heat given off by a degree above the air, without a fan."""
    full_air_w_per_k: Annotated[float, Meta(gt=0)]
    """The same with the fan at full speed."""
    source: Source

    def __post_init__(self) -> None:
        if self.busy_w < self.idle_w or self.full_air_w_per_k < self.still_air_w_per_k:
            raise ValueError("a busy board draws no less than an idle one, and a fan cools no less than still air")


class HardwareProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A board. What is not known of it is left out."""

    title: str
    identity: DeviceIdentity
    compatible: Compatible | None = None
    backplane: ProfiledPort | None = None
    service_port: ProfiledPort | None = None
    uarts: tuple[Uart, ...] = ()
    sensors: Annotated[tuple[SensorProfile, ...], Meta(max_length=64)] = ()
    fans: Annotated[tuple[FanFacts, ...], Meta(max_length=16)] = ()
    leds: Annotated[tuple[LedFacts, ...], Meta(max_length=16)] = ()
    watchdog: WatchdogFacts | None = None
    eeprom: EepromFacts | None = None
    handle: HandleSwitch | None = None
    power: PowerFacts | None = None
    supplies: Annotated[tuple[SupplyFacts, ...], Meta(max_length=16)] = ()
    pins: tuple[Pin, ...] = ()
    heat: Heat | None = None

    def __post_init__(self) -> None:
        for facts in (self.sensors, self.fans, self.leds, self.supplies, self.uarts, self.pins):
            names = [fact.name for fact in facts]
            if len(names) != len(set(names)):
                raise ValueError(f"two facts of one kind have the same name: {', '.join(names)}")
        limited = (sensor.thresholds for sensor in self.sensors if sensor.entity == "processor")
        if any(fan.control == "agent" for fan in self.fans) and not any(limits and limits.upper for limits in limited):
            raise ValueError("the agent drives a fan by a processor's temperature with an upper threshold")
        uses = [led.use for led in self.leds if led.use]
        if len(uses) != len(set(uses)):
            raise ValueError(f"two lights have the same use: {', '.join(uses)}")


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the agent."""
    return tuple(sorted(path.stem for path in data_folder("hw_profiles").glob("*.toml")))


def load_profile(name: str) -> HardwareProfile:
    """Read a profile by name, or by the path of a TOML file. Raises ProfileError."""
    path = Path(name) if name.endswith(".toml") else data_folder("hw_profiles") / f"{name}.toml"
    known = profile_names()
    if not path.exists():
        raise ProfileError(
            name, f"there is none of that name{did_you_mean(name, known)}; there are: {', '.join(known)}"
        )
    try:
        return Document(path, "hardware profile", DocumentError, parse_toml, "TOML").whole(HardwareProfile)
    except DocumentError as error:
        raise ProfileError(name, f"{error.key} {error.reason}".lstrip()) from error
