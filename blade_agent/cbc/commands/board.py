"""Power levels, fan level and reset of the blade, as far as its board has them."""

import math

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.board import (
    FRU_CONTROL,
    FRU_CONTROL_CAPABILITIES,
    GET_FAN_LEVEL,
    GET_FAN_SPEED_PROPERTIES,
    GET_POWER_LEVEL,
    SET_FAN_LEVEL,
    SET_POWER_LEVEL,
    ControlCapabilities,
    ControlFru,
    FanLevel,
    FanProperties,
    FruControl,
    PowerKind,
    PowerLevelsReply,
    PowerQuery,
    SetFanLevel,
    SetPowerLevel,
    WhichFru,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.commands.fru import require_own_fru
from blade_agent.cbc.hardware import BoardAction, Fan, PowerBudget
from blade_agent.cbc.sensor import mask

_ACTION_OF = {
    FruControl.COLD_RESET: BoardAction.HARD_RESET,
    FruControl.WARM_RESET: BoardAction.WARM_RESET,
    FruControl.GRACEFUL_REBOOT: BoardAction.GRACEFUL_REBOOT,
    FruControl.DIAGNOSTIC_INTERRUPT: BoardAction.DIAGNOSTIC_INTERRUPT,
}
_AS_IT_IS = 0xFF
_LOCAL_CONTROL = 0xFF
_LOCAL_OFF = 0
_LOCAL_ON = 1
_CONTROLS_ITSELF = 0x80
_HIGHEST_DRAW = 0xFF
_DRAWS_PER_W = 10


def _control(blade: Blade, request: ControlFru) -> Nothing:
    require_own_fru(request.fru)
    blade.act(_ACTION_OF[request.control])
    return Nothing()


def _get_capabilities(blade: Blade, request: WhichFru) -> ControlCapabilities:
    require_own_fru(request.fru)
    optional = (control for control, action in _ACTION_OF.items() if action in blade.hardware.actions)
    return ControlCapabilities(mask(control.value for control in optional if control is not FruControl.COLD_RESET))


def _set_power_level(blade: Blade, request: SetPowerLevel) -> Nothing:
    power = _power(blade, request.fru)
    if request.copy not in (0, 1):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    if request.level == _AS_IT_IS:
        if request.copy:
            power.set_level(power.desired_level)
        return Nothing()
    if request.level > len(power.levels_w):
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    power.set_level(request.level)
    return Nothing()


def _get_power_level(blade: Blade, request: PowerQuery) -> PowerLevelsReply:
    power = _power(blade, request.fru)
    desired = request.kind in (PowerKind.DESIRED_STEADY, PowerKind.DESIRED_EARLY)
    multiplier = max(1, math.ceil(max(power.levels_w) * _DRAWS_PER_W / _HIGHEST_DRAW))
    return PowerLevelsReply(
        level=power.desired_level if desired else power.level(),
        delay=0,
        multiplier=multiplier,
        draws=bytes(math.ceil(draw_w * _DRAWS_PER_W / multiplier) for draw_w in power.levels_w),
    )


def _power(blade: Blade, fru: int) -> PowerBudget:
    require_own_fru(fru)
    if blade.hardware.power is None:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return blade.hardware.power


def _get_fan_properties(blade: Blade, request: WhichFru) -> FanProperties:
    levels = _fan(blade, request.fru).range
    return FanProperties(
        lowest=levels.lowest, highest=levels.highest, normal=levels.normal, properties=_CONTROLS_ITSELF
    )


def _set_fan_level(blade: Blade, request: SetFanLevel) -> Nothing:
    fan = _fan(blade, request.fru)
    if request.local == _LOCAL_OFF:
        # The board's own control keeps it from burning: nobody can take that away.
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    if request.level == _LOCAL_CONTROL:
        blade.override_fan(None)
    elif fan.range.lowest <= request.level <= fan.range.highest:
        blade.override_fan(request.level)
    else:
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return Nothing()


def _get_fan_level(blade: Blade, request: WhichFru) -> FanLevel:
    fan = _fan(blade, request.fru)
    override = _LOCAL_CONTROL if blade.fan_override is None else blade.fan_override
    level = fan.level()
    return FanLevel(override_level=override, local_level=level, local=None if level is None else _LOCAL_ON)


def _fan(blade: Blade, fru: int) -> Fan:
    require_own_fru(fru)
    if blade.hardware.fan is None:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return blade.hardware.fan


BOARD_COMMANDS = CommandModule(
    dict(
        (
            answering(FRU_CONTROL, _control),
            answering(FRU_CONTROL_CAPABILITIES, _get_capabilities),
            answering(SET_POWER_LEVEL, _set_power_level),
            answering(GET_POWER_LEVEL, _get_power_level),
            answering(GET_FAN_SPEED_PROPERTIES, _get_fan_properties),
            answering(SET_FAN_LEVEL, _set_fan_level),
            answering(GET_FAN_LEVEL, _get_fan_level),
        )
    )
)
