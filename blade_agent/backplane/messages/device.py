"""Messages of the IPM device commands (IPMI 2.0, chapter 20)."""

from enum import Enum

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_APPLICATION, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, low, numbered, single_bytes

IPMI_VERSION_2_0 = 0x02
"""Binary coded decimal, least significant digit first in the upper half."""


class DeviceId(Struct, frozen=True, kw_only=True):
    """What the device is (IPMI 2.0, table 20-2)."""

    device_id: int
    revision: int
    """Bits 3 to 0; bit 7 says that the device has sensor data records of its own."""
    firmware_major: int
    """Bits 6 to 0; bit 7 says that an update is under way."""
    firmware_minor: int
    """Binary coded decimal."""
    ipmi_version: int
    device_support: int
    """Bits: 0 sensors, 1 SDR repository, 2 SEL, 3 FRU inventory, 4 event receiver, 5 event generator, 7 chassis."""
    manufacturer: int
    product: int
    firmware_auxiliary: int


class SelfTest(Struct, frozen=True):
    """How the self test went (IPMI 2.0, table 20-8)."""

    result: int
    detail: int


class Guid(Struct, frozen=True):
    """The device's globally unique id, 16 bytes, least significant first (IPMI 2.0, table 20-10)."""

    guid: bytes


class GlobalEnables(Struct, frozen=True):
    """What the controller does by itself (IPMI 2.0, table 22-2): bit 3 events go into the log."""

    enables: int


class Medium(Enum):
    """What a channel runs on (IPMI 2.0, table 6-3)."""

    IPMB = 1
    SERIAL = 5


class ChannelNumber(Struct, frozen=True):
    """Which channel; Eh: this one."""

    channel: int


class ChannelInfo(Struct, frozen=True, kw_only=True):
    """What a channel is (IPMI 2.0, table 22-29)."""

    channel: int
    medium: Medium
    protocol: int
    """1: IPMB messages."""
    sessions: int
    """0: there are none."""
    vendor: int
    auxiliary: int


GET_DEVICE_ID = Command(
    "Get Device ID",
    CommandCode(NET_FN_APPLICATION, b"", 0x01),
    request=NOTHING,
    reply=Layout(
        DeviceId,
        "device_id" / construct.Int8ub,
        "revision" / construct.Int8ub,
        "firmware_major" / construct.Int8ub,
        "firmware_minor" / construct.Int8ub,
        "ipmi_version" / construct.Int8ub,
        "device_support" / construct.Int8ub,
        "manufacturer" / construct.Int24ul,
        "product" / construct.Int16ul,
        "firmware_auxiliary" / construct.Int32ub,
    ),
)
GET_SELF_TEST_RESULTS = Command(
    "Get Self Test Results",
    CommandCode(NET_FN_APPLICATION, b"", 0x04),
    request=NOTHING,
    reply=Layout(SelfTest, "result" / construct.Int8ub, "detail" / construct.Int8ub),
)
GET_DEVICE_GUID = Command(
    "Get Device GUID",
    CommandCode(NET_FN_APPLICATION, b"", 0x08),
    request=NOTHING,
    reply=Layout(Guid, "guid" / construct.Bytes(16)),
)
COLD_RESET = Command("Cold Reset", CommandCode(NET_FN_APPLICATION, b"", 0x02), request=NOTHING, reply=NOTHING)
WARM_RESET = Command("Warm Reset", CommandCode(NET_FN_APPLICATION, b"", 0x03), request=NOTHING, reply=NOTHING)
GET_SYSTEM_GUID = Command(
    "Get System GUID",
    CommandCode(NET_FN_APPLICATION, b"", 0x37),
    request=NOTHING,
    reply=Layout(Guid, "guid" / construct.Bytes(16)),
)
SET_GLOBAL_ENABLES = Command(
    "Set Global Enables",
    CommandCode(NET_FN_APPLICATION, b"", 0x2E),
    request=Layout(GlobalEnables, "enables" / low(0xEF)),
    reply=NOTHING,
)
GET_GLOBAL_ENABLES = Command(
    "Get Global Enables",
    CommandCode(NET_FN_APPLICATION, b"", 0x2F),
    request=NOTHING,
    reply=Layout(GlobalEnables, *single_bytes("enables")),
)
GET_CHANNEL_INFO = Command(
    "Get Channel Info",
    CommandCode(NET_FN_APPLICATION, b"", 0x42),
    request=Layout(ChannelNumber, "channel" / low(0x0F)),
    reply=Layout(
        ChannelInfo,
        *single_bytes("channel"),
        "medium" / numbered(Medium),
        *single_bytes("protocol", "sessions"),
        "vendor" / construct.Int24ul,
        "auxiliary" / construct.Int16ul,
    ),
)
