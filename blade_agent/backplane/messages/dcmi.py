"""Messages of DCMI: what the board, or the chassis, draws (Data Center Manageability Interface 1.5, 6.1 and 6.6)."""

import construct
from msgspec import Struct

from blade_agent.backplane.command import DCMI, NET_FN_GROUP, Command, CommandCode
from blade_agent.backplane.layout import Layout, single_bytes

LONGEST_CAPABILITIES_BYTES = 8


class CapabilitiesQuery(Struct, frozen=True):
    """Which group of capabilities."""

    parameter: int


class Capabilities(Struct, frozen=True, kw_only=True):
    """A group of capabilities, and which DCMI they are of."""

    major: int
    minor: int
    revision: int
    data: bytes


class PowerStatisticsQuery(Struct, frozen=True, kw_only=True):
    """Which statistics: 1 those since the controller's start."""

    mode: int
    attributes: int
    reserved: int = 0


class PowerStatistics(Struct, frozen=True, kw_only=True):
    """What is drawn now, and was at least, at most and on the average, in watts."""

    now_w: int
    least_w: int
    most_w: int
    average_w: int
    at: int
    """Seconds since 1970."""
    period_ms: int
    """What the statistics are over."""
    state: int
    """Bit 6: it is measured."""


def _dcmi(number: int) -> CommandCode:
    return CommandCode(NET_FN_GROUP, DCMI, number)


GET_DCMI_CAPABILITIES_INFO = Command(
    "Get DCMI Capabilities Info",
    _dcmi(0x01),
    request=Layout(CapabilitiesQuery, *single_bytes("parameter")),
    reply=Layout(
        Capabilities,
        *single_bytes("major", "minor", "revision"),
        "data" / construct.GreedyBytes,
        lengths_bytes=(3, 3 + LONGEST_CAPABILITIES_BYTES),
    ),
)
GET_POWER_READING = Command(
    "Get Power Reading",
    _dcmi(0x02),
    request=Layout(PowerStatisticsQuery, *single_bytes("mode", "attributes", "reserved")),
    reply=Layout(
        PowerStatistics,
        "now_w" / construct.Int16ul,
        "least_w" / construct.Int16ul,
        "most_w" / construct.Int16ul,
        "average_w" / construct.Int16ul,
        "at" / construct.Int32ul,
        "period_ms" / construct.Int32ul,
        *single_bytes("state"),
    ),
)
