"""Time as a CBC needs it: how long ago, what date, and being called when it is due."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class PendingCall(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Let it not come."""
        ...


class Clock(Protocol):
    """The time of one blade."""

    def now_s(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def wall_s(self) -> float:
        """Seconds since 1970, UTC, as well as the blade knows it."""
        ...

    def call_later(self, delay_s: float, call: Callable[[], None]) -> PendingCall:
        """Call once, after a while."""
        ...


class LoopClock:
    """The running event loop's time, and the machine's date."""

    def now_s(self) -> float:
        """See `Clock`."""
        return asyncio.get_running_loop().time()

    def wall_s(self) -> float:
        """See `Clock`. Looked up at every call: a simulation puts its own date in place of `time.time`."""
        return time.time()

    def call_later(self, delay_s: float, call: Callable[[], None]) -> PendingCall:
        """See `Clock`."""
        return asyncio.get_running_loop().call_later(delay_s, call)
