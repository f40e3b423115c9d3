"""Answer the messages of a party: one table of verbs and resources, served at its two ports, or at one address.

What `openapi.json` shows is drawn from the same table.
"""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware
from msgspec import Struct

from media_network.address import Address
from media_network.http.asker import IDENTIFICATION, Asker
from media_network.http.at_once import AtOnce
from media_network.http.bodies import BodyBudget
from media_network.http.connection import Answering
from media_network.http.cross_origin import FROM_ANYWHERE, preflight
from media_network.http.endpoint import Answer, AnswerToAsker, Post, VerbEndpoint
from media_network.http.gate import ConnectionGate, connections_bearable
from media_network.http.handshakes import after_handshakes
from media_network.http.kept_answers import KeptAnswers
from media_network.http.openapi import describe
from media_network.identity.identification import Identification
from media_network.messages.verb import Port, Reply, Request, Verb
from media_network.os_trouble import about
from media_network.refusal import Refused

ACCEPTED_AT_ONCE = 4
"""What asyncio is given as backlog; the kernel is told `_WAITING_MAX` afterwards."""
_WAITING_MAX = 1024
_NEVER_S = 1e9
"""A connection watches by itself how long it is idle: the framework does not see all that is said over it."""


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


logger = logging.getLogger(__name__)
# What is not HTTP is answered with 400. A traceback for each would let any peer fill the disk.
logger.addFilter(_is_ours)

Resource = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class _Get:
    path: str
    answer: Resource
    summary: str
    from_anywhere: bool
    copied: bool


@dataclass(frozen=True)
class _Put:
    path: str
    answer: Resource
    summary: str
    reply: type[Struct]


@dataclass
class HandlerTable:
    """What a party answers."""

    title: str
    posts: list[Post[Any, Any]] = field(default_factory=list)
    resources: list[_Get] = field(default_factory=list)
    uploads: list[_Put] = field(default_factory=list)
    guards: Sequence[Middleware] = ()
    """Each sees every request first, and may answer it."""
    at_once: AtOnce | None = None
    """What of the resources can be answered without waiting for anybody, and how."""
    described_by: "Callable[[], HandlerTable] | None" = None
    """What OpenAPI shows now, where that changes; None for this table itself."""

    def verb(self, verb: Verb[Request, Reply], answer: Answer[Request, Reply]) -> None:
        """Answer a verb with a coroutine function from its request to its reply or a refusal."""

        async def answer_anybody(request: Request, _: Asker) -> Reply | Refused:
            return await answer(request)

        self.verb_by_asker(verb, answer_anybody)

    def verb_by_asker(self, verb: Verb[Request, Reply], answer: AnswerToAsker[Request, Reply]) -> None:
        """Answer a verb with a coroutine function that is told, beside the request, who asks.

        Raises ValueError when the verb is answered already.
        """
        self._name(verb.path)
        self.posts.append(Post(verb, answer))

    def verb_from(
        self, admit: Callable[[Asker], Refused | None], verb: Verb[Request, Reply], answer: Answer[Request, Reply]
    ) -> None:
        """Answer a verb if `admit` has nothing against who asks: it gives the refusal, or None."""

        async def answer_admitted(request: Request, asker: Asker) -> Reply | Refused:
            return admit(asker) or await answer(request)

        self.verb_by_asker(verb, answer_admitted)

    def resource(
        self, path: str, get: Resource, summary: str = "", *, from_anywhere: bool = False, copied: bool = False
    ) -> None:
        """Serve GET (and HEAD) of an aiohttp path pattern; `summary` is what OpenAPI shows.

        `from_anywhere`: pages of all origins may read it, and whatever is answered below its first folder. `copied`:
        engines copy it, which they do at the control port where parties have identities. Raises ValueError when the
        pattern is served already.
        """
        self._name(path)
        self.resources.append(_Get(path, get, summary, from_anywhere, copied))

    def upload(self, path: str, put: Resource, summary: str, reply: type[Struct]) -> None:
        """Take PUT of an aiohttp path pattern. Whoever answers reads the body by itself, as slowly as it likes, and
        bounds it; `reply` is what OpenAPI shows.

        Raises ValueError when the pattern is served already.
        """
        self._name(path)
        self.uploads.append(_Put(path, put, summary, reply))

    @property
    def names(self) -> set[str]:
        """Paths of the verbs, patterns of the resources and of what is uploaded: each is answered once."""
        paths = {post.verb.path for post in self.posts} | {get.path for get in self.resources}
        return paths | {put.path for put in self.uploads}

    def _name(self, name: str) -> None:
        if name in self.names:
            raise ValueError(f"{self.title} answers {name} already")

    def at(self, port: Port, *, identified: bool = False) -> "HandlerTable":
        """The part that is answered at a port; resources are media, but for what is copied if callers show who they
        are; and nothing is uploaded."""
        described_by = self.described_by
        return HandlerTable(
            self.title,
            posts=[post for post in self.posts if port in post.verb.ports],
            resources=[get for get in self.resources if port is Port.MEDIA or (identified and get.copied)],
            guards=self.guards,
            at_once=self.at_once if port is Port.MEDIA else None,
            described_by=(lambda: described_by().at(port, identified=identified)) if described_by else None,
        )


