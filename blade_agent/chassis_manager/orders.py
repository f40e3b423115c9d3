"""What a chassis manager can be asked and told over its UNIX socket (`media_network.local_orders`).

`blade-agent chassis ...` on a management board and whoever shows or drives a chassis use the same verbs.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.backplane.slot_address import SLOTS
from media_network.messages.verb import MIB, Caller, Done, Verb

SlotNumber = Annotated[int, Meta(ge=1, le=SLOTS)]
PowerState: TypeAlias = Literal["on", "off", "unknown"]
PowerAction: TypeAlias = Literal["on", "off", "cycle"]
Severity: TypeAlias = Literal["info", "warning", "critical"]


class AskChassis(Struct, frozen=True):
    """Ask for the whole state of the chassis."""


class TemperatureReading(Struct, frozen=True, kw_only=True):
    """A temperature of a blade as last read over the backplane."""

    sensor: str
    celsius: float
    upper_non_critical: float | None = None
    upper_critical: float | None = None
    upper_non_recoverable: float | None = None


class SensorState(Struct, frozen=True, kw_only=True):
    """A sensor of a blade that is read as a number, by its record and its last reading over the backplane."""

    number: int
    """By which it stays the same sensor, whatever else the blade has."""
    name: str
    measures: Literal["temperature", "voltage", "current", "power", "fan_speed"]
    entity: str
    """Where it measures, in the words of a hardware profile; `fan` of a tachometer."""
    value: float | None
    """In degrees Celsius, volts, amperes, watts or rotations a minute; None while there is none to be had."""
    low_critical: float | None = None
    high_warning: float | None = None
    high_critical: float | None = None
    high_fatal: float | None = None
    hysteresis: float = 0.0
    """How far the reading has to come back before a limit no longer counts as crossed."""


class SlotState(Struct, frozen=True, kw_only=True):
    """One slot. Of a blade that is away (M0, M7) only what the manager itself knows is there."""

    slot: int
    hot_swap: str
    """M0 to M7."""
    role: Role | None = None
    epoch: int | None = None
    main_board: MainBoardState | None = None
    address: str | None = None
    """`host:port` of its main board's control port."""
    boot_id: str | None = None
    """Drawn anew at every start of the agent, 16 hexadecimal digits."""
    wanted_in_service: bool = True
    """False: somebody took it out of service on purpose."""
    desired_power: PowerState = "unknown"
    """`unknown` while nobody has ordered anything."""
    observed_power: PowerState = "unknown"
    waits_for: str = ""
    """Why the blade is not brought into service, or what its withdrawal waits for; empty if it waits for nothing."""
    streams_left: int | None = None
    """What a blade that drains still carries."""
    granted_w: float | None = None
    """What the power budget has set aside for it; None where the blade does not say what it draws."""
    power_level: int | None = None
    power_levels_w: tuple[float, ...] = ()
    """What it draws at most at level 1, 2 and so on."""
    temperatures: tuple[TemperatureReading, ...] = ()
    sensors: tuple[SensorState, ...] = ()
    """All that it measures, those temperatures included, in the order of their numbers."""
    protocol_version: int | None = None
    """Of the backplane's messages that its agent speaks. One of another version than ours gets no role."""
    streams: int | None = None
    """That its main board sends."""
    serial_number: str = ""
    """This and the next three are of its FRU inventory; empty until it was read, and where it says nothing."""
    model: str = ""
    maker: str = ""
    firmware: str = ""
    fan_level: int | None = None
    """Level, 0 to 100, that its fan was told to run at least at; None where nothing was set."""
    lost_since: float | None = None
    """Seconds since 1970; None unless the slot is in M7."""
    frame_faults: int | None = None
    """What the blade was brought by its lines and was no frame, since its start."""
    message_faults: int | None = None
    """Frames that it was brought and that were no message."""
    line_faults: int = 0
    """What the chassis manager was brought by this line and was no message, since the manager's start."""
    requests: int = 0
    """That the manager put to the blade since its start, each once; this and the next two are `RequestCounters`."""
    repeats: int = 0
    unanswered: int = 0
    """Requests that were given up."""
    draining: bool = False
    """Whether the blade was last told to take nothing new, by whomever over this line, since its start."""
    identify_s: int = 0
    """For how long its light still blinks by what was ordered over this line; 255 until it is told otherwise."""


