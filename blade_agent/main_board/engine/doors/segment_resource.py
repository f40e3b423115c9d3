"""`GET` of a segment's URL: a held segment, to consoles and other engines, by sendfile; and of its index."""

import asyncio
import logging
import re
from collections import Counter
from http import HTTPStatus

from aiohttp import web

from blade_agent.main_board.accounts.usage_meter import PulledPart, UsageMeter
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.arriving import ArrivalBroken, Arrivals, open_arriving
from blade_agent.main_board.engine.store.errors import NotHeld, StoreError
from blade_agent.main_board.engine.store.kept_open import is_in_memory
from blade_agent.main_board.engine.store.layout import SegmentKey
from blade_agent.main_board.engine.store.store import IndexDigest, SegmentStore
from blade_agent.main_board.engine.store.stored_segment import StoredSegment
from media_network.cut import Cut
from media_network.http.asker import asker_of
from media_network.http.at_once import FileAnswer, answer_head
from media_network.http.conditions import FOR_EVER, entity_tag, is_known, range_counts
from media_network.http.copy_admission import refuse_copy
from media_network.http.cross_origin import FROM_ANYWHERE
from media_network.http.ranges import asked_range
from media_network.http.refusing import refusing
from media_network.http.request_head import RequestHead
from media_network.refusal import Reason, Refused
from media_network.segment_url import SEGMENT_NUMBER, asked_segment
from media_network.ticket import COPY_HOLDER

logger = logging.getLogger(__name__)

_WINDOW_BYTES = 4 * 1024 * 1024
_AT_ONCE_BYTES = 16 * 1024 * 1024
"""Of a longer part it is not asked whether all of it is in memory."""
_SECURED_BYTES = 512 * 1024
"""Of a segment in memory at a time, where it leaves over TLS."""
_HEADERS = {"Accept-Ranges": "bytes", "Cache-Control": FOR_EVER}
_TYPE = {"Content-Type": "video/mp2t"}
_CONDITIONS = frozenset({b"if-none-match", b"if-range"})
_TARGET = re.compile(rf"/segments/([^/]+)/([0-9a-f]{{64}})/({SEGMENT_NUMBER})\.ts")


