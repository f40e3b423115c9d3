"""The system info parameters: what runs here, and what it is called. They are read, and never set."""

import os

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, ParameterCompletion
from blade_agent.backplane.messages.system_info import (
    BLOCK_BYTES,
    GET_SYSTEM_INFO_PARAMETERS,
    SET_SYSTEM_INFO_PARAMETERS,
    SetSystemInfo,
    SystemInfo,
    SystemInfoQuery,
)
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.management_controller import ManagementController

_REVISION = 0x11
_REVISION_ALONE = 0x80
_SET_IN_PROGRESS = 0
_FIRMWARE_VERSION = 1
_SYSTEM_NAME = 2
_PRIMARY_SYSTEM = 3
_SYSTEM_NOW = 4
_SYSTEM_VERSION = 5
_LATIN = 0x00
_LONGEST_BYTES = 255


def _get(controller: ManagementController, request: SystemInfoQuery) -> SystemInfo:
    text = _texts(controller).get(request.parameter)
    if text is None and request.parameter != _SET_IN_PROGRESS:
        raise NotCarriedOut(ParameterCompletion.NOT_SUPPORTED)
    if request.flags & _REVISION_ALONE:
        return SystemInfo(revision=_REVISION, data=b"")
    if text is None:
        return SystemInfo(revision=_REVISION, data=b"\0")
    return SystemInfo(revision=_REVISION, data=_block(text, request.which_set))


def _set(controller: ManagementController, request: SetSystemInfo) -> Nothing:
    known = request.parameter == _SET_IN_PROGRESS or request.parameter in _texts(controller)
    raise NotCarriedOut(ParameterCompletion.READ_ONLY if known else ParameterCompletion.NOT_SUPPORTED)


def _texts(controller: ManagementController) -> dict[int, str]:
    machine = os.uname()
    return {
        _FIRMWARE_VERSION: controller.identity.firmware_version,
        _SYSTEM_NAME: controller.name,
        _PRIMARY_SYSTEM: machine.sysname,
        _SYSTEM_NOW: machine.sysname,
        _SYSTEM_VERSION: machine.release,
    }


def _block(text: str, number: int) -> bytes:
    """Give a block of a text behind its number; before the first there are encoding and length."""
    octets = text.encode("latin-1", "replace")[:_LONGEST_BYTES]
    whole = bytes((_LATIN, len(octets))) + octets
    part = whole[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
    if not part:
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return bytes((number,)) + part.ljust(BLOCK_BYTES, b"\0")


SYSTEM_INFO_COMMANDS = CommandModule(
    dict((answering(SET_SYSTEM_INFO_PARAMETERS, _set), answering(GET_SYSTEM_INFO_PARAMETERS, _get)))
)
