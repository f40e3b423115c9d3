"""A center as it is heard from here: whether it answers, and since when it does not."""

import logging

from media_network.address import Address
from media_network.fields import LONGEST_SENTENCE
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Refused
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_PATIENCE_S = 5.0


class CenterAway(Exception):
    """A center does not answer; `str()` is a sentence."""


class CenterLink:
    """What is said to one center."""

    def __init__(self, name: str, address: Address, http: HttpClient) -> None:
        self.name = name
        self.address = address
        self.asked = False
        """Whether it has answered, or has not in time."""
        self.obstacle: str | None = "it has not been asked yet"
        """Why it does not answer, in a sentence; None: it does."""
        self.heard_at_ms = 0
        """When it answered last, in milliseconds since 1970; 0: not since this process began."""
        self._http = http

    async def ask(self, verb: Verb[Request, Reply], request: Request, *, waits_s: float = 0.0) -> Reply | Refused:
        """What it answers, which may take so much longer as it is asked to wait. Raises CenterAway."""
        try:
            answer = await self._http.ask(
                self.address, verb, request, deadline_s=waits_s + _PATIENCE_S, while_refused=False
            )
        except NetworkError as error:
            reason = str(error)[:LONGEST_SENTENCE]
            self.asked = True
            if self.obstacle is None:
                logger.warning("center %s is away: %s", self.name, reason)
            self.obstacle = reason
            raise CenterAway(reason) from error
        if self.obstacle is not None:
            logger.info("center %s answers at %s", self.name, self.address)
        self.asked, self.obstacle, self.heard_at_ms = True, None, now_ms()
        return answer
