"""Watchdog, lights, power, fan and reset: what acts on the board."""

import pytest

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.led_light import LedColor, LedLight
from blade_agent.backplane.message import CompletionCode, Request
from blade_agent.backplane.messages.board import (
    FRU_CONTROL,
    FRU_CONTROL_CAPABILITIES,
    GET_FAN_LEVEL,
    GET_POWER_LEVEL,
    SET_FAN_LEVEL,
    SET_POWER_LEVEL,
    ControlFru,
    FanLevel,
    FruControl,
    PowerKind,
    PowerQuery,
    SetFanLevel,
    SetPowerLevel,
    WhichFru,
)
from blade_agent.backplane.messages.chassis import (
    CHASSIS_CONTROL,
    CHASSIS_IDENTIFY,
    GET_CHASSIS_STATUS,
    ChassisControl,
    Control,
    IdentifyRequest,
)
from blade_agent.backplane.messages.device import COLD_RESET
from blade_agent.backplane.messages.led import GET_FRU_LED_STATE, SET_FRU_LED_STATE, LedNumber, SetLed
from blade_agent.backplane.messages.picmg import SET_FRU_ACTIVATION, Activation, SetActivation
from blade_agent.backplane.messages.watchdog import (
    GET_WATCHDOG_TIMER,
    RESET_WATCHDOG_TIMER,
    SET_WATCHDOG_TIMER,
    ResetWatchdogCompletion,
    SetWatchdog,
)
from blade_agent.backplane.role import MainBoardState
from blade_agent.cbc.hardware import BoardAction
from blade_agent.cbc.leds import BLUE_IN_STATE

OPERATING_SYSTEM = 4
BLINK = LedLight(on_ms=250, off_ms=250, color=LedColor.RED)


def ask(controller, command, body=None):
    asked = Request(
        responder=0x86,
        requester=0x20,
        net_fn=command.code.net_fn,
        command=command.code.number,
        sequence=1,
        data=command.request_data(Nothing() if body is None else body),
    )
    response = controller.answer(asked)
    if response.completion != CompletionCode.OK:
        return command.completion(response.completion)
    return command.read_reply(response.data)


def watchdog(use=OPERATING_SYSTEM, actions=1, countdown=100, cleared_uses=0, pre_timeout_s=0):
    return SetWatchdog(
        use=use, actions=actions, pre_timeout_s=pre_timeout_s, cleared_uses=cleared_uses, countdown=countdown
    )


def test_a_watchdog_that_is_not_reset_in_time_acts_and_logs(equipped):
    assert ask(equipped, RESET_WATCHDOG_TIMER) is ResetWatchdogCompletion.NEVER_SET
    ask(equipped, SET_WATCHDOG_TIMER, watchdog())
    equipped.clock.pass_s(60)  # set is not started
    assert ask(equipped, RESET_WATCHDOG_TIMER) == Nothing()
    equipped.clock.pass_s(6)
    state = ask(equipped, GET_WATCHDOG_TIMER)
    assert (state.use, state.countdown, state.present) == (0x44, 100, 40)
    ask(equipped, RESET_WATCHDOG_TIMER)
    equipped.clock.pass_s(9.9)
    assert equipped.hardware.acted == []
    equipped.clock.pass_s(0.1)
    assert equipped.hardware.acted == [BoardAction.HARD_RESET]
    state = ask(equipped, GET_WATCHDOG_TIMER)
    assert (state.use, state.expired_uses, state.present) == (0x04, 1 << OPERATING_SYSTEM, 0)
    last = list(equipped.blade.log.records.values())[-1]
    assert (last[10], last[11], last[13:]) == (0x23, 1, bytes((0xC1, 0xF4, 0xFF)))
    equipped.clock.pass_s(3600)
    assert len(equipped.hardware.acted) == 1


@pytest.mark.parametrize(("actions", "acted"), [(0, []), (2, [BoardAction.POWER_OFF]), (3, [BoardAction.POWER_CYCLE])])
def test_the_watchdog_does_what_it_was_set_to(equipped, actions, acted):
    ask(equipped, SET_WATCHDOG_TIMER, watchdog(use=0x80 | OPERATING_SYSTEM, actions=actions))
    ask(equipped, RESET_WATCHDOG_TIMER)
    before = len(equipped.blade.log.records)
    equipped.clock.pass_s(10)
    assert equipped.hardware.acted == acted
    assert len(equipped.blade.log.records) == before  # bit 7: not logged
    ask(equipped, SET_WATCHDOG_TIMER, watchdog(cleared_uses=1 << OPERATING_SYSTEM))
    assert ask(equipped, GET_WATCHDOG_TIMER).expired_uses == 0


