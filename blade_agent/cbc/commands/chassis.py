"""Power of the main board, and finding the blade in a rack."""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.chassis import (
    CHASSIS_CONTROL,
    CHASSIS_IDENTIFY,
    GET_CHASSIS_CAPABILITIES,
    GET_CHASSIS_STATUS,
    GET_POH_COUNTER,
    GET_SYSTEM_RESTART_CAUSE,
    SET_POWER_RESTORE_POLICY,
    ChassisCapabilities,
    ChassisControl,
    ChassisStatus,
    Control,
    IdentifyRequest,
    PowerOnTime,
    RestartCauseReply,
    RestorePolicies,
    RestorePolicy,
    SetRestorePolicy,
)
from blade_agent.backplane.role import MainBoardState
from blade_agent.backplane.sensor_codes import SensorKind
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.hardware import BoardAction
from blade_agent.cbc.identification import Identifying
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.sensor import mask

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
_BACKPLANE = 0
_FAN_FAULT = 0x08


def _get_status(blade: Blade, _request: Nothing) -> ChassisStatus:
    state = blade.main_board.status().state
    power = _RESTORE_AS_BEFORE if blade.hardware.restores_power else _RESTORE_UNKNOWN
    if state is not MainBoardState.OFF:
        power |= _POWER_ON
    if state is MainBoardState.FAILED:
        power |= _FAULT
    identification = blade.identification
    shown = _IDENTIFICATION_KNOWN | _IDENTIFYING_BITS[identification.state] if identification.possible else 0
    if blade.sensors.is_critical(SensorKind.VOLTAGE):
        power |= _FAULT
    if blade.sensors.is_critical(SensorKind.FAN):
        shown |= _FAN_FAULT
    return ChassisStatus(power=power, last_event=0, miscellaneous=shown)


def _get_capabilities(blade: Blade, _request: Nothing) -> ChassisCapabilities:
    """No lock, no intrusion sensor; all that is known of the blade its own controller knows."""
    here = blade.ipmb_address
    return ChassisCapabilities(flags=0, inventory=here, records=here, log=here, management=here, bridge=here)


def _set_restore_policy(blade: Blade, request: SetRestorePolicy) -> RestorePolicies:
    """What the board does by itself is what it does: there is nothing to choose from."""
    supported = [RestorePolicy.AS_BEFORE] if blade.hardware.restores_power else []
    if request.policy not in (*supported, RestorePolicy.NO_CHANGE):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    return RestorePolicies(mask(policy.value for policy in supported))


def get_restart_cause(controller: ManagementController, _request: Nothing) -> RestartCauseReply:
    """As far as this start of the controller has seen."""
    return RestartCauseReply(cause=controller.restart_cause, channel=controller.lan_channel or _BACKPLANE)


def get_time_on(controller: ManagementController, _request: Nothing) -> PowerOnTime:
    """Give the time in which there was power, over all starts."""
    return PowerOnTime(minutes_a_count=1, count=controller.lifetime.on_minutes)


def _control(blade: Blade, request: Control) -> Nothing:
    blade.act(_ACTION_OF[request.control])
    return Nothing()


def _identify(blade: Blade, request: IdentifyRequest) -> Nothing:
    if not blade.identification.possible:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
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
            answering(GET_CHASSIS_CAPABILITIES, _get_capabilities),
            answering(SET_POWER_RESTORE_POLICY, _set_restore_policy),
            answering(GET_SYSTEM_RESTART_CAUSE, get_restart_cause),
            answering(GET_POH_COUNTER, get_time_on),
        )
    ),
    device_support=0x80,
)
