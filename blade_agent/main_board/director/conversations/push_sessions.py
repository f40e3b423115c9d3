"""The pushed sessions of a station: what consoles and engines say, and what the director notices, as their events."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from itertools import count

from blade_agent.main_board.asking_host import refuse_elsewhere
from blade_agent.main_board.director.conversations.conversation import Conversation
from blade_agent.main_board.director.conversations.inheritance import FOUND_WITHIN_S, first_own_turn, inherited
from blade_agent.main_board.director.conversations.settling import Settling
from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.sessions.effects import Fact
from blade_agent.main_board.director.sessions.events import (
    ConsoleHeard,
    EngineLost,
    GaveUp,
    LookedRound,
    NextAsked,
    PlayAsked,
    SenderReported,
    SenderUnnamed,
    TurnAssumed,
    TurnStopped,
)
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.session import ANOTHER_DIRECTS, NO_SESSION, Session, SessionTerms
from blade_agent.main_board.director.sessions.session_id import new_session_id
from blade_agent.main_board.director.sessions.states import Ended, State
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.messages.enlisting import Report, RunningStream, TurnPhase
from media_network.messages.streaming import (
    Assumed,
    Next,
    NextSegment,
    Play,
    Redirect,
    Stopped,
    StreamCursor,
)
from media_network.messages.verb import Done
from media_network.messages.watching import ListSessions, Sessions, SessionView, StreamView, Watching
from media_network.program import Program
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

_SAID = {
    Fact.SENDER_LOST: (logging.WARNING, "stream %s of %s to %s has lost its sender"),
    Fact.RESUMED: (logging.INFO, "stream %s of %s to %s is taken up again"),
    Fact.ENDED: (logging.INFO, "stream %s of %s to %s has ended"),
    Fact.LOST: (logging.WARNING, "stream %s of %s to %s is lost: nobody can go on with it"),
}
"""A hand-over is said with the turn that begins."""
ENDED_KEPT_S = 60.0
_SILENT_INTERVALS = 3
_ASSEMBLING_PAUSE_S = 0.05
_LOST_KEPT = 64
_STILL_ASSEMBLING = Refused(Reason.OVERDUE, "the engines have yet to tell this director what they send")


class PushSessions:
    """All of them, and which engines they are at."""

    def __init__(self, term: Term, choice: EngineChoice, library: Library) -> None:
        self._term = term
        self._choice = choice
        self._roster = choice.roster
        self._library = library
        self._settling = Settling(term, choice.roster)
        self._conversations: dict[str, Conversation] = {}
        self._at: defaultdict[Address, dict[str, Conversation]] = defaultdict(dict)
        """Those that an engine has in its load."""
        self._questions = count()
        self.lost: deque[SessionFigures] = deque(maxlen=_LOST_KEPT)
        """The last ones with which nobody could go on."""

    # Consoles

    async def play(self, request: Play, host: str) -> Redirect | Refused:
        """Claim 16: look the first segment up, have its engine preload it, and redirect the console there.

        `host` is the one that asks.
        """
        if self._term.standing.superseded:
            return ANOTHER_DIRECTS
        try:
            console = Address.parse(request.console)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        elsewhere = None if self._term.duty.allow_elsewhere else refuse_elsewhere(console, host)
        if elsewhere:
            self._term.counters.refusals += 1
            return elsewhere
        program = await self._library.published(request.program)
        if program is None:
            self._term.counters.refusals += 1
            return self._not_in_service(request.program)
        while isinstance(opened := await self._open(program, request.console), Refused):
            if opened.reason is not Reason.NO_ENGINE or not self._term.is_assembling(_now()):
                self._term.counters.refusals += 1
                return opened
            await asyncio.sleep(_ASSEMBLING_PAUSE_S)
        self._term.counters.sessions_begun += 1
        return opened

    async def watching(self, message: Watching) -> StreamView | Refused:
        """Claim 17: the console is still there, and is told the turns that it does not know."""
        conversation = self._conversations.get(message.session)
        if conversation is None:
            return self._nobodys()
        conversation.hear(ConsoleHeard())
        untold = conversation.record.since(message.known_turn)
        return StreamView(
            session=message.session,
            state=conversation.session.state.shown,
            engine=self._engine(conversation.session.state),
            served=untold.served,
            more=untold.more,
            missing=untold.missing,
        )

    def _nobodys(self) -> Refused:
        """What a console is told of a session that is not known: it may be yet, or to another director."""
        if self._term.standing.superseded:
            return ANOTHER_DIRECTS
        return _STILL_ASSEMBLING if self._term.is_assembling(_now()) else NO_SESSION

    async def list_sessions(self, _: ListSessions) -> Sessions:
        """All sessions, the ended ones of the last minute included."""
        return Sessions(tuple(map(self._view, self._conversations.values())))

    # Engines

    async def next_segment(self, message: NextSegment) -> Next | Refused:
        """Claim 16: the engine nears the end of its segment; locate the next one and name the engine that has it."""
        conversation = self._live(message.session)
        if isinstance(conversation, Refused):
            return conversation
        question = next(self._questions)
        asked = NextAsked(
            question=question,
            turn=message.turn,
            segment=message.segment,
            number=message.number,
            packet=message.packet,
            failed=frozenset(message.failed),
            doubtful=message.doubtful,
        )
        return await conversation.answer(question, asked)

    async def assumed(self, message: Assumed) -> Done | Refused:
        """Claim 16, last step: an engine has assumed the communication of the stream."""
        conversation = self._live(message.session)
        if isinstance(conversation, Refused):
            return conversation
        conversation.hear(TurnAssumed(turn=message.turn, packet=message.packet))
        if conversation.session.sends(message.turn):
            return Done()
        return Refused(Reason.STALE_TURN, f"turn {message.turn} was withdrawn")

    async def stopped(self, message: Stopped) -> Done | Refused:
        """Claim 17: an engine has stopped. If it had to stop short, the stream resumes where it stopped."""
        conversation = self._live(message.session)
        if isinstance(conversation, Refused):
            return Done() if conversation is NO_SESSION else conversation
        conversation.hear(
            TurnStopped(turn=message.turn, cause=message.cause, segment=message.segment, packet=message.packet)
        )
        return Done()

    def report(self, message: Report, engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """Take note of an engine's streams; returns those that it has to stop, or may not start."""
        now = _now()
        clock_us, since_us = message.clock_us, message.since_us
        sent_at = None if clock_us is None or since_us is None else min(now, (clock_us + since_us) / 1e6)
        revoked = self._revoked(message.streams, engine)
        for cursor in message.streams:
            conversation = self._conversations.get(cursor.session)
            if conversation and sent_at is not None and cursor.reach is not None:
                until = sent_at + (cursor.tick_us or 0) / 1e6
                mark = Mark(turn=cursor.turn, segment=cursor.segment, packet=cursor.reach, until=until)
                conversation.hear(SenderReported(mark))
        self._miss({(cursor.session, cursor.turn) for cursor in message.streams}, engine, sent_at)
        return revoked

    def inherit(self, streams: Iterable[RunningStream], engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """An engine enlists: take over the streams that it has from an earlier director.

        Returns those it has to stop, or may not start.
        """
        for stream in streams:
            if stream.phase is not TurnPhase.STOPPED or stream.cursor.session not in self._conversations:
                self._inherit(stream, engine)
        active = (TurnPhase.SENDING, TurnPhase.HANDING_OVER, TurnPhase.UNKNOWN)
        cursors = [stream.cursor for stream in streams if stream.phase in active]
        self._miss({(cursor.session, cursor.turn) for cursor in cursors}, engine, None)
        return self._revoked(cursors, engine)

    def count(self, engine: Address) -> int:
        """Streams that an engine sends."""
        senders = (conversation.session.state.sender for conversation in self._at.get(engine, {}).values())
        return sum(1 for sender in senders if sender and sender.engine == engine)

    def lose_engine(self, engine: Address, boot: str, *, gone: bool) -> None:
        """An engine has fallen silent: its streams resume elsewhere.

        If its lease is over too, or a new boot took its place, it is `gone` and has forgotten what it preloaded.
        """
        for conversation in list(self._at.get(engine, {}).values()):
            conversation.hear(EngineLost(engine=engine, boot=boot, gone=gone))

    # The director

    def look_round(self) -> None:
        """End the sessions whose console has fallen silent; forget the ended ones after a minute.

        A late `ASSUMED` may have made a sender of an engine that was struck off meanwhile: it is lost once more.
        """
        now = _now()
        for name, conversation in list(self._conversations.items()):
            sender = conversation.session.state.sender
            if sender and not self._roster.knows(sender.engine, sender.boot):
                conversation.hear(EngineLost(engine=sender.engine, boot=sender.boot, gone=True))
            conversation.hear(LookedRound())
            state = conversation.session.state
            if isinstance(state, Ended) and now - state.at > ENDED_KEPT_S:
                del self._conversations[name]

    def figures(self) -> tuple[SessionFigures, ...]:
        """Each session that has not ended."""
        return tuple(self._figures(each, each.session.state) for each in self._conversations.values() if not each.ended)

    @property
    def live(self) -> int:
        """Sessions that have not ended."""
        return sum(1 for conversation in self._conversations.values() if not conversation.ended)

    def give_up(self) -> None:
        """Another director has been appointed: leave all streams to it."""
        for conversation in self._conversations.values():
            conversation.hear(GaveUp())

    # The parts of it

    async def _open(self, program: Program, console: str) -> Redirect | Refused:
        name = new_session_id(self._term.rng)
        terms = SessionTerms(
            session=name,
            program=program,
            console=console,
            patience_s=self._patience_s,
            lease_s=self._term.lease_s,
        )
        conversation = self._begin(terms, _now())
        conversation.hear(PlayAsked())
        turn = await conversation.opened
        if isinstance(turn, Refused):
            del self._conversations[name]
            return turn
        return Redirect(
            session=name,
            turn=turn.number,
            engine=str(self._roster.media(turn.engine)),
            ticket=self._term.tickets.sign(name, program.name),
            program=program.header,
            first=program.segments[0],
            report_interval_ms=self._term.duty.intervals.watching_ms,
        )

    def _begin(self, terms: SessionTerms, heard_at: float) -> Conversation:
        conversation = self._conversations[terms.session] = Conversation(
            Session(terms, heard_at),
            term=self._term,
            choice=self._choice,
            settling=self._settling,
            moved=self._moved,
            counted=self._counted,
        )
        return conversation

    @property
    def _patience_s(self) -> float:
        return self._term.duty.intervals.watching_ms * _SILENT_INTERVALS / 1000

    def _live(self, name: str) -> Conversation | Refused:
        if self._term.standing.superseded:
            return ANOTHER_DIRECTS
        conversation = self._conversations.get(name)
        return conversation if conversation and not conversation.ended else NO_SESSION

    def _revoked(self, cursors: Iterable[StreamCursor], engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """What an engine is not to send, or to begin sending.

        A turn whose end is being found out is named whether or not the engine did: it may not hear `CEASE`, and could
        otherwise renew its lease without a word of a turn that it starts only later.
        """
        settling = (each.session.state.settling for each in self._at.get(engine.address, {}).values())
        named = zip(self._at.get(engine.address, {}), settling, strict=True)
        revoked = [
            StreamCursor(session=name, turn=turn.number, segment=turn.segment, packet=turn.packet)
            for name, turn in named
            if turn and turn.engine == engine.address
        ]
        for cursor in cursors:
            conversation = self._conversations.get(cursor.session)
            if conversation:
                # Whoever speaks of a turn as its sender has assumed it, if its `ASSUMED` has yet to come.
                conversation.hear(TurnAssumed(turn=cursor.turn))
            if conversation is None or not conversation.session.sends(cursor.turn):
                revoked.append(cursor)
        return tuple(revoked)

    def _miss(self, named: Collection[tuple[str, int]], engine: EngineRecord, sent_at: float | None) -> None:
        """Tell each session that this engine should be sending, and has not named.

        `sent_at`: when it can have said so at the earliest; None where that is not known.
        """
        for name, conversation in list(self._at.get(engine.address, {}).items()):
            state = conversation.session.state
            sender = state.sender
            if sender and sender.engine == engine.address and (name, sender.number) not in named:
                answers = all(self._roster.answers(turn.engine, turn.boot) for turn in state.turns[1:])
                conversation.hear(SenderUnnamed(next_answers=answers, sent_at=sent_at))

    def _inherit(self, stream: RunningStream, engine: EngineRecord) -> None:
        conversation = self._conversations.get(stream.cursor.session)
        if conversation is None:
            program = self._library.at_hand(stream.program)
            if program is None or not _is_of(stream, program):
                return
            terms = SessionTerms(
                session=stream.cursor.session,
                program=program,
                console=stream.console,
                patience_s=self._patience_s,
                lease_s=self._term.lease_s,
                first_own_turn=first_own_turn(stream, self._term.epoch),
                leases_end_at=self._term.began_at + self._term.lease_s,
            )
            conversation = self._begin(terms, _now() + FOUND_WITHIN_S)
        elif not conversation.session.may_have_gone_on_in(stream.cursor.turn):
            return
        if not _is_of(stream, conversation.session.terms.program):
            return
        conversation.hear(inherited(stream, engine.address, engine.boot, _now()))

    def _not_in_service(self, program: str) -> Refused:
        if self._library.is_in_service(program):
            return Refused(Reason.NOT_HERE, f"nobody who can be reached has the segment table of {program}")
        if self._library.is_known(program):
            return Refused(Reason.NOT_PUBLISHED, f"program {program} is not published yet")
        return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program}")

    def _moved(self, conversation: Conversation, before: frozenset[Address]) -> None:
        """Let the load of the engines follow who holds, or is offered, a stream."""
        self._roster.charges.put(conversation.name, conversation.charges)
        for engine in conversation.charged - before:
            self._at[engine][conversation.name] = conversation
        for engine in before - conversation.charged:
            del self._at[engine][conversation.name]
            if not self._at[engine]:
                del self._at[engine]

    def _counted(self, conversation: Conversation, fact: Fact, state: State) -> None:
        counters = self._term.counters
        if fact in _SAID:
            name, program = conversation.name, conversation.session.terms.program.name
            logger.log(*_SAID[fact], name, program, conversation.session.terms.console)
        match fact:
            case Fact.HANDED_OVER:
                counters.hand_overs += 1
            case Fact.SENDER_LOST:
                counters.streams_lost += 1
            case Fact.RESUMED:
                counters.take_overs += 1
            case Fact.ENDED:
                counters.sessions_ended += not self._term.standing.superseded
            case Fact.LOST:
                counters.sessions_lost += 1
                self.lost.append(self._figures(conversation, state))

    def _figures(self, conversation: Conversation, state: State) -> SessionFigures:
        """A session, for whoever manages the network."""
        turn = next(iter(state.turns), None)
        record = self._roster.get(turn.engine) if turn else None
        terms = conversation.session.terms
        return SessionFigures(
            session=terms.session,
            push=True,
            state=state.shown.value,
            program=terms.program.name,
            console=terms.console,
            engine_slot=record.slot if record else 0,
            segment=turn.segment if turn else 0,
            turns=conversation.record.count,
        )

    def _view(self, conversation: Conversation) -> SessionView:
        """A session for others."""
        state, terms = conversation.session.state, conversation.session.terms
        return SessionView(
            session=terms.session,
            program=terms.program.name,
            state=state.shown,
            engine=self._engine(state),
            present=conversation.record.present,
            turns=conversation.record.count,
        )

    def _engine(self, state: State) -> str | None:
        """Media address of who streams, or streamed last."""
        last = state.last if isinstance(state, Ended) else next(iter(state.turns), None)
        return str(self._roster.media(last.engine)) if last else None


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_of(stream: RunningStream, program: Program) -> bool:
    """Whether a stream is one of this cut, and at a segment of it."""
    return stream.table == program.header.table and stream.cursor.segment < len(program.segments)
