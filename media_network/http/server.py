"""Answer the messages of a party: one table of verbs and resources, served at its two ports, or at one address.

What `openapi.json` shows is drawn from the same table.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware

from media_network.address import Address
from media_network.http.client import DEADLINE_MS, IDEMPOTENCY_KEY, NOT_THE_MESSAGE
from media_network.http.errors import NetworkError
from media_network.http.openapi import describe
from media_network.http.refusing import refusing
from media_network.messages.verb import Port, Reply, Request, Verb
from media_network.refusal import Reason, Refused

_ANSWERS_REMEMBERED = 4096
_DEADLINE_MAX_S = 60.0


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


logger = logging.getLogger(__name__)
# What is not HTTP is answered with 400. A traceback for each would let any peer fill the disk.
logger.addFilter(_is_ours)

Answer = Callable[[Request], Coroutine[Any, Any, Reply | Refused]]
AnswerToHost = Callable[[Request, str], Coroutine[Any, Any, Reply | Refused]]
"""Of a request and the host that it came from."""
Resource = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class _Post(Generic[Request, Reply]):
    verb: Verb[Request, Reply]
    answer: AnswerToHost[Request, Reply]


@dataclass(frozen=True)
class _Get:
    path: str
    answer: Resource
    summary: str


@dataclass
class HandlerTable:
    """What a party answers."""

    title: str
    posts: list[_Post[Any, Any]] = field(default_factory=list)
    resources: list[_Get] = field(default_factory=list)
    guards: Sequence[Middleware] = ()
    """Each sees every request first, and may answer it."""
    described_by: "Callable[[], HandlerTable] | None" = None
    """What OpenAPI shows now, where that changes; None for this table itself."""

    def verb(self, verb: Verb[Request, Reply], answer: Answer[Request, Reply]) -> None:
        """Answer a verb with a coroutine function from its request to its reply or a refusal."""

        async def answer_anybody(request: Request, _: str) -> Reply | Refused:
            return await answer(request)

        self.verb_by_host(verb, answer_anybody)

    def verb_by_host(self, verb: Verb[Request, Reply], answer: AnswerToHost[Request, Reply]) -> None:
        """Answer a verb with a coroutine function that is told, beside the request, the host that it came from.

        Raises ValueError when the verb is answered already.
        """
        self._name(verb.path)
        self.posts.append(_Post(verb, answer))

    def resource(self, path: str, get: Resource, summary: str = "") -> None:
        """Serve GET (and HEAD) of an aiohttp path pattern; `summary` is what OpenAPI shows.

        Raises ValueError when the pattern is served already.
        """
        self._name(path)
        self.resources.append(_Get(path, get, summary))

    @property
    def names(self) -> set[str]:
        """Paths of the verbs and patterns of the resources: each is answered once."""
        return {post.verb.path for post in self.posts} | {get.path for get in self.resources}

    def _name(self, name: str) -> None:
        if name in self.names:
            raise ValueError(f"{self.title} answers {name} already")

    def at(self, port: Port) -> "HandlerTable":
        """The part that is answered at a port; resources are media."""
        described_by = self.described_by
        return HandlerTable(
            self.title,
            posts=[post for post in self.posts if port in post.verb.ports],
            resources=self.resources if port is Port.MEDIA else [],
            guards=self.guards,
            described_by=(lambda: described_by().at(port)) if described_by else None,
        )


class _Answers:
    """Answers by idempotency key: a message said twice is done once."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[tuple[str, str], asyncio.Task[msgspec.Struct]] = OrderedDict()

    async def once(
        self, key: tuple[str, str], answer: Callable[[], Coroutine[Any, Any, msgspec.Struct]]
    ) -> msgspec.Struct:
        task = self._tasks.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.get_running_loop().create_task(answer(), name=f"answer {key[0]}")
            self._tasks[key] = task
            if len(self._tasks) > _ANSWERS_REMEMBERED:
                self._tasks.popitem(last=False)
        # Shielded: one impatient caller must not undo the work that its repetition will wait for.
        return await asyncio.shield(task)

    async def stop(self, _: web.Application) -> None:
        """Cancel what is still being answered: nobody can hear it any more."""
        unfinished = [task for task in self._tasks.values() if not task.done()]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


