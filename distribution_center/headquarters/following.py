"""What a center has, and where: followed by its numbered feeds.

Nothing is asked for whole: a page is what has changed since a number. A feed that is not the one that was followed,
because its registry has lost something, is followed from its beginning.
"""

import asyncio
import logging

from distribution_center.headquarters.catalogue import Catalogue
from distribution_center.headquarters.center_link import CenterAway, CenterLink
from distribution_center.headquarters.followed import Followed, Progress
from distribution_center.headquarters.places import Places
from distribution_center.headquarters.store import HeadquartersStoreError
from media_network.messages.program_information import ASK_CHANGES, FEED_WAIT_MAX_MS, AskChanges
from media_network.messages.shares import ASK_SHARES, AskShares
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Refused
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_WRITTEN_DOWN_EVERY_MS = 10_000
"""So often it is written down that all is known: after a restart that may seem so much older than it is."""


class _Unanswered(Exception):
    """A center answers, and does not say what has changed; `str()` is a sentence."""


class Following:
    """Of one center."""

    def __init__(
        self, link: CenterLink, followed: Followed, catalogue: Catalogue, places: Places, *, poll_s: float
    ) -> None:
        self._link = link
        self._followed = followed
        self._catalogue = catalogue
        self._places = places
        self._poll_s = poll_s
        self._written_ms = 0
        self.known_ms = 0
        """When all that had changed was known, in milliseconds since 1970; 0: not since this process began."""
        self._trouble: str | None = None
        """Why what has changed is not known, of a center that answers."""

    @property
    def obstacle(self) -> str | None:
        """A sentence: why what is known is not from now; None: it is."""
        if self._link.obstacle is not None:
            return f"{self._link.name} is away: {self._link.obstacle}"
        if self._trouble is not None:
            return f"{self._link.name} does not say what has changed: {self._trouble}"
        return None if self.known_ms else f"not all that {self._link.name} tells is known yet"

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            asked_s, asks_on = asyncio.get_running_loop().time(), False
            try:
                asks_on = await self._take_what_is_new()
                self._trouble = None
            except CenterAway:
                self._trouble = None
            except (_Unanswered, HeadquartersStoreError) as error:
                if self._trouble is None:
                    logger.warning("what has changed at %s is not known: %s", self._link.name, error)
                self._trouble = str(error)
            if not asks_on and asyncio.get_running_loop().time() < asked_s + self._poll_s / 2:
                await asyncio.sleep(self._poll_s)  # it is away, or lets nobody wait

    async def _take_what_is_new(self) -> bool:
        """Take a page of each feed; tells whether to ask on at once: there is more, or the catalogue changes.

        Where there is nothing new it waits for a change of the catalogue.

        Raises CenterAway, _Unanswered, HeadquartersStoreError.
        """
        name, began_ms = self._link.name, now_ms()
        progress = await self._followed.progress(name)
        shares = await self._ask(ASK_SHARES, AskShares(since=progress.shares_since))
        if shares.begun_at_ms != progress.begun_at_ms or shares.until < progress.shares_since:
            return await self._begin_again(shares.begun_at_ms, progress)
        waits_s = min(self._poll_s, FEED_WAIT_MAX_MS / 1000) if shares.until == progress.shares_since else 0.0
        question = AskChanges(since=progress.since, wait_ms=int(waits_s * 1000))
        changes = await self._ask(ASK_CHANGES, question, waits_s=waits_s)
        if changes.until < progress.since:
            return await self._begin_again(shares.begun_at_ms, progress)
        if shares.until != progress.shares_since:
            await self._places.take(name, shares)
        if changes.until != progress.since:
            await self._catalogue.take(name, changes)
        if shares.more or changes.more or await self._followed.trim(name):
            return True
        self.known_ms = began_ms
        if not 0 <= began_ms - self._written_ms < _WRITTEN_DOWN_EVERY_MS:
            await self._followed.complete(name, began_ms)
            self._written_ms = began_ms
        return changes.until != progress.since

    async def _begin_again(self, begun_at_ms: int, progress: Progress) -> bool:
        """Tells that there is more."""
        if progress.begun_at_ms:
            logger.warning("the feeds of %s have begun again: they are followed from there", self._link.name)
        await self._followed.begin_again(self._link.name, begun_at_ms)
        return True

    async def _ask(self, verb: Verb[Request, Reply], request: Request, *, waits_s: float = 0.0) -> Reply:
        answer = await self._link.ask(verb, request, waits_s=waits_s)
        if isinstance(answer, Refused):
            raise _Unanswered(str(answer))
        return answer
