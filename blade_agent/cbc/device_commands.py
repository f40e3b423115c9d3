"""IPM device commands: what the controller is and how it is."""

from blade_agent.cbc.answer import CommandModule, answering
from blade_agent.cbc.basic_mode import BasicMode, Reserved
from blade_agent.cbc.blade import Blade, SelfTestFault
from blade_agent.cbc.device_messages import (
    GET_DEVICE_GUID,
    GET_DEVICE_ID,
    GET_SELF_TEST_RESULTS,
    IPMI_VERSION_2_0,
    DeviceId,
    Guid,
    SelfTest,
)
from blade_agent.cbc.layout import Nothing
from blade_agent.cbc.message import checksum
from blade_agent.cbc.rmcp import Rmcp

_PASSED = SelfTest(0x55, 0x00)
_FOUND_FAULTS = 0x57

_KNOWN_OCTETS = bytes(Reserved) + b"\x20\x18"
_KNOWN_CHECKSUM = 0x18


def _get_device_id(blade: Blade, _request: Nothing) -> DeviceId:
    identity = blade.identity
    major, minor, patch = identity.firmware_numbers
    return DeviceId(
        device_id=identity.device_id,
        revision=identity.device_revision,
        firmware_major=major,
        firmware_minor=minor // 10 << 4 | minor % 10,
        ipmi_version=IPMI_VERSION_2_0,
        device_support=blade.device_support,
        manufacturer=identity.manufacturer,
        product=identity.product,
        firmware_auxiliary=patch,
    )


def _get_self_test_results(blade: Blade, _request: Nothing) -> SelfTest:
    faults = SelfTestFault.NONE
    if not all(line.usable for line in blade.lines):
        faults |= SelfTestFault.BACKPLANE_LINES
    if not _codecs_work():
        faults |= SelfTestFault.OPERATIONAL_FIRMWARE
    for check in blade.self_checks:
        if not check.passes():
            faults |= check.fault
    return SelfTest(_FOUND_FAULTS, int(faults)) if faults else _PASSED


def _codecs_work() -> bool:
    """Take a message with every reserved byte through checksum and framings, there and back."""
    return (
        checksum(_KNOWN_OCTETS) == _KNOWN_CHECKSUM
        and BasicMode().receive(BasicMode.encode(_KNOWN_OCTETS)) == [_KNOWN_OCTETS]
        and Rmcp().receive(Rmcp.encode(_KNOWN_OCTETS)) == [_KNOWN_OCTETS]
    )


def _get_device_guid(blade: Blade, _request: Nothing) -> Guid:
    return Guid(blade.identity.guid)


DEVICE_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_DEVICE_ID, _get_device_id),
            answering(GET_SELF_TEST_RESULTS, _get_self_test_results),
            answering(GET_DEVICE_GUID, _get_device_guid),
        )
    )
)
