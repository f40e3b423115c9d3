"""The center's feed, followed (claims 2, 11): a question is left with the center until there is something new.

Registrations tell the number of the newest change, too. So a station that cannot wait (its center is of an earlier
release, or has too many that do), or whose question got lost with its line, is late by one of their intervals.
"""

import asyncio
import logging

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.messages.program_information import ASK_CHANGES, AskChanges, Changes

logger = logging.getLogger(__name__)

WAIT_S = 25.0
"""Nobody between two hosts forgets a connection as silent as that."""
_PATIENCE_S = 3.0
"""For the answer itself."""
_WAIT_ANEW_S = 60.0
"""Who was answered at once, with nothing, and once more so, asks to wait again after that."""


class FeedFollowing:
    """Asks for changes, and has the catalogue learn them."""

    def __init__(self, term: Term, catalogue: Catalogue) -> None:
        self._term = term
        self._catalogue = catalogue
        self._learning = asyncio.Lock()
        """A page is learnt before the next one is asked for."""
        self._registered = asyncio.Event()

    async def catch_up(self, center: Address, newest: int) -> None:
        """The center has taken a registration, and said the number of its newest change."""
        async with self._learning:
            more = newest > self._catalogue.heard
            while more:
                page = await self._term.http.tell(center, ASK_CHANGES, AskChanges(since=self._catalogue.heard))
                if page is None:
                    return
                more = page.more and page.until > self._catalogue.heard
                more = await self._learn(page) and more
        self._registered.set()

    async def follow(self, center: Address) -> None:
        """Wait for what is new, until cancelled; begins when the catalogue has been caught up with."""
        turned_away = 0
        while True:
            await self._registered.wait()
            since, asked_s = self._catalogue.heard, self._now_s
            page = await self._ask_patiently(center, since)
            if page is None:
                self._registered.clear()  # the center is away, or cannot answer: it is there again when it registers
            elif page.until > since or page.changes:
                turned_away = 0
                if not await self._take(page):
                    self._registered.clear()
            elif self._now_s - asked_s >= WAIT_S / 2:
                turned_away = 0
            else:
                turned_away += 1
                self._registered.clear()  # it may be about to end
                await asyncio.sleep(_WAIT_ANEW_S if turned_away > 1 else 0.0)

    async def _ask_patiently(self, center: Address, since: int) -> Changes | None:
        question = AskChanges(since=since, wait_ms=int(WAIT_S * 1000))
        return await self._term.http.tell(
            center, ASK_CHANGES, question, deadline_s=WAIT_S + _PATIENCE_S, while_refused=False
        )

    async def _take(self, page: Changes) -> bool:
        async with self._learning:
            return await self._learn(page)

    async def _learn(self, page: Changes) -> bool:
        """Whether it is kept."""
        try:
            await self._catalogue.learn(page.changes, until=page.until, told_ms=page.now_ms)
        except OSError as error:
            logger.warning("the catalogue cannot be written: %s", error)  # what is known already stays in service
            return False
        return True

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
