"""Messages of firmware upgrade (PICMG HPM.1 R1.0, chapter 3)."""

from enum import Enum, unique

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_GROUP, PICMG, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, numbered, single_bytes
from blade_agent.backplane.message import Completion

HPM_VERSION = 0x00
DESCRIPTION_BYTES = 12
"""Of a component, the last one NUL."""
LONGEST_BLOCK_BYTES = 48


class ComponentProperty(Enum):
    """What Get Component Properties asks for (table 3-5)."""

    GENERAL = 0
    CURRENT_VERSION = 1
    DESCRIPTION = 2
    ROLLBACK_VERSION = 3
    DEFERRED_VERSION = 4


class UpgradeCapabilities(Struct, frozen=True, kw_only=True):
    """What the controller can upgrade, and how (table 3-3). Times in units of 5 s, 0: not specified."""

    version: int
    capabilities: int
    """Bits: 7 upgrade undesirable now, 4 deferred activation, 3 services are affected, 2 manual and 1 automatic
    rollback, 0 self test."""
    upgrade_timeout: int
    self_test_timeout: int
    rollback_timeout: int
    inaccessibility_timeout: int
    components: int
    """Bits: the components there are."""


class WhichProperty(Struct, frozen=True, kw_only=True):
    """Which property of which component; the property as it came, for its refusal is its own."""

    component: int
    selector: int


@unique
class GetPropertyCompletion(Completion):
    """Why there is no such property."""

    INVALID_COMPONENT = 0x82
    """The component is not there."""
    INVALID_PROPERTY = 0x83
    """Components do not have it."""


class PropertyValue(Struct, frozen=True):
    """A property: one byte of flags, a version of 6 bytes, or a description of 12."""

    octets: bytes


class UpgradeAction(Enum):
    """What Initiate Upgrade Action begins (table 3-7)."""

    BACK_UP = 0
    PREPARE = 1
    UPLOAD_FOR_UPGRADE = 2
    UPLOAD_FOR_COMPARE = 3


class InitiateUpgrade(Struct, frozen=True, kw_only=True):
    """Begin something with components, by their bits."""

    components: int
    action: UpgradeAction


@unique
class InitiateUpgradeCompletion(Completion):
    """Why nothing is begun."""

    INVALID_COMPONENTS = 0x81
    """Some are not there."""


class FirmwareBlock(Struct, frozen=True, kw_only=True):
    """A piece of the image, numbered from 0 on."""

    number: int
    octets: bytes


class FinishUpload(Struct, frozen=True, kw_only=True):
    """All of a component's image has been sent."""

    component: int
    length_bytes: int


class UpgradeStatus(Struct, frozen=True, kw_only=True):
    """The last upgrade command that takes long, and how it ended; 0 and 0 before any."""

    command: int
    completion: int


class Activate(Struct, frozen=True):
    """Run what was uploaded; with the override, without rolling back by itself."""

    rollback_override: int | None = None


def _hpm(number: int) -> CommandCode:
    return CommandCode(NET_FN_GROUP, PICMG, number)


GET_TARGET_UPGRADE_CAPABILITIES = Command(
    "Get Target Upgrade Capabilities",
    _hpm(0x2E),
    request=NOTHING,
    reply=Layout(UpgradeCapabilities, *single_bytes(*UpgradeCapabilities.__struct_fields__)),
)
GET_COMPONENT_PROPERTIES = Command(
    "Get Component Properties",
    _hpm(0x2F),
    request=Layout(WhichProperty, *single_bytes("component", "selector")),
    reply=Layout(PropertyValue, "octets" / construct.GreedyBytes, lengths_bytes=(1, DESCRIPTION_BYTES)),
    completions=GetPropertyCompletion,
)
ABORT_UPGRADE = Command("Abort Firmware Upgrade", _hpm(0x30), request=NOTHING, reply=NOTHING)
INITIATE_UPGRADE_ACTION = Command(
    "Initiate Upgrade Action",
    _hpm(0x31),
    request=Layout(InitiateUpgrade, *single_bytes("components"), "action" / numbered(UpgradeAction)),
    reply=NOTHING,
    completions=InitiateUpgradeCompletion,
)
UPLOAD_FIRMWARE_BLOCK = Command(
    "Upload Firmware Block",
    _hpm(0x32),
    request=Layout(
        FirmwareBlock,
        *single_bytes("number"),
        "octets" / construct.GreedyBytes,
        lengths_bytes=(2, 1 + LONGEST_BLOCK_BYTES),
    ),
    reply=NOTHING,
)
FINISH_FIRMWARE_UPLOAD = Command(
    "Finish Firmware Upload",
    _hpm(0x33),
    request=Layout(FinishUpload, *single_bytes("component"), "length_bytes" / construct.Int32ul),
    reply=NOTHING,
)
GET_UPGRADE_STATUS = Command(
    "Get Upgrade Status",
    _hpm(0x34),
    request=NOTHING,
    reply=Layout(UpgradeStatus, *single_bytes("command", "completion")),
)
ACTIVATE_FIRMWARE = Command(
    "Activate Firmware",
    _hpm(0x35),
    request=Layout(Activate, "rollback_override" / construct.Optional(construct.Int8ub), lengths_bytes=(0, 1)),
    reply=NOTHING,
)
QUERY_SELF_TEST_RESULTS = Command("Query Self-test Results", _hpm(0x36), request=NOTHING, reply=NOTHING)
QUERY_ROLLBACK_STATUS = Command("Query Rollback Status", _hpm(0x37), request=NOTHING, reply=NOTHING)
INITIATE_MANUAL_ROLLBACK = Command("Initiate Manual Rollback", _hpm(0x38), request=NOTHING, reply=NOTHING)
