"""The page, its live events, graphs, acknowledging, and `/metrics`. Nothing is fetched from anywhere else.

Loopback by default. A browser that was led here by another site's name is refused by its `Host`, another site's request
by its `Origin`; acknowledging takes the token of the folder besides.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from importlib import resources
from typing import Annotated
from urllib.parse import urlsplit

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
from media_network.snmp.objects.times import wall_clock

_METRICS = ("temperature_c", "streams", "sent_bps", "channel_bps", "copies", "power_w", "fan_rpm", "sessions")
_SPAN_MAX_S = 366 * 24 * 3600
_WATCHERS_MAX = 64
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PAGE = {
    "/": ("index.html", "text/html"),
    "/nms.js": ("nms.js", "text/javascript"),
    "/graphs.js": ("graphs.js", "text/javascript"),
    "/nms.css": ("nms.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


class _Acknowledge(Struct, frozen=True):
    alarm: int
    person: Annotated[str, Meta(min_length=1, max_length=64)]


class Pages:
    """Answers browsers and Prometheus."""

    def __init__(
        self, settings: NmsSettings, *, network: Network, monitor: Monitor, history: History, live: Live, token: str
    ) -> None:
        self._names = {"localhost", settings.address, *settings.names}
        self._network = network
        self._monitor = monitor
        self._history = history
        self._live = live
        self._token = token
        self._watchers: set[asyncio.Task[None] | None] = set()

    def application(self) -> web.Application:
        """Everything that is answered."""
        application = web.Application(middlewares=[self._guard], client_max_size=4096)
        for path, (file, content_type) in _PAGE.items():
            application.router.add_get(path, _static(file, content_type))
        application.router.add_get("/events", self._events)
        application.router.add_get("/network.json", self._picture)
        application.router.add_get("/graphs", self._graphs)
        application.router.add_get("/past-alarms", self._past_alarms)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_post("/acknowledge", self._acknowledge)
        application.on_shutdown.append(self._send_watchers_home)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not self._is_ours(f"//{request.headers.get('Host', '')}"):
            raise web.HTTPMisdirectedRequest(text="this is not the site that you asked for\n", headers=_HEADERS)
        origin = request.headers.get("Origin")
        if origin is not None and not self._is_ours(origin):
            raise web.HTTPForbidden(text="requests of other sites are not taken\n", headers=_HEADERS)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _is_ours(self, url: str) -> bool:
        try:
            return urlsplit(url).hostname in self._names
        except ValueError:
            return False

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if len(self._watchers) >= _WATCHERS_MAX:
            raise web.HTTPServiceUnavailable(text="too many pages are open\n")
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        task = asyncio.current_task()
        self._watchers.add(task)
        try:
            async with aclosing(self._live.events()) as events:
                async for event in events:
                    await response.write(event)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._watchers.discard(task)
        return response

    async def _send_watchers_home(self, _: web.Application) -> None:
        for task in self._watchers:
            if task is not None:
                task.cancel()

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
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise web.HTTPUnauthorized(text="acknowledging takes the token\n")
        try:
            wanted = msgspec.json.decode(await request.read(), type=_Acknowledge)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        alarm = self._monitor.acknowledge(wanted.alarm, wanted.person)
        if alarm is None:
            raise web.HTTPNotFound(text="there is no such alarm any more\n")
        return web.Response(body=msgspec.json.encode(show_alarm(alarm)), content_type="application/json")


def _static(file: str, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = (resources.files(__package__) / "page" / file).read_bytes()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, charset="utf-8")

    return answer


@asynccontextmanager
async def serve_pages(pages: Pages, address: Address) -> AsyncIterator[Address]:
    """Answer while the context is open; yields the address, with the kernel's port for port 0. Raises OSError."""
    runner = web.AppRunner(pages.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host, address.port, reuse_address=True).start()
        yield Address(address.host, runner.addresses[0][1])
    finally:
        with suppress(asyncio.CancelledError):
            await runner.cleanup()
