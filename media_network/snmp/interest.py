"""Whether somebody asks an agent at present: what nobody looks at need not be brought up to date."""

import asyncio
from collections.abc import Callable

from media_network.callback import do_nothing

FRESH_S = 1.0
"""What an answer shows is not older than this."""
LASTING_S = 75.0
"""For so long after a request the next one is expected: a manager polls once a minute."""


class Interest:
    """Requests of managers, and the objects that are brought up to date before one is answered."""

    def __init__(self, now_s: Callable[[], float] | None = None) -> None:
        """Take a clock; the running event loop's, unless another is given."""
        self._now_s = now_s or asyncio.get_running_loop().time
        self._asked = asyncio.Event()
        self._asked_s = -LASTING_S
        self._refreshed_s = -FRESH_S
        self._refresh: Callable[[], None] = do_nothing

    def show(self, refresh: Callable[[], None]) -> None:
        """Call `refresh`, which reads memory only, before requests are answered."""
        self._refresh = refresh
        self.refresh()

    def asked(self) -> None:
        """Somebody asks. Called for every request, before its answer."""
        now_s = self._now_s()
        if not self._asked.is_set():
            self._asked.set()
        self._asked_s = now_s
        if now_s - self._refreshed_s >= FRESH_S:
            self.refresh()

    def forget(self) -> None:
        """Something was set: the next answer must not be from before."""
        self._refreshed_s = -FRESH_S

    def refresh(self) -> None:
        """Bring the objects up to date now."""
        self._refreshed_s = self._now_s()
        self._refresh()

    async def keep_refreshing(self, interval_s: float) -> None:
        """Bring them up to date so often at least, for what has happened to be told of; until cancelled."""
        while True:
            await asyncio.sleep(max(0.0, self._refreshed_s + interval_s - self._now_s()))
            if self._now_s() - self._refreshed_s >= interval_s:
                self.refresh()

    async def wait(self, at_most_s: float) -> None:
        """Wait until somebody asks, which may be now, or has done so a short while ago."""
        if self._now_s() - self._asked_s < LASTING_S:
            return
        self._asked.clear()
        try:
            async with asyncio.timeout(at_most_s):
                await self._asked.wait()
        except TimeoutError:
            return
