"""The boot options: what a tool sets for the next start, it reads back."""

from blade_agent.backplane.layout import Nothing, WrongLength
from blade_agent.backplane.message import ParameterCompletion
from blade_agent.backplane.messages.boot_options import (
    GET_SYSTEM_BOOT_OPTIONS,
    SET_SYSTEM_BOOT_OPTIONS,
    BootOption,
    BootOptionQuery,
    SetBootOption,
)
from blade_agent.cbc.boot_options import BootOptions
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.management_controller import ManagementController

_VERSION = 0x01
_DOES_NOT_HOLD = 0x80
_NUMBER = 0x7F


def _set(controller: ManagementController, request: SetBootOption) -> Nothing:
    options, parameter = controller.boot_options, request.parameter & _NUMBER
    length_bytes = _length_bytes(options, parameter)
    if request.data:
        if len(request.data) != length_bytes:
            raise WrongLength(len(request.data))
        options.set(parameter, request.data)
    options.mark(parameter, holds=not request.parameter & _DOES_NOT_HOLD)
    return Nothing()


def _get(controller: ManagementController, request: BootOptionQuery) -> BootOption:
    options = controller.boot_options
    _length_bytes(options, request.parameter)
    mark = 0 if options.holds(request.parameter) else _DOES_NOT_HOLD
    return BootOption(version=_VERSION, parameter=request.parameter | mark, data=options.get(request.parameter))


def _length_bytes(options: BootOptions, parameter: int) -> int:
    length_bytes = options.length_bytes(parameter)
    if length_bytes is None:
        raise NotCarriedOut(ParameterCompletion.NOT_SUPPORTED)
    return length_bytes


BOOT_OPTION_COMMANDS = CommandModule(
    dict((answering(SET_SYSTEM_BOOT_OPTIONS, _set), answering(GET_SYSTEM_BOOT_OPTIONS, _get)))
)