def _endpoint(post: _Post[Any, Any], answers: _Answers) -> Resource:
    """The aiohttp handler of one verb."""
    path, bytes_max = post.verb.path, post.verb.request_bytes_max
    callers = ", ".join(post.verb.callers)
    decoder = msgspec.json.Decoder(post.verb.request)

    async def endpoint(http: web.Request) -> web.StreamResponse:
        key, host = http.headers.get(IDEMPOTENCY_KEY), http.remote or ""
        logger.debug("%s says %s, which is for: %s", host, path, callers)
        try:
            async with asyncio.timeout(_deadline_s(http)):
                body = await _read_body(http, bytes_max)
                if body is None:
                    return refusing(Refused(Reason.TOO_LARGE, f"{path} takes at most {bytes_max} bytes"))
                try:
                    request = decoder.decode(body)
                except NOT_THE_MESSAGE as error:
                    return _respond(Refused(Reason.BAD_MESSAGE, str(error)))
                if key is None:
                    return _respond(await post.answer(request, host))
                return _respond(await answers.once((path, key), lambda: post.answer(request, host)))
        except TimeoutError:
            return _respond(Refused(Reason.OVERDUE, f"no answer to {path} within the deadline"))
        except NetworkError as error:
            # Somebody further on did not answer; whoever asked us may choose another way.
            return _respond(Refused(Reason.OVERDUE, str(error)))

    return endpoint


async def _read_body(http: web.Request, bytes_max: int) -> bytes | None:
    """The body; None if it is longer than that, and then no more of it than that was kept."""
    if (http.content_length or 0) > bytes_max:
        return None
    body = bytearray()
    try:
        async for part in http.content.iter_any():
            body += part
            if len(body) > bytes_max:
                return None
    except ConnectionError as error:
        # Who has hung up hears no answer, and is not worth a traceback in the log.
        raise web.HTTPBadRequest from error
    return bytes(body)


def _respond(answer: msgspec.Struct) -> web.Response:
    if isinstance(answer, Refused):
        return refusing(answer)
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def _deadline_s(http: web.Request) -> float:
    text = http.headers.get(DEADLINE_MS, "")
    return min(int(text) / 1000, _DEADLINE_MAX_S) if text.isdecimal() and len(text) < 9 else _DEADLINE_MAX_S


def _application(table: HandlerTable) -> web.Application:
    application = web.Application(middlewares=table.guards)
    answers = _Answers()
    application.on_cleanup.append(answers.stop)
    for post in table.posts:
        application.router.add_post(f"/{post.verb.path}", _endpoint(post, answers))
    for get in table.resources:
        application.router.add_get(get.path, get.answer)

    async def openapi(_: web.Request) -> web.StreamResponse:
        shown = table.described_by() if table.described_by else table
        return web.Response(body=_description(shown), content_type="application/json")

    application.router.add_get("/openapi.json", openapi)
    return application


def _description(table: HandlerTable) -> bytes:
    verbs = [post.verb for post in table.posts]
    return msgspec.json.encode(describe(table.title, verbs, {get.path: get.summary for get in table.resources}))


@asynccontextmanager
async def serve(table: HandlerTable, address: Address) -> AsyncIterator[Address]:
    """Serve a table while the context is open; yields the address, with the port the kernel gave for port 0.

    Raises OSError when the address cannot be bound.
    """
    async with serve_application(_application(table), address) as bound:
        yield bound


@asynccontextmanager
async def serve_ports(table: HandlerTable, *, control: Address, media: Address) -> AsyncIterator[None]:
    """Serve a table at the two ports of a party while the context is open, to each kind of caller what it may say.

    Raises OSError when one of the two cannot be bound.
    """
    async with serve(table.at(Port.CONTROL), control), serve(table.at(Port.MEDIA), media):
        yield


@asynccontextmanager
async def serve_application(application: web.Application, address: Address) -> AsyncIterator[Address]:
    """Serve what is no table, in the same way."""
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=logger,
        shutdown_timeout=1.0,
        keepalive_timeout=75.0,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host, address.port, reuse_address=True, backlog=1024).start()
        yield Address(address.host, runner.addresses[0][1])
    finally:
        await runner.cleanup()
