"""Messages of the chassis commands: to a CBC, its blade is the chassis (IPMI 2.0, chapter 28)."""

from enum import Enum

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_CHASSIS, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, numbered, single_bytes


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
    request=Layout(Control, "control" / numbered(ChassisControl)),
    reply=NOTHING,
)
CHASSIS_IDENTIFY = Command(
    "Chassis Identify",
    _chassis(0x04),
    request=Layout(
        IdentifyRequest,
        "interval_s" / construct.Optional(construct.Int8ub),
        "forced" / construct.Optional(construct.Int8ub),
        lengths_bytes=(0, 2),
    ),
    reply=NOTHING,
)
