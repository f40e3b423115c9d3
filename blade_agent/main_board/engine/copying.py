"""Copying segments from other engines (claims 12, 14, 19), one conversation each.

The director directs us to fetch; we read from the source engine, going on where a broken connection left off; the
store checks and keeps; the director is told how it ended.
"""

import asyncio
import logging
from collections.abc import Mapping

import aiohttp

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.engine_figures import CopyFigures, EngineCounters
from blade_agent.main_board.engine.giving_way import GivingWay
from blade_agent.main_board.engine.store.arriving import Arrival, Arrivals
from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace, StoreError, WrongContent
from blade_agent.main_board.engine.store.layout import PartialKey, partial_key
from blade_agent.main_board.engine.store.reception import SegmentReception
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.address import Address
from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.http.client import HttpClient
from media_network.http.errors import Unreachable
from media_network.http.parts import fetch_named
from media_network.messages.obtaining import COPY_DONE, CopyDone, CopyResult, Fetch
from media_network.messages.verb import Done, Port
from media_network.refusal import Reason, Refused
from media_network.segment_index import BLOCK_BYTES, index_bytes_max
from media_network.segment_set import SEGMENTS_PER_PROGRAM_MAX
from media_network.segment_url import index_target, segment_target

logger = logging.getLogger(__name__)

_COPIES_AT_ONCE = 4
_ON_DEMAND_AT_ONCE = 16
_COPIES_WAITING_MAX = 4096
_TRIES_WITHOUT_PROGRESS = 4
_RETRY_PAUSE_S = 0.2
_WRITE_BYTES = 512 * 1024
"""Gathered from the network before they go to the disk: the way to its thread costs more than the bytes."""


class SourceLost(Exception):
    """The source stopped answering, or does not have the segment."""

    def __init__(self, source: Address, detail: str) -> None:
        super().__init__(source, detail)
        self.source = source
        self.detail = detail

    def __str__(self) -> str:
        return f"source {self.source}: {self.detail}"


