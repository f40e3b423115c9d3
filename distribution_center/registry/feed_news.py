"""That the feed has grown, told to who waits for it: a question that finds nothing new costs a place in a list, and no
thread and no read."""

import asyncio


class FeedNews:
    """Rung whenever a transaction that numbers a change has been made, here or by another center on this registry."""

    def __init__(self) -> None:
        self.count = 0
        """How often it was rung: who has looked at the feed since this many times waits for the next."""
        self._next = asyncio.Event()

    def ring(self) -> None:
        """There may be something new."""
        self.count += 1
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    async def after(self, count: int, until_s: float) -> bool:
        """Wait until it was rung more often than that, or until this moment of the event loop; tells whether it was."""
        try:
            async with asyncio.timeout_at(until_s):
                while self.count == count:
                    await self._next.wait()
        except TimeoutError:
            return self.count != count
        return True
