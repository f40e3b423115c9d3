"""The board's lights: shown by the kernel's class of LEDs, and blinked by the kernel where it can."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

from blade_agent.backplane.led_light import LedColor, LedLight
from blade_agent.cbc.hardware import ACTIVITY_LED, BLUE_LED, FAULT_LED
from blade_agent.hardware.board import Board
from blade_agent.hardware.led import NO_TRIGGER, read_trigger, set_trigger
from blade_agent.hardware.profile import LedFacts
from blade_agent.hardware.reading import KnownReading, Reading, Unknown, Why
from blade_agent.profiled_board.writes import Writes

_NUMBERS: Final = {"hot_swap": BLUE_LED, "fault": FAULT_LED, "activity": ACTIVITY_LED}
_FIRST_OWN_NUMBER: Final = 4
_USUAL_COLORS: Final = {"hot_swap": LedColor.BLUE, "fault": LedColor.RED, "activity": LedColor.GREEN}
_COLORS: Final = {color.name.lower(): color for color in LedColor}
_MS_PER_S: Final = 1000
_KERNELS: Final = Unknown(Why.ABSENT, "the kernel shows something by it")


class BoardLight:
    """One light. One without a use stays with the kernel until something is to be shown by it, and goes back to it."""

    def __init__(self, board: Board, facts: LedFacts, writes: Writes) -> None:
        self.facts = facts
        self.colors = (_color(facts),)
        self._board = board
        self._writes = writes
        self._place = f"light {facts.name}"
        self._trigger: str | None = None
        """What the kernel played on it before it was taken."""
        self._by_hand = False
        self._next_change: asyncio.TimerHandle | None = None
        self._shown: LedLight | None = None

    def show(self, light: LedLight) -> None:
        """See `Led`."""
        self._shown = light
        if self._next_change is not None:
            self._next_change.cancel()
            self._next_change = None
        if light.on_ms and light.off_ms:
            self._writes.put(self._place, light, partial(self._blink, light), partial(self._blink_by_hand, light))
        elif light.on_ms or self.facts.use is not None:
            self._shine(1.0 if light.on_ms else 0.0)
        elif self._trigger is not None:
            self._writes.put(self._place, self._trigger, self._give_back)

    def reading(self) -> Reading:
        """What it was told to show: 1 while it is on or blinks. It is not known while the kernel has it."""
        light = self._shown
        if light is None or (not light.on_ms and self.facts.use is None):
            return _KERNELS
        return KnownReading(1.0 if light.on_ms else 0.0)

    def _shine(self, brightness: float) -> None:
        self._writes.put(self._place, brightness, partial(self._light, brightness))

    def _light(self, brightness: float) -> Unknown | None:
        self._take()
        return self._board.light_led(self.facts.name, brightness)

    def _blink(self, light: LedLight) -> Unknown | None:
        self._take()
        refused = self._board.blink_led(self.facts.name, light.on_ms, light.off_ms)
        self._by_hand = refused is not None and refused.why is Why.ABSENT
        return None if self._by_hand else refused

    def _blink_by_hand(self, light: LedLight) -> None:
        """Go on, where the kernel has no trigger that blinks, by switching it on and off."""
        if self._by_hand and self._shown is light:
            self._change(light, on=True)

    def _change(self, light: LedLight, *, on: bool) -> None:
        self._shine(1.0 if on else 0.0)
        duration_s = (light.on_ms if on else light.off_ms) / _MS_PER_S
        self._next_change = asyncio.get_running_loop().call_later(duration_s, partial(self._change, light, on=not on))

    def _take(self) -> None:
        if self._trigger is None:
            self._trigger = read_trigger(self._board.root, self.facts.device)

    def _give_back(self) -> Unknown | None:
        refused = self._board.light_led(self.facts.name, 0.0)
        if refused or self._trigger in (None, "", NO_TRIGGER):
            return refused
        return set_trigger(self._board.root, self.facts.device, self._trigger)


def lights(board: Board, writes: Writes) -> Mapping[int, BoardLight]:
    """Give the board's lights by PICMG's numbers; those it has no number for count from 4."""
    numbered: dict[int, BoardLight] = {}
    own_number = _FIRST_OWN_NUMBER
    for facts in board.profile.leds:
        number = _NUMBERS.get(facts.use or "")
        if number is None:
            number, own_number = own_number, own_number + 1
        numbered[number] = BoardLight(board, facts, writes)
    return dict(sorted(numbered.items()))


def identify_light(lights_by_number: Mapping[int, BoardLight]) -> int | None:
    """Choose the light that blinks for the one who looks for this blade: its own, or that for activity."""
    by_use = {light.facts.use: number for number, light in lights_by_number.items()}
    return by_use.get("identify", by_use.get("activity"))


def _color(facts: LedFacts) -> LedColor:
    """PICMG has no word for a colour that nobody knows: it counts as white."""
    if facts.color:
        return _COLORS[facts.color]
    return _USUAL_COLORS.get(facts.use or "", LedColor.WHITE)
