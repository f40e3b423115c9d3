"""The panel's server: the page, the picture, what changes in it, consoles, and orders where they are allowed."""

import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
from aiohttp import web

from chassis_emulator.panel.model import PanelSource
from chassis_emulator.panel.orders import ACT, TOKEN, PanelOrder
from chassis_emulator.panel.view import PictureView
from media_network.address import Address
from media_network.http.refusing import refusing
from media_network.http.server import HandlerTable, serve
from media_network.messages.verb import Done
from media_network.pages.events import Readers
from media_network.pages.guard import PageGuard
from media_network.pages.order_guard import OrderGuard, no_short_json
from media_network.pages.page_files import page_files
from media_network.refusal import Reason, Refused

PANEL_PORT = 8090
_PAGE = Path(__file__).parent / "page"
_LOOPBACK_NAME = re.compile(r"localhost|127(\.\d{1,3}){3}", re.ASCII)
_READ_ONLY = "The panel is read-only: it takes orders only where the network was started with --control."
_READERS_MAX = 32
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
    token = f"{(rng or random.SystemRandom()).getrandbits(256):064x}"
    panel = _Panel(source, _guard(token), control=control)
    async with serve(panel.table(), address) as bound:
        try:
            yield bound
        finally:
            panel.close()


def _guard(token: str) -> PageGuard:
    own_names = "The panel answers only to this machine's own names: 127.x.y.z and localhost.\n"
    return PageGuard(
        lambda name: _LOOPBACK_NAME.fullmatch(name) is not None,
        token=token,
        misnamed=partial(web.HTTPForbidden, text=own_names),
        foreign=partial(web.HTTPForbidden, text="The panel answers only its own page.\n"),
    )


class _Panel:
    """What the panel answers."""

    def __init__(self, source: PanelSource, guard: PageGuard, *, control: bool) -> None:
        self._source = source
        orders = OrderGuard(
            page=guard,
            token_header=TOKEN,
            closed="" if control else _READ_ONLY,
            aged="This page is from before the emulator's last start: load it again.",
            stranger="Only the user who started the network may give orders.",
            unfit=partial(no_short_json, bytes_max=ACT.request_bytes_max),
        )
        self._guards = [guard.check, orders.check]
        self._view = PictureView(source)
        self._readers = Readers(_READERS_MAX)
        self._files = page_files(_PAGE, token=guard.token if control else "", control="allowed" if control else "off")

    def close(self) -> None:
        """Let everybody who looks go."""
        self._readers.close()

    def table(self) -> HandlerTable:
        """All of it."""
        table = HandlerTable("Front panel", guards=self._guards)
        for path, file in self._files.items():
            table.resource(path, file.answer, "A part of the page.")
        table.resource("/picture", self._picture, "How the network is now.")
        table.resource("/changes", self._changes, "Server-sent events: picture, patch, log, quiet.")
        table.resource("/events", self._events, "The event log; `after`: an id.")
        table.resource("/faults", self._fault_kinds, "Every kind of fault that can be injected.")
        table.resource("/console", self._console, "The end of a process's log; `name`, and how many `lines`.")
        table.verb(ACT, self._act)
        return table

    async def _act(self, order: PanelOrder) -> Done | Refused:
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
        if self._readers.full:
            return refusing(Refused(Reason.AT_CAPACITY, f"{_READERS_MAX} pages are open already."))
        return await self._readers.tell(http, self._view.news())


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _number(http: web.Request, name: str, default: int) -> int:
    text = http.query.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise web.HTTPBadRequest(text=f"{name} is a whole number\n")
    return int(text)
