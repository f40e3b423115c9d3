"""The page, its live events, graphs, alarms, files of both, and `/metrics`. Nothing is fetched from anywhere else.

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

from distribution_center.network_management.alarms import NetworkAlarm
from distribution_center.network_management.component import is_part_of
from distribution_center.network_management.export import alarms_as_csv, graphs_as_csv
from distribution_center.network_management.history import History, Point
from distribution_center.network_management.live import Live
from distribution_center.network_management.metrics import exposition, own_counters
from distribution_center.network_management.monitor import Monitor
from distribution_center.network_management.network import Network
from distribution_center.network_management.settings import NmsSettings
from distribution_center.network_management.showing import describe_alarm
from distribution_center.network_management.span import Span, span_of
from media_network.address import Address
from media_network.http.client import NOT_THE_MESSAGE
from media_network.http.server import serve_application
from media_network.pages.events import Readers
from media_network.pages.guard import PageGuard
from media_network.pages.page_files import page_files
from media_network.snmp.objects.times import wall_clock

_PAGE = Path(__file__).parent / "page"
_METRICS = ("temperature_c", "streams", "sent_bps", "channel_bps", "copies", "power_w", "fan_rpm", "sessions")
_READERS_MAX = 64
_ORDER_BYTES_MAX = 1 << 14
_PAST_SHOWN = 500
_PAST_EXPORTED = 10_000


class _Acknowledge(Struct, frozen=True):
    alarms: Annotated[tuple[int, ...], Meta(min_length=1, max_length=1000)]
    person: Annotated[str, Meta(min_length=1, max_length=64)]
    comment: Annotated[str, Meta(max_length=500)] = ""


_ACKNOWLEDGE_HINT = (
    'this is not `{"alarms": [numbers], "person": "name", "comment": "text"}`: 1 to 1000 alarms, '
    "a name of 1 to 64 characters, a comment of up to 500\n"
)


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
        self._files = page_files(_PAGE, panel=settings.panel)

    def close(self) -> None:
        """Let everybody who looks go."""
        self._readers.close()

    def application(self) -> web.Application:
        """Everything that is answered."""
        application = web.Application(middlewares=[self._guard.check], client_max_size=_ORDER_BYTES_MAX)
        for path, file in self._files.items():
            application.router.add_get(path, file.answer)
        for path, answer in (
            ("/events", self._events),
            ("/network.json", self._picture),
            ("/graphs", self._graphs),
            ("/graphs.csv", self._graphs_as_csv),
            ("/past-alarms", self._past_alarms),
            ("/alarms.json", self._all_alarms),
            ("/alarms.csv", self._all_alarms_as_csv),
            ("/metrics", self._metrics),
        ):
            application.router.add_get(path, answer)
        application.router.add_post("/acknowledge", self._acknowledge)
        return application

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._readers.full:
            raise web.HTTPServiceUnavailable(text="too many pages are open\n")
        return await self._readers.tell(request, self._live.news())

    async def _picture(self, _: web.Request) -> web.Response:
        return web.Response(body=self._live.whole(), content_type="application/json")

    async def _graphs(self, request: web.Request) -> web.Response:
        span, graphs = await self._read_graphs(request)
        return _json({"since": span.since, "until": span.until, "graphs": graphs})

    async def _graphs_as_csv(self, request: web.Request) -> web.Response:
        _, graphs = await self._read_graphs(request)
        return _file("graphs.csv", graphs_as_csv(request.query["component"], graphs))

    async def _read_graphs(self, request: web.Request) -> tuple[Span, dict[str, dict[str, list[Point]]]]:
        component = request.query.get("component", "")
        span = span_of(request, wall_clock())
        if component not in self._network.components:
            raise web.HTTPNotFound(text="there is no such component\n")
        blades = self._network.blades_of(component)

        def read() -> dict[str, dict[str, list[Point]]]:
            history = self._history
            return {
                metric: history.graph(component, metric, *span) or history.graph_together(blades, metric, *span)
                for metric in _METRICS
            }

        await self._monitor.keep()
        return span, await asyncio.get_running_loop().run_in_executor(None, read)

    async def _past_alarms(self, request: web.Request) -> web.Response:
        component = request.query.get("component", "")
        past = await self._read_past(span_of(request, wall_clock()), _PAST_SHOWN, component)
        return _json([describe_alarm(alarm) for alarm in past])

    async def _all_alarms(self, request: web.Request) -> web.Response:
        alarms = await self._read_all(request)
        return _file("alarms.json", msgspec.json.encode([describe_alarm(alarm) for alarm in alarms]).decode())

    async def _all_alarms_as_csv(self, request: web.Request) -> web.Response:
        return _file("alarms.csv", alarms_as_csv(await self._read_all(request)))

    async def _read_all(self, request: web.Request) -> list[NetworkAlarm]:
        """Alarms of a span, those that are there now first."""
        span, component = span_of(request, wall_clock()), request.query.get("component", "")
        present = [
            alarm
            for alarm in self._network.alarms
            if alarm.raised_at <= span.until and is_part_of(alarm.about, component)
        ]
        return present + await self._read_past(span, _PAST_EXPORTED, component)

    async def _read_past(self, span: Span, most: int, component: str) -> list[NetworkAlarm]:
        await self._monitor.keep()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._history.past_alarms, *span, most, component)

    async def _metrics(self, _: web.Request) -> web.Response:
        network = self._network
        known = [(component, network.health(name)) for name, component in network.components.items()]
        own = "".join(own_counters(polls=self._monitor.polls, missed=self._monitor.polls_missed))
        text = "".join(exposition(known, network.alarms, network.samples())) + own
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _acknowledge(self, request: web.Request) -> web.Response:
        if not self._guard.is_token(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            raise web.HTTPUnauthorized(text="acknowledging takes the token\n")
        try:
            wanted = msgspec.json.decode(await request.read(), type=_Acknowledge)
        except NOT_THE_MESSAGE as error:
            raise web.HTTPBadRequest(text=_ACKNOWLEDGE_HINT) from error
        alarms = self._monitor.acknowledge(wanted.alarms, wanted.person, wanted.comment)
        if not alarms:
            raise web.HTTPNotFound(text="there is no such alarm any more\n")
        return _json([describe_alarm(alarm) for alarm in alarms])


def _json(document: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")


def _file(name: str, text: str) -> web.Response:
    """What a browser keeps as a file."""
    kind = "text/csv" if name.endswith(".csv") else "application/json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=text.encode(), content_type=kind, charset="utf-8", headers=headers)


@asynccontextmanager
async def serve_pages(pages: Pages, address: Address) -> AsyncIterator[Address]:
    """Answer while the context is open; yields the address, with the kernel's port for port 0. Raises OSError."""
    async with serve_application(pages.application(), address) as bound:
        try:
            yield bound
        finally:
            pages.close()
