"""Messages of the boot options: what a main board is asked to do at its next start (IPMI 2.0, 28.12 and 28.13)."""

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_CHASSIS, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, low, single_bytes
from blade_agent.backplane.message import ParameterCompletion

LONGEST_BYTES = 16
"""Of a parameter."""


class SetBootOption(Struct, frozen=True, kw_only=True):
    """A parameter of the boot options. Bit 7 of its number: it does not hold. Without data nothing else changes."""

    parameter: int
    data: bytes


class BootOptionQuery(Struct, frozen=True, kw_only=True):
    """Which parameter; its sets and blocks are for parameters that nobody here has."""

    parameter: int
    which_set: int
    block: int


class BootOption(Struct, frozen=True, kw_only=True):
    """A parameter. Bit 7 of its number: it does not hold."""

    version: int
    parameter: int
    data: bytes


SET_SYSTEM_BOOT_OPTIONS = Command(
    "Set System Boot Options",
    CommandCode(NET_FN_CHASSIS, b"", 0x08),
    request=Layout(
        SetBootOption,
        *single_bytes("parameter"),
        "data" / construct.GreedyBytes,
        lengths_bytes=(1, 1 + LONGEST_BYTES),
    ),
    reply=NOTHING,
    completions=ParameterCompletion,
)
GET_SYSTEM_BOOT_OPTIONS = Command(
    "Get System Boot Options",
    CommandCode(NET_FN_CHASSIS, b"", 0x09),
    request=Layout(BootOptionQuery, "parameter" / low(0x7F), *single_bytes("which_set", "block")),
    reply=Layout(
        BootOption,
        *single_bytes("version", "parameter"),
        "data" / construct.GreedyBytes,
        lengths_bytes=(2, 2 + LONGEST_BYTES),
    ),
    completions=ParameterCompletion,
)