class SegmentResource:
    """Serves segments and counts what it sent."""

    def __init__(
        self,
        store: SegmentStore,
        arrivals: Arrivals,
        director: DirectorLink,
        counters: EngineCounters,
        index_digest: IndexDigest,
        *,
        meter: UsageMeter | None = None,
    ) -> None:
        """`index_digest`: what an index has to be before it is given to anybody; `meter` records what viewers get."""
        self.under_way = 0
        """Requests that are being answered."""
        self.reading: Counter[Cut] = Counter()
        """Of which cuts."""
        self._store = store
        self._arrivals = arrivals
        self._director = director
        self._counters = counters
        self._index_digest = index_digest
        self._meter = meter

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD, with Range and conditions: 403 without a good ticket, 401 or 403 for a copy without a
        good engine token, 404 for what is neither held nor received, 503 for a bad disk, or a copy that came to nothing
        before there was anything to give."""
        cut, number, ticket = asked_segment(request.match_info, request.query)
        holder = self._admitted(request, cut, number, ticket)
        if isinstance(holder, Refused):
            return self._refuse(holder.reason, str(holder))
        try:
            stored = await self._open(cut, number, _range_of(request))
        except NotHeld as error:
            return self._refuse(Reason.NOT_HERE, str(error))
        except ArrivalBroken as error:
            return self._refuse(Reason.NO_ENGINE, str(error))
        except StoreError as error:
            return self._refuse(Reason.IO_ERROR, str(error))
        part = self.begin(stored, holder)
        try:
            return await self._respond(request, stored, part)
        finally:
            self.end(stored, part)
            self._store.put_back(stored)

    def get_at_once(self, head: RequestHead) -> FileAnswer | None:
        """The same for a viewer, of a segment that is open and in memory; None: `get` has more to do, or to say."""
        found = _TARGET.fullmatch(head.path)
        if found is None or not _CONDITIONS.isdisjoint(head.fields):
            return None
        cut, number = Cut(found[1], found[2]), int(found[3])
        holder = self._director.holder(head.query.get("ticket", ""), cut.program)
        if holder is None or holder.startswith(COPY_HOLDER):
            return None
        stored = self._store.kept_open.find(SegmentKey(cut, number))
        descriptor = stored.descriptor if stored else None
        if stored is None or descriptor is None:
            return None
        part = asked_range(head.field(b"range"), stored.length_bytes)
        first, end = part or (0, stored.length_bytes)
        if not 0 < end - first <= _AT_ONCE_BYTES or not is_in_memory(descriptor, first, end):
            return None
        fields = {**_HEADERS, "ETag": entity_tag(stored.content.digest.hex()), **_TYPE, **FROM_ANYWHERE}
        if part:
            fields["Content-Range"] = f"bytes {first}-{end - 1}/{stored.length_bytes}"
        status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
        return _SegmentAnswer(self, stored, answer_head(status, fields, end - first), range(first, end), holder)

    def begin(self, stored: StoredSegment, holder: str) -> PulledPart | None:
        """Somebody is about to be sent a part of a segment; what is billed of it."""
        self.under_way += 1
        self.reading[stored.key.cut] += 1
        return self._metered(holder, stored.key.cut)

    def end(self, stored: StoredSegment, part: PulledPart | None) -> None:
        """He has it, or has left."""
        if self._meter and part:
            self._meter.pull_ended(part)
        self.under_way -= 1
        self.reading -= Counter([stored.key.cut])
        self._counters.pull_requests += 1

    def count(self, stored: StoredSegment, part: PulledPart | None, sent: int) -> None:
        """So much more was sent."""
        stored.channel.counters.reads += 1
        stored.channel.counters.read_bytes += sent
        self._counters.pull_bytes += sent
        if self._meter and part:
            self._meter.pulled(part, sent)

    def lose(self, stored: StoredSegment) -> None:
        """It cannot be read to its end: its file is damaged, unless the whole channel has been lost."""
        if stored.channel.usable:
            self._store.lose(stored.key)

    def _admitted(self, request: web.Request, cut: Cut, number: int, ticket: str) -> str | Refused:
        """Who a segment is given to: the holder of the ticket, and of an engine token where it is a copy."""
        holder = self._director.holder(ticket, cut.program)
        if holder is None:
            return Refused(Reason.BAD_TICKET, "the ticket is not good for this program")
        tokens = self._director.copy_tokens
        if tokens is None:
            return holder
        is_copy = holder.startswith(COPY_HOLDER)
        if not is_copy and asker_of(request).identified:
            return Refused(Reason.BAD_TICKET, "viewers are served at the media port")
        refused = refuse_copy(request, tokens, cut, number) if is_copy else None
        if refused:
            asking = asker_of(request).name
            logger.info("%s is refused a copy of segment %d of %s: %s", asking, number, cut.program, refused)
        return refused or holder

    def _metered(self, holder: str, cut: Cut) -> PulledPart | None:
        """What is billed of a request; None: nothing is, as of another engine's copy."""
        if self._meter is None or holder.startswith(COPY_HOLDER):
            return None
        return self._meter.pull_began(holder, self._director.epoch, cut.program)

    async def _open(self, cut: Cut, number: int, asked: str) -> StoredSegment:
        """A segment that is held, or that is being received: that one when there is something of it to give.

        Raises StoreError.
        """
        arrival = self._arrivals.find(cut, number)
        try:
            return await self._store.read(cut, number)
        except NotHeld:
            if arrival is None:
                raise
        first, _ = asked_range(asked, arrival.segment.length_bytes) or (0, 0)
        coming = await open_arriving(arrival, min(first, arrival.segment.length_bytes - 1))
        return coming or await self._store.read(cut, number)

    async def get_index(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD of an index: as of the segment."""
        cut, number, ticket = asked_segment(request.match_info, request.query)
        holder = self._admitted(request, cut, number, ticket)
        if isinstance(holder, Refused):
            return self._refuse(holder.reason, str(holder))
        try:
            octets = await self._store.read_index(cut, number, self._index_digest)
        except NotHeld as error:
            return self._refuse(Reason.NOT_HERE, str(error))
        except StoreError as error:
            return self._refuse(Reason.IO_ERROR, str(error))
        headers = {"Cache-Control": FOR_EVER}
        return web.Response(body=octets, content_type="application/octet-stream", headers=headers)

    async def _respond(
        self, request: web.Request, stored: StoredSegment, metered: PulledPart | None
    ) -> web.StreamResponse:
        tag = entity_tag(stored.content.digest.hex())
        headers = {**_HEADERS, "ETag": tag}
        if is_known(request.headers.get("If-None-Match", ""), tag):
            return web.Response(status=304, headers=headers)
        counts = range_counts(request.headers.get("If-Range"), tag)
        part = asked_range(_range_of(request), stored.length_bytes) if counts else None
        first, end = part or (0, stored.length_bytes)
        if first >= end:
            return _unsatisfiable(stored.length_bytes)
        response = web.StreamResponse(headers={**headers, **_TYPE})
        response.content_length = end - first
        if part:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {first}-{end - 1}/{stored.length_bytes}"
        await response.prepare(request)
        if request.method != "HEAD":
            octets = range(first, end)
            if request.secure:
                await self._send_secured(response, stored, octets)
            else:
                await self._send(request, stored, octets, metered)
        await response.write_eof()
        return response

    async def _send(
        self, request: web.Request, stored: StoredSegment, octets: range, metered: PulledPart | None
    ) -> None:
        """Send a part by sendfile, in windows that are brought into memory before so that the loop need not wait.

        What is being received is sent as far as it is verified, and the rest waited for.
        """
        loop = asyncio.get_running_loop()
        offset, end = octets.start, octets.stop
        while offset < end:
            try:
                count = min(end, offset + _WINDOW_BYTES, await stored.past(offset)) - offset
                await stored.warm(offset, count)
            except ArrivalBroken as error:
                logger.warning("%s", error)
                raise ConnectionResetError(str(error)) from error
            except StoreError as error:
                logger.warning("%s", error)
                self.lose(stored)
                raise ConnectionResetError(str(error)) from error
            if request.transport is None:
                raise ConnectionResetError("the reader has gone")
            sent = await loop.sendfile(request.transport, stored.file, offset, count)
            self.count(stored, metered, sent)
            if sent < count:
                self.lose(stored)
                raise ConnectionResetError("the segment has been truncated")
            offset += sent

    async def _send_secured(self, response: web.StreamResponse, stored: StoredSegment, octets: range) -> None:
        """Send a part over TLS, which takes it from memory: only copies come so, and nobody is billed for them."""
        offset, end = octets.start, octets.stop
        buffer = bytearray(min(len(octets), _SECURED_BYTES))
        while offset < end:
            try:
                count = min(end, offset + len(buffer), await stored.past(offset)) - offset
                part = memoryview(buffer)[:count]
                await stored.read_into(offset, part)
            except ArrivalBroken as error:
                logger.warning("%s", error)
                raise ConnectionResetError(str(error)) from error
            except StoreError as error:
                logger.warning("%s", error)
                self.lose(stored)
                raise ConnectionResetError(str(error)) from error
            await response.write(bytes(part))
            self._counters.pull_bytes += count
            offset += count

    def _refuse(self, reason: Reason, detail: str) -> web.Response:
        self._counters.refusals += 1
        return _refusal(reason, detail)


class _SegmentAnswer:
    """A part of a segment on its way to a viewer (`FileAnswer`). The file stays open until it is over."""

    def __init__(
        self, resource: SegmentResource, stored: StoredSegment, head: bytes, octets: range, holder: str
    ) -> None:
        self.head = head
        self.file = stored.file
        self.offset, self.end = octets.start, octets.stop
        self._resource = resource
        self._stored = stored.__enter__()
        self._part = resource.begin(stored, holder)

    def sent(self, count: int) -> None:
        """See `FileAnswer`."""
        self._resource.count(self._stored, self._part, count)
        self.offset += count
        if not count:
            self._resource.lose(self._stored)
            raise ConnectionResetError("the segment has been truncated")

    def over(self) -> None:
        """See `FileAnswer`."""
        self._resource.end(self._stored, self._part)
        self._stored.__exit__()


def _range_of(request: web.Request) -> str:
    """What a GET says of a range: no other method knows any (RFC 9110, 14.2)."""
    return request.headers.get("Range", "") if request.method == "GET" else ""


def _refusal(reason: Reason, detail: str) -> web.Response:
    return refusing(Refused(reason, detail))


def _unsatisfiable(length_bytes: int) -> web.Response:
    response = _refusal(Reason.NO_SUCH_RANGE, f"the segment has {length_bytes} bytes")
    response.headers["Content-Range"] = f"bytes */{length_bytes}"
    return response
