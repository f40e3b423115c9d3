"""One verb over HTTP: a bounded body in, a typed message, an answer or a refusal out."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic

import msgspec
from aiohttp import hdrs, web

from media_network.files import DISK_FULL
from media_network.http.asker import Asker, asker_of
from media_network.http.bodies import BodyBudget
from media_network.http.client import DEADLINE_MS, IDEMPOTENCY_KEY, NOT_THE_MESSAGE
from media_network.http.errors import NetworkError
from media_network.http.kept_answers import KEPT_S, Answered, KeptAnswers, encoded
from media_network.http.refusing import refusing
from media_network.messages.verb import Reply, Request, Verb
from media_network.os_trouble import in_words
from media_network.refusal import Reason, Refused
from media_network.unread_message import why_unread

logger = logging.getLogger(__name__)

BODY_WITHIN_S = 10.0
"""Who takes longer to send a message is not waited for."""
_DEADLINE_MAX_S = KEPT_S
_ROUTINE = frozenset({Reason.OVERDUE, Reason.WRONG_ROLE})
"""What passes by itself: whoever hears it says the same once more."""
_KEY_LENGTH_MAX = 64

Answer = Callable[[Request], Coroutine[Any, Any, Reply | Refused]]
AnswerToAsker = Callable[[Request, Asker], Coroutine[Any, Any, Reply | Refused]]
"""Of a request and who asks."""


@dataclass(frozen=True)
class Post(Generic[Request, Reply]):
    """A verb, and who answers it."""

    verb: Verb[Request, Reply]
    answer: AnswerToAsker[Request, Reply]


class VerbEndpoint:
    """Answers one verb."""

    def __init__(self, post: Post[Any, Any], answers: KeptAnswers, bodies: BodyBudget) -> None:
        self._verb = post.verb
        self._answer = post.answer
        self._answers = answers
        self._bodies = bodies
        self._callers = ", ".join(post.verb.callers)
        self._decoder = msgspec.json.Decoder(post.verb.request)
        self._too_large = Refused(
            Reason.TOO_LARGE, f"{post.verb.path} takes at most {post.verb.request_bytes_max} bytes"
        )

    async def expect(self, http: web.Request) -> web.StreamResponse | None:
        """Answer `Expect: 100-continue` (RFC 9110, 10.1.1): what is too large need not be sent."""
        if http.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
            raise web.HTTPExpectationFailed
        if (http.content_length or 0) > self._verb.request_bytes_max:
            return refusing(self._too_large)
        if http.transport is not None:
            http.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return None

    async def answer(self, http: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path, asker = self._verb.path, asker_of(http)
        logger.debug("%s says %s, which is for: %s", asker.name, path, self._callers)
        if refused := asker.refusal(self._verb):
            logger.info("%s is refused %s: %s", asker.name, path, refused)
            return refusing(refused)
        try:
            async with asyncio.timeout(_deadline_s(http)):
                answered = await self._hear(http, asker)
                if answered.refused is not None and answered.refused.reason not in _ROUTINE:
                    logger.info("%s is refused %s: %s", asker.name, path, answered.refused)
                return _respond(answered)
        except TimeoutError:
            return refusing(Refused(Reason.OVERDUE, f"no answer to {path} within the deadline"))
        except NetworkError as error:
            # Somebody further on did not answer; whoever asked us may choose another way.
            return refusing(Refused(Reason.OVERDUE, str(error)))
        except OSError as error:
            # What a disk does not take is not done, and whoever asked is told.
            reason = Reason.NO_SPACE if error.errno in DISK_FULL else Reason.IO_ERROR
            logger.warning("%s cannot be done: %s", path, in_words(error))
            return refusing(Refused(reason, in_words(error)))

    async def _hear(self, http: web.Request, asker: Asker) -> Answered:
        request = await self._read(http, asker.host)
        if isinstance(request, Refused):
            return encoded(request)
        key = http.headers.get(IDEMPOTENCY_KEY)
        if key is None or self._verb.reads:
            return encoded(await self._answer(request, asker))
        if len(key) > _KEY_LENGTH_MAX:
            return encoded(Refused(Reason.BAD_MESSAGE, f"{IDEMPOTENCY_KEY} has at most {_KEY_LENGTH_MAX} characters"))
        return await self._answers.once((self._verb.path, asker.name, key), lambda: self._answer(request, asker))

    async def _read(self, http: web.Request, host: str) -> Any:
        """The message, or a refusal of what is none."""
        if (http.content_length or 0) > self._verb.request_bytes_max:
            return self._too_large
        size_bytes = self._verb.request_bytes_max if http.content_length is None else http.content_length
        with self._bodies.hold(host, size_bytes) as room:
            if not room:
                return Refused(Reason.OVERDUE, "too much is being said at once")
            body = await _read_body(http, self._verb.request_bytes_max)
            if body is None:
                return self._too_large
            try:
                return self._decoder.decode(body)
            except NOT_THE_MESSAGE as error:
                return Refused(Reason.BAD_MESSAGE, why_unread(body, self._verb.request, error))


async def _read_body(http: web.Request, bytes_max: int) -> bytes | None:
    """The body; None if it is longer than that, and then no more of it than that was kept."""
    if http.content.is_eof():
        # It came with its headers, as nearly all do: there is nothing to wait for.
        whole = http.content.read_nowait()
        return whole if len(whole) <= bytes_max else None
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for part in http.content.iter_any():
                body += part
                if len(body) > bytes_max:
                    return None
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(headers={hdrs.CONNECTION: "close"}) from error
    except ConnectionError as error:
        # Who has hung up hears no answer, and is not worth a traceback in the log.
        raise web.HTTPBadRequest from error
    return bytes(body)


def _respond(answered: Answered) -> web.Response:
    if answered.refused is not None:
        return refusing(answered.refused)
    return web.Response(body=answered.body, content_type="application/json")


def _deadline_s(http: web.Request) -> float:
    text = http.headers.get(DEADLINE_MS, "")
    return min(int(text) / 1000, _DEADLINE_MAX_S) if text.isdecimal() and len(text) < 9 else _DEADLINE_MAX_S