class SupplyState(Struct, frozen=True, kw_only=True):
    """A power supply of the chassis."""

    name: str
    capacity_w: float
    works: bool
    volts: float | None = None
    watts: float | None = None


class BudgetState(Struct, frozen=True, kw_only=True):
    """What the supplies can carry and what was granted of it."""

    capacity_w: float | None = None
    """Of the supplies that work; None where the chassis does not know its supplies: then nothing is refused."""
    granted_w: float = 0.0


class ChassisState(Struct, frozen=True, kw_only=True):
    """The whole chassis."""

    station: str
    epoch: int
    director: int | None
    """Slot of the media director."""
    slots: tuple[SlotState, ...]
    supplies: tuple[SupplyState, ...] = ()
    budget: BudgetState = BudgetState()
    fan_level: int | None = None
    """Level, 0 to 100, that the cooling policy asks of the chassis; None while it asks for nothing."""
    inlet_celsius: float | None = None
    failed_logins: int = 0
    """Wrong passwords at the IPMI interface since the manager's start."""
    journal_kept: bool = True
    """False while the disk does not take what was ordered: orders are refused."""


class AskEvents(Struct, frozen=True):
    """Ask for the events after record `after`; for all that are kept, if there is no such record (any more)."""

    after: int = 0


class EventRow(Struct, frozen=True, kw_only=True):
    """A record of the chassis' event log, decoded."""

    id: int
    time: int
    """Seconds since 1970 by the log's clock."""
    slot: int | None
    """None: of the chassis as a whole."""
    sensor: str
    event: str
    """What happened, for a person."""
    asserted: bool
    severity: Severity
    record: str
    """The 16 bytes of the record, hexadecimal."""


class Events(Struct, frozen=True, kw_only=True):
    """Events, oldest first."""

    events: tuple[EventRow, ...]
    last: int
    """Id of the newest record that is kept; 0 when there is none. To be asked `after` next time."""


class SetPower(Struct, frozen=True, kw_only=True):
    """Switch a blade's main board."""

    slot: SlotNumber
    action: PowerAction


class ResetBlade(Struct, frozen=True, kw_only=True):
    """Reset a blade's main board."""

    slot: SlotNumber


class IdentifyBlade(Struct, frozen=True, kw_only=True):
    """Let a blade show where it is; 0 seconds end it."""

    slot: SlotNumber
    seconds: Annotated[int, Meta(ge=0, le=255)] = 15


class ActivateBlade(Struct, frozen=True, kw_only=True):
    """Bring a blade into service, now and whenever it can be."""

    slot: SlotNumber


class DeactivateBlade(Struct, frozen=True, kw_only=True):
    """Take a blade out of service and leave it out: role first, then its streams, then the blade."""

    slot: SlotNumber


CHASSIS = Verb(
    "chassis",
    AskChassis,
    ChassisState,
    "The whole state of the chassis.",
    callers=(Caller.ANYBODY,),
    reply_bytes_max=MIB,  # 6 kB a slot with 16 sensors, of 62
)
EVENTS = Verb(
    "events",
    AskEvents,
    Events,
    "The event log of the chassis.",
    callers=(Caller.ANYBODY,),
    reply_bytes_max=MIB,  # 300 bytes a record, of 512
)
POWER = Verb(
    "power", SetPower, Done, "Switch a blade's main board on or off, or off and on.", callers=(Caller.OPERATOR,)
)
RESET = Verb("reset", ResetBlade, Done, "Reset a blade's main board.", callers=(Caller.OPERATOR,))
IDENTIFY = Verb("identify", IdentifyBlade, Done, "Let a blade blink.", callers=(Caller.OPERATOR,))
ACTIVATE = Verb("activate", ActivateBlade, Done, "Bring a blade into service.", callers=(Caller.OPERATOR,))
DEACTIVATE = Verb(
    "deactivate",
    DeactivateBlade,
    Done,
    "Take a blade out of service, gracefully, and leave it out.",
    callers=(Caller.OPERATOR,),
)
