"""`GET` of a segment's URL: a held segment, to consoles and other engines, by sendfile."""

import asyncio
import logging

from aiohttp import web

from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.errors import NotHeld, StoreError
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.engine.store.stored_segment import StoredSegment
from media_network.http.ranges import asked_range
from media_network.http.refusing import refusing
from media_network.refusal import Reason, Refused
from media_network.segment_url import asked_segment

logger = logging.getLogger(__name__)

_WINDOW_BYTES = 4 * 1024 * 1024
# Players in a browser are redirected here from the director.
_FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
_HEADERS = {
    **_FROM_ANYWHERE,
    "Accept-Ranges": "bytes",
    "Content-Type": "video/mp2t",
}


class SegmentResource:
    """Serves segments and counts what it sent."""

    def __init__(self, store: SegmentStore, director: DirectorLink, counters: EngineCounters) -> None:
        self.under_way = 0
        """Requests that are being answered."""
        self._store = store
        self._director = director
        self._counters = counters

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD, with Range: 403 without a good ticket, 404 for what is not held, 503 for a bad disk."""
        cut, number, ticket = asked_segment(request.match_info, request.query)
        if self._director.holder(ticket, cut.program) is None:
            return self._refuse(Reason.BAD_TICKET, "the ticket is not good for this program")
        try:
            stored = await self._store.read(cut, number)
        except NotHeld as error:
            return self._refuse(Reason.NOT_HERE, str(error))
        except StoreError as error:
            return self._refuse(Reason.IO_ERROR, str(error))
        self.under_way += 1
        try:
            return await self._respond(request, stored)
        finally:
            self.under_way -= 1
            self._counters.pull_requests += 1
            stored.close()

    async def _respond(self, request: web.Request, stored: StoredSegment) -> web.StreamResponse:
        part = asked_range(request.headers.get("Range", ""), stored.length_bytes)
        first, end = part or (0, stored.length_bytes)
        if first >= end:
            return _unsatisfiable(stored.length_bytes)
        response = web.StreamResponse(headers=_HEADERS)
        response.content_length = end - first
        if part:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {first}-{end - 1}/{stored.length_bytes}"
        await response.prepare(request)
        if request.method != "HEAD":
            await self._send(request, stored, first, end)
        await response.write_eof()
        return response

    async def _send(self, request: web.Request, stored: StoredSegment, first: int, end: int) -> None:
        """Send a part by sendfile, in windows that are brought into memory before so that the loop need not wait."""
        loop = asyncio.get_running_loop()
        for offset in range(first, end, _WINDOW_BYTES):
            count = min(_WINDOW_BYTES, end - offset)
            try:
                await stored.warm(offset, count)
            except StoreError as error:
                logger.warning("%s", error)
                self._lose(stored)
                raise ConnectionResetError(str(error)) from error
            if request.transport is None:
                raise ConnectionResetError("the reader has gone")
            sent = await loop.sendfile(request.transport, stored.file, offset, count)
            stored.channel.counters.reads += 1
            stored.channel.counters.read_bytes += sent
            self._counters.pull_bytes += sent
            if sent < count:
                self._lose(stored)
                raise ConnectionResetError("the segment has been truncated")

    def _lose(self, stored: StoredSegment) -> None:
        """It cannot be read to its end: its file is damaged, or the whole channel."""
        self._store.lose(stored.key)
        self._store.lose_failed_channels()

    def _refuse(self, reason: Reason, detail: str) -> web.Response:
        self._counters.refusals += 1
        return _refusal(reason, detail)


def _refusal(reason: Reason, detail: str) -> web.Response:
    return refusing(Refused(reason, detail), _FROM_ANYWHERE)


def _unsatisfiable(length_bytes: int) -> web.Response:
    response = _refusal(Reason.NO_SUCH_RANGE, f"the segment has {length_bytes} bytes")
    response.headers["Content-Range"] = f"bytes */{length_bytes}"
    return response
