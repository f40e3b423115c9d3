"""A media director on duty: the tables it keeps, the messages it answers, the watch it keeps."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from copy import copy

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.director.admission import PLAYLIST_PATH, Admission
from blade_agent.main_board.director.conversations.push_sessions import PushSessions
from blade_agent.main_board.director.copies.bringing import Carrier
from blade_agent.main_board.director.copies.deleting import DeletingPrograms
from blade_agent.main_board.director.copies.directed_copies import DirectedCopies
from blade_agent.main_board.director.copies.evacuation import Evacuation
from blade_agent.main_board.director.copies.eviction import Eviction
from blade_agent.main_board.director.copies.explaining import Explaining
from blade_agent.main_board.director.copies.locating import Locating
from blade_agent.main_board.director.copies.moving import TakingIn
from blade_agent.main_board.director.copies.obtaining import Obtaining
from blade_agent.main_board.director.copies.on_demand import OnDemand
from blade_agent.main_board.director.copies.replication import Replication
from blade_agent.main_board.director.copies.retiring import Retiring
from blade_agent.main_board.director.copies.source_choice import SourceChoice
from blade_agent.main_board.director.copies.trimming import Trimming
from blade_agent.main_board.director.copies.worth import Popularity
from blade_agent.main_board.director.director_figures import (
    DirectorCounters,
    DirectorFigures,
    DirectorWork,
    RosterFigures,
)
from blade_agent.main_board.director.doors.describing import Describing
from blade_agent.main_board.director.doors.directed import DIRECTED, PROGRAMS
from blade_agent.main_board.director.doors.named_engines import NamedEngines
from blade_agent.main_board.director.doors.playlist_resource import KEY_PICTURES_PATH, MEDIA_PATH, Playlists
from blade_agent.main_board.director.doors.pulls import SEGMENT_PATH, Pulls
from blade_agent.main_board.director.doors.watch_page import WatchPage
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.director.engines.attending import Attending
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord, Heard, Roster
from blade_agent.main_board.director.holdings.attachments import Attachments
from blade_agent.main_board.director.holdings.catalogue_keeping import CatalogueKeeping
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.registry_link import RegistryLink
from blade_agent.main_board.director.holdings.segment_location_table import Changes, SegmentLocationTable
from blade_agent.main_board.director.holdings.taking_stock import TakingStock, held_of
from blade_agent.main_board.director.station_blades import StationBlades
from blade_agent.main_board.director.term import Term
from blade_agent.main_board.parts import with_parts
from blade_agent.main_board.receiver_reports import open_receiver_reports
from blade_agent.main_board.same_station import refuse_other_stations
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.holding_pages import page_of
from media_network.http.asker import Asker
from media_network.http.client import HttpClient
from media_network.http.request_head import RequestHead
from media_network.http.server import HandlerTable, serve_ports
from media_network.messages import (
    deletion,
    enlisting,
    holdings,
    obtaining,
    program_information,
    sources,
    steering,
    streaming,
    watching,
)
from media_network.messages.verb import Done
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused
from media_network.ticket import TicketKey
from media_network.tokens.engine_token import EngineTokenIssuer

logger = logging.getLogger(__name__)

_SILENT_AFTER_INTERVALS = 2.5
_PULLS_SHOWN = 256
_LOST_AFTER_LEASE = 0.6
"""A sender that says nothing is asked where it stands, and its streams taken from it, after so much of its lease: it
may be busy, and nobody else can have them before the lease ends but with its own word."""


@asynccontextmanager
async def open_director(
    duty: DirectorDuty, catalogue: Catalogue, rng: random.Random, counters: DirectorCounters
) -> AsyncIterator["Director"]:
    """A director with its voice, and all that runs beside its messages; it adds to `counters`."""
    key = rng.randbytes(32)
    async with HttpClient(rng, duty.address.host, duty.identification) as http, asyncio.TaskGroup() as tasks:
        own = duty.identification.own if duty.identification else None
        term = Term(
            duty=duty,
            http=http,
            rng=rng,
            tasks=tasks,
            tickets=TicketKey(key),
            engine_tokens=EngineTokenIssuer(own.station, rng.randbytes(32)) if own else None,
            began_at=_now(),
            counters=counters,
        )
        try:
            yield Director(term, catalogue, key)
        finally:
            catalogue.forget_listener()
            term.standing.lose()


async def direct(duty: DirectorDuty, catalogue: Catalogue, rng: random.Random) -> None:
    """Direct a station, and do nothing else, until cancelled.

    Raises OSError when one of the duty's addresses cannot be served at.
    """
    async with (
        open_director(duty, catalogue, rng, DirectorCounters()) as director,
        serve_ports(
            with_parts(director.handlers(), catalogue.parts),
            control=duty.address,
            media=duty.media,
            identification=duty.identification,
        ),
    ):
        await director.run()


class Director:
    """One term of a director."""

    def __init__(self, term: Term, catalogue: Catalogue, key: bytes) -> None:
        """`key` is what its tickets are signed with."""
        self._term = term
        self._key = key
        self._catalogue = catalogue
        roster, table = self._roster, self._table = Roster(), SegmentLocationTable()
        library = self._library = Library(term, catalogue, roster)
        stock = self._stock = TakingStock(term, catalogue, roster, table, self._tell_registry)
        self.registry = RegistryLink(term, catalogue, roster, table, library, stock)
        self._choice = SourceChoice(term)
        locating = self._locating = Locating(term, library, roster, table, self._choice)
        copies = self._copies = DirectedCopies(
            term, roster, stock, self.registry, choice=self._choice, locating=locating
        )
        self._obtaining = Obtaining(
            term, catalogue, library, roster, table, self.registry, self._choice, locating, copies
        )
        self._explaining = Explaining(term, library, roster, table, self._choice)
        carrier = Carrier(term.duty.address, locating, copies, self._choice)
        on_demand = OnDemand(term, library, roster, table, carrier)
        trimming = Trimming(term, roster, table, self.registry)
        self._retiring = Retiring(term, roster, table, trimming)
        replication = Replication(term, library, roster, table, carrier, self._retiring.note)
        choice = EngineChoice(roster, on_demand, on_demand, replication)
        admission = Admission(term)
        self._pushes = PushSessions(term, choice, library, admission)
        self._describing = Describing(term, library, admission, roster)
        self._pulls = Pulls(term, choice, library, admission)
        attachments = Attachments(term, catalogue, roster, library)
        named = NamedEngines(term, choice) if term.duty.playlists_name_engines else None
        self._playlists = Playlists(term, library, admission, attachments, named)
        self._page = WatchPage(term.duty.station, catalogue, roster, library, attachments)
        self._deleting = DeletingPrograms(
            term,
            catalogue,
            library,
            roster,
            table,
            stock,
            self.registry,
            self._obtaining,
            self._watched,
            lambda cut: on_demand.is_bringing(cut) or replication.is_bringing(cut),
        )
        popularity = Popularity()
        library.played = lambda program: popularity.note(program, _now())
        self._eviction = Eviction(term, catalogue, roster, table, self.registry, self._deleting, popularity, trimming)
        self._taking_in = TakingIn(obtaining=self._obtaining, roster=roster, table=table, water=term.duty.water)
        self._evacuation = Evacuation(term, catalogue, library, roster, table, locating, copies)
        self._catalogues = CatalogueKeeping(term, catalogue, roster)
        self._attending = Attending(term, roster, self._died)
        self._catalogues.heard = self._let_go
        catalogue.learnt = self._learnt
        term.standing.lost = self._pushes.give_up

    @property
    def blades(self) -> StationBlades:
        """Which blades the chassis manager counts to the station."""
        return self._term.blades

    def handlers(self) -> HandlerTable:
        """All that a director answers."""
        table, admit = HandlerTable("media director"), self._admit
        table.verb(obtaining.OBTAIN, self._obtain)
        table.verb(deletion.DELETE_HERE, self._deleting.delete)
        table.verb(deletion.MOVE_PROGRAM, self._taking_in.take_in)
        table.verb(program_information.PUBLISH_PROGRAM, self._publish)
        table.verb(program_information.ASK_STATION_PROGRAM, self._tell_program)
        table.verb(sources.ASK_EXPLANATION, self._explaining.explain)
        table.verb(obtaining.LOCATE_SEGMENT, self._locating.locate_segment)
        table.verb(obtaining.REQUEST_ENGINE_TOKEN, self._locating.supply_token)
        table.verb_by_asker(enlisting.ENLIST, self._enlist)
        table.verb_by_asker(enlisting.REPORT, self._report)
        table.verb_from(admit, obtaining.COPY_DONE, self._copy_done)
        table.verb_from(admit, streaming.NEXT_SEGMENT, self._pushes.next_segment)
        table.verb_from(admit, streaming.ASSUMED, self._pushes.assumed)
        table.verb_from(admit, streaming.STOPPED, self._pushes.stopped)
        table.verb(streaming.DESCRIBE, self._describing.describe)
        table.verb_by_asker(streaming.PLAY, self._pushes.play)
        table.verb(steering.PAUSE, self._pushes.steering.pause)
        table.verb_by_asker(steering.RESUME, self._pushes.steering.resume)
        table.verb_by_asker(steering.SEEK, self._pushes.steering.seek)
        table.verb(steering.SCALE, self._pushes.steering.scale)
        table.verb(steering.END_STREAM, self._pushes.steering.end)
        table.verb(watching.WATCHING, self._pushes.watching)
        table.verb(watching.LIST_SESSIONS, self._pushes.list_sessions)
        table.verb(watching.ASK_STATION, self._view)
        table.verb(holdings.ASK_STATION_HOLDINGS, self._tell_holdings)
        answers = {
            PLAYLIST_PATH: self._playlists.multivariant,
            MEDIA_PATH: self._playlists.media,
            KEY_PICTURES_PATH: self._playlists.key_pictures,
            SEGMENT_PATH: self._pulls.segment,
            **self._page.answers(),
        }
        for path, summary in DIRECTED.items():
            table.resource(path, answers[path], summary, from_anywhere=path.startswith(PROGRAMS))
        table.at_once = self._at_once
        return table

    def _at_once(self, head: RequestHead) -> bytes | None:
        """What players ask for again and again."""
        return self._pulls.segment_at_once(head) or self._playlists.media_at_once(head)

    def _admit(self, asker: Asker) -> Refused | None:
        """What there is against hearing whoever asks as an engine of the station."""
        return refuse_other_stations(asker, self._term.duty.identification) or self._term.blades.admit(asker)

    async def run(self) -> None:
        """Direct until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.registry.keep_registered(), name="keep registered")
            tasks.create_task(self.registry.keep_informed(), name="follow the feed")
            tasks.create_task(self.registry.keep_locations_told(), name="keep locations told")
            tasks.create_task(self._eviction.keep_room(), name="keep room")
            tasks.create_task(self._retiring.keep_tidy(), name="keep tidy")
            tasks.create_task(self._keep_watch(), name="keep watch")
            if self._term.duty.rtcp:
                tasks.create_task(self._hear_receivers(self._term.duty.rtcp), name="hear receivers")

    @property
    def carried(self) -> int:
        """What is lost to the station if nobody directs it any more: the directorship, while engines count on it."""
        return int(len(self._roster) > 0 and not self._term.standing.superseded)

    def figures(self) -> DirectorFigures:
        """What it has done, and knows now."""
        return DirectorFigures(
            counted=copy(self._term.counters),
            push_sessions=self._pushes.live,
            pull_sessions=len(self._pulls),
            programs=len({cut.program for cut in self._table.cuts()}),
            locations=sum(self._table.held_by(engine.address) for engine in self._roster),
        )

    def work(self) -> DirectorWork:
        """Its engines and sessions, one by one; of the pull sessions the latest."""
        table = self._table
        engines = tuple(
            RosterFigures(
                slot=engine.slot,
                address=engine.address,
                reporting=not engine.silent,
                load_bps=engine.load_bps,
                capacity_bps=engine.capacity_bps,
                segments=table.held_by(engine.address),
                free_bytes=engine.free_bytes,
            )
            for engine in self._roster
        )
        sessions = (*self._pushes.figures(), *self._pulls.figures(_PULLS_SHOWN))
        return DirectorWork(engines=engines, sessions=sessions, lost=tuple(self._pushes.lost))

    async def _hear_receivers(self, rtcp: Address) -> None:
        """Whoever has the service address gets what receivers of RTP streams say: that is the blade that directs."""
        try:
            async with open_receiver_reports(rtcp, lambda reception: self._pushes.receivers.hear((reception,))):
                await asyncio.Event().wait()
        except OSError as error:
            logger.warning("receivers of RTP are not heard at %s: %s", rtcp, error.strerror or error)

    async def _keep_watch(self) -> None:
        """Notice engines and consoles that have fallen silent."""
        while not self._term.standing.superseded:
            await asyncio.sleep(self._term.duty.intervals.report_ms / 1000)
            for engine in list(self._roster):
                self._watch(engine)
            self._pushes.look_round()
            self._pulls.expire()

    def _watch(self, engine: EngineRecord) -> None:
        intervals = self._term.duty.intervals
        engine.rounds_missed += 1
        silent_ms = (engine.rounds_missed - 1) * intervals.report_ms
        interval_ms = intervals.report_ms if engine.streams else intervals.idle_ms
        if silent_ms > interval_ms * _SILENT_AFTER_INTERVALS:
            engine.fall_silent()
        if silent_ms > intervals.lease_ms * _LOST_AFTER_LEASE:
            self._pushes.reports.lose_engine(engine.address, engine.boot, gone=False)
        if silent_ms > intervals.lease_ms:
            self._strike(engine)

    def _died(self, engine: EngineRecord) -> None:
        """The process of an engine is gone: its streams resume elsewhere; what it holds is back when it is."""
        record = self._roster.get(engine.address)
        if record and record.boot == engine.boot:
            record.heard = Heard.DEAD
            logger.warning("engine %s in slot %d is gone: its streams go on elsewhere", record.address, record.slot)
            self._term.counters.engines_lost += 1
            self._lose(record)

    async def _publish(self, message: program_information.PublishProgram) -> Done:
        """Claim 11: start the service of a program."""
        header = message.header
        await self._catalogue.learn([change_of(header)])
        return Done()

    async def _obtain(self, order: obtaining.Obtain) -> obtaining.ObtainStanding | Refused:
        """Claim 12: copies are ordered, be it that some are here for another reason."""
        self._retiring.keep(order.header.program)
        return await self._obtaining.obtain(order)

    def _learnt(self, changes: Sequence[program_information.ProgramChange]) -> None:
        for change in changes:
            self._obtaining.learnt(change)
            if change.header and (held := self._table.segments(change.header.cut)):
                self.registry.changed(change.header.cut, held)  # engines may have said so before this was known
        self._catalogues.tell()

    def _watched(self, program: ProgramId) -> int:
        return self._pushes.watched(program) + self._pulls.watched(program)

    def _let_go(self, engine: EngineRecord, change: program_information.ProgramChange) -> None:
        """An engine has heard of a change, and holds nothing any more that it has made void."""
        table = change.header.table if change.header else None
        self._tell_registry(self._table.take(engine.address, change.program, table))

    async def _tell_program(self, message: program_information.AskProgram) -> ProgramHeader | Refused:
        header = self._catalogue.get(message.program)
        return header or Refused(Reason.UNKNOWN_PROGRAM, f"{message.program} is not known here")

    async def _enlist(self, message: enlisting.Enlist, asker: Asker) -> enlisting.Enlisted | Refused:
        if refused := self._admit(asker):
            return refused
        if message.epoch != self._term.epoch or self._term.standing.superseded:
            return self._stale(message.epoch)
        try:
            address, media = Address.parse(message.engine), Address.parse(message.media)
            held = held_of(message.holdings)
            if message.rtsp:
                Address.parse(message.rtsp)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        if asker.peer and (address.host, message.slot) != (asker.host, asker.peer.identity.slot):
            return Refused(Reason.NOT_ALLOWED, f"{asker.name} speaks for itself, not for {address}")
        earlier = self._roster.get(address)
        if earlier and earlier.boot != message.boot:
            self._lose(earlier)
        known = earlier and earlier.boot == message.boot
        engine = self._roster.enlist(message, address, media, _now())
        engine.certificate = asker.peer.thumbprint if asker.peer else ""
        self._term.know_tickets(message.ticket_keys)
        self._attending.begin(engine)
        if not known:
            self.registry.engines_changed()
            logger.info("engine %s in slot %d enlists, with %d programs", address, message.slot, len(held))
        self._stock.begin(engine, message.holdings, held)
        self._catalogues.enlisted(engine, message)
        await self._recall(engine, {stream.program for stream in message.streams})
        if self._roster.get(address) is not engine or self._term.standing.superseded:
            # It has enlisted once more meanwhile, and said what it has now.
            return Refused(Reason.UNKNOWN_ENGINE, "this enlistment is not the last one")
        return enlisting.Enlisted(
            ticket_key=self._key.hex(),
            media=str(self._term.duty.media),
            report_interval_ms=self._term.duty.intervals.report_ms,
            lease_ms=self._term.duty.intervals.lease_ms,
            cursor_interval_ms=self._term.duty.intervals.cursor_ms,
            idle_interval_ms=self._term.duty.intervals.idle_ms,
            revoked=self._pushes.inherit(message.streams, engine),
            blades=self._term.blades.told(None),
            clock_us=_clock_us(),
            token_keys=self._term.engine_tokens.jwks if self._term.engine_tokens else "",
        )

    async def _recall(self, engine: EngineRecord, programs: Collection[ProgramId]) -> None:
        """Have at hand what an engine is streaming already."""
        await self._catalogues.recall(engine, programs)
        for name in programs:
            await self._library.get(name, engine.media)

    async def _report(self, message: enlisting.Report, asker: Asker) -> enlisting.Reported | Refused:
        if refused := self._admit(asker):
            return refused
        engine = self._enlisted(message.engine, message.boot)
        if message.epoch != self._term.epoch or self._term.standing.superseded:
            return self._stale(message.epoch)
        if engine and asker.peer and engine.address.host != asker.host:
            return Refused(Reason.NOT_ALLOWED, f"{asker.name} speaks for itself, not for {engine.address}")
        if engine is None:
            return Refused(Reason.UNKNOWN_ENGINE, f"{message.engine} has not enlisted with this boot")
        self._roster.report(message, engine, _now())
        engine.certificate = asker.peer.thumbprint if asker.peer else ""
        self._catalogues.reported(engine)
        revoked = self._pushes.reports.take(message, engine)
        self._pushes.receivers.hear(message.received)
        return enlisting.Reported(
            revoked=revoked,
            clock_us=_clock_us(),
            blades=self._term.blades.told(message.blades),
            alone=self._evacuation.alone(engine),
        )

    async def _copy_done(self, message: obtaining.CopyDone) -> Done | Refused:
        engine = self._enlisted(message.engine, message.boot)
        if engine is None:
            return Refused(Reason.UNKNOWN_ENGINE, f"{message.engine} has not enlisted with this boot")
        await self._copies.done(message, engine)
        return Done()

    async def _view(self, _: watching.AskStation) -> watching.StationView:
        engines = tuple(
            watching.EngineView(
                slot=engine.slot,
                engine=str(engine.address),
                media=str(engine.media),
                load_bps=engine.load_bps,
                capacity_bps=engine.capacity_bps,
                streams=self._pushes.reports.count(engine.address),
                segments=self._table.held_by(engine.address),
            )
            for engine in self._roster
        )
        return watching.StationView(
            station=self._term.duty.station,
            epoch=self._term.epoch,
            engines=engines,
        )

    async def _tell_holdings(self, request: holdings.AskHoldings) -> holdings.Holdings:
        return page_of(self._table.cuts(), self._table.layers, request.after)

    def _enlisted(self, engine: str, boot: str) -> EngineRecord | None:
        try:
            record = self._roster.get(Address.parse(engine))
        except ValueError:
            return None
        return record if record and record.boot == boot else None

    def _stale(self, epoch: int) -> Refused:
        if epoch > self._term.epoch:
            # Its engine has another director already.
            self._term.standing.lose()
        return Refused(Reason.STALE_EPOCH, f"this director's epoch is {self._term.epoch}, the message is of {epoch}")

    def _strike(self, engine: EngineRecord) -> None:
        if engine.heard is not Heard.DEAD:
            self._term.counters.engines_lost += 1
            logger.warning("engine %s in slot %d is lost: it has said nothing for a lease", engine.address, engine.slot)
        self._roster.strike(engine.address)
        self.registry.engines_changed()
        self._lose(engine)
        self._evacuation.forget(engine.address)
        self._tell_registry(self._table.forget(engine.address))

    def _lose(self, engine: EngineRecord) -> None:
        self._pushes.reports.lose_engine(engine.address, engine.boot, gone=True)
        self._copies.lose_engine(engine.address)

    def _tell_registry(self, changes: Changes) -> None:
        for cut, segments in changes.items():
            self.registry.changed(cut, segments)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _clock_us() -> int:
    return round(_now() * 1e6)
