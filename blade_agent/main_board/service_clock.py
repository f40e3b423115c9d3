"""What time it is for publish times and windows, on a board whose own clock may be wrong, or be none."""

import asyncio

from media_network.time_of_day import now_ms


class ServiceClock:
    """The center's time, once it was told in this process; before that the later of the board's and the newest told.

    So a clock that went back takes nothing out of service, and one that is ahead is right as soon as it is told.
    """

    def __init__(self) -> None:
        self.newest_told_ms = 0
        """Kept over restarts by whoever has this."""
        self._told: tuple[int, float] | None = None

    def tell(self, center_ms: int) -> None:
        """The center says what time it is; what it said earlier may come later."""
        if center_ms > (self.now_ms() if self._told else 0):
            self._told = (center_ms, asyncio.get_running_loop().time())
        self.newest_told_ms = max(self.newest_told_ms, center_ms)

    def tell_past(self, center_ms: int) -> None:
        """The center has said that it was this time once: it is no earlier now."""
        if self._told and center_ms > self.now_ms():
            self.tell(center_ms)
        self.newest_told_ms = max(self.newest_told_ms, center_ms)

    def center_ms(self) -> int:
        """The center's time, for others to be told; 0: it was not told in this process, and others may know better."""
        return self.now_ms() if self._told else 0

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        if self._told is None:
            return max(now_ms(), self.newest_told_ms)
        center_ms, told_at = self._told
        return center_ms + int((asyncio.get_running_loop().time() - told_at) * 1000)
