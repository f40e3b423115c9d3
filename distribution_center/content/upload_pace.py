"""How fast an upload has come of late: who sends next to nothing is not to keep a place from others."""

SLOWEST_BPS = 500_000
"""An upload that comes more slowly gives its place up when somebody else wants it."""
_LOOKED_AT_S = 30.0
"""So long at least an upload is let be, and so long it takes until one that has slowed down is called slow."""


class UploadPace:
    """Of one upload. Times are the event loop's, in seconds."""

    def __init__(self, now: float) -> None:
        self._since, self._bytes = now, 0
        self._before_bps: float | None = None
        """Over the stretch of time before this one."""

    def came(self, count: int, now: float) -> None:
        """So many bytes have come."""
        self._bytes += count
        if now - self._since >= _LOOKED_AT_S:
            self._before_bps = self._bps(now)
            self._since, self._bytes = now, 0

    def slowness_bps(self, now: float) -> float | None:
        """What it came at over the last while, if that is too slow; None: it is fast enough, or has just begun."""
        bps = self._bps(now) if now - self._since >= _LOOKED_AT_S else self._before_bps
        return bps if bps is not None and bps < SLOWEST_BPS else None

    def _bps(self, now: float) -> float:
        return self._bytes * 8 / max(1e-3, now - self._since)
