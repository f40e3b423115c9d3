"""A temperature that stands above another: it takes a moment to rise, and to fall again."""

import math

_LAG_S = 1.0


class Rise:
    """So many degrees more, nearing a target exponentially."""

    def __init__(self) -> None:
        self.target_k = 0.0
        self.now_k = 0.0

    def run(self, duration_s: float) -> None:
        """Let time pass."""
        self.now_k = self.target_k + (self.now_k - self.target_k) * math.exp(-duration_s / _LAG_S)
