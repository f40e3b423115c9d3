"""What CPU a host takes in a run: its callbacks, and what its kernel would hand to its programs."""

import time
from collections.abc import Callable


class CpuMeter:
    """Counts CPU of what runs under it, once where one call is within another."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self._runs = False

    def run(self, call: Callable[[], object]) -> None:
        """Call, and count. What it raises is counted, too."""
        if self._runs:
            call()
            return
        self._runs, began_s = True, time.thread_time()
        try:
            call()
        finally:
            self.cpu_s += time.thread_time() - began_s
            self._runs = False
