"""A console's voice to the director of its stream, whichever blade directs by now (claim 17)."""

import contextlib

from chassis_emulator.media_console.errors import PlayRefused
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.verb import Reply, Request, Verb
from media_network.messages.watching import ASK_DIRECTOR, AskDirector, DirectorSeen
from media_network.refusal import Reason, Refused

_ASK_ANOTHER = frozenset({Reason.WRONG_ROLE, Reason.OVERDUE})


class DirectorVoice:
    """Asks the director; if it is lost, the next one, which the engine that streams knows."""

    def __init__(self, http: HttpClient, director: Address) -> None:
        self.director = director
        self.engine: str | None = None
        """Media address of the engine that streams, or streamed last."""
        self._http = http

    async def ask(self, verb: Verb[Request, Reply], message: Request, deadline_s: float) -> Reply | Refused | None:
        """The answer of whoever directs; None: nobody answers."""
        with contextlib.suppress(NetworkError):
            answer = await self._http.ask(self.director, verb, message, deadline_s=deadline_s)
            if not isinstance(answer, Refused) or answer.reason not in _ASK_ANOTHER:
                return answer
        if await self._find(deadline_s):
            with contextlib.suppress(NetworkError):
                answer = await self._http.ask(self.director, verb, message, deadline_s=deadline_s)
                return None if isinstance(answer, Refused) and answer.reason in _ASK_ANOTHER else answer
        return None

    async def _find(self, deadline_s: float) -> bool:
        """Ask the engine that streams who directs now; whether it is another than before."""
        if not self.engine:
            return False
        try:
            answer = await self._http.ask(address_of(self.engine), ASK_DIRECTOR, AskDirector(), deadline_s=deadline_s)
        except NetworkError:
            return False
        if not isinstance(answer, DirectorSeen) or answer.media is None:
            return False
        before, self.director = self.director, address_of(answer.media)
        return self.director != before


def address_of(text: str) -> Address:
    """An address as a director or an engine gave it. Raises PlayRefused if it is none."""
    try:
        return Address.parse(text)
    except ValueError as error:
        raise PlayRefused("The director", "a redirect", str(error)) from error
