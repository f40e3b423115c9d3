"""Stations that wait for news of subscribers: a change is told a moment after it was made, by whichever process.

Commands write to the database, and so does another process of the same management. So the number of the newest change
is looked at while anybody waits, once for all who do.
"""

import asyncio
import logging

from distribution_center.accounts.database import AccountsUnfit
from distribution_center.accounts.subscriber_management import SubscriberManagement
from media_network.messages.subscribers import NEWS_MAX, AskSubscriberNews, SubscriberNews

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25


class NewsDesk:
    """Answers them."""

    def __init__(self, management: SubscriberManagement) -> None:
        self._management = management
        self._waiting = 0
        self._wanted = asyncio.Event()
        self._newest: int | None = None
        self._grown = asyncio.Event()

    async def tell(self, asked: AskSubscriberNews) -> SubscriberNews:
        """What has changed since, at once or when something does; nothing, if the wait ends first."""
        news = await self._management.news(asked.since, NEWS_MAX)
        if asked.since is None or news.until != asked.since or not asked.wait_ms:
            return news
        try:
            async with asyncio.timeout(asked.wait_ms / 1000):
                await self._wait_beyond(asked.since)
        except TimeoutError:
            return news
        return await self._management.news(asked.since, NEWS_MAX)

    async def run(self) -> None:
        """Look for changes while anybody waits, until cancelled."""
        while True:
            await self._wanted.wait()
            newest = self._newest
            try:
                newest = (await self._management.news(None, 1)).until
            except AccountsUnfit as error:
                logger.warning("who waits for news hears none for now: %s", error)
            if newest != self._newest:
                self._newest = newest
                self._grown.set()
                self._grown = asyncio.Event()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _wait_beyond(self, number: int) -> None:
        self._waiting += 1
        self._wanted.set()
        try:
            while self._newest is None or self._newest == number:
                await self._grown.wait()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._wanted.clear()
                self._newest = None