def test_setting_the_watchdog_stops_it_unless_asked_otherwise(equipped):
    ask(equipped, SET_WATCHDOG_TIMER, watchdog())
    ask(equipped, RESET_WATCHDOG_TIMER)
    ask(equipped, SET_WATCHDOG_TIMER, watchdog(use=0x40 | OPERATING_SYSTEM, countdown=50))
    assert ask(equipped, GET_WATCHDOG_TIMER).use == 0x44
    ask(equipped, SET_WATCHDOG_TIMER, watchdog())
    equipped.clock.pass_s(100)
    assert equipped.hardware.acted == []


@pytest.mark.parametrize("bad", [{"use": 0}, {"use": 7}, {"actions": 4}, {"actions": 0x11}, {"pre_timeout_s": 3}])
def test_a_watchdog_that_could_not_act_is_refused(equipped, bad):
    assert ask(equipped, SET_WATCHDOG_TIMER, watchdog(**bad)) is CompletionCode.INVALID_FIELD


def test_a_bare_board_cannot_be_acted_upon_and_says_so(controller):
    assert ask(controller, SET_WATCHDOG_TIMER, watchdog()) is CompletionCode.INVALID_FIELD
    assert ask(controller, SET_WATCHDOG_TIMER, watchdog(actions=0)) == Nothing()
    for command, body in (
        (CHASSIS_CONTROL, Control(ChassisControl.POWER_CYCLE)),
        (CHASSIS_IDENTIFY, IdentifyRequest()),
        (FRU_CONTROL, ControlFru(0, FruControl.COLD_RESET)),
        (GET_POWER_LEVEL, PowerQuery(0, PowerKind.STEADY)),
        (GET_FAN_LEVEL, WhichFru(0)),
    ):
        assert ask(controller, command, body) is CompletionCode.WRONG_STATE
    assert ask(controller, GET_FRU_LED_STATE, LedNumber(0, 0)) is CompletionCode.INVALID_FIELD
    assert ask(controller, FRU_CONTROL_CAPABILITIES, WhichFru(0)).capabilities == 0


def test_the_blue_light_follows_hot_swap(equipped):
    blue, hot_swap = equipped.hardware.blue, equipped.blade.hot_swap

    def shown():
        return blue.light.on_ms, blue.light.off_ms

    assert set(BLUE_IN_STATE) == set(HotSwapState)
    assert shown() == BLUE_IN_STATE[hot_swap.state] == (900, 100)
    ask(equipped, SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE))
    assert shown() == (0, 0)
    equipped.blade.settle()
    hot_swap.move_handle(closed=False)
    assert (hot_swap.state, shown()) == (HotSwapState.M5_DEACTIVATION_REQUEST, (100, 900))
    ask(equipped, SET_FRU_ACTIVATION, SetActivation(0, Activation.DEACTIVATE))
    equipped.blade.settle()
    assert (hot_swap.state, shown()) == (HotSwapState.M1_INACTIVE, (1000, 0))


def test_the_layers_of_a_light(equipped):
    led = equipped.hardware.fault
    amber = LedLight(on_ms=200, off_ms=300, color=LedColor.AMBER)

    def set_led(function, on_duration=0, color=LedColor.AMBER, number=1):
        body = SetLed(fru=0, led=number, function=function, on_duration=on_duration, color=color)
        return ask(equipped, SET_FRU_LED_STATE, body)

    set_led(30, 20)
    assert led.light == amber
    ask(equipped, CHASSIS_IDENTIFY, IdentifyRequest(7))
    assert led.light == BLINK
    set_led(0xFB, 20, number=0xFF)
    assert (led.light.off_ms, led.light.color) == (0, LedColor.RED)
    assert equipped.hardware.blue.light.off_ms == 0
    assert ask(equipped, GET_FRU_LED_STATE, LedNumber(0, 1)).states == 0x07
    equipped.clock.pass_s(2)
    assert led.light == BLINK
    equipped.clock.pass_s(5)
    assert led.light == amber
    set_led(0xFC)
    assert led.light.on_ms == 0
    assert set_led(0xFF, color=LedColor.BLUE) is CompletionCode.INVALID_FIELD
    assert set_led(0xFB, 0x80) is CompletionCode.INVALID_FIELD
    assert set_led(0xFF, number=9) is CompletionCode.INVALID_FIELD


