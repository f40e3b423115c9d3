"""Messages of the chassis commands: to a CBC, its blade is the chassis (IPMI 2.0, chapter 28)."""

from enum import Enum

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_CHASSIS, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, numbered, optional, single_bytes


class ChassisControl(Enum):
    """What is done to the main board (IPMI 2.0, table 28-4)."""

    POWER_DOWN = 0
    POWER_UP = 1
    POWER_CYCLE = 2
    HARD_RESET = 3
    DIAGNOSTIC_INTERRUPT = 4
    SOFT_SHUTDOWN = 5


class ChassisStatus(Struct, frozen=True, kw_only=True):
    """State of the main board's power (IPMI 2.0, table 28-3)."""

    power: int
    """Bits: 6 and 5 what happens when power comes back (1: as it was, 3: unknown), 3 fault, 0 on."""
    last_event: int
    miscellaneous: int
    """Bits: 6 bits 5 and 4 are known, 5 and 4 identification: 0 off, 1 for a while, 2 until it is ended."""


class ChassisCapabilities(Struct, frozen=True, kw_only=True):
    """Which controllers, by their IPMB addresses, know what of the chassis (IPMI 2.0, table 28-2)."""

    flags: int
    inventory: int
    records: int
    log: int
    management: int
    bridge: int


class RestorePolicy(Enum):
    """What becomes of the main board when power comes back (IPMI 2.0, table 28-10)."""

    STAY_OFF = 0
    AS_BEFORE = 1
    COME_ON = 2
    NO_CHANGE = 3


class SetRestorePolicy(Struct, frozen=True):
    """The policy that is wanted."""

    policy: RestorePolicy


class RestorePolicies(Struct, frozen=True):
    """Which policies there are, bits by `RestorePolicy`."""

    supported: int


class RestartCause(Enum):
    """Why the main board was started last (IPMI 2.0, table 28-13)."""

    UNKNOWN = 0
    CHASSIS_CONTROL = 1
    WATCHDOG = 4
    OEM = 5


class RestartCauseReply(Struct, frozen=True, kw_only=True):
    """Why, and over which channel it was ordered."""

    cause: RestartCause
    channel: int


class PowerOnTime(Struct, frozen=True, kw_only=True):
    """How long it has been on, counted in so many minutes."""

    minutes_a_count: int
    count: int


class Control(Struct, frozen=True):
    """Do something to the main board."""

    control: ChassisControl


class IdentifyRequest(Struct, frozen=True):
    """Show which blade this is: for some seconds, 15 unless they are given, or until it is ended."""

    interval_s: int | None = None
    forced: int | None = None
    """1: until it is ended."""


def _chassis(number: int) -> CommandCode:
    return CommandCode(NET_FN_CHASSIS, b"", number)


GET_CHASSIS_STATUS = Command(
    "Get Chassis Status",
    _chassis(0x01),
    request=NOTHING,
    reply=Layout(ChassisStatus, *single_bytes("power", "last_event", "miscellaneous")),
)
CHASSIS_CONTROL = Command(
    "Chassis Control",
    _chassis(0x02),
    request=Layout(Control, "control" / numbered(ChassisControl, 0x0F)),
    reply=NOTHING,
)
CHASSIS_IDENTIFY = Command(
    "Chassis Identify",
    _chassis(0x04),
    request=Layout(
        IdentifyRequest,
        optional("interval_s"),
        optional("forced", 0x01),
        lengths_bytes=(0, 2),
    ),
    reply=NOTHING,
)
GET_CHASSIS_CAPABILITIES = Command(
    "Get Chassis Capabilities",
    _chassis(0x00),
    request=NOTHING,
    reply=Layout(ChassisCapabilities, *single_bytes("flags", "inventory", "records", "log", "management", "bridge")),
)
SET_POWER_RESTORE_POLICY = Command(
    "Set Power Restore Policy",
    _chassis(0x06),
    request=Layout(SetRestorePolicy, "policy" / numbered(RestorePolicy, 0x07)),
    reply=Layout(RestorePolicies, *single_bytes("supported")),
)
GET_SYSTEM_RESTART_CAUSE = Command(
    "Get System Restart Cause",
    _chassis(0x07),
    request=NOTHING,
    reply=Layout(RestartCauseReply, "cause" / numbered(RestartCause), *single_bytes("channel")),
)
GET_POH_COUNTER = Command(
    "Get POH Counter",
    _chassis(0x0F),
    request=NOTHING,
    reply=Layout(PowerOnTime, *single_bytes("minutes_a_count"), "count" / construct.Int32ul),
)
