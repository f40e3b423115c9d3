"""Pushed streams: from a console's request through hand-over after hand-over to the end (claims 16 and 17)."""

import asyncio
import logging
from collections.abc import Iterable

from blade_agent.main_board.director.engine_choice import choose_engine
from blade_agent.main_board.director.roster import EngineRecord
from blade_agent.main_board.director.session import PushSession, SessionEvent, Turn, new_session_id
from blade_agent.main_board.director.settlement import settle
from blade_agent.main_board.director.station import Station
from media_network.address import Address
from media_network.errors import NetworkError, Unreachable
from media_network.http_client import HttpClient
from media_network.messages.director import (
    Assumed,
    HandOver,
    ListSessions,
    Next,
    NextSegment,
    Play,
    Redirect,
    Report,
    Sessions,
    SessionState,
    SessionView,
    StopCause,
    Stopped,
    StreamCursor,
    Watching,
)
from media_network.messages.engine import CEASE, PRELOAD, START, Cease, Preload, Ready, Start
from media_network.messages.verb import Done
from media_network.program import Program
from media_network.refusal import Reason, Refused

_log = logging.getLogger(__name__)

_PRELOAD_DEADLINE_S = 1.0
_START_DEADLINE_S = 0.5
_RESUME_PAUSE_S = 0.25
_ENDED_KEPT_S = 60.0
_SILENT_INTERVALS = 3

_NO_SESSION = Refused(Reason.UNKNOWN_SESSION, "the session has ended, or was never here")


