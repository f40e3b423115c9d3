"""Why a run ended badly."""

import asyncio
from collections.abc import Sequence


class SimulationError(Exception):
    """A run ended otherwise than by its own end."""


class Deadlock(SimulationError):
    """Nothing is left that could ever happen, and somebody still waits."""

    def __init__(self, at_s: float, waiting: Sequence[asyncio.Task[object]]) -> None:
        self.at_s = at_s
        self.waiting = [task.get_name() for task in waiting]
        super().__init__(f"at {at_s:.6f} s nothing can happen any more; waiting: {', '.join(self.waiting) or 'nobody'}")


class Livelock(SimulationError):
    """Callbacks go on and on while the clock stands still."""

    def __init__(self, at_s: float, callbacks: int) -> None:
        self.at_s = at_s
        self.callbacks = callbacks
        super().__init__(f"{callbacks} callbacks ran at {at_s:.6f} s and the clock did not move")


class TookTooLong(SimulationError):
    """The virtual time allowed has passed."""

    def __init__(self, until_s: float, waiting: Sequence[asyncio.Task[object]]) -> None:
        self.until_s = until_s
        self.waiting = [task.get_name() for task in waiting]
        super().__init__(f"not done at {until_s:g} virtual seconds; waiting: {', '.join(self.waiting)}")


class Escaped(SimulationError):
    """An exception left a callback or a task, and nobody took it. The cause is that exception, where there is one."""

    def __init__(self, at_s: float, message: str) -> None:
        self.at_s = at_s
        self.message = message
        super().__init__(f"at {at_s:.6f} s: {message}")
