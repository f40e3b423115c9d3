"""Looks at the center for all who have the page open: once a second at most, and only while somebody does.

No look grows with the catalogue or the fleet: of programs it asks for the number of the newest change, and for those
since; of stations, how many there are.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from distribution_center.content.ingest_jobs import IngestJobs
from distribution_center.page.picture import CenterPicture, ChangedProgram, FleetNow, news_of
from distribution_center.registry.presence import Presences
from distribution_center.registry.repository import PAGE, Repository, RepositoryError
from media_network.messages.deletion import DeletionRow
from media_network.pages.events import News

logger = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0
_HEARD_WITHIN_S = 15.0
_CHANGES_KEPT = PAGE


@dataclass(kw_only=True)
class CenterWatch:
    """The center, as all who look at it see it."""

    home: str
    repository: Repository
    jobs: IngestJobs
    presences: Presences
    deletions: Callable[[], Awaitable[Sequence[DeletionRow]]]
    """The first of those that are not carried out. Raises `RepositoryError`."""
    moves: Callable[[], int]
    """How often a location, a director or an order has changed."""

    def __post_init__(self) -> None:
        self._picture: CenterPicture | None = None
        self._looking = asyncio.Lock()
        self._looks = 0
        self._looked_at = -LOOK_AGAIN_S

    async def news(self) -> News:
        """What one who looks is told, for as long as they do."""
        seen: CenterPicture | None = None
        while True:
            now = await self._newer(seen)
            yield news_of(now, seen)
            seen = now

    async def _newer(self, seen: CenterPicture | None) -> CenterPicture:
        if self._picture is not None and self._picture is not seen and not self._is_old:
            return self._picture
        while (picture := await self._look_again()) is seen:
            pass
        return picture

    @property
    def _is_old(self) -> bool:
        """Nobody has looked for a while."""
        return asyncio.get_running_loop().time() > self._looked_at + 2 * LOOK_AGAIN_S

    async def _look_again(self) -> CenterPicture:
        """Look, or wait for whoever does: one look is for all who want one."""
        looks = self._looks
        async with self._looking:
            if self._picture is None or self._looks == looks:
                loop = asyncio.get_running_loop()
                await asyncio.sleep(max(0.0, self._looked_at + LOOK_AGAIN_S - loop.time()))
                picture = await self._look()
                # An unchanged one stays the same object: nobody compares it again.
                self._picture = self._picture if picture == self._picture else picture
                self._looks += 1
                self._looked_at = loop.time()
            return self._picture

    async def _look(self) -> CenterPicture:
        before = self._picture
        version, changes, complete_after = await self._changes(before)
        return CenterPicture(
            version=version,
            changes=changes,
            complete_after=complete_after,
            moves=self.moves(),
            ingests={row.progress.ingest: row for row in self.jobs.rows},
            fleet=await self._fleet(),
            deletions=await self._deletions(),
        )

    async def _changes(self, before: CenterPicture | None) -> tuple[int, tuple[ChangedProgram, ...], int]:
        """Number of the newest change, the latest changes, and after which number these are all."""
        try:
            version = await self.repository.newest_version()
            if before is None or version < before.version:
                return version, (), version
            if version == before.version:
                return version, before.changes, before.complete_after
            found = await self.repository.changes(before.version, _CHANGES_KEPT)
        except RepositoryError as error:
            logger.warning("%s; open pages are told when it is there again", error)
            return (before.version, before.changes, before.complete_after) if before else (0, (), 0)
        fresh = tuple(ChangedProgram(change.version, change.program) for change in found)
        if len(found) == _CHANGES_KEPT:
            return version, (), version
        newest = max([version, *(change.version for change in fresh)])
        kept = (*before.changes, *fresh)[-_CHANGES_KEPT:]
        dropped = len(before.changes) + len(fresh) - len(kept)
        complete_after = (*before.changes, *fresh)[dropped - 1].version if dropped else before.complete_after
        return newest, kept, complete_after

    async def _deletions(self) -> Mapping[str, DeletionRow]:
        try:
            return {f"{row.program} {row.station}": row for row in await self.deletions()}
        except RepositoryError:
            return self._picture.deletions if self._picture else {}

    async def _fleet(self) -> FleetNow:
        try:
            count = (await self.repository.fleet_tally()).stations
            home = await self.repository.station(self.home)
        except RepositoryError:
            return self._picture.fleet if self._picture else FleetNow()
        silent = sum(1 for _ in self.presences.silent(asyncio.get_running_loop().time(), _HEARD_WITHIN_S))
        return FleetNow(
            stations=count,
            silent=max(0, count - len(self.presences)) + silent,
            home=home.station if home else None,
            home_engines=self.presences.known(self.home).engines,
        )