class Copying:
    """The copies under way."""

    def __init__(  # noqa: PLR0917 -- all that a copy needs
        self,
        store: SegmentStore,
        catalogue: Catalogue,
        client: HttpClient,
        director: DirectorLink,
        counters: EngineCounters,
        tasks: asyncio.TaskGroup,
        arrivals: Arrivals,
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._catalogue = catalogue
        self._client = client
        self._director = director
        self._counters = counters
        self._tasks = tasks
        self._under_way: dict[PartialKey, Fetch] = {}
        self._conversations: dict[PartialKey, asyncio.Task[None]] = {}
        self._orders: dict[PartialKey, Fetch] = {}
        """Those that the conversations are about."""
        self._receptions: dict[PartialKey, SegmentReception] = {}
        """Of those that have begun."""
        self._giving_way = GivingWay(counters)
        self._at_once = asyncio.Semaphore(_COPIES_AT_ONCE)
        self._on_demand_at_once = asyncio.Semaphore(_ON_DEMAND_AT_ONCE)

    def figures(self) -> tuple[CopyFigures, ...]:
        """The copies that wait or are being made."""
        return tuple(self._figures(key, request) for key, request in self._under_way.items())

    def _figures(self, key: PartialKey, request: Fetch) -> CopyFigures:
        reception = self._receptions.get(key)
        return CopyFigures(
            program=request.program,
            segment=request.segment.number,
            source=request.source,
            received_bytes=reception.length_bytes if reception else 0,
            length_bytes=request.segment.length_bytes,
        )

    async def fetch(self, request: Fetch) -> Done | Refused:
        """Answer `FETCH`: the copy goes on by itself; the same one said again is the same copy."""
        if request.epoch != self._director.epoch:
            return Refused(Reason.STALE_EPOCH, f"epoch {request.epoch} is not our director's, {self._director.epoch}")
        if request.segment.number >= SEGMENTS_PER_PROGRAM_MAX:
            return Refused(Reason.BAD_MESSAGE, f"segment {request.segment.number} is out of range")
        try:
            source, parts = Address.parse(request.control or request.source), Address.parse(request.parts)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        key = partial_key(request.program, request.segment)
        if key in self._under_way:
            return Done()
        if refused := self._refusal(request, key):
            return refused
        self._under_way[key] = request
        arrival = self._arrivals.begin(_cut(request), request.segment)
        task = self._tasks.create_task(
            self._converse(request, source, parts, key, arrival), name=f"copy {key.program}/{key.number}"
        )
        self._conversations[key] = task
        self._orders[key] = request
        task.add_done_callback(lambda ended: self._ended(key, ended, arrival))
        return Done()

    def _refusal(self, request: Fetch, key: PartialKey) -> Refused | None:
        if self._catalogue.is_gone(request.program, request.table):
            return Refused(Reason.UNKNOWN_PROGRAM, f"{request.program} was withdrawn, or is another one now")
        busy = self._busy(key)
        return Refused(Reason.BUSY, busy) if busy else None

    def _busy(self, key: PartialKey) -> str | None:
        if any(other[:2] == key[:2] for other in self._under_way):
            return f"another content of segment {key.number} of {key.program} is being copied"
        waiting = len(self._under_way)
        return f"{waiting} copies are waiting already" if waiting >= _COPIES_WAITING_MAX else None

    async def give_up(self, programs: Mapping[ProgramId, Sha256 | None]) -> None:
        """Copy nothing more of these programs but of the cut with this table; no other copy of them is being made any
        more when this returns. The director, which waits for a word of each, gets it."""
        given_up = [
            (task, self._orders[key])
            for key, task in self._conversations.items()
            if key.program in programs and programs[key.program] != self._orders[key].table
        ]
        for task, _ in given_up:
            task.cancel()
        if given_up:
            await asyncio.wait([task for task, _ in given_up])
        for task, order in given_up:
            if task.cancelled():
                done = self._done(order, CopyResult.GIVEN_UP, detail="nothing of its program is to be here any more")
                saying = self._director.say(COPY_DONE, done)
                self._tasks.create_task(saying, name=f"{order.program}/{order.segment.number} is given up")

    def _ended(self, key: PartialKey, task: asyncio.Task[None], arrival: Arrival) -> None:
        self._arrivals.end(arrival, stored=False)  # unless it has ended before
        if self._conversations.get(key) is not task:
            return  # the director has said the order again, and another carries it out
        self._conversations.pop(key, None)
        self._orders.pop(key, None)
        self._under_way.pop(key, None)

    async def _converse(
        self, request: Fetch, source: Address, parts: Address, key: PartialKey, arrival: Arrival
    ) -> None:
        try:
            async with self._on_demand_at_once if request.on_demand else self._at_once:
                done = await self._copy(request, source, parts, arrival)
        finally:
            if self._under_way.get(key) is request:
                del self._under_way[key]
        await self._director.say(COPY_DONE, done)

    async def _copy(self, request: Fetch, source: Address, parts: Address, arrival: Arrival) -> CopyDone:
        """Copy, and tell in which way it ended."""
        copied_bytes = 0
        detail: str | None = None
        try:
            await self._hold_table(request, parts)
            if not self._store.holds(_cut(request), request.segment):
                copied_bytes = await self._receive(request, source, arrival)
                copied = (request.segment.number, request.program, source, copied_bytes)
                logger.info("segment %d of %s is copied from %s: %d bytes", *copied)
            result = CopyResult.STORED
            self._counters.copies_done += 1
        except Exception as error:
            if not isinstance(error, StoreError | SourceLost):
                # Whatever becomes of a copy: streams go on beside it.
                logger.exception("copy of segment %d of %s", request.segment.number, request.program)
            result, detail = _result_of(error), str(error)
            self._counters.copies_failed += 1
            logger.warning("copy of segment %d of %s failed: %s", request.segment.number, request.program, detail)
        self._arrivals.end(arrival, stored=result is CopyResult.STORED)
        self._counters.copy_bytes += copied_bytes
        return self._done(request, result, copied_bytes, detail)

    def _done(self, request: Fetch, result: CopyResult, copied_bytes: int = 0, detail: str | None = None) -> CopyDone:
        return CopyDone(
            engine=str(self._director.own),
            boot=self._director.boot,
            program=request.program,
            table=request.table,
            segment=request.segment.number,
            result=result,
            copied_bytes=copied_bytes,
            detail=detail,
        )

    async def _hold_table(self, request: Fetch, parts: Address) -> None:
        if not await self._catalogue.parts.hold(request.table, request.table_bytes, parts, self._client):
            raise SourceLost(parts, "it does not give the segment table")

    async def _receive(self, request: Fetch, source: Address, arrival: Arrival) -> int:
        """Bring the segment into the store; returns the bytes that were copied for it."""
        try:
            return await self._receive_once(request, source, arrival)
        except WrongContent as error:
            if not error.resumed:
                raise
        # What an interrupted copy had left was not good (a power cut may do that): once more, from the start.
        return await self._receive_once(request, source, arrival)

    async def _receive_once(self, request: Fetch, source: Address, arrival: Arrival) -> int:
        async with self._store.receive(_cut(request), request.segment) as reception:
            key = partial_key(request.program, request.segment)
            self._receptions[key] = arrival.reception = reception
            try:
                await self._hold_index(request, source, reception)
                await self._read_all(request, source, arrival, reception)
                await reception.store()
            finally:
                del self._receptions[key]
                arrival.reception = None
                arrival.tell()
            return reception.length_bytes - reception.resumed_bytes

    async def _hold_index(self, request: Fetch, source: Address, reception: SegmentReception) -> None:
        """Have the index before the segment, if there is one. Raises SourceLost, StoreError."""
        sha256 = request.segment.index
        if sha256 is None or reception.has_index:
            return
        target = index_target(_cut(request), request.segment.number, request.ticket)
        bytes_max = index_bytes_max(request.segment.length_bytes)
        octets = await fetch_named(
            self._client, source, target, sha256, bytes_max, port=_port(request), token=request.token
        )
        if octets is None:
            raise SourceLost(source, "it does not give the index of the segment")
        await reception.put_index(octets)

    async def _read_all(self, request: Fetch, source: Address, arrival: Arrival, reception: SegmentReception) -> None:
        """Read from the source until all is here, going on after a break. Raises SourceLost, StoreError."""
        tries = 0
        arrival.tell()
        while reception.length_bytes < request.segment.length_bytes:
            before_bytes = reception.length_bytes
            try:
                await self._read(request, source, arrival, reception)
                trouble = "the connection ended early"
            except Unreachable as error:
                trouble = error.cause
            if reception.length_bytes > before_bytes:
                tries = 0
                continue
            tries += 1
            if tries == _TRIES_WITHOUT_PROGRESS:
                raise SourceLost(source, trouble)
            await asyncio.sleep(_RETRY_PAUSE_S * 2**tries)

    async def _read(self, request: Fetch, source: Address, arrival: Arrival, reception: SegmentReception) -> None:
        """Read over one connection. Raises Unreachable when it breaks."""
        target = segment_target(_cut(request), request.segment.number, request.ticket)
        first_byte = reception.length_bytes
        await self._give_way(request)
        async with self._client.read(
            source, target, port=_port(request), first_byte=first_byte, token=request.token
        ) as response:
            if response.status != (206 if first_byte else 200):
                raise SourceLost(source, f"HTTP {response.status}")
            gathered = bytearray()
            try:
                async for data in response.content.iter_any():
                    gathered += data
                    if len(gathered) >= _enough_bytes(request, reception):
                        await reception.write(bytes(gathered))
                        gathered.clear()
                        arrival.tell()
                        await self._give_way(request)
            except (aiohttp.ClientError, TimeoutError):
                # What came before the connection broke is worth keeping.
                await reception.write(bytes(gathered))
                raise
            await reception.write(bytes(gathered))
            arrival.tell()

    async def _give_way(self, request: Fetch) -> None:
        if not request.on_demand:
            await self._giving_way.wait()


def _enough_bytes(request: Fetch, reception: SegmentReception) -> int:
    """So much is written at once: where somebody waits for it, what completes a block."""
    return BLOCK_BYTES - reception.length_bytes % BLOCK_BYTES if request.on_demand else _WRITE_BYTES


def _port(request: Fetch) -> Port:
    """Where it is fetched."""
    return Port.CONTROL if request.control else Port.MEDIA


def _cut(request: Fetch) -> Cut:
    return Cut(request.program, request.table)


def _result_of(error: Exception) -> CopyResult:
    match error:
        case SourceLost():
            return CopyResult.SOURCE_LOST
        case NoSpace():
            return CopyResult.NO_SPACE
        case WrongContent():
            return CopyResult.HASH_MISMATCH
        case ChannelFailed():
            return CopyResult.IO_ERROR
    return CopyResult.IO_ERROR
