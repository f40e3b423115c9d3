"""IPM device commands: what the controller is and how it is."""

from blade_agent.backplane.basic_mode import BasicMode, Reserved
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, checksum
from blade_agent.backplane.messages.device import (
    COLD_RESET,
    GET_CHANNEL_INFO,
    GET_DEVICE_GUID,
    GET_DEVICE_ID,
    GET_GLOBAL_ENABLES,
    GET_SELF_TEST_RESULTS,
    GET_SYSTEM_GUID,
    IPMI_VERSION_2_0,
    SET_GLOBAL_ENABLES,
    WARM_RESET,
    ChannelInfo,
    ChannelNumber,
    DeviceId,
    GlobalEnables,
    Guid,
    Medium,
    SelfTest,
)
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.self_test import SelfTestFault

_PASSED = SelfTest(0x55, 0x00)
_FOUND_FAULTS = 0x57

_HAS_SENSOR_RECORDS = 0x80
_EVENTS_INTO_LOG = 0x08
_THIS_CHANNEL = 0x0E
_BACKPLANE_CHANNEL = 0x00
_IPMB_MESSAGES = 0x01
_IPMI_FORUM = 7154
"""Enterprise number of whose channel protocols these are (IPMI 2.0, table 22-29)."""

_KNOWN_OCTETS = bytes(Reserved) + b"\x20\x18"
_KNOWN_CHECKSUM = 0x18


def _get_device_id(controller: ManagementController, _request: Nothing) -> DeviceId:
    identity = controller.identity
    major, minor, patch = identity.firmware_numbers
    return DeviceId(
        device_id=identity.device_id,
        revision=identity.device_revision | _HAS_SENSOR_RECORDS,
        firmware_major=major,
        firmware_minor=minor // 10 << 4 | minor % 10,
        ipmi_version=IPMI_VERSION_2_0,
        device_support=controller.device_support,
        manufacturer=identity.manufacturer,
        product=identity.product,
        firmware_auxiliary=patch,
    )


def _get_self_test_results(controller: ManagementController, _request: Nothing) -> SelfTest:
    faults = SelfTestFault.NONE
    if not all(line.usable for line in controller.lines):
        faults |= SelfTestFault.BACKPLANE_LINES
    if not _codecs_work():
        faults |= SelfTestFault.OPERATIONAL_FIRMWARE
    if not controller.log.store_works:
        faults |= SelfTestFault.SEL_DEVICE
    if not controller.fru.is_whole:
        faults |= SelfTestFault.FRU_INTERNAL_AREA
    for check in controller.self_checks:
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


def _get_device_guid(controller: ManagementController, _request: Nothing) -> Guid:
    return Guid(controller.identity.wire_guid)


def _cold_reset(controller: ManagementController, _request: Nothing) -> Nothing:
    controller.restart()
    return Nothing()


def _warm_reset(controller: ManagementController, _request: Nothing) -> Nothing:
    """Interrupt what is under way between requests; settings stay (IPMI 2.0, 20.3)."""
    controller.cancel_reservations()
    return Nothing()


def _set_global_enables(controller: ManagementController, request: GlobalEnables) -> Nothing:
    if request.enables & ~_EVENTS_INTO_LOG:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    controller.log.logging_enabled = bool(request.enables & _EVENTS_INTO_LOG)
    return Nothing()


def _get_global_enables(controller: ManagementController, _request: Nothing) -> GlobalEnables:
    return GlobalEnables(_EVENTS_INTO_LOG if controller.log.logging_enabled else 0)


def _get_channel_info(_controller: ManagementController, request: ChannelNumber) -> ChannelInfo:
    """Whoever asks does so on IPMB messages, whatever the wire below them is."""
    if request.channel not in (_THIS_CHANNEL, _BACKPLANE_CHANNEL):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    return ChannelInfo(
        channel=_BACKPLANE_CHANNEL,
        medium=Medium.IPMB,
        protocol=_IPMB_MESSAGES,
        sessions=0,
        vendor=_IPMI_FORUM,
        auxiliary=0,
    )


DEVICE_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_DEVICE_ID, _get_device_id),
            answering(GET_SELF_TEST_RESULTS, _get_self_test_results),
            answering(GET_DEVICE_GUID, _get_device_guid),
            answering(GET_SYSTEM_GUID, _get_device_guid),
            answering(COLD_RESET, _cold_reset),
            answering(WARM_RESET, _warm_reset),
            answering(SET_GLOBAL_ENABLES, _set_global_enables),
            answering(GET_GLOBAL_ENABLES, _get_global_enables),
            answering(GET_CHANNEL_INFO, _get_channel_info),
        )
    )
)
