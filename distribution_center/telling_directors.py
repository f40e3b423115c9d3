"""What the center tells directors by itself: one thing after the other to each, and none waits for another.

A director that does not answer costs the deadline of one message. Until it answers again it is told one thing at a
time, so that what has not been said stays due.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from distribution_center.registry.repository import RepositoryError
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Refused

logger = logging.getLogger(__name__)

_WAITING_MAX = 64
"""What waits for one director; the rest stays due."""
_ANSWER_WITHIN_S = 2.0


@dataclass
class _Line:
    """What waits for one director."""

    waiting: dict[Hashable, Callable[[], Awaitable[bool]]] = field(default_factory=dict)
    is_deaf: bool = False
    """It has not answered what it was told last."""
    is_telling: bool = False


class TellingDirectors:
    """The lines to the directors of a center's stations, by address: whoever directs next has a line of its own."""

    def __init__(self, http: HttpClient, tasks: asyncio.TaskGroup) -> None:
        self._http = http
        self._tasks = tasks
        self._lines: dict[Address, _Line] = {}

    def has_room(self, director: Address) -> bool:
        """Whether it can be told one thing more soon."""
        line = self._lines.get(director)
        return line is None or len(line.waiting) + line.is_telling < (1 if line.is_deaf else _WAITING_MAX)

    def is_deaf(self, director: Address) -> bool:
        """Whether it has not answered what it was told last."""
        line = self._lines.get(director)
        return line is not None and line.is_deaf

    def tell_later(self, director: Address, about: Hashable, telling: Callable[[], Awaitable[bool]]) -> None:
        """Tell it when its turn comes; what waits about the same is not told.

        `telling` says whether there was an answer.
        """
        line = self._lines.setdefault(director, _Line())
        line.waiting[about] = telling
        if not line.is_telling:
            line.is_telling = True
            self._tasks.create_task(self._tell_all(director, line), name=f"tell the director at {director}")

    async def ask(self, director: Address, verb: Verb[Request, Reply], message: Request) -> Reply | Refused | None:
        """What a director answers; None: nothing."""
        try:
            return await self._http.ask(director, verb, message, deadline_s=_ANSWER_WITHIN_S)
        except NetworkError as error:
            logger.debug("%s", error)
            return None

    async def _tell_all(self, director: Address, line: _Line) -> None:
        while line.waiting:
            about = next(iter(line.waiting))
            try:
                line.is_deaf = not await line.waiting.pop(about)()
            except RepositoryError as error:
                logger.warning("%s; what the director at %s said waits until it is there again", error, director)
            if line.is_deaf:
                line.waiting.clear()
        line.is_telling = False
        if not line.is_deaf:
            del self._lines[director]
