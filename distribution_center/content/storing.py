"""Storing at the home media station (claims 2, 11): it is directed to obtain from the center what is in the spool."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from distribution_center.content.content_manager import ContentManager
from distribution_center.obstacles import in_words, no_answer, no_director, no_engine
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import Repository, RepositoryError
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.fields import ProgramId
from media_network.http.client import HttpClient
from media_network.messages.obtaining import OBTAIN, Obstacle, Obtain
from media_network.program_header import ProgramHeader

logger = logging.getLogger(__name__)

_SAY_AGAIN_S = 3.0
_LOOK_AGAIN_S = 0.05
_ENGINES_COME_S = 2.0
"""A director that has begun just now is given so long."""


class InTheWay(NamedTuple):
    """Why the home station does not get on."""

    sentence: str
    full: bool = False
    """Its disks are full: that is not over when somebody comes back."""
    gone: bool = False
    """There is no such program any more."""


@dataclass(kw_only=True)
class Storing:
    """What is on its way from the spool to the home media station, and what of it is given up."""

    source: Address
    """Where the station asks for the segments of the spool."""
    parts: Address
    """Media address where it gets the segment table."""
    spool: Path
    home: str
    """Name of the home media station."""
    repository: Repository
    registry: MediaLocationRegistry
    content_manager: ContentManager
    http: HttpClient
    patience_s: float
    """How long the home media station may take no segment before it is said what is in the way."""

    async def nobody_there(self) -> str | None:
        """Why nothing can be stored, as far as is known: a sentence, or None. Raises `RepositoryError`."""
        if await self.registry.director(self.home) is None:
            return no_director(self.home)
        loop = asyncio.get_running_loop()
        until = loop.time() + _ENGINES_COME_S
        while (heard := self.registry.presences.get(self.home)) and not heard.engines:
            if loop.time() > until:
                return no_engine(self.home)
            await asyncio.sleep(_LOOK_AGAIN_S)
        return None

    async def store(self, program: ProgramHeader, on_progress: Callable[[float], None]) -> InTheWay | None:
        """Claim 13 turned round: direct the home station to obtain the program from us.

        Returns None once it has it all, or what was in the way when patience ended.
        """
        loop = asyncio.get_running_loop()
        held, moved_at, said_at = -1, loop.time(), float("-inf")
        in_the_way = InTheWay(f"station {self.home} takes no segment")
        while (stored := await self._stored(program)) < program.segments:
            if await self._is_gone(program):
                return InTheWay(f"{program.program} was withdrawn meanwhile", gone=True)
            now = loop.time()
            if stored != held:
                held, moved_at = stored, now
                on_progress(max(0, stored) / program.segments)
            if now - moved_at > self.patience_s:
                return in_the_way
            if now - said_at > _SAY_AGAIN_S:
                said_at = now
                in_the_way = await self._direct_home(program) or in_the_way
            await asyncio.sleep(_LOOK_AGAIN_S)
        await self._keep_at_home(program)
        self.clear(program.program)
        return None

    async def _keep_at_home(self, program: ProgramHeader) -> None:
        """The home media station stores everything: what it loses is brought back. That is noted before the spool lets
        go of it."""
        while True:
            try:
                if await self.repository.order(program.program, self.home) is None:
                    await self.repository.set_order(program.program, self.home, copies=1)
            except RepositoryError as error:
                logger.warning("%s has no standing order at %s yet: %s", program.program, self.home, error)
                await asyncio.sleep(_SAY_AGAIN_S)
                continue
            self.registry.moved.set()
            return

    async def store_at_last(self, program: ProgramHeader) -> None:
        """Store what nobody asks for any more: it waits for its station as long as that takes, but for no space."""
        while in_the_way := await self.store(program, do_nothing):
            if in_the_way.gone:
                return
            try:
                if in_the_way.full and not await self.is_wanted(program.program):
                    logger.warning("%s is given up: %s", program.program, in_the_way.sentence)
                    await self.give_up(program.program)
                    return
            except (RepositoryError, OSError) as error:
                logger.warning("%s cannot be given up: %s", program.program, error)
            logger.warning("%s waits to be stored: %s", program.program, in_the_way.sentence)

    async def is_wanted(self, program: ProgramId) -> bool:
        """Whether somebody counts on a program: it was whole once. Raises `RepositoryError`."""
        known = await self.repository.program(program)
        published = known is not None and known.publish_at_ms is not None
        return published or bool(await self.repository.orders(program, limit=1))

    async def give_up(self, program: ProgramId) -> None:
        """Nothing of it stays: what is at stations goes when they hear of it. Raises `RepositoryError`."""
        await self.repository.withdraw_program(program)
        self.clear(program)

    def clear(self, program: ProgramId) -> None:
        """Remove it from the spool."""
        shutil.rmtree(self.spool / program, ignore_errors=True)

    async def _stored(self, program: ProgramHeader) -> int:
        """Segments at the home media station; -1 while the registry cannot say."""
        try:
            return await self.repository.held_at(program.program, self.home)
        except RepositoryError:
            return -1

    async def _is_gone(self, program: ProgramHeader) -> bool:
        try:
            known = await self.repository.program(program.program)
        except RepositoryError:
            return False
        return known is None or known.table != program.table

    async def _direct_home(self, program: ProgramHeader) -> InTheWay | None:
        """Give the order; returns what is in the way of it."""
        try:
            director = await self.registry.director(self.home)
            known = await self.repository.program(program.program) or program
        except RepositoryError as error:
            return InTheWay(str(error))  # it is told again
        if director is None:
            return InTheWay(no_director(self.home))
        order = Obtain(
            header=known,
            parts=str(self.parts),
            source_station="content-engine",
            source_director=str(self.source),
            copies=1,
        )
        standing = await self.http.tell(director, OBTAIN, order, deadline_s=2.0)
        if standing is None:
            return InTheWay(no_answer(self.home, director))
        sentence = in_words(self.home, standing)
        return InTheWay(sentence, full=standing.obstacle is Obstacle.NO_SPACE) if sentence else None
