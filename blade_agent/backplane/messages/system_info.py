"""Messages of the system info parameters: names and versions of what runs here (IPMI 2.0, 22.14a and 22.14b)."""

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_APPLICATION, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, single_bytes
from blade_agent.backplane.message import ParameterCompletion

BLOCK_BYTES = 16
_LONGEST_BYTES = 1 + BLOCK_BYTES


class SetSystemInfo(Struct, frozen=True, kw_only=True):
    """A parameter that somebody wants to have otherwise."""

    parameter: int
    data: bytes


class SystemInfoQuery(Struct, frozen=True, kw_only=True):
    """Which parameter, and which of its blocks. Bit 7 of `flags`: the revision alone is wanted."""

    flags: int
    parameter: int
    which_set: int
    block: int


class SystemInfo(Struct, frozen=True, kw_only=True):
    """A parameter, or a block of it with its number before it."""

    revision: int
    data: bytes


SET_SYSTEM_INFO_PARAMETERS = Command(
    "Set System Info Parameters",
    CommandCode(NET_FN_APPLICATION, b"", 0x58),
    request=Layout(
        SetSystemInfo,
        *single_bytes("parameter"),
        "data" / construct.GreedyBytes,
        lengths_bytes=(1, 1 + _LONGEST_BYTES),
    ),
    reply=NOTHING,
    completions=ParameterCompletion,
)
GET_SYSTEM_INFO_PARAMETERS = Command(
    "Get System Info Parameters",
    CommandCode(NET_FN_APPLICATION, b"", 0x59),
    request=Layout(SystemInfoQuery, *single_bytes("flags", "parameter", "which_set", "block")),
    reply=Layout(
        SystemInfo,
        *single_bytes("revision"),
        "data" / construct.GreedyBytes,
        lengths_bytes=(1, 1 + _LONGEST_BYTES),
    ),
    completions=ParameterCompletion,
)
