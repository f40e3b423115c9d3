"""The panel's server: the page, the picture, what changes in it, consoles, and orders where they are allowed."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

import msgspec
from aiohttp import web

from chassis_emulator.panel.guard import HEADERS, Guard
from chassis_emulator.panel.model import PanelSource
from chassis_emulator.panel.orders import ACT, Order
from chassis_emulator.panel.page_files import PageFile, page_files
from chassis_emulator.panel.view import Reader, View
from media_network.address import Address
from media_network.http.refusing import refusing
from media_network.http.server import HandlerTable, Resource, serve
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused

PANEL_PORT = 8090
_READERS_MAX = 32
_QUIET_S = 2.0
"""A reader hears something at least this often, and so can tell a quiet network from a lost connection."""
_WRITE_TIMEOUT_S = 30.0
_CONSOLE_LINES = 200
_CONSOLE_LINES_MAX = 2000


@asynccontextmanager
async def serve_panel(
    address: Address, source: PanelSource, *, control: bool, rng: random.Random | None = None
) -> AsyncIterator[Address]:
    """Serve the panel of a network while the context is open; yields the address, with the port given for port 0.

    Orders are taken only with `control`; `rng` draws the page's token. Raises ValueError for an address that is not a
    loopback one, OSError for one that cannot be bound.
    """
    if not IPv4Address(address.host).is_loopback:
        raise ValueError(f"{address.host} is not a loopback address: the panel answers to this machine only")
    panel = _Panel(source, Guard(rng or random.SystemRandom(), control=control), control=control)
    async with serve(panel.table(), address) as bound:
        try:
            yield bound
        finally:
            panel.close()


class _Panel:
    """What the panel answers."""

    def __init__(self, source: PanelSource, guard: Guard, *, control: bool) -> None:
        self._source = source
        self._guard = guard
        self._view = View(source)
        self._readers = 0
        self._files = page_files(token=guard.token if control else "", control=control)

    def close(self) -> None:
        """Let everybody who looks go."""
        self._view.close()

    def table(self) -> HandlerTable:
        """All of it."""
        table = HandlerTable("Front panel", guards=[self._guard.check])
        for path, file in self._files.items():
            table.resource(path, _serving(file), "A part of the page.")
        table.resource("/picture", self._picture, "How the network is now.")
        table.resource("/changes", self._changes, "Server-sent events: picture, patch, log, quiet.")
        table.resource("/events", self._events, "The event log; `after`: an id.")
        table.resource("/faults", self._fault_kinds, "Every kind of fault that can be injected.")
        table.resource("/console", self._console, "The end of a process's log; `name`, and how many `lines`.")
        table.verb(ACT, self._act)
        return table

    async def _act(self, order: Order) -> Done | Refused:
        return await self._source.act(order.action)

    async def _picture(self, _: web.Request) -> web.StreamResponse:
        return _json((await self._view.newest()).picture)

    async def _events(self, http: web.Request) -> web.StreamResponse:
        after = _number(http, "after", 0)
        return _json([event for event in (await self._view.newest()).events if event.id > after])

    async def _fault_kinds(self, _: web.Request) -> web.StreamResponse:
        return _json(self._source.fault_kinds)

    async def _console(self, http: web.Request) -> web.StreamResponse:
        lines = min(_number(http, "lines", _CONSOLE_LINES), _CONSOLE_LINES_MAX)
        console = await self._source.console(http.query.get("name", ""), lines)
        return refusing(console) if isinstance(console, Refused) else _json(console)

    async def _changes(self, http: web.Request) -> web.StreamResponse:
        if http.method != "GET":
            raise web.HTTPMethodNotAllowed(http.method, ["GET"])
        if self._readers >= _READERS_MAX:
            return refusing(Refused(Reason.AT_CAPACITY, f"{_READERS_MAX} pages are open already."))
        self._readers += 1
        try:
            return await self._tell(http)
        finally:
            self._readers -= 1

    async def _tell(self, http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(http)
        reader, edition = Reader(), None
        try:
            while (edition := await self._view.newer(edition, patience_s=_QUIET_S)) is not None:
                told = reader.catch_up(edition) or [("quiet", b"null")]
                async with asyncio.timeout(_WRITE_TIMEOUT_S):
                    await response.write(b"".join(_server_sent(name, data) for name, data in told))
        except (TimeoutError, ConnectionError):
            # It reads no more, or has gone: either way nothing is owed to it.
            pass
        return response


def _server_sent(name: str, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def _serving(file: PageFile) -> Resource:
    async def get(_: web.Request) -> web.StreamResponse:
        return web.Response(body=file.body, headers={"Content-Type": file.content_type})

    return get


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _number(http: web.Request, name: str, default: int) -> int:
    text = http.query.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise web.HTTPBadRequest(text=f"{name} is a whole number\n")
    return int(text)