class Streams:
    """The push sessions of a station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._sessions: dict[str, PushSession] = {}

    # Consoles

    async def play(self, request: Play) -> Redirect | Refused:
        """Claim 16: look the first segment up, have its engine preload it, and redirect the console there."""
        program = self._station.catalogue.published(request.program)
        if program is None:
            return self._not_in_service(request.program)
        session = PushSession(
            session=new_session_id(self._station.rng), program=program, console=request.console, watched_at=_now()
        )
        self._sessions[session.session] = session
        turn = await self._offer_turn(session, 0, 0)
        if isinstance(turn, Refused):
            self._end(session, SessionEvent.STOPPED)
            return turn
        return Redirect(
            session=session.session,
            turn=turn.number,
            engine=str(turn.engine),
            ticket=self._station.tickets.sign(session.session, program.program),
            program=program,
            report_interval_ms=self._station.duty.intervals.watching_ms,
        )

    async def watching(self, message: Watching) -> SessionView | Refused:
        """Claim 17: the console is still there."""
        session = self._sessions.get(message.session)
        if session is None:
            return _NO_SESSION
        if session.state is not SessionState.ENDED:
            session.watched_at = _now()
        return session.view()

    async def list_sessions(self, _: ListSessions) -> Sessions:
        """All sessions, the ended ones of the last minute included."""
        return Sessions(tuple(session.view() for session in self._sessions.values()))

    # Engines

    async def next_segment(self, message: NextSegment) -> Next | Refused:
        """Claim 16: the engine nears the end of its segment; locate the next one and name the engine that has it."""
        session = self._live(message.session)
        if session is None:
            return _NO_SESSION
        if session.offer and session.offer.number == message.turn:
            session.assume(session.offer, session.offer.packet)  # its ASSUMED is late; asking says as much
            self._charge(session)
        if session.holder is None or session.holder.number != message.turn:
            return Refused(Reason.STALE_TURN, f"turn {message.turn} is not the stream's present one")
        if message.doubtful and session.offer and str(session.offer.engine) == message.doubtful:
            return await self._settle_offer(session, session.offer, message)
        return self._name_next(session, message)

    async def assumed(self, message: Assumed) -> Done | Refused:
        """Claim 16, last step: an engine has assumed the communication of the stream."""
        session = self._live(message.session)
        if session is None:
            return _NO_SESSION
        if session.holder and session.holder.number == message.turn:
            return Done()
        if message.turn <= session.revoked or session.offer is None or session.offer.number != message.turn:
            return Refused(Reason.STALE_TURN, f"turn {message.turn} was withdrawn")
        session.assume(session.offer, message.packet)
        self._charge(session)
        return Done()

    async def stopped(self, message: Stopped) -> Done:
        """Claim 17: an engine has stopped. If it had to stop short, the stream resumes where it stopped."""
        session = self._live(message.session)
        if session is None or message.turn <= session.revoked:
            return Done()
        held = next((turn for turn in (session.holder, session.offer) if turn and turn.number == message.turn), None)
        if held is None:
            return Done()
        if message.cause in (StopCause.END_OF_PROGRAM, StopCause.CEASED):
            self._end(session, SessionEvent.STOPPED)
        else:
            session.revoked = message.turn
            position = session.program.advance(message.segment, message.packet, 0)
            self._station.tasks.create_task(self._recover(session, held, position), name=f"recover {session.session}")
        return Done()

    def report(self, message: Report, engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """Take the cursors of an engine's streams; returns those that it has to stop."""
        revoked = []
        for cursor in message.streams:
            session = self._live(cursor.session)
            if session is None or cursor.turn <= session.revoked:
                revoked.append(cursor)
            elif session.holder and session.holder.number == cursor.turn:
                session.cursor, session.cursor_sent_after = cursor, engine.acknowledged_before
        return tuple(revoked)

    def count(self, engine: Address) -> int:
        """Streams that an engine holds the turn of."""
        return sum(1 for session in self._sessions.values() if session.holder and engine in session.charged)

    def lose_engine(self, engine: Address, boot: str) -> None:
        """An engine has fallen silent, or a new boot took its place: its streams resume elsewhere."""
        for session in list(self._sessions.values()):
            holder = session.holder
            if (
                session.state is SessionState.STREAMING
                and holder
                and (holder.engine, holder.boot) == (engine, boot)
                and holder.number > session.revoked
            ):
                session.happens(SessionEvent.SENDER_LOST)
                self._station.tasks.create_task(self._recover(session, holder), name=f"recover {session.session}")

    def expire(self) -> None:
        """End the sessions whose console has fallen silent; forget the ended ones after a minute."""
        now = _now()
        patience_s = self._station.duty.intervals.watching_ms * _SILENT_INTERVALS / 1000
        for session in list(self._sessions.values()):
            if session.state is SessionState.ENDED:
                if now - session.watched_at > _ENDED_KEPT_S:
                    del self._sessions[session.session]
            elif now - session.watched_at > patience_s:
                for turn in filter(None, (session.holder, session.offer)):
                    order = Cease(session=session.session, turn=turn.number)
                    self._station.tasks.create_task(_tell_cease(self._station.http, turn.engine, order))
                self._end(session, SessionEvent.CONSOLE_SILENT)

    # The parts of it

    def _live(self, name: str) -> PushSession | None:
        session = self._sessions.get(name)
        return session if session and session.state is not SessionState.ENDED else None

    def _not_in_service(self, program: str) -> Refused:
        if self._station.catalogue.get(program):
            return Refused(Reason.NOT_PUBLISHED, f"program {program} is not published yet")
        return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program}")

    def _end(self, session: PushSession, event: SessionEvent) -> None:
        session.happens(event)
        session.revoked = session.turns_given
        session.watched_at = _now()
        session.offer = None
        self._charge(session)

    def _charge(self, session: PushSession) -> None:
        """Let the load of the engines follow who holds, or is offered, the stream."""
        ended = session.state is SessionState.ENDED
        engines = () if ended else filter(None, (session.holder, session.offer))
        wanted = frozenset(turn.engine for turn in engines)
        for engine in wanted - session.charged:
            self._station.roster.promise(engine, session.program.rate_bps)
        for engine in session.charged - wanted:
            self._station.roster.promise(engine, -session.program.rate_bps)
        session.charged = wanted

    def _name_next(self, session: PushSession, message: NextSegment) -> Next | Refused:
        following = message.segment + 1
        if following >= len(session.program.segments):
            return Next(None)
        offer = session.offer
        if offer is None or offer.segment != following or str(offer.engine) in message.failed:
            failed = [Address.parse(engine) for engine in message.failed]
            for address in failed:
                self._suspect(address)
            engine = choose_engine(self._station, session.program, following, failed)
            if isinstance(engine, Refused):
                return engine
            offer = session.give_turn(engine.address, engine.boot, following, 0, _now())
            self._charge(session)
        segment = session.program.segments[following]
        return Next(HandOver(turn=offer.number, engine=str(offer.engine), segment=segment))

    async def _settle_offer(self, session: PushSession, offer: Turn, message: NextSegment) -> Next | Refused:
        settled = await settle(self._station.http, session, offer, self._lease_s)
        if session.state is SessionState.ENDED:
            return _NO_SESSION
        if settled.sent:
            self._station.tasks.create_task(self._resume(session, settled.position), name=f"resume {session.session}")
            return Refused(Reason.ASSUMED, "the stream goes on at another engine")
        session.offer = None
        return self._name_next(session, message)

    async def _offer_turn(
        self, session: PushSession, segment: int, packet: int, excluding: Iterable[Address] = ()
    ) -> Turn | Refused:
        """Give the next turn to the best engine that gets ready for it."""
        failed = list(excluding)
        while True:
            engine = choose_engine(self._station, session.program, segment, failed)
            if isinstance(engine, Refused):
                return engine
            turn = session.give_turn(engine.address, engine.boot, segment, packet, _now())
            self._charge(session)
            if await self._preload(session.program, session, turn):
                return turn
            failed.append(engine.address)

    async def _preload(self, program: Program, session: PushSession, turn: Turn) -> bool:
        message = Preload(
            epoch=self._station.duty.epoch,
            session=session.session,
            turn=turn.number,
            program=program.program,
            segment=program.segments[turn.segment],
            rate_bps=program.rate_bps,
            console=session.console,
        )
        try:
            answer = await self._station.http.ask(turn.engine, PRELOAD, message, deadline_s=_PRELOAD_DEADLINE_S)
        except NetworkError:
            self._suspect(turn.engine)
            return False
        return isinstance(answer, Ready)

    async def _recover(self, session: PushSession, turn: Turn, position: tuple[int, int] | None = None) -> None:
        """The sender is lost, or has stopped at `position`: go on from where it, or whom it handed over to, got."""
        session.happens(SessionEvent.SENDER_LOST)
        if position is None:
            position = (await settle(self._station.http, session, turn, self._lease_s)).position
        if session.offer and session.holder is turn:
            # It may have handed over just before, and the word of it is still on its way.
            handed_over = await settle(self._station.http, session, session.offer, self._lease_s)
            position = handed_over.position if handed_over.sent else position
        if session.state is SessionState.RESUMING:
            await self._resume(session, position)

    async def _resume(self, session: PushSession, position: tuple[int, int] | None) -> None:
        """Have another engine send from `position` on; nobody sends this stream while this runs."""
        session.happens(SessionEvent.SENDER_LOST)
        session.revoked = session.turns_given
        while session.state is SessionState.RESUMING:
            if position is None:
                self._end(session, SessionEvent.STOPPED)
                return
            turn = await self._offer_turn(session, *position)
            if isinstance(turn, Refused):
                await asyncio.sleep(_RESUME_PAUSE_S)
                continue
            position = await self._start(session, turn)
        _log.info("session %s: %s", session.session, session.state)

    async def _start(self, session: PushSession, turn: Turn) -> tuple[int, int] | None:
        """Start a turn; returns where the next try has to begin, should this one have failed."""
        message = Start(epoch=self._station.duty.epoch, session=session.session, turn=turn.number, packet=turn.packet)
        try:
            answer = await self._station.http.ask(turn.engine, START, message, deadline_s=_START_DEADLINE_S)
        except Unreachable as error:
            self._suspect(turn.engine)
            if error.received and session.offer is turn:
                return (await settle(self._station.http, session, turn, self._lease_s)).position
        except NetworkError:
            return (await settle(self._station.http, session, turn, self._lease_s)).position
        else:
            if isinstance(answer, Done) and session.offer is turn and session.state is not SessionState.ENDED:
                session.assume(turn, turn.packet)
                self._charge(session)
        return turn.segment, turn.packet

    def _suspect(self, engine: Address) -> None:
        record = self._station.roster.get(engine)
        if record:
            record.silent = True

    @property
    def _lease_s(self) -> float:
        return self._station.duty.intervals.lease_ms / 1000


async def _tell_cease(http: HttpClient, engine: Address, order: Cease) -> None:
    await http.tell(engine, CEASE, order)


def _now() -> float:
    return asyncio.get_running_loop().time()
