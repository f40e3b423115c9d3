"""The watchdog timer: acts on the main board when nobody resets it in time (IPMI 2.0, chapter 27)."""

from collections.abc import Callable
from enum import Enum
from typing import Final

from msgspec import Struct

from blade_agent.cbc.clock import Clock, PendingCall
from blade_agent.cbc.hardware import BoardAction

TICK_S: Final = 0.1


class TimeoutAction(Enum):
    """What happens at the timeout."""

    NOTHING = 0
    HARD_RESET = 1
    POWER_DOWN = 2
    POWER_CYCLE = 3


ACTION_OF: Final = {
    TimeoutAction.HARD_RESET: BoardAction.HARD_RESET,
    TimeoutAction.POWER_DOWN: BoardAction.POWER_OFF,
    TimeoutAction.POWER_CYCLE: BoardAction.POWER_CYCLE,
}


class TimerUse(Enum):
    """Whose timer it is; the expiration flag of the same number tells whose ran out."""

    UNSPECIFIED = 0
    BIOS_FRB2 = 1
    BIOS_POST = 2
    OS_LOAD = 3
    OPERATING_SYSTEM = 4
    OEM = 5


class WatchdogSettings(Struct, frozen=True, kw_only=True):
    """What Set Watchdog Timer says."""

    use: TimerUse = TimerUse.UNSPECIFIED
    logged: bool = True
    action: TimeoutAction = TimeoutAction.NOTHING
    countdown_ticks: int = 0
    """In tenths of a second."""


class Watchdog:
    """Counts on the blade's clock, and calls `expired` when it comes to its end."""

    def __init__(self, clock: Clock, expired: Callable[[WatchdogSettings], None]) -> None:
        self._clock = clock
        self._expired = expired
        self._alarm: PendingCall | None = None
        self._due_s = 0.0
        self._left_ticks = 0
        self.settings: WatchdogSettings | None = None
        self.expired_uses = 0
        """Expiration flags: a bit for each use whose timer has run out."""

    @property
    def running(self) -> bool:
        """Whether it counts."""
        return self._alarm is not None

    @property
    def present_ticks(self) -> int:
        """Tenths of a second that are left."""
        if not self.running:
            return self._left_ticks
        return max(0, round((self._due_s - self._clock.now_s()) / TICK_S))

    def set(self, settings: WatchdogSettings, *, cleared_uses: int, keep_running: bool) -> None:
        """Take new settings. A timer that runs is stopped, or goes on with the new countdown."""
        was_running = self.running
        self.stop()
        self.settings = settings
        self._left_ticks = settings.countdown_ticks
        self.expired_uses &= ~cleared_uses
        if was_running and keep_running:
            self.start()

    def start(self) -> bool:
        """Count from the beginning; tell whether it was ever set."""
        if self.settings is None:
            return False
        self.stop()
        countdown_s = self.settings.countdown_ticks * TICK_S
        self._due_s = self._clock.now_s() + countdown_s
        self._alarm = self._clock.call_later(countdown_s, self._ran_out)
        return True

    def stop(self) -> None:
        """Count no further."""
        if self._alarm is not None:
            self._left_ticks = self.present_ticks
            self._alarm.cancel()
            self._alarm = None

    def forget(self) -> None:
        """Be as after power-up."""
        self.stop()
        self.settings = None
        self._left_ticks = 0
        self.expired_uses = 0

    def _ran_out(self) -> None:
        self._alarm = None
        self._left_ticks = 0
        if self.settings is not None:
            self.expired_uses |= 1 << self.settings.use.value
            self._expired(self.settings)
