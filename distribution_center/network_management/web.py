"""The page, its live events, graphs, acknowledging, and `/metrics`. Nothing is fetched from anywhere else.

Loopback by default. Whoever reaches it may read; acknowledging takes the token of the folder.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from distribution_center.network_management.component import Kind
from distribution_center.network_management.history import History
from distribution_center.network_management.live import Live, show_alarm
from distribution_center.network_management.metrics import exposition
from distribution_center.network_management.monitor import Monitor
from distribution_center.network_management.network import Network
from distribution_center.network_management.settings import NmsSettings
from media_network.address import Address
from media_network.http.client import NOT_THE_MESSAGE
from media_network.http.server import serve_application
from media_network.pages.events import Readers
from media_network.pages.guard import PageGuard
from media_network.pages.page_files import page_files
from media_network.snmp.objects.times import wall_clock

_PAGE = Path(__file__).parent / "page"
_METRICS = ("temperature_c", "streams", "sent_bps", "channel_bps", "copies", "power_w", "fan_rpm", "sessions")
_SPAN_MAX_S = 366 * 24 * 3600
_READERS_MAX = 64
_ORDER_BYTES_MAX = 4096


class _Acknowledge(Struct, frozen=True):
    alarm: int
    person: Annotated[str, Meta(min_length=1, max_length=64)]


class Pages:
    """Answers browsers and Prometheus."""

    def __init__(
        self, settings: NmsSettings, *, network: Network, monitor: Monitor, history: History, live: Live, token: str
    ) -> None:
        self._guard = PageGuard(
            {"localhost", settings.address, *settings.names}.__contains__,
            token=token,
            misnamed=partial(web.HTTPMisdirectedRequest, text="this is not the site that you asked for\n"),
            foreign=partial(web.HTTPForbidden, text="requests of other sites are not taken\n"),
            proxied=True,
        )
        self._network = network
        self._monitor = monitor
        self._history = history
        self._live = live
        self._readers = Readers(_READERS_MAX)

    def close(self) -> None:
        """Let everybody who looks go."""
        self._readers.close()

    def application(self) -> web.Application:
        """Everything that is answered. The files of the page are read now."""
        application = web.Application(middlewares=[self._guard.check], client_max_size=_ORDER_BYTES_MAX)
        for path, file in page_files(_PAGE).items():
            application.router.add_get(path, file.answer)
        application.router.add_get("/events", self._events)
        application.router.add_get("/network.json", self._picture)
        application.router.add_get("/graphs", self._graphs)
        application.router.add_get("/past-alarms", self._past_alarms)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_post("/acknowledge", self._acknowledge)
        return application

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._readers.full:
            raise web.HTTPServiceUnavailable(text="too many pages are open\n")
        return await self._readers.tell(request, self._live.news())

    async def _picture(self, _: web.Request) -> web.Response:
        return web.Response(body=self._live.whole(), content_type="application/json")

    async def _graphs(self, request: web.Request) -> web.Response:
        component = request.query.get("component", "")
        span = request.query.get("span", "3600")
        if component not in self._network.components or not span.isdecimal() or not 60 <= int(span) <= _SPAN_MAX_S:
            raise web.HTTPNotFound(text="there is no such component, or the span is not 60 s to a year\n")
        until = wall_clock()
        since = until - int(span)

        parts = [each for each in self._network.components.values() if each.parent == component]
        blades = [each.component for each in parts if each.kind is Kind.BLADE]

        def read() -> bytes:
            history = self._history
            graphs = {
                metric: history.graph(component, metric, since, until)
                or history.graph_together(blades, metric, since, until)
                for metric in _METRICS
            }
            return msgspec.json.encode({"since": since, "until": until, "graphs": graphs})

        await self._monitor.keep()
        body = await asyncio.get_running_loop().run_in_executor(None, read)
        return web.Response(body=body, content_type="application/json")

    async def _past_alarms(self, _: web.Request) -> web.Response:
        past = await asyncio.get_running_loop().run_in_executor(None, self._history.past_alarms, 200)
        return web.Response(
            body=msgspec.json.encode([show_alarm(alarm) for alarm in past]), content_type="application/json"
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        network = self._network
        known = [(component, network.health(name)) for name, component in network.components.items()]
        own = "".join(
            f"# TYPE media_station_nms_{name} counter\nmedia_station_nms_{name} {value}\n"
            for name, value in (("polls", self._monitor.polls), ("polls_missed", self._monitor.polls_missed))
        )
        text = "".join(exposition(known, network.alarms, network.samples())) + own
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _acknowledge(self, request: web.Request) -> web.Response:
        if not self._guard.is_token(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            raise web.HTTPUnauthorized(text="acknowledging takes the token\n")
        try:
            wanted = msgspec.json.decode(await request.read(), type=_Acknowledge)
        except NOT_THE_MESSAGE as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        alarm = self._monitor.acknowledge(wanted.alarm, wanted.person)
        if alarm is None:
            raise web.HTTPNotFound(text="there is no such alarm any more\n")
        return web.Response(body=msgspec.json.encode(show_alarm(alarm)), content_type="application/json")


@asynccontextmanager
async def serve_pages(pages: Pages, address: Address) -> AsyncIterator[Address]:
    """Answer while the context is open; yields the address, with the kernel's port for port 0. Raises OSError."""
    async with serve_application(pages.application(), address) as bound:
        try:
            yield bound
        finally:
            pages.close()
