"""Copies give way to viewers: while what an engine pushes comes late, copies to it pause (claim 13).

A copy for which somebody waits is a viewer's, and does not. None pauses for good: what is ordered gets there, slowly.
"""

import asyncio

from blade_agent.main_board.engine.engine_figures import EngineCounters

_CALM_S = 0.5
"""For so long nothing must have come late."""
_LONGEST_S = 5.0
"""Of one pause: then a copy goes on by what is written at once."""


class GivingWay:
    """Looks at the batches that were late; asked by each copy before it takes more from its source."""

    def __init__(self, counters: EngineCounters) -> None:
        self._counters = counters
        self._seen = counters.push_late
        self._late_at_s = float("-inf")

    async def wait(self) -> None:
        """Until what is pushed has been in time for a while, or that lasts too long."""
        loop = asyncio.get_running_loop()
        give_up_at_s = loop.time() + _LONGEST_S
        while (calm_at_s := self._calm_at_s(loop.time())) > loop.time() and loop.time() < give_up_at_s:
            pause_s = min(calm_at_s, give_up_at_s) - loop.time()
            await asyncio.sleep(pause_s)

    def _calm_at_s(self, now_s: float) -> float:
        """When copies may go on if nothing is late any more."""
        if self._counters.push_late != self._seen:
            self._seen = self._counters.push_late
            self._late_at_s = now_s
        return self._late_at_s + _CALM_S
