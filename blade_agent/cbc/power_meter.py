"""What a board, or a chassis, draws: now, and since the controller's start."""

import math
from collections.abc import Callable

from blade_agent.cbc.clock import Clock


class PowerMeter:
    """Looks at a reading whenever it is asked to, and keeps the statistics of what it saw."""

    def __init__(self, clock: Clock, watts: Callable[[], float | None]) -> None:
        """Take where the reading comes from; None while there is none."""
        self._clock = clock
        self._watts = watts
        self._begun_s: float | None = None
        self._looked_s = 0.0
        self._watt_seconds = self._measured_s = 0.0
        self.now_w: float | None = None
        """At the last look."""
        self.least_w = math.inf
        self.most_w = 0.0

    @property
    def period_s(self) -> float:
        """What the statistics are over."""
        return 0.0 if self._begun_s is None else self._looked_s - self._begun_s

    @property
    def average_w(self) -> float:
        """Over the time in which there was a reading."""
        return self._watt_seconds / self._measured_s if self._measured_s else self.now_w or 0.0

    def look(self) -> None:
        """Take the reading of now; what was read last held until now."""
        now_s = self._clock.now_s()
        if self._begun_s is None:
            self._begun_s = now_s
        if self.now_w is not None:
            self._watt_seconds += self.now_w * (now_s - self._looked_s)
            self._measured_s += now_s - self._looked_s
        self._looked_s = now_s
        self.now_w = self._watts()
        if self.now_w is not None:
            self.least_w, self.most_w = min(self.least_w, self.now_w), max(self.most_w, self.now_w)
