"""A media engine on duty: its store, its copies, its streams, and its bond with the director, put together."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from blade_agent.main_board.accounts.usage_meter import UsageMeter
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.assuring import Assuring
from blade_agent.main_board.engine.attendance import Attendance
from blade_agent.main_board.engine.copying import Copying
from blade_agent.main_board.engine.deleting import DeletingSegments
from blade_agent.main_board.engine.director_link import CatalogueKnown, DirectorLink, EngineDuty, EngineLoad
from blade_agent.main_board.engine.discarding import Discarding
from blade_agent.main_board.engine.doors.segment_resource import SegmentResource
from blade_agent.main_board.engine.engine_figures import EngineCounters, EngineWork
from blade_agent.main_board.engine.index_digests import IndexDigests
from blade_agent.main_board.engine.kept_catalogue import KeptPrograms
from blade_agent.main_board.engine.sending.push_socket import PushSocket, open_push_socket
from blade_agent.main_board.engine.sending.rtp_outlet import RtpOutlet, open_rtp_outlet
from blade_agent.main_board.engine.store.arriving import Arrivals
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.engine.turns.engine_streams import EngineStreams
from blade_agent.main_board.parts import with_parts
from media_network.address import Address
from media_network.cut import Cut
from media_network.holding_pages import page_of
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve_ports
from media_network.messages.deletion import DELETE_SEGMENTS
from media_network.messages.enlisting import ATTEND, RunningStream
from media_network.messages.holdings import ASK_ENGINE_HOLDINGS, ASK_INTACT, AskHoldings, Holdings
from media_network.messages.obtaining import FETCH
from media_network.messages.program_information import ASK_ENGINE_CHANGES, KEEP_CHANGES
from media_network.messages.streaming import CEASE, PRELOAD, START, STREAM, SWAP, StreamCursor
from media_network.messages.watching import ASK_DIRECTOR, AskDirector, DirectorSeen
from media_network.segment_url import HELD_INDEX_PATH, HELD_SEGMENT_PATH

logger = logging.getLogger(__name__)

_LEAVE_WITHIN_S = 1.0

__all__ = ["Engine", "EngineDuty", "open_engine", "run_engine"]


class Engine:
    """One engine. It may serve one director after the other, and its streams go on meanwhile."""

    def __init__(
        self,
        *,
        duty: EngineDuty,
        boot: str,
        store: SegmentStore,
        catalogue: Catalogue,
        client: HttpClient,
        push_socket: PushSocket,
        counters: EngineCounters,
        tasks: asyncio.TaskGroup,
        rtp: RtpOutlet | None = None,
        meter: UsageMeter | None = None,
    ) -> None:
        """`meter` records what it sends to viewers; None: nobody bills it. RTP leaves by `rtp`; None: none does."""
        self.counters = counters
        self._store = store
        self._tasks = tasks
        self._director = DirectorLink(duty, boot, client, store)
        arrivals = Arrivals()
        self._copying = Copying(store, catalogue, client, self._director, counters, tasks, arrivals)
        self._index_digests = IndexDigests(catalogue.parts)
        self._resource = SegmentResource(store, arrivals, self._director, counters, self._index_digests.of, meter=meter)
        self._attendance = Attendance(self._director)
        self.discarding = Discarding(store, self._copying)
        self._deleting = DeletingSegments(self.discarding, self._copying, self._director, self._reads)
        self._assuring = Assuring(store)
        self._kept = KeptPrograms(catalogue, self._director)
        self._catalogue = catalogue
        self._streams = EngineStreams(
            store=store,
            arrivals=arrivals,
            director=self._director,
            client=client,
            push_socket=push_socket,
            counters=counters,
            tasks=tasks,
            rtp=rtp,
            meter=meter,
        )
        if meter:
            meter.pushed_bytes = lambda: counters.push_bytes
            meter.under_way_bytes = lambda: sum(stream.sent_bytes for stream in self._streams.figures())
        self._meter = EngineLoadMeter(self._streams, counters, rtp, asyncio.get_running_loop().time())

    def table(self) -> HandlerTable:
        """All that an engine answers."""
        table, director = HandlerTable("media engine"), self._director
        table.verb_from(director.admit_director, FETCH, self._copying.fetch)
        table.verb_from(director.admit_director, DELETE_SEGMENTS, self._deleting.delete)
        table.verb_by_asker(STREAM, self._streams.stream)
        table.verb_from(director.admit_station, PRELOAD, self._streams.preload)
        table.verb_from(director.admit_station, SWAP, self._streams.swap)
        table.verb_from(director.admit_station, START, self._streams.start)
        table.verb(CEASE, self._streams.cease)
        table.verb_from(director.admit_director, ATTEND, self._attendance.attend)
        table.verb(ASK_ENGINE_HOLDINGS, self._tell_holdings)
        table.verb_from(director.admit_director, ASK_INTACT, self._assuring.tell)
        table.verb(ASK_ENGINE_CHANGES, self._kept.tell)
        table.verb_from(director.admit_director, KEEP_CHANGES, self._kept.keep)
        table.verb(ASK_DIRECTOR, self._tell_director)
        table.resource(HELD_SEGMENT_PATH, self._resource.get, from_anywhere=True, copied=True)
        table.resource(HELD_INDEX_PATH, self._resource.get_index, from_anywhere=True, copied=True)
        table.at_once = self._resource.get_at_once
        return table

    async def run(self) -> None:
        """Serve until cancelled; nothing is streamed any more afterwards."""
        renewed = self._director.duty.identification.renewed if self._director.duty.identification else set()
        renewed.add(self._director.show_certificate)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._store.watch_space(), name="space")
                tasks.create_task(self._store.watch_channels(self._found_again), name="channels")
                tasks.create_task(self._store.watch_content(self._index_digests.of), name="content")
                tasks.create_task(self._streams.pusher.run(), name="pusher")
                tasks.create_task(self._director.watch_lease(self._streams.expire), name="lease")
                tasks.create_task(self._director.keep(self), name="bond with the director")
        finally:
            renewed.discard(self._director.show_certificate)
            self._attendance.dismiss()
            await self._leave()

    async def _leave(self) -> None:
        """Stop sending; the last words are said with the bond kept up for that, and need not be."""
        loop = asyncio.get_running_loop()
        leaving = loop.create_task(self._streams.leave(), name="last words")
        await asyncio.wait([leaving], timeout=_LEAVE_WITHIN_S)
        leaving.cancel()

    def follow(self, duty: EngineDuty) -> None:
        """Serve another director from now on, or the same one in a new term, or with another capacity."""
        before = self._director.duty
        self._director.follow(duty)
        if duty.epoch != before.epoch:
            self._streams.change_director()
            self._attendance.dismiss()
            self._tasks.create_task(self._director.take_leave(before), name=f"leave {before.director}")

    def drain(self, *, draining: bool) -> None:
        """Hand over what is carried and take nothing new; or take work again."""
        if draining != self._director.draining:
            self._director.drain(draining=draining)
            self._streams.drain(draining=draining)

    @property
    def carried(self) -> int:
        """What has yet to leave before the engine has drained."""
        alone = self._director.alone
        return self._streams.count + self._resource.under_way + (1 if alone is None else alone)

    @property
    def streams(self) -> int:
        """That it sends at this moment."""
        return self._streams.active

    @property
    def director_media(self) -> Address | None:
        """Media address of the director; None while it is not enlisted with it."""
        return self._director.director_media

    def work(self) -> EngineWork:
        """What it sends and copies at this moment, one by one."""
        return EngineWork(streams=self._streams.figures(), copies=self._copying.figures())

    # What the bond with the director is about: `director_link.Work`

    def load(self) -> EngineLoad:
        """The load since the last time."""
        return self._meter.measure()

    def running(self) -> tuple[RunningStream, ...]:
        """All streams."""
        return self._streams.running()

    def catalogue(self) -> CatalogueKnown:
        """How much of the catalogue is kept here."""
        return CatalogueKnown(self._catalogue.heard, self._catalogue.newest)

    def revoke(self, cursor: StreamCursor) -> None:
        """Stop a stream that the director, which knows it, does not let go on."""
        self._streams.revoke(cursor)

    def expire(self) -> None:
        """Stop everything: the lease has ended."""
        self._streams.expire()

    async def _found_again(self) -> None:
        """What was withdrawn while a disk was away is not held when it is back."""
        await self.discarding.discard_gone(self._catalogue)

    def _reads(self, cut: Cut) -> int:
        return self._streams.reads(cut) + self._resource.reading[cut]

    async def _tell_holdings(self, request: AskHoldings) -> Holdings:
        return page_of(self._store.cuts(), lambda cut: [self._store.numbers(cut)], request.after)

    async def _tell_director(self, _: AskDirector) -> DirectorSeen:
        media = self._director.director_media
        return DirectorSeen(media=str(media) if media else None)


@asynccontextmanager
async def open_engine(
    duty: EngineDuty,
    store: SegmentStore,
    catalogue: Catalogue,
    rng: random.Random,
    counters: EngineCounters,
    *,
    meter: UsageMeter | None = None,
) -> AsyncIterator[Engine]:
    """An engine with its voice and its socket, which adds to `counters`, and has a `meter` record. Raises OSError."""
    async with (
        HttpClient(rng, duty.address.host, duty.identification) as client,
        open_push_socket(duty.address.host) as push_socket,
        _open_rtp(duty) as rtp,
        asyncio.TaskGroup() as tasks,
    ):
        engine = Engine(
            duty=duty,
            boot=f"{rng.getrandbits(64):016x}",
            store=store,
            catalogue=catalogue,
            client=client,
            push_socket=push_socket,
            counters=counters,
            tasks=tasks,
            rtp=rtp,
            meter=meter,
        )
        with catalogue.letting_go(engine.discarding.discard):
            yield engine


@asynccontextmanager
async def _open_rtp(duty: EngineDuty) -> AsyncIterator[RtpOutlet | None]:
    """Where RTP leaves by; None where the station has no address for it, or this blade cannot send from there."""
    async with AsyncExitStack() as stack:
        outlet = None
        if duty.rtp:
            try:
                outlet = await stack.enter_async_context(open_rtp_outlet(duty.rtp, f"station@{duty.rtp.host}"))
            except OSError as error:
                logger.warning("no RTP can be sent from %s: %s", duty.rtp, error.strerror or error)
        yield outlet


async def run_engine(
    duty: EngineDuty,
    store: SegmentStore,
    catalogue: Catalogue,
    rng: random.Random,
    counters: EngineCounters | None = None,
) -> None:
    """Be a media engine, and nothing else, until cancelled. Raises OSError when an address cannot be bound."""
    async with (
        open_engine(duty, store, catalogue, rng, counters or EngineCounters()) as engine,
        serve_ports(
            with_parts(engine.table(), catalogue.parts),
            control=duty.address,
            media=duty.media,
            identification=duty.identification,
        ),
    ):
        await engine.run()


class EngineLoadMeter:
    """What the engine sends, for its reports."""

    def __init__(self, streams: EngineStreams, counters: EngineCounters, rtp: RtpOutlet | None, now_s: float) -> None:
        self._streams = streams
        self._rtp = rtp
        self._counters = counters
        self._measured_s = now_s
        self._pull_bytes = counters.pull_bytes

    def measure(self) -> EngineLoad:
        """The load since the last time."""
        now_s = asyncio.get_running_loop().time()
        pull_bytes = self._counters.pull_bytes
        passed_s = max(now_s - self._measured_s, 0.001)
        pull_bps = round((pull_bytes - self._pull_bytes) * 8 / passed_s)
        self._measured_s, self._pull_bytes = now_s, pull_bytes
        return EngineLoad(
            streams=self._streams.cursors,
            push_bps=self._streams.rate_bps,
            pull_bps=pull_bps,
            received=self._rtp.take_received() if self._rtp else (),
        )
