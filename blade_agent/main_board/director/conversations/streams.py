"""Pushed streams: from a console's request through hand-over after hand-over to the end (claims 16 and 17)."""

import asyncio
from collections.abc import Collection, Iterable

from blade_agent.main_board.director.conversations.inheritance import inherited_mark, inherited_session, inherited_turn
from blade_agent.main_board.director.conversations.recovery import Recovery
from blade_agent.main_board.director.conversations.settlement import Settled, past_whatever_followed
from blade_agent.main_board.director.conversations.turns import Turns
from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.engines.roster import EngineRecord
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.session import PushSession, SessionEvent, Turn, new_session_id
from blade_agent.main_board.director.station import Station
from media_network.address import Address
from media_network.messages.enlisting import Report, RunningStream, TurnPhase
from media_network.messages.streaming import (
    Assumed,
    HandOver,
    Next,
    NextSegment,
    Play,
    Redirect,
    StopCause,
    Stopped,
    StreamCursor,
)
from media_network.messages.verb import Done
from media_network.messages.watching import ListSessions, Sessions, SessionState, SessionView, Watching
from media_network.refusal import Reason, Refused

_ENDED_KEPT_S = 60.0
_SILENT_INTERVALS = 3
_ASSEMBLING_PAUSE_S = 0.05

_NO_SESSION = Refused(Reason.UNKNOWN_SESSION, "the session has ended, or was never here")


