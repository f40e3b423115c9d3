"""Showing which blade this is, by a light that blinks (IPMI 2.0, 28.5)."""

from enum import Enum

from blade_agent.cbc.clock import Clock, PendingCall
from blade_agent.cbc.leds import FrontLed


class Identifying(Enum):
    """Whether the blade shows itself."""

    OFF = "off"
    FOR_A_WHILE = "for a while"
    UNTIL_ENDED = "until ended"


class Identification:
    """Shows the blade; possible where it has a light for that."""

    def __init__(self, clock: Clock, led: FrontLed | None) -> None:
        self._clock = clock
        self._led = led
        self._alarm: PendingCall | None = None
        self._ends_s = 0.0
        self.state = Identifying.OFF

    @property
    def possible(self) -> bool:
        """Whether there is a light."""
        return self._led is not None

    @property
    def left_s(self) -> float | None:
        """For how long it goes on; None: until it is ended."""
        if self.state is Identifying.UNTIL_ENDED:
            return None
        return max(0.0, self._ends_s - self._clock.now_s()) if self._alarm is not None else 0.0

    def begin(self, duration_s: float | None) -> None:
        """Show the blade for so long, 0 ends it; None: until it is ended."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if duration_s:
            self._ends_s = self._clock.now_s() + duration_s
            self._alarm = self._clock.call_later(duration_s, self._over)
            self._change(Identifying.FOR_A_WHILE)
        else:
            self._change(Identifying.UNTIL_ENDED if duration_s is None else Identifying.OFF)

    def _over(self) -> None:
        self._alarm = None
        self._change(Identifying.OFF)

    def _change(self, state: Identifying) -> None:
        self.state = state
        if self._led is not None:
            self._led.identify(on=state is not Identifying.OFF)
