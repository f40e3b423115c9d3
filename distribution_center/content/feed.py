"""The feed of numbered changes, as it is asked for (claims 2, 3): "since N", at once or as soon as there is something.

Who waits costs a place in a list: no thread, no read, no poll. Only so many do, of each host and in all; who comes
beyond them is answered at once, and asks again at a pace of its own.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from distribution_center.registry.repository import PAGE, Repository
from media_network.http.asker import Asker
from media_network.http.gate import connections_bearable
from media_network.http.server import HandlerTable
from media_network.message_pages import first_page
from media_network.messages.program_information import ASK_CHANGES, AskChanges, Changes, ProgramChange
from media_network.time_of_day import now_ms

WAITERS_MAX = 4096
"""And no more than half of the connections that its descriptors allow: the others are for what is said meanwhile."""
WAITERS_OF_HOST_MAX = 16
"""A director has one, and one before it may not have gone yet; a headquarters has one a center."""
_SHARED_S = 0.05
"""An answer is also given to who asks the same so soon afterwards: stations that have waited ask all at once."""


class _Shared(NamedTuple):
    """An answer that others may have, too."""

    since: int
    news: int
    """How often the feed had grown before it was read."""
    until_s: float
    page: Changes


class Feed:
    """Answers who follows the catalogue."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._news = repository.neighbours.news
        self._waiters_max = min(WAITERS_MAX, connections_bearable() // 2)
        self._shared: _Shared | None = None
        self._waiting: Counter[str] = Counter()
        """By host."""
        self._ended = False

    def answer(self, table: HandlerTable) -> None:
        """Enter the verb into a table."""
        table.verb_by_asker(ASK_CHANGES, self._answer)

    @property
    def waiters(self) -> int:
        """How many wait for something new."""
        return self._waiting.total()

    def end(self) -> None:
        """The center ends: who waits is answered, and nobody waits any more."""
        self._ended = True
        self._news.ring()

    async def _answer(self, question: AskChanges, asker: Asker) -> Changes:
        if not question.wait_ms:
            return await self._page(question.since)
        until_s = asyncio.get_running_loop().time() + question.wait_ms / 1000
        with self._waiting_place(asker.host) as may_wait:
            while True:
                seen = self._news.count
                page = await self._page(question.since)
                is_news = page.until != question.since or bool(page.changes)
                if is_news or self._ended or not (may_wait and await self._news.after(seen, until_s)):
                    break
        return page if is_news else Changes(changes=(), until=page.until, now_ms=now_ms())

    @contextmanager
    def _waiting_place(self, host: str) -> Iterator[bool]:
        """Whether somebody of a host may wait, and that he does."""
        if self.waiters >= self._waiters_max or self._waiting[host] >= WAITERS_OF_HOST_MAX:
            yield False
            return
        self._waiting[host] += 1
        try:
            yield True
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._waiting[host]

    async def _page(self, since: int) -> Changes:
        shared, now_s = self._shared, asyncio.get_running_loop().time()
        news = self._news.count
        if shared and (shared.since, shared.news) == (since, news) and now_s < shared.until_s:
            return shared.page
        page = await self._read(since)
        self._shared = _Shared(since, news, now_s + _SHARED_S, page)
        return page

    async def _read(self, since: int) -> Changes:
        """What has changed after a number, as much of it as fits into a message."""
        until = await self._repository.newest_version()
        found = await self._repository.changes(since)
        page, more = first_page(
            ProgramChange(version=one.version, program=one.program, header=one.header)
            for one in found
            if not one.is_damaged
        )
        if more or len(found) == PAGE:
            last = page[-1].version if more else found[-1].version
            return Changes(changes=tuple(page), until=last, more=True, now_ms=now_ms())
        # What came between the two reads is in the page, and it is all there is up to its last one.
        return Changes(changes=tuple(page), until=max([until, *(one.version for one in found)]), now_ms=now_ms())
