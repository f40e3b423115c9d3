"""The engine's side of its bond with the director: enlisting, reporting, and the lease under which it may stream."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.same_station import refuse_other_stations
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.holding_pages import page_of
from media_network.http.asker import Asker
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.identity.identification import Identification
from media_network.messages.enlisting import (
    ENLIST,
    REPORT,
    Enlist,
    Enlisted,
    Report,
    Reported,
    RunningStream,
    StationHosts,
)
from media_network.messages.streaming import StreamCursor
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Reason, Refused
from media_network.rtp import Reception
from media_network.ticket import TicketKey
from media_network.tokens.engine_token import EngineTokenVerifier
from media_network.tokens.keys import KeysUnreadable

logger = logging.getLogger(__name__)

_RETRY_PAUSE_S = 0.25
_ENLIST_DEADLINE_S = 3.0
_KEYS_KEPT = 2


@dataclass(frozen=True, kw_only=True)
class EngineDuty:
    """What a main board is assigned to when it is a media engine."""

    slot: int
    address: Address
    """Where machines speak to it; its streams leave from the same host."""
    media: Address
    """Where it serves."""
    director: Address
    epoch: int
    """Epoch of that director; who acts for another is refused."""
    capacity_bps: int
    allow_elsewhere: bool = False
    """Send streams to other hosts than those that ask for them."""
    identification: Identification | None = None
    """Who this blade is, and how it learns who asks; None: nobody shows who he is."""
    rtsp: Address | None = None
    """Where players speak RTSP to the blade; None: nowhere."""
    rtp: Address | None = None
    """Where RTP leaves from, whichever engine of the station sends it; None: none does."""


@dataclass(frozen=True)
class EngineLoad:
    """What a report says of the engine."""

    streams: tuple[StreamCursor, ...]
    push_bps: int
    pull_bps: int
    received: tuple[Reception, ...] = ()


class CatalogueKnown(NamedTuple):
    """Numbers of changes."""

    heard: int
    """All up to this one."""
    newest: int
    """Of any."""


class Work(Protocol):
    """What the bond with the director is about: the engine at work."""

    def load(self) -> EngineLoad:
        """Measure, for a report."""

    def running(self) -> tuple[RunningStream, ...]:
        """All streams, for a director that may know none of them."""

    def catalogue(self) -> CatalogueKnown:
        """How much of the catalogue is kept here."""

    def revoke(self, cursor: StreamCursor) -> None:
        """Stop a stream that the director does not let go on."""

    def expire(self) -> None:
        """Stop everything: the lease has ended."""


class DirectorLink:
    """Speaks to the director of now; when a later one takes its place, to that one."""

    def __init__(self, duty: EngineDuty, boot: str, client: HttpClient, store: SegmentStore) -> None:
        self.own = duty.address
        """Where we are reached."""
        self.boot = boot
        self.duty = duty
        self.draining = False
        self.alone: int | None = 0
        """Segments that no engine which stays holds; None while we drain and the director has not said."""
        self.director_media: Address | None = None
        """Media address of the director, while we are enlisted with it."""
        self.lease_s = 0.0
        self.lease_end_s = 0.0
        """On the loop's clock; nothing is streamed from then on."""
        self._blades: StationHosts | None = None
        """Of the station, as this director or the one before has told; None: it has not."""
        self._blades_version: int | None = None
        """What this director knows that we know."""
        own = duty.identification.own if duty.identification else None
        self.copy_tokens = EngineTokenVerifier(own.station) if own else None
        """Of the engine tokens that copies are made with; None: they are made without."""
        self._ticket_keys: deque[TicketKey] = deque(maxlen=_KEYS_KEPT)
        self._client = client
        self._store = store
        self._answered: tuple[int | None, float] = (None, 0.0)
        """The director's clock in its last answer, and when that came."""
        self._report_interval_s = 0.0
        self._cursor_interval_s = 0.0
        self._idle_interval_s = 0.0
        self._renewed = asyncio.Event()
        self._enlisted = asyncio.Event()
        self._news = asyncio.Event()
        self._said: Report | None = None
        self._said_enlisted: tuple[Address, int] | None = None
        self._losses_told = 0
        """Those of the store that the director knows of."""
        """What the log has been told."""

    @property
    def epoch(self) -> int:
        """Of the director of now."""
        return self.duty.epoch

    @property
    def director_clock_us(self) -> int | None:
        """What the director's clock shows, less the time that its last answer was on its way; None: it never said."""
        clock_us, answered_s = self._answered
        return None if clock_us is None else clock_us + round((asyncio.get_running_loop().time() - answered_s) * 1e6)

    @property
    def is_enlisted(self) -> bool:
        """Whether the director knows what is held here, and no word of it is on its way."""
        return self._enlisted.is_set()

    def follow(self, duty: EngineDuty) -> None:
        """Another director has been appointed: enlist with it, with all that is going on here."""
        self.duty = duty
        self.director_media = None
        self._blades_version = None
        self._answered = (None, 0.0)
        self.alone = None if self.draining else 0
        self.enlist_anew()

    async def take_leave(self, before: EngineDuty) -> None:
        """Let the director of before know, if it lives, that there is a later one: it is to give our work to nobody."""
        report = Report(engine=str(self.own), boot=self.boot, epoch=self.duty.epoch)
        await self._client.tell(before.director, REPORT, report, deadline_s=1.0)

    def enlist_anew(self) -> None:
        """The director does not know us, or not as we are."""
        self._enlisted.clear()
        self._news.set()

    def drain(self, *, draining: bool) -> None:
        """Let the director know at once that it is to give us nothing, or may again."""
        if draining != self.draining:
            self.draining = draining
            self.alone = None if draining else 0
            self._news.set()

    def report_soon(self) -> None:
        """Something is new that the director should hear before the next report is due."""
        self._news.set()

    def show_certificate(self) -> None:
        """There is another: the director, which has engine tokens bound to the one of the last report, is to see it."""
        self._said = None
        self._news.set()

    def leased(self, now_s: float) -> bool:
        """Whether streams may be sent at `now_s` of the loop's clock."""
        return now_s < self.lease_end_s

    def take_ticket_key(self, key: TicketKey) -> None:
        """The director signs with this one from now on."""
        if not any(known == key for known in self._ticket_keys):
            self._ticket_keys.append(key)

    def holder(self, ticket: str, program: ProgramId) -> str | None:
        """Who a ticket was signed for, by this director or the one before; None if by neither."""
        return next((held for key in self._ticket_keys if (held := key.holder(ticket, program))), None)

    def admit_director(self, asker: Asker) -> Refused | None:
        """What there is against hearing whoever asks as the director."""
        director = self.duty.director.host
        if asker.host != director:
            return Refused(Reason.NOT_ALLOWED, f"{asker.host} is not the director's host, {director}")
        return refuse_other_stations(asker, self.duty.identification)

    def admit_station(self, asker: Asker) -> Refused | None:
        """What there is against hearing whoever asks as the director, or an engine of the same station."""
        if self._blades and asker.host not in self._blades.hosts and asker.host != self.duty.director.host:
            return Refused(Reason.NOT_ALLOWED, f"{asker.host} is no blade of this station, says its director")
        return refuse_other_stations(asker, self.duty.identification)

    def is_of_station(self, host: str) -> bool:
        """Whether a blade of the station asks, for a player that speaks RTSP to it: that sees to where streams go."""
        known = self._blades.hosts if self._blades else ()
        return host in known or host == self.duty.director.host

    async def ask(
        self, verb: Verb[Request, Reply], request: Request, *, deadline_s: float = 2.0
    ) -> Reply | Refused | None:
        """Ask the director that we are enlisted with, within a deadline; None if no answer came that can be used."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._enlisted.wait()
        except TimeoutError:
            return None
        answer = await self._ask(verb, request, deadline_s)
        if isinstance(answer, Refused) and answer.reason is Reason.UNKNOWN_ENGINE:
            self.enlist_anew()
            return None
        return answer

    async def say(self, verb: Verb[Request, Reply], request: Request) -> Reply | Refused:
        """Tell the director, again and again until it, or the next one, has heard it."""
        while True:
            answer = await self.ask(verb, request)
            if answer is not None and not (isinstance(answer, Refused) and answer.reason in _LATER):
                return answer
            await asyncio.sleep(_RETRY_PAUSE_S)

    async def keep(self, work: Work) -> None:
        """Enlist and report until cancelled, with one director after the other."""
        while True:
            await self._enlist(work)
            await self._report_until_enlistment_is_due(work)

    async def watch_lease(self, expire: Callable[[], None]) -> None:
        """Call `expire` whenever the lease has ended, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._renewed.wait()
            self._renewed.clear()
            await asyncio.sleep(self.lease_end_s - loop.time())
            if not self.leased(loop.time()):
                expire()

    async def _ask(
        self, verb: Verb[Request, Reply], request: Request, deadline_s: float, *, while_refused: bool = True
    ) -> Reply | Refused | None:
        """Ask whoever directs us; what one says after another was appointed is not heard."""
        duty = self.duty
        try:
            answer = await self._client.ask(
                duty.director, verb, request, deadline_s=deadline_s, while_refused=while_refused
            )
        except NetworkError as error:
            logger.info("%s", error)
            return None
        return answer if duty is self.duty else None

    async def _enlist(self, work: Work) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            sent_s = loop.time()
            deadline_s = _ENLIST_DEADLINE_S
            self._losses_told = self._store.losses
            answer = await self._ask(ENLIST, self._enlistment(work), deadline_s, while_refused=False)
            if isinstance(answer, Enlisted) and (key := _bytes_of(answer.ticket_key)):
                self.take_ticket_key(TicketKey(key))
                self._take_terms(answer)
                self._heard(answer.clock_us, answer.revoked, sent_s, work)
                self._enlisted.set()
                self._say_enlisted()
                self._said = None
                return
            if isinstance(answer, Refused):
                logger.warning("director %s does not enlist us: %s", self.duty.director, answer)
            await self._pause(_RETRY_PAUSE_S)

    def _say_enlisted(self) -> None:
        enlisted = (self.duty.director, self.duty.epoch)
        if enlisted != self._said_enlisted:
            self._said_enlisted = enlisted
            logger.info("enlisted with the director at %s, epoch %d", *enlisted)

    def _take_terms(self, terms: Enlisted) -> None:
        self.director_media = _address_of(terms.media)
        if self.copy_tokens and terms.token_keys:
            try:
                self.copy_tokens.take_keys(terms.token_keys)
            except KeysUnreadable as error:
                logger.warning("director %s tells no keys of engine tokens: %s", self.duty.director, error)
        self._blades = terms.blades
        self._blades_version = terms.blades.version if terms.blades else None
        self.lease_s = terms.lease_ms / 1000
        self._report_interval_s = terms.report_interval_ms / 1000
        self._cursor_interval_s = (terms.cursor_interval_ms or terms.report_interval_ms) / 1000
        self._idle_interval_s = (terms.idle_interval_ms or terms.report_interval_ms) / 1000

    def _heard(self, clock_us: int | None, revoked: tuple[StreamCursor, ...], sent_s: float, work: Work) -> None:
        """The director has answered what we sent then: what it does not let go on stops, all else may go on."""
        self._answered = (clock_us, asyncio.get_running_loop().time())
        for cursor in revoked:
            work.revoke(cursor)
        self.lease_end_s = max(self.lease_end_s, sent_s + self.lease_s)
        self._renewed.set()

    def _enlistment(self, work: Work) -> Enlist:
        known = work.catalogue()
        return Enlist(
            slot=self.duty.slot,
            engine=str(self.own),
            media=str(self.duty.media),
            rtsp=str(self.duty.rtsp) if self.duty.rtsp else None,
            boot=self.boot,
            epoch=self.duty.epoch,
            capacity_bps=self.duty.capacity_bps,
            holdings=page_of(self._store.cuts(), lambda cut: [self._store.numbers(cut)]),
            streams=work.running(),
            draining=self.draining,
            heard=known.heard,
            newest=known.newest,
            ticket_keys=tuple(key.hex() for key in self._ticket_keys),
        )

    async def _report_until_enlistment_is_due(self, work: Work) -> None:
        reported_s = 0.0
        loop = asyncio.get_running_loop()
        # What was lost while the director was about to answer is not in what it was told.
        while self._enlisted.is_set() and self._losses_told == self._store.losses:
            self._news.clear()
            load = work.load()
            report = self._report(load)
            if report != self._said or loop.time() - reported_s >= self._idle_interval_s:
                reported_s = loop.time()
                self._said = report if await self._tell(report, work) else None
            await self._pause(self._interval_s(load))
        self._enlisted.clear()

    def _interval_s(self, load: EngineLoad) -> float:
        """Streams are watched closely; who only waits says so now and then."""
        if load.streams:
            return self._cursor_interval_s
        return self._report_interval_s if load.pull_bps or self._said is None else self._idle_interval_s

    def _report(self, load: EngineLoad) -> Report:
        return Report(
            engine=str(self.own),
            boot=self.boot,
            epoch=self.duty.epoch,
            streams=load.streams,
            push_bps=load.push_bps,
            pull_bps=load.pull_bps,
            free_bytes=self._store.free_bytes,
            stored_bytes=self._store.stored_bytes,
            draining=self.draining,
            received=load.received,
            blades=self._blades_version,
        )

    async def _tell(self, report: Report, work: Work) -> bool:
        # The lease counts from when the report was sent first, which is not later than when the director heard it.
        sent_s = asyncio.get_running_loop().time()
        clock_us, answered_s = self._answered
        since_us = None if clock_us is None else round((sent_s - answered_s) * 1e6)
        dated = replace(report, clock_us=clock_us, since_us=since_us)
        answer = await self.ask(REPORT, dated, deadline_s=max(self.lease_s / 3, self._report_interval_s))
        if isinstance(answer, Refused):
            logger.warning("director %s refuses our report: %s", self.duty.director, answer)
        if not isinstance(answer, Reported):
            return False
        if answer.blades:
            self._blades, self._blades_version = answer.blades, answer.blades.version
        self.alone = answer.alone if report.draining == self.draining else self.alone
        self._heard(answer.clock_us, answer.revoked, sent_s, work)
        return True

    async def _pause(self, pause_s: float) -> None:
        """Wait, unless there is something to say before."""
        try:
            async with asyncio.timeout(pause_s):
                await self._news.wait()
        except TimeoutError:
            return


_LATER = frozenset({Reason.OVERDUE, Reason.WRONG_ROLE})
"""The director could not, or is not the one any more: whoever is will hear it."""


def _address_of(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


def _bytes_of(hexadecimal: str) -> bytes:
    try:
        return bytes.fromhex(hexadecimal)
    except ValueError:
        return b""
