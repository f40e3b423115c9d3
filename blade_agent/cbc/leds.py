"""The blade's lights: what the CBC itself shows, what somebody overrides it with, lamp test and identification.

The blue light follows hot swap, the fault light follows the sensors (PICMG 3.0, 3.2.5.6).
"""

from collections.abc import Mapping
from typing import Final

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.led_light import LedColor, LedLight
from blade_agent.cbc.clock import Clock, PendingCall
from blade_agent.cbc.hardware import ACTIVITY_LED, BLUE_LED, FAULT_LED, Led

_OFF_MS: Final = (0, 0)
_ON_MS: Final = (1000, 0)
_LONG_BLINK_MS: Final = (900, 100)
_SHORT_BLINK_MS: Final = (100, 900)
_IDENTIFY_MS: Final = (250, 250)

BLUE_IN_STATE: Final[Mapping[HotSwapState, tuple[int, int]]] = {
    HotSwapState.M0_NOT_INSTALLED: _OFF_MS,
    HotSwapState.M1_INACTIVE: _ON_MS,
    HotSwapState.M2_ACTIVATION_REQUEST: _LONG_BLINK_MS,
    HotSwapState.M3_ACTIVATION_IN_PROGRESS: _OFF_MS,
    HotSwapState.M4_ACTIVE: _OFF_MS,
    HotSwapState.M5_DEACTIVATION_REQUEST: _SHORT_BLINK_MS,
    HotSwapState.M6_DEACTIVATION_IN_PROGRESS: _SHORT_BLINK_MS,
    HotSwapState.M7_COMMUNICATION_LOST: _OFF_MS,
}


class FrontLed:
    """One light with its layers; the topmost that is there is shown."""

    def __init__(self, clock: Clock, led: Led) -> None:
        self._clock = clock
        self._led = led
        self._alarm: PendingCall | None = None
        self._shown: LedLight | None = None
        self.local = _light(_OFF_MS, led.colors[0])
        self.override: LedLight | None = None
        self.identifying = False
        self.test_duration_s = 0.0
        """Of the last lamp test."""
        self._show()

    @property
    def colors(self) -> tuple[LedColor, ...]:
        """The colours it can have, the usual one first."""
        return tuple(self._led.colors)

    @property
    def testing(self) -> bool:
        """Whether a lamp test is under way."""
        return self._alarm is not None

    def set_local(self, on_off_ms: tuple[int, int]) -> None:
        """Show this when nothing overrides it."""
        self.local = _light(on_off_ms, self.colors[0])
        self._show()

    def set_override(self, light: LedLight | None) -> None:
        """Show this instead, or no longer."""
        self._end_test()
        self.override = light
        self._show()

    def identify(self, *, on: bool) -> None:
        """Blink for the one who looks for this blade, or no longer."""
        self.identifying = on
        self._show()

    def test(self, duration_s: float) -> None:
        """Be on for a while, whatever else is to be shown."""
        self._end_test()
        self.test_duration_s = duration_s
        self._alarm = self._clock.call_later(duration_s, self._test_over)
        self._show()

    def _end_test(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _test_over(self) -> None:
        self._alarm = None
        self._show()

    def _show(self) -> None:
        light = self._topmost()
        if light != self._shown:
            self._shown = light
            self._led.show(light)

    def _topmost(self) -> LedLight:
        if self.testing:
            return _light(_ON_MS, self.colors[0])
        if self.identifying:
            return _light(_IDENTIFY_MS, self.colors[0])
        return self.override or self.local


class Leds:
    """All lights of a blade, by PICMG's numbers."""

    def __init__(self, clock: Clock, leds: Mapping[int, Led]) -> None:
        self.by_number = {number: FrontLed(clock, led) for number, led in leds.items()}

    def follow_hot_swap(self, state: HotSwapState) -> None:
        """Tell by the blue light whether the blade may be taken out."""
        if BLUE_LED in self.by_number:
            self.by_number[BLUE_LED].set_local(BLUE_IN_STATE[state])

    def show_fault(self, *, present: bool) -> None:
        """Tell by the fault light that a sensor is beyond a critical threshold."""
        if FAULT_LED in self.by_number:
            self.by_number[FAULT_LED].set_local(_ON_MS if present else _OFF_MS)

    def show_activity(self, *, present: bool) -> None:
        """Tell by the activity light that the blade is in service."""
        if ACTIVITY_LED in self.by_number:
            self.by_number[ACTIVITY_LED].set_local(_ON_MS if present else _OFF_MS)

    def release(self) -> None:
        """Give all lights back to the CBC's own control."""
        for led in self.by_number.values():
            led.set_override(None)


def _light(on_off_ms: tuple[int, int], color: LedColor) -> LedLight:
    on_ms, off_ms = on_off_ms
    return LedLight(on_ms=on_ms, off_ms=off_ms, color=color)
