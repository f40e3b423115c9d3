"""Messages of the PICMG 3.0 commands (AdvancedTCA, 3.1.6 and 3.2.4)."""

from enum import Enum

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_GROUP, PICMG, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, low, numbered

PICMG_VERSION_2_3 = 0x32
"""Extension version, least significant digit first in the upper half."""
SITE_TYPE_FRONT_BOARD = 0x00
LINK_AS_IT_IS = 0xFF
"""Set IPMB State: leave this link alone."""
LOCAL_CONTROL = 0x01
"""Bit of Set IPMB State: the controller itself says what becomes of the link."""


class AddressKey(Enum):
    """What a device is looked up by."""

    HARDWARE_ADDRESS = 0x00
    IPMB_ADDRESS = 0x01
    PHYSICAL_ADDRESS = 0x03


class Activation(Enum):
    """What Set FRU Activation asks for."""

    DEACTIVATE = 0x00
    ACTIVATE = 0x01


class PicmgProperties(Struct, frozen=True, kw_only=True):
    """Which PICMG extensions the controller speaks, and how many field replaceable units it stands for."""

    version: int
    max_fru: int
    controller_fru: int


class AddressQuery(Struct, frozen=True):
    """Which address is asked for; without a key, the controller's own."""

    fru: int | None = None
    key: int | None = None
    value: int | None = None
    site_type: int | None = None


class AddressInfo(Struct, frozen=True, kw_only=True):
    """Where the controller stands."""

    hardware_address: int
    ipmb_address: int
    reserved: int = 0xFF
    fru: int
    site: int
    """Slot number, from 1."""
    site_type: int


class FruNumber(Struct, frozen=True):
    """A field replaceable unit; the blade itself is 0."""

    fru: int = 0


class SetPolicy(Struct, frozen=True, kw_only=True):
    """New activation policy: the bits named by `mask` take their values from `bits`."""

    fru: int = 0
    mask: int
    bits: int


class Policy(Struct, frozen=True):
    """Activation policy: bit 0 holds back M1 to M2, bit 1 holds back M4 to M5."""

    bits: int


class SetActivation(Struct, frozen=True):
    """Activate or deactivate a field replaceable unit."""

    fru: int
    activation: Activation


class LinkStates(Struct, frozen=True, kw_only=True):
    """What becomes of the two links of a redundant backplane: FFh nothing; bit 0 local control, or isolation."""

    first: int
    second: int


class LocatorRecord(Struct, frozen=True):
    """Which record describes a field replaceable unit."""

    record: int


class PowerProperties(Struct, frozen=True, kw_only=True):
    """How many slots a field replaceable unit takes, and in which of them, from 0, its controller is."""

    slots: int
    controller_at: int


def _picmg(number: int) -> CommandCode:
    return CommandCode(NET_FN_GROUP, PICMG, number)


_FRU = "fru" / construct.Int8ub
_BITS = "bits" / construct.Int8ub

GET_PICMG_PROPERTIES = Command(
    "Get PICMG Properties",
    _picmg(0x00),
    request=NOTHING,
    reply=Layout(
        PicmgProperties,
        "version" / construct.Int8ub,
        "max_fru" / construct.Int8ub,
        "controller_fru" / construct.Int8ub,
    ),
)
GET_ADDRESS_INFO = Command(
    "Get Address Info",
    _picmg(0x01),
    request=Layout(
        AddressQuery,
        "fru" / construct.Optional(construct.Int8ub),
        "key" / construct.Optional(construct.Int8ub),
        "value" / construct.Optional(construct.Int8ub),
        "site_type" / construct.Optional(construct.Int8ub),
        lengths_bytes=(0, 4),
    ),
    reply=Layout(
        AddressInfo,
        "hardware_address" / construct.Int8ub,
        "ipmb_address" / construct.Int8ub,
        "reserved" / construct.Int8ub,
        _FRU,
        "site" / construct.Int8ub,
        "site_type" / construct.Int8ub,
    ),
)
SET_FRU_ACTIVATION_POLICY = Command(
    "Set FRU Activation Policy",
    _picmg(0x0A),
    request=Layout(SetPolicy, _FRU, "mask" / low(0x03), "bits" / low(0x03)),
    reply=NOTHING,
)
GET_FRU_ACTIVATION_POLICY = Command(
    "Get FRU Activation Policy",
    _picmg(0x0B),
    request=Layout(FruNumber, _FRU),
    reply=Layout(Policy, _BITS),
)
SET_FRU_ACTIVATION = Command(
    "Set FRU Activation",
    _picmg(0x0C),
    request=Layout(SetActivation, _FRU, "activation" / numbered(Activation)),
    reply=NOTHING,
)
SET_IPMB_STATE = Command(
    "Set IPMB State",
    _picmg(0x09),
    request=Layout(LinkStates, "first" / construct.Int8ub, "second" / construct.Int8ub),
    reply=NOTHING,
)
GET_DEVICE_LOCATOR_RECORD_ID = Command(
    "Get Device Locator Record ID",
    _picmg(0x0D),
    request=Layout(FruNumber, _FRU),
    reply=Layout(LocatorRecord, "record" / construct.Int16ul),
)
COMPUTE_POWER_PROPERTIES = Command(
    "Compute Power Properties",
    _picmg(0x10),
    request=Layout(FruNumber, _FRU),
    reply=Layout(PowerProperties, "slots" / construct.Int8ub, "controller_at" / construct.Int8ub),
)
