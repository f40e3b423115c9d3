"""Firmware upgrade (PICMG HPM.1 R1.0): what runs here is told, and no upgrade is taken over the backplane."""

from msgspec import Struct

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.upgrade import (
    ABORT_UPGRADE,
    ACTIVATE_FIRMWARE,
    DESCRIPTION_BYTES,
    FINISH_FIRMWARE_UPLOAD,
    GET_COMPONENT_PROPERTIES,
    GET_TARGET_UPGRADE_CAPABILITIES,
    GET_UPGRADE_STATUS,
    HPM_VERSION,
    INITIATE_MANUAL_ROLLBACK,
    INITIATE_UPGRADE_ACTION,
    QUERY_ROLLBACK_STATUS,
    QUERY_SELF_TEST_RESULTS,
    UPLOAD_FIRMWARE_BLOCK,
    ComponentProperty,
    GetPropertyCompletion,
    InitiateUpgrade,
    InitiateUpgradeCompletion,
    PropertyValue,
    UpgradeCapabilities,
    UpgradeStatus,
    WhichProperty,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.identity import Identity

AGENT_COMPONENT = 0
_COMPONENTS = 1 << AGENT_COMPONENT
_DESCRIPTION = b"blade agent"
_UNDESIRABLE = 0x80
_UNSPECIFIED = 0
_NO_UPGRADE_FEATURES = 0x00


def _get_capabilities(_blade: Blade, _request: Nothing) -> UpgradeCapabilities:
    return UpgradeCapabilities(
        version=HPM_VERSION,
        capabilities=_UNDESIRABLE,
        upgrade_timeout=_UNSPECIFIED,
        self_test_timeout=_UNSPECIFIED,
        rollback_timeout=_UNSPECIFIED,
        inaccessibility_timeout=_UNSPECIFIED,
        components=_COMPONENTS,
    )


def _get_property(blade: Blade, request: WhichProperty) -> PropertyValue:
    if request.component != AGENT_COMPONENT:
        raise NotCarriedOut(GetPropertyCompletion.INVALID_COMPONENT)
    values = {
        ComponentProperty.GENERAL.value: bytes([_NO_UPGRADE_FEATURES]),
        ComponentProperty.CURRENT_VERSION.value: _version(blade.identity),
        ComponentProperty.DESCRIPTION.value: _DESCRIPTION.ljust(DESCRIPTION_BYTES, b"\0"),
    }
    if request.selector not in values:
        raise NotCarriedOut(GetPropertyCompletion.INVALID_PROPERTY)
    return PropertyValue(values[request.selector])


def _version(identity: Identity) -> bytes:
    """Major, minor in BCD, and the patch number as the four auxiliary bytes, as Get Device ID has them."""
    major, minor, patch = identity.firmware_numbers
    return bytes((major, minor // 10 << 4 | minor % 10)) + patch.to_bytes(4, "big")


def _initiate(_blade: Blade, request: InitiateUpgrade) -> Nothing:
    if request.components & ~_COMPONENTS or not request.components:
        raise NotCarriedOut(InitiateUpgradeCompletion.INVALID_COMPONENTS)
    raise NotCarriedOut(CompletionCode.WRONG_STATE)


def _abort(_blade: Blade, _request: Nothing) -> Nothing:
    """Nothing is under way: it is as if it had been aborted."""
    return Nothing()


def _get_status(_blade: Blade, _request: Nothing) -> UpgradeStatus:
    return UpgradeStatus(command=0, completion=CompletionCode.OK)


def _refuse(_blade: Blade, _request: Struct) -> Nothing:
    """There is no upgrade under way that this could belong to."""
    raise NotCarriedOut(CompletionCode.WRONG_STATE)


UPGRADE_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_TARGET_UPGRADE_CAPABILITIES, _get_capabilities),
            answering(GET_COMPONENT_PROPERTIES, _get_property),
            answering(ABORT_UPGRADE, _abort),
            answering(INITIATE_UPGRADE_ACTION, _initiate),
            answering(UPLOAD_FIRMWARE_BLOCK, _refuse),
            answering(FINISH_FIRMWARE_UPLOAD, _refuse),
            answering(GET_UPGRADE_STATUS, _get_status),
            answering(ACTIVATE_FIRMWARE, _refuse),
            answering(QUERY_SELF_TEST_RESULTS, _refuse),
            answering(QUERY_ROLLBACK_STATUS, _refuse),
            answering(INITIATE_MANUAL_ROLLBACK, _refuse),
        )
    )
)
