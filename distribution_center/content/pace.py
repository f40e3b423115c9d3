"""How long something still takes, by how fast it went of late."""

from collections import deque

_LOOKED_BACK_S = 60.0
_NOTED_EVERY_S = 1.0
_KNOWN_AFTER_S = 3.0
_LONGEST_S = 10**7


class Pace:
    """Of one thing that gets on."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()
        """Time, and how much was done."""

    def remaining_s(self, now: float, fraction: float) -> int | None:
        """Note how much is done, 0 to 1; gives the seconds that are left, or None while nobody can say."""
        points = self._points
        if points and fraction < points[-1][1]:
            points.clear()  # it has begun anew
        if not points or now - points[-1][0] >= _NOTED_EVERY_S:
            points.append((now, fraction))
        while len(points) > 1 and now - points[0][0] > _LOOKED_BACK_S:
            points.popleft()
        begun, done = points[0]
        if now - begun < _KNOWN_AFTER_S or fraction <= done:
            return None
        return min(_LONGEST_S, round((now - begun) * (1 - fraction) / (fraction - done)))
