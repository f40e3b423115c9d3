"""The rate that the copies of an order may take together."""

import asyncio


class Pace:
    """Holds copies back, a segment at a time: over a few of them the mean is the rate that was ordered."""

    def __init__(self, rate_bps: int | None) -> None:
        """`rate_bps`: None for as fast as it goes."""
        self._rate_bps = rate_bps
        self._next_at = 0.0

    async def turn(self, length_bytes: int) -> None:
        """Until a copy of so much may begin, and what is before it has had its time."""
        if not self._rate_bps:
            return
        now = asyncio.get_running_loop().time()
        begins_at = max(self._next_at, now)
        self._next_at = begins_at + length_bytes * 8 / self._rate_bps
        await asyncio.sleep(begins_at - now)
