"""How busy the board is, by psutil. Between two readings, because processors only count what they did so far."""

import psutil
from msgspec import Struct

from blade_agent.hardware.reading import KnownReading, Reading, Unknown, Why

_IDLE = ("idle", "iowait")
_COUNTED_ELSEWHERE = ("guest", "guest_nice")
"""Linux counts a guest's time as its host's user time too."""


class LoadReading(Struct, frozen=True):
    """Shares from 0 to 1."""

    cpu: Reading
    """Of all processors' time since the reading before."""
    memory: Reading
    """In use."""


class LoadMeter:
    """Measures the whole machine."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def read(self) -> LoadReading:
        """Measure since the reading before."""
        times = psutil.cpu_times()._asdict()
        counted = {kind: seconds for kind, seconds in times.items() if kind not in _COUNTED_ELSEWHERE}
        now = (sum(counted.values()), sum(counted.get(kind, 0.0) for kind in _IDLE))
        before, self._before = self._before, now
        return LoadReading(busy_share(before, now), KnownReading(psutil.virtual_memory().percent / 100))


def busy_share(before: tuple[float, float] | None, now: tuple[float, float]) -> Reading:
    """Share of time not idle between two counts of (all, idle) processor seconds."""
    if before is None:
        return Unknown(Why.TOO_EARLY, "the first reading")
    passed_s, idle_s = now[0] - before[0], now[1] - before[1]
    if passed_s <= 0:
        return Unknown(Why.TOO_EARLY, "no processor time has passed since the reading before")
    return KnownReading(min(max(1 - idle_s / passed_s, 0.0), 1.0))