def _application(table: HandlerTable, identification: Identification | None) -> web.Application:
    application = web.Application(middlewares=table.guards)
    if identification:
        application[IDENTIFICATION] = identification
    answers, bodies = KeptAnswers(), BodyBudget()

    async def stop(_: web.Application) -> None:
        await answers.stop()

    application.on_cleanup.append(stop)
    for post in table.posts:
        endpoint = VerbEndpoint(post, answers, bodies)
        application.router.add_post(f"/{post.verb.path}", endpoint.answer, expect_handler=endpoint.expect)
    for get in table.resources:
        application.router.add_get(get.path, get.answer)
        if get.from_anywhere:
            application.router.add_options(get.path, preflight)
    if folders := tuple({_first_folder(get.path) for get in table.resources if get.from_anywhere}):
        application.on_response_prepare.append(partial(_let_pages_read, folders))
    for put in table.uploads:
        application.router.add_put(put.path, put.answer)

    async def openapi(_: web.Request) -> web.StreamResponse:
        shown = table.described_by() if table.described_by else table
        return web.Response(body=_description(shown), content_type="application/json")

    application.router.add_get("/openapi.json", openapi)
    return application


async def _let_pages_read(folders: tuple[str, ...], request: web.Request, response: web.StreamResponse) -> None:
    """A page has to be able to read an error, too: also one of the router's."""
    if request.path.startswith(folders):
        response.headers.update(FROM_ANYWHERE)


def _first_folder(path: str) -> str:
    return f"/{path.split('/')[1]}/"


def _description(table: HandlerTable) -> bytes:
    verbs = [post.verb for post in table.posts]
    resources = {get.path: get.summary for get in table.resources}
    uploads = {put.path: (put.summary, put.reply) for put in table.uploads}
    return msgspec.json.encode(describe(table.title, verbs, resources, uploads))


@asynccontextmanager
async def serve(
    table: HandlerTable,
    address: Address,
    gate: ConnectionGate | None = None,
    identification: Identification | None = None,
) -> AsyncIterator[Address]:
    """Serve a table while the context is open; yields the address, with the port the kernel gave for port 0.

    With an `identification` callers have to show who they are. Raises OSError when the address cannot be bound.
    """
    context = identification.server_context if identification else None
    # A guard sees every request first, and over TLS no file leaves by itself.
    at_once = None if table.guards or identification else table.at_once
    application = _application(table, identification)
    async with serve_application(application, address, gate, at_once=at_once, context=context) as bound:
        yield bound


@asynccontextmanager
async def serve_ports(
    table: HandlerTable,
    *,
    control: Address,
    media: Address,
    gate: ConnectionGate | None = None,
    identification: Identification | None = None,
) -> AsyncIterator[None]:
    """Serve a table at the two ports of a party while the context is open, to each kind of caller what it may say.

    With an `identification` callers at the control port show who they are. Without a `gate` the two have one of their
    own. Raises OSError when one of the two cannot be bound.
    """
    gate = ConnectionGate(connections_bearable()) if gate is None else gate
    machines = table.at(Port.CONTROL, identified=identification is not None)
    async with serve(machines, control, gate, identification), serve(table.at(Port.MEDIA), media, gate):
        yield


@asynccontextmanager
async def serve_application(
    application: web.Application,
    address: Address,
    gate: ConnectionGate | None = None,
    *,
    at_once: AtOnce | None = None,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Address]:
    """Serve what is no table, in the same way; with a `context` over TLS. Without a `gate` it has one of its own."""
    guarded = ConnectionGate(connections_bearable()) if gate is None else gate
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=logger,
        shutdown_timeout=1.0,
        keepalive_timeout=_NEVER_S,
        auto_decompress=False,
    )
    await runner.setup()
    if runner.server is None:
        raise RuntimeError("the server has not been set up")
    answering = Answering(runner.server, at_once, guarded)
    try:
        connection: Callable[[], asyncio.BaseProtocol] = answering.connection
        if context:
            connection = after_handshakes(connection, context, guarded)
        with about(address):
            listening = await asyncio.get_running_loop().create_server(
                connection, address.host, address.port, reuse_address=True, backlog=ACCEPTED_AT_ONCE
            )
        try:
            _let_wait(listening)
            yield Address(address.host, listening.sockets[0].getsockname()[1])
        finally:
            listening.close()
    finally:
        await runner.cleanup()


def let_wait(listening: int) -> None:
    """Have the kernel let so many connections wait at a listening socket, by its descriptor."""
    with socket.socket(fileno=os.dup(listening)) as same:
        same.listen(_WAITING_MAX)


def _let_wait(server: asyncio.Server) -> None:
    """Have the kernel let more wait than asyncio accepts at once: it has one number for both.

    asyncio accepts all that wait before it tells of one: without this bound a crowd takes all descriptors before the
    gate has seen any of them, and asyncio's own remedy for that floods the log.
    """
    for listening in server.sockets:
        if listening.fileno() >= 0:  # a simulated one has no descriptor
            let_wait(listening.fileno())