def test_identification_ends_by_itself_or_when_told(equipped):
    def identifying():
        return ask(equipped, GET_CHASSIS_STATUS).miscellaneous

    assert identifying() == 0x40
    ask(equipped, CHASSIS_IDENTIFY, IdentifyRequest())
    equipped.clock.pass_s(14.9)
    assert identifying() == 0x50
    equipped.clock.pass_s(0.1)
    assert identifying() == 0x40
    ask(equipped, CHASSIS_IDENTIFY, IdentifyRequest(5))
    ask(equipped, CHASSIS_IDENTIFY, IdentifyRequest(0, 1))
    equipped.clock.pass_s(1000)
    assert identifying() == 0x60
    ask(equipped, CHASSIS_IDENTIFY, IdentifyRequest(0))
    assert identifying() == 0x40


def test_chassis_status_is_the_main_boards(equipped):
    for state, power in ((MainBoardState.OFF, 0x60), (MainBoardState.READY, 0x61), (MainBoardState.FAILED, 0x69)):
        equipped.board.state = state
        assert ask(equipped, GET_CHASSIS_STATUS).power == power


def test_every_control_acts_once(equipped):
    for control in ChassisControl:
        ask(equipped, CHASSIS_CONTROL, Control(control))
    for control in FruControl:
        ask(equipped, FRU_CONTROL, ControlFru(0, control))
    assert set(equipped.hardware.acted) == set(BoardAction)
    assert len(equipped.hardware.acted) == len(ChassisControl) + len(FruControl)
    assert ask(equipped, FRU_CONTROL_CAPABILITIES, WhichFru(0)).capabilities == 0x0E


def test_power_levels(equipped):
    levels = ask(equipped, GET_POWER_LEVEL, PowerQuery(0, PowerKind.STEADY))
    assert (levels.level, levels.multiplier, levels.draws) == (2, 2, bytes((33, 45, 150)))
    assert ask(equipped, GET_POWER_LEVEL, PowerQuery(0, PowerKind.DESIRED_STEADY)).level == 3
    ask(equipped, SET_POWER_LEVEL, SetPowerLevel(fru=0, level=1, copy=0))
    assert equipped.hardware.power.present == 1
    ask(equipped, SET_POWER_LEVEL, SetPowerLevel(fru=0, level=0xFF, copy=1))
    assert equipped.hardware.power.present == 3
    too_high = ask(equipped, SET_POWER_LEVEL, SetPowerLevel(fru=0, level=4, copy=0))
    assert too_high is CompletionCode.PARAMETER_OUT_OF_RANGE


def test_fan_levels(equipped):
    assert ask(equipped, GET_FAN_LEVEL, WhichFru(0)) == FanLevel(override_level=0xFF, local_level=35, local=1)
    ask(equipped, SET_FAN_LEVEL, SetFanLevel(fru=0, level=80))
    assert equipped.hardware.fan.override_level == 80
    assert ask(equipped, GET_FAN_LEVEL, WhichFru(0)).override_level == 80
    without_control = ask(equipped, SET_FAN_LEVEL, SetFanLevel(fru=0, level=70, local=0))
    assert without_control is CompletionCode.WRONG_STATE
    ask(equipped, SET_FAN_LEVEL, SetFanLevel(fru=0, level=80, local=1))
    too_low = ask(equipped, SET_FAN_LEVEL, SetFanLevel(fru=0, level=5))
    assert too_low is CompletionCode.PARAMETER_OUT_OF_RANGE
    ask(equipped, SET_FAN_LEVEL, SetFanLevel(fru=0, level=0xFF))
    assert equipped.hardware.fan.override_level is None


def test_a_cold_reset_forgets_what_was_set_and_leaves_the_main_board_alone(equipped):
    ask(equipped, SET_WATCHDOG_TIMER, watchdog())
    ask(equipped, RESET_WATCHDOG_TIMER)
    ask(equipped, SET_FAN_LEVEL, SetFanLevel(fru=0, level=80))
    ask(equipped, CHASSIS_IDENTIFY, IdentifyRequest(0, 1))
    ask(equipped, SET_FRU_LED_STATE, SetLed(fru=0, led=1, function=0xFF, on_duration=0, color=LedColor.RED))
    state = equipped.blade.hot_swap.state
    ask(equipped, COLD_RESET)
    equipped.clock.pass_s(100)
    assert equipped.hardware.acted == []
    assert equipped.hardware.fan.override_level is None
    assert equipped.hardware.fault.light.on_ms == 0
    assert equipped.blade.hot_swap.state is state
    assert ask(equipped, RESET_WATCHDOG_TIMER) is ResetWatchdogCompletion.NEVER_SET
