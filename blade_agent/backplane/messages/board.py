"""Messages about power, fan and reset of the blade (PICMG 3.0, 3.4.1.6, 3.6 and 3.9.1)."""

from enum import Enum

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_GROUP, PICMG, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, numbered, optional, single_bytes

MOST_LEVELS = 20


class FruControl(Enum):
    """What FRU Control does to the main board."""

    COLD_RESET = 0
    WARM_RESET = 1
    GRACEFUL_REBOOT = 2
    DIAGNOSTIC_INTERRUPT = 3


class PowerKind(Enum):
    """Which power level is asked for."""

    STEADY = 0
    DESIRED_STEADY = 1
    EARLY = 2
    DESIRED_EARLY = 3


class ControlFru(Struct, frozen=True):
    """Do something to a field replaceable unit."""

    fru: int
    control: FruControl


class WhichFru(Struct, frozen=True):
    """Which field replaceable unit."""

    fru: int


class ControlCapabilities(Struct, frozen=True):
    """Bits by `FruControl`: 1 warm reset, 2 graceful reboot, 3 diagnostic interrupt. Cold reset is always there."""

    capabilities: int


class SetPowerLevel(Struct, frozen=True, kw_only=True):
    """Level to run at: 0 off, FFh as it is. With `copy` 1 the desired levels become the present ones."""

    fru: int
    level: int
    copy: int


class PowerQuery(Struct, frozen=True):
    """Which level of which field replaceable unit."""

    fru: int
    kind: PowerKind


class PowerLevelsReply(Struct, frozen=True, kw_only=True):
    """A level, and what each level draws."""

    level: int
    delay: int
    """Until the draw is steady, in tenths of a second."""
    multiplier: int
    """What `draws` is counted in, in tenths of a watt."""
    draws: bytes
    """One byte a level, from level 1 on."""


class FanProperties(Struct, frozen=True, kw_only=True):
    """Levels that the fan can run at; bit 7 of `properties`: it can control itself."""

    lowest: int
    highest: int
    normal: int
    properties: int


class SetFanLevel(Struct, frozen=True, kw_only=True):
    """Level to run at least at; FFh leaves it to the board.

    `local` says whether the board's own control may go above it; who does not say means that it may.
    """

    fru: int
    level: int
    local: int | None = None


class FanLevel(Struct, frozen=True, kw_only=True):
    """The level it was told to run at, FFh when it was not, and the one it runs at by itself, where that is known."""

    override_level: int
    local_level: int | None
    local: int | None = None
    """1 where the board's own control is at work."""


def _picmg(number: int) -> CommandCode:
    return CommandCode(NET_FN_GROUP, PICMG, number)


_WHICH = Layout(WhichFru, *single_bytes("fru"))

FRU_CONTROL = Command(
    "FRU Control",
    _picmg(0x04),
    request=Layout(ControlFru, *single_bytes("fru"), "control" / numbered(FruControl)),
    reply=NOTHING,
)
FRU_CONTROL_CAPABILITIES = Command(
    "FRU Control Capabilities",
    _picmg(0x1E),
    request=_WHICH,
    reply=Layout(ControlCapabilities, *single_bytes("capabilities")),
)
SET_POWER_LEVEL = Command(
    "Set Power Level",
    _picmg(0x11),
    request=Layout(SetPowerLevel, *single_bytes("fru", "level", "copy")),
    reply=NOTHING,
)
GET_POWER_LEVEL = Command(
    "Get Power Level",
    _picmg(0x12),
    request=Layout(PowerQuery, *single_bytes("fru"), "kind" / numbered(PowerKind)),
    reply=Layout(
        PowerLevelsReply,
        *single_bytes("level", "delay", "multiplier"),
        "draws" / construct.GreedyBytes,
        lengths_bytes=(3, 3 + MOST_LEVELS),
    ),
)
GET_FAN_SPEED_PROPERTIES = Command(
    "Get Fan Speed Properties",
    _picmg(0x14),
    request=_WHICH,
    reply=Layout(FanProperties, *single_bytes("lowest", "highest", "normal", "properties")),
)
SET_FAN_LEVEL = Command(
    "Set Fan Level",
    _picmg(0x15),
    request=Layout(SetFanLevel, *single_bytes("fru", "level"), optional("local", 0x01), lengths_bytes=(2, 3)),
    reply=NOTHING,
)
GET_FAN_LEVEL = Command(
    "Get Fan Level",
    _picmg(0x16),
    request=_WHICH,
    reply=Layout(
        FanLevel,
        *single_bytes("override_level"),
        optional("local_level"),
        optional("local"),
        lengths_bytes=(1, 3),
    ),
)