class Streams:
    """The push sessions of a station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._turns = Turns(station)
        self._recovery = Recovery(station, self._turns)
        self._sessions: dict[str, PushSession] = {}

    # Consoles

    async def play(self, request: Play) -> Redirect | Refused:
        """Claim 16: look the first segment up, have its engine preload it, and redirect the console there."""
        if self._station.standing.superseded:
            return Refused(Reason.WRONG_ROLE, "the station has another director")
        try:
            Address.parse(request.console)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        program = self._station.catalogue.published(request.program)
        if program is None:
            self._station.counters.refusals += 1
            return self._not_in_service(request.program)
        session = PushSession(
            session=new_session_id(self._station.rng), program=program, console=request.console, watched_at=_now()
        )
        turn = await self._turns.offer(session, 0, 0)
        while isinstance(turn, Refused) and turn.reason is Reason.NO_ENGINE and self._station.is_assembling(_now()):
            await asyncio.sleep(_ASSEMBLING_PAUSE_S)
            turn = await self._turns.offer(session, 0, 0)
        if isinstance(turn, Refused):
            self._station.counters.refusals += 1
            self._turns.end(session, SessionEvent.STOPPED)
            return turn
        self._station.counters.sessions += 1
        session.watched_at = _now()
        self._sessions[session.session] = session
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
        self._assume_late(session, message.turn)
        offer = session.offer
        if session.sender(message.turn) and offer and self._in_doubt(session, offer, message):
            await self._settle_offer(session, offer)
        elif message.doubtful and session.inherited and (sender := session.sender(message.turn)):
            await self._settle_inherited_offer(session, sender)
        if session.state is SessionState.ENDED:
            return _NO_SESSION
        if session.state is SessionState.RESUMING:
            return Refused(Reason.ASSUMED, "the stream goes on at another engine")
        sender = session.sender(message.turn)
        if sender is None or sender.segment != message.segment:
            return Refused(Reason.STALE_TURN, f"turn {message.turn} is not the stream's present one")
        return self._name_next(session, sender, message)

    async def assumed(self, message: Assumed) -> Done | Refused:
        """Claim 16, last step: an engine has assumed the communication of the stream."""
        session = self._live(message.session)
        if session is None:
            return _NO_SESSION
        if offer := session.offered(message.turn):
            self._assume(session, offer, message.packet)
        if session.sender(message.turn) is None:
            return Refused(Reason.STALE_TURN, f"turn {message.turn} was withdrawn")
        return Done()

    async def stopped(self, message: Stopped) -> Done:
        """Claim 17: an engine has stopped. If it had to stop short, the stream resumes where it stopped."""
        session = self._live(message.session)
        if session is None:
            return Done()
        self._assume_late(session, message.turn)
        sender = session.sender(message.turn)
        if sender is None:
            return Done()
        if message.cause in (StopCause.END_OF_PROGRAM, StopCause.CEASED, StopCause.UNKNOWN):
            self._end(session, SessionEvent.STOPPED, session.offer)
        else:
            position = session.program.advance(message.segment, message.packet, 0)
            self._recovery.begin(session, sender, Settled(sent=True, position=position))
        return Done()

    def report(self, message: Report, engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """Take note of an engine's streams; returns those that it has to stop, or may not start."""
        now = _now()
        clock_us, since_us = message.clock_us, message.since_us
        sent_at = None if clock_us is None or since_us is None else min(now, (clock_us + since_us) / 1e6)
        revoked = self._revoked(message.streams, engine)
        for cursor in message.streams:
            session = self._live(cursor.session)
            if session and sent_at is not None and cursor.reach is not None and session.sender(cursor.turn):
                until = sent_at + (cursor.tick_us or 0) / 1e6
                session.mark = Mark(turn=cursor.turn, segment=cursor.segment, packet=cursor.reach, until=until)
        self._miss({(cursor.session, cursor.turn) for cursor in message.streams}, engine)
        return revoked

    def inherit(self, streams: Iterable[RunningStream], engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """An engine enlists: take over the streams that it has from an earlier director.

        Returns those it has to stop, or may not start.
        """
        for stream in streams:
            if stream.phase is not TurnPhase.STOPPED or stream.cursor.session not in self._sessions:
                self._inherit(stream, engine)
        active = (TurnPhase.SENDING, TurnPhase.HANDING_OVER, TurnPhase.UNKNOWN)
        cursors = [stream.cursor for stream in streams if stream.phase in active]
        self._miss({(cursor.session, cursor.turn) for cursor in cursors}, engine)
        return self._revoked(cursors, engine)

    def count(self, engine: Address) -> int:
        """Streams that an engine sends."""
        return sum(
            1
            for session in self._sessions.values()
            if session.state is SessionState.STREAMING and session.holder and session.holder.engine == engine
        )

    def lose_engine(self, engine: Address, boot: str, *, gone: bool) -> None:
        """An engine has fallen silent: its streams resume elsewhere.

        If its lease is over too, or a new boot took its place, it is `gone` and has forgotten what it preloaded.
        """
        for session in list(self._sessions.values()):
            turn = session.offer if session.state is SessionState.REDIRECTED else session.holder
            if turn is None or (turn.engine, turn.boot) != (engine, boot):
                continue
            if session.state is SessionState.STREAMING:
                self._recovery.begin(session, turn)
            elif session.state is SessionState.REDIRECTED and gone:
                self._end(session, SessionEvent.SENDER_LOST, turn)

    def expire(self) -> None:
        """End the sessions whose console has fallen silent; forget the ended ones after a minute."""
        now = _now()
        patience_s = self._station.duty.intervals.watching_ms * _SILENT_INTERVALS / 1000
        for session in list(self._sessions.values()):
            if session.state is SessionState.ENDED:
                if now - session.watched_at > _ENDED_KEPT_S:
                    del self._sessions[session.session]
            elif now - session.watched_at > patience_s:
                self._end(session, SessionEvent.CONSOLE_SILENT, session.holder, session.offer)

    def figures(self) -> tuple[SessionFigures, ...]:
        """Each session that has not ended."""
        live = (session for session in self._sessions.values() if session.state is not SessionState.ENDED)
        return tuple(map(self._turns.figures, live))

    @property
    def live(self) -> int:
        """Sessions that have not ended."""
        return sum(1 for session in self._sessions.values() if session.state is not SessionState.ENDED)

    def give_up(self) -> None:
        """Another director has been appointed: leave all streams to it."""
        for session in self._sessions.values():
            self._recovery.void(session)

    # The parts of it

    def _revoked(self, cursors: Iterable[StreamCursor], engine: EngineRecord) -> tuple[StreamCursor, ...]:
        revoked = list(self._recovery.settling_at(engine.address))
        for cursor in cursors:
            session = self._live(cursor.session)
            if session:
                self._assume_late(session, cursor.turn)
            if session is None or session.sender(cursor.turn) is None:
                revoked.append(cursor)
        return tuple(revoked)

    def _inherit(self, stream: RunningStream, engine: EngineRecord) -> None:
        session = self._sessions.get(stream.cursor.session)
        if session is None:
            program = self._station.catalogue.get(stream.program)
            if program is None or stream.cursor.segment >= len(program.segments):
                return
            session = inherited_session(stream, program, _now(), self._station.duty.epoch)
            self._sessions[session.session] = session
            self._station.counters.inherited += 1
        elif not session.may_have_gone_on_in(stream.cursor.turn):
            return
        turn = inherited_turn(stream, engine.address, engine.boot, _now())
        if stream.phase is TurnPhase.PRELOADED:
            session.offer = turn
            self._turns.charge(session)
            return
        session.mark = inherited_mark(stream, _now())
        in_doubt = stream.phase in (TurnPhase.HANDING_OVER, TurnPhase.UNKNOWN)
        session.unsettled_until = self._station.started_at + self._station.lease_s if in_doubt else 0.0
        self._assume(session, turn, stream.first_packet)

    async def _settle_inherited_offer(self, session: PushSession, sender: Turn) -> None:
        """An engine may have taken a turn that the director before has offered it, under a number not known here.

        It enlists with the turn before its lease ends, or has no lease any more; then nobody has the stream.
        """
        if sender.number >= session.first_own_turn:
            return
        await asyncio.sleep(max(0.0, self._station.started_at + self._station.lease_s - _now()))
        if session.sender(sender.number) is sender:
            position = past_whatever_followed(session, _now())
            self._recovery.begin(session, sender, Settled(sent=True, position=position))

    def _live(self, name: str) -> PushSession | None:
        session = self._sessions.get(name)
        return session if session and session.state is not SessionState.ENDED else None

    def _not_in_service(self, program: str) -> Refused:
        if self._station.catalogue.get(program):
            return Refused(Reason.NOT_PUBLISHED, f"program {program} is not published yet")
        return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program}")

    def _assume(self, session: PushSession, offer: Turn, packet: int) -> None:
        self._station.counters.hand_overs += session.holder is not None
        self._turns.assume(session, offer, packet)
        self._recovery.void(session)

    def _assume_late(self, session: PushSession, turn: int) -> None:
        """Whoever speaks of a turn as its sender has assumed it, if its `ASSUMED` has yet to come."""
        if offer := session.offered(turn):
            self._assume(session, offer, offer.packet)

    def _end(self, session: PushSession, event: SessionEvent, *still_sending: Turn | None) -> None:
        self._recovery.void(session)
        for turn in filter(None, still_sending):
            self._station.tasks.create_task(self._turns.cease(session, turn), name=f"cease {session.session}")
        self._turns.end(session, event)

    def _name_next(self, session: PushSession, sender: Turn, message: NextSegment) -> Next | Refused:
        following, packet = sender.segment + 1, 0
        leaving: tuple[Address, ...] = ()
        if message.packet is not None:
            # Its engine drains: another is to go on in the middle of the segment.
            following, packet, leaving = sender.segment, message.packet, (sender.engine,)
        if following == len(session.program.segments):
            return Next(None)
        offer = self._turns.name_next(session, following, packet, message.failed, leaving)
        if isinstance(offer, Refused):
            return offer
        segment = session.program.segments[following]
        return Next(HandOver(turn=offer.number, engine=str(offer.engine), segment=segment, packet=offer.packet))

    def _in_doubt(self, session: PushSession, offer: Turn, message: NextSegment) -> bool:
        """Whether the offer may have been assumed unheard, or somebody is finding that out already."""
        return str(offer.engine) == message.doubtful or session.offered(offer.number) is None

    async def _settle_offer(self, session: PushSession, offer: Turn) -> None:
        """Find out whether an offer was taken; if so the stream resumes from there, if not the offer is void."""
        settled = await self._recovery.settle(session, offer)
        holder = session.holder
        if holder is None or session.offer is not offer or session.state is not SessionState.STREAMING:
            return  # the session has moved on meanwhile
        session.offer = None
        self._turns.charge(session)
        if settled.sent:
            self._recovery.begin(session, holder, settled)

    def _miss(self, named: Collection[tuple[str, int]], engine: EngineRecord) -> None:
        """Notice streams that an engine has handed over to another that was lost before it was heard."""
        for session in self._sessions.values():
            holder, offer = session.holder, session.offer
            if (
                holder is None
                or holder.engine != engine.address
                or session.state is not SessionState.STREAMING
                or (session.session, holder.number) in named
            ):
                continue
            if offer:
                lost = not self._station.roster.answers(offer.engine, offer.boot)
            else:
                # Handed over under the director before, to an engine that never enlisted here.
                lost = holder.number < session.first_own_turn and 0.0 < session.unsettled_until < _now()
            if lost:
                self._recovery.begin(session, holder)


def _now() -> float:
    return asyncio.get_running_loop().time()
