"""The blade's lights, seen and set from outside."""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.led_light import LedColor, LedLight
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.led import (
    GET_FRU_LED_PROPERTIES,
    GET_FRU_LED_STATE,
    GET_LED_COLOR_CAPABILITIES,
    SET_FRU_LED_STATE,
    LedColors,
    LedNumber,
    LedProperties,
    LedsOf,
    LedState,
    SetLed,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.commands.fru import require_own_fru
from blade_agent.cbc.leds import FrontLed
from blade_agent.cbc.sensor import mask

_STATUS_LEDS = range(4)
_ALL_LEDS = 0xFF
_OFF = 0x00
_LONGEST_OFF = 0xFA
_LAMP_TEST = 0xFB
_LOCAL_CONTROL = 0xFC
_ON = 0xFF
_BLINK_UNIT_MS = 10
_LAMP_TEST_UNIT_S = 0.1
_LONGEST_LAMP_TEST = 0x7F
_SAME_COLOR = 0x0E
_USUAL_COLOR = 0x0F
_HAS_LOCAL_CONTROL = 0x01
_HAS_OVERRIDE = 0x02
_IN_LAMP_TEST = 0x04


def _get_properties(blade: Blade, request: LedsOf) -> LedProperties:
    require_own_fru(request.fru)
    numbers = blade.leds.by_number
    return LedProperties(
        status_leds=mask(number for number in numbers if number in _STATUS_LEDS),
        application_leds=sum(number not in _STATUS_LEDS for number in numbers),
    )


def _get_colors(blade: Blade, request: LedNumber) -> LedColors:
    led = _led(blade, request.fru, request.led)
    return LedColors(colors=mask(led.colors), local_color=led.colors[0], override_color=led.colors[0])


def _set_state(blade: Blade, request: SetLed) -> Nothing:
    if request.function == _LAMP_TEST:
        return _test(blade, request)
    led = _led(blade, request.fru, request.led)
    led.set_override(None if request.function == _LOCAL_CONTROL else _light(led, request))
    return Nothing()


def _test(blade: Blade, request: SetLed) -> Nothing:
    if not 0 < request.on_duration <= _LONGEST_LAMP_TEST:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    require_own_fru(request.fru)
    chosen = blade.leds.by_number.values() if request.led == _ALL_LEDS else [_led(blade, request.fru, request.led)]
    for led in chosen:
        led.test(request.on_duration * _LAMP_TEST_UNIT_S)
    return Nothing()


def _light(led: FrontLed, request: SetLed) -> LedLight:
    color = _color(led, request.color)
    if request.function == _OFF:
        return LedLight(on_ms=0, off_ms=0, color=color)
    if request.function == _ON:
        return LedLight(on_ms=_BLINK_UNIT_MS, off_ms=0, color=color)
    if request.function > _LONGEST_OFF or not 0 < request.on_duration <= _LONGEST_OFF:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    return LedLight(on_ms=request.on_duration * _BLINK_UNIT_MS, off_ms=request.function * _BLINK_UNIT_MS, color=color)


def _color(led: FrontLed, number: int) -> LedColor:
    if number == _USUAL_COLOR:
        return led.colors[0]
    if number == _SAME_COLOR:
        return (led.override or led.local).color
    if number not in led.colors:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    return LedColor(number)


def _get_state(blade: Blade, request: LedNumber) -> LedState:
    led = _led(blade, request.fru, request.led)
    states = _HAS_LOCAL_CONTROL | (_IN_LAMP_TEST if led.testing else 0)
    local_function, local_on_duration = _on_wire(led.local)
    if led.override is None and not led.testing:
        return LedState(
            states=states,
            local_function=local_function,
            local_on_duration=local_on_duration,
            local_color=led.local.color,
        )
    # A lamp test alone has room for an override, which there is none of then: what would be shown is the CBC's own.
    override = led.override or led.local
    override_function, override_on_duration = _on_wire(override)
    return LedState(
        states=states | (_HAS_OVERRIDE if led.override else 0),
        local_function=local_function,
        local_on_duration=local_on_duration,
        local_color=led.local.color,
        override_function=override_function,
        override_on_duration=override_on_duration,
        override_color=override.color,
        test_duration=round(led.test_duration_s / _LAMP_TEST_UNIT_S) if led.testing else None,
    )


def _on_wire(light: LedLight) -> tuple[int, int]:
    """Give function and on-duration."""
    if not light.on_ms:
        return _OFF, 0
    if not light.off_ms:
        return _ON, 0
    return light.off_ms // _BLINK_UNIT_MS, light.on_ms // _BLINK_UNIT_MS


def _led(blade: Blade, fru: int, number: int) -> FrontLed:
    require_own_fru(fru)
    led = blade.leds.by_number.get(number)
    if led is None:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    return led


LED_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_FRU_LED_PROPERTIES, _get_properties),
            answering(GET_LED_COLOR_CAPABILITIES, _get_colors),
            answering(SET_FRU_LED_STATE, _set_state),
            answering(GET_FRU_LED_STATE, _get_state),
        )
    )
)
