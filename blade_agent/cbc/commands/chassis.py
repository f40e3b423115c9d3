"""Power of the main board, and finding the blade in a rack."""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.chassis import (
    CHASSIS_CONTROL,
    CHASSIS_IDENTIFY,
    GET_CHASSIS_STATUS,
    ChassisControl,
    ChassisStatus,
    Control,
    IdentifyRequest,
)
from blade_agent.backplane.role import MainBoardState
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.hardware import BoardAction
from blade_agent.cbc.identification import Identifying

_ACTION_OF = {
    ChassisControl.POWER_DOWN: BoardAction.POWER_OFF,
    ChassisControl.POWER_UP: BoardAction.POWER_ON,
    ChassisControl.POWER_CYCLE: BoardAction.POWER_CYCLE,
    ChassisControl.HARD_RESET: BoardAction.HARD_RESET,
    ChassisControl.DIAGNOSTIC_INTERRUPT: BoardAction.DIAGNOSTIC_INTERRUPT,
    ChassisControl.SOFT_SHUTDOWN: BoardAction.SHUTDOWN,
}
_POWER_ON = 0x01
_FAULT = 0x08
_RESTORE_UNKNOWN = 0x60
_RESTORE_AS_BEFORE = 0x20
_IDENTIFICATION_KNOWN = 0x40
_IDENTIFYING_BITS = {Identifying.OFF: 0x00, Identifying.FOR_A_WHILE: 0x10, Identifying.UNTIL_ENDED: 0x20}
_DEFAULT_INTERVAL_S = 15


def _get_status(blade: Blade, _request: Nothing) -> ChassisStatus:
    state = blade.main_board.status().state
    power = _RESTORE_AS_BEFORE if blade.hardware.restores_power else _RESTORE_UNKNOWN
    if state is not MainBoardState.OFF:
        power |= _POWER_ON
    if state is MainBoardState.FAILED:
        power |= _FAULT
    identification = blade.identification
    shown = _IDENTIFICATION_KNOWN | _IDENTIFYING_BITS[identification.state] if identification.possible else 0
    return ChassisStatus(power=power, last_event=0, miscellaneous=shown)


def _control(blade: Blade, request: Control) -> Nothing:
    blade.act(_ACTION_OF[request.control])
    return Nothing()


def _identify(blade: Blade, request: IdentifyRequest) -> Nothing:
    if not blade.identification.possible:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    if request.forced not in (None, 0, 1):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    if request.forced:
        blade.identification.begin(None)
    else:
        blade.identification.begin(_DEFAULT_INTERVAL_S if request.interval_s is None else request.interval_s)
    return Nothing()


CHASSIS_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_CHASSIS_STATUS, _get_status),
            answering(CHASSIS_CONTROL, _control),
            answering(CHASSIS_IDENTIFY, _identify),
        )
    ),
    device_support=0x80,
)
