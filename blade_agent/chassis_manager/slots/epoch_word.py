"""Whether the epoch that a blade reports can be believed. No I/O.

Epochs are given by the chassis manager and kept by it first: one that is higher than all it has kept is either the word
of a blade that outlived what was kept, or an error. It is heard again before it counts, whatever seal it came under.
"""

from typing import Final

from blade_agent.backplane.messages.heartbeat import Heartbeat
from blade_agent.backplane.role import HIGHEST_EPOCH

HIGHEST_BELIEVED: Final = HIGHEST_EPOCH - (1 << 16)
"""An epoch beyond is no count of directors: believed, it would leave none to be given."""
_HEARD_TWICE: Final = 2
_AWAITED: Final = 3
"""Who says another epoch that often in a row is waited for no longer."""


class EpochWord:
    """Of one start of a blade's agent."""

    def __init__(self) -> None:
        self._epoch = 0
        self._times = 0
        self._changes = 0

    def hear(self, heartbeat: Heartbeat) -> None:
        """Note what a heartbeat says."""
        if self._times and heartbeat.epoch == self._epoch:
            self._times, self._changes = self._times + 1, 0
        else:
            self._epoch, self._times, self._changes = heartbeat.epoch, 1, self._changes + 1

    @property
    def in_range(self) -> bool:
        """Whether it may be a count of directors at all."""
        return self._epoch <= HIGHEST_BELIEVED

    def believed(self, kept: int) -> bool:
        """Tell whether it counts, where `kept` is the highest epoch that the manager has kept."""
        return self._epoch <= kept or (self._times >= _HEARD_TWICE and self.in_range)

    def awaited(self, kept: int) -> bool:
        """Tell whether the next heartbeat decides if it counts: so long nobody is appointed."""
        return not self.believed(kept) and self.in_range and self._changes <= _AWAITED
