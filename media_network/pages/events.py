"""Server-sent events (HTML Living Standard, 9.2) to those who have a page open."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import NamedTuple

from aiohttp import web

from media_network.pages.headers import HEADERS

_QUIET_S = 2.0
"""A reader hears something at least this often, and so can tell a quiet server from a lost connection."""
_WRITE_TIMEOUT_S = 30.0


class ServerSentEvent(NamedTuple):
    """What a reader is told: a name, and JSON without line feeds."""

    name: str
    data: bytes


News = AsyncGenerator[Sequence[ServerSentEvent], None]
"""What there is to tell one reader, without an end. More is asked for only when what was given last is taken."""
_QUIET = (ServerSentEvent("quiet", b"null"),)


class Readers:
    """Those who read the events of one server, until they leave or are let go."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._goodbye = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether as many read as may."""
        return self._count >= self._most

    def close(self) -> None:
        """Let everybody go: their answers end in good order."""
        self._goodbye.set()

    async def tell(self, http: web.Request, news: News) -> web.StreamResponse:
        """Answer a GET with the news as they come, and `quiet` while there are none."""
        if http.method != "GET":
            raise web.HTTPMethodNotAllowed(http.method, ["GET"])
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        self._count += 1
        try:
            await response.prepare(http)
            async with aclosing(news):
                await self._tell(response, news)
        except (TimeoutError, ConnectionError):
            # It reads no more, or has gone: either way nothing is owed to it.
            pass
        finally:
            self._count -= 1
        return response

    async def _tell(self, response: web.StreamResponse, news: News) -> None:
        coming = asyncio.ensure_future(anext(news))
        leaving = asyncio.ensure_future(self._goodbye.wait())
        try:
            while True:
                await asyncio.wait({coming, leaving}, timeout=_QUIET_S, return_when=asyncio.FIRST_COMPLETED)
                if leaving.done():
                    return
                came = coming.done()
                events = coming.result() if came else _QUIET
                async with asyncio.timeout(_WRITE_TIMEOUT_S):
                    await response.write(b"".join(_written(event) for event in events))
                if came:
                    coming = asyncio.ensure_future(anext(news))
        finally:
            for waiting in (coming, leaving):
                waiting.cancel()
            await asyncio.wait({coming, leaving})


def _written(event: ServerSentEvent) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.name.encode(), event.data)
