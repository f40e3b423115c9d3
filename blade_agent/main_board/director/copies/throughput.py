"""What copies from each source got of late."""

from typing import NamedTuple

_SHORTEST_BYTES = 64 * 1024
"""A shorter copy says how long questions take, not what a line carries."""
_NEW_SHARE = 0.3
_KEPT_S = 600.0
_SOURCES_MAX = 256


class _Measured(NamedTuple):
    bps: float
    at: float


class Throughput:
    """A moving average by source station. Times are the event loop's, in seconds."""

    def __init__(self) -> None:
        self._of: dict[str, _Measured] = {}
        """The one that was measured last is the last."""

    def measured(self, station: str, copied_bytes: int, took_s: float, now: float) -> None:
        """A copy from a station has come, in so much time."""
        if copied_bytes < _SHORTEST_BYTES or took_s <= 0:
            return
        bps = copied_bytes * 8 / took_s
        before = self.bps(station, now)
        self._of.pop(station, None)
        self._of[station] = _Measured(bps if before is None else before + _NEW_SHARE * (bps - before), now)
        if len(self._of) > _SOURCES_MAX:
            del self._of[next(iter(self._of))]

    def bps(self, station: str, now: float) -> float | None:
        """Bits a second; None: nothing is known, or not any more."""
        found = self._of.get(station)
        return found.bps if found and now - found.at <= _KEPT_S else None
