"""The pushed sessions of a station: what consoles and engines say, and what the director notices, as their events."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from heapq import nsmallest
from itertools import count

from msgspec.structs import replace

from blade_agent.main_board.asking_host import refuse_elsewhere
from blade_agent.main_board.director.admission import Admission, Guest
from blade_agent.main_board.director.conversations.conversation import Conversation
from blade_agent.main_board.director.conversations.exchanging import Exchanging
from blade_agent.main_board.director.conversations.inheritance import FOUND_WITHIN_S, inherited
from blade_agent.main_board.director.conversations.rtp_receivers import RtpReceivers
from blade_agent.main_board.director.conversations.session_notes import SessionNotes
from blade_agent.main_board.director.conversations.settling import Settling
from blade_agent.main_board.director.conversations.steering import Steering
from blade_agent.main_board.director.conversations.stream_reports import StreamReports
from blade_agent.main_board.director.conversations.terms_of_sessions import terms_inherited, terms_wanted
from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.sessions.events import (
    ConsoleHeard,
    EngineLost,
    GaveUp,
    LookedRound,
    NextAsked,
    PauseInherited,
    PlayAsked,
    TurnAssumed,
    TurnStopped,
)
from blade_agent.main_board.director.sessions.position import is_within
from blade_agent.main_board.director.sessions.refusals import ANOTHER_DIRECTS, NO_SESSION
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.session_id import new_session_id
from blade_agent.main_board.director.sessions.session_terms import SessionTerms
from blade_agent.main_board.director.sessions.states import Ended
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.http.asker import Asker
from media_network.messages.enlisting import RunningStream, TurnPhase
from media_network.messages.steering import Bookmark
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
from media_network.messages.watching import ListSessions, Sessions, StreamView, Watching
from media_network.program import Program
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

ENDED_KEPT_S = 60.0
_AGAIN_AFTER_S = 0.05
_BROUGHT_WITHIN_S = 2.0
"""So long a console waits for the first bytes of a segment that is brought from elsewhere; then it asks again."""
_COMES = frozenset({Reason.NO_ENGINE, Reason.AT_CAPACITY})
"""Refusals for want of an engine: one may come to have the segment."""
_STILL_ASSEMBLING = Refused(Reason.OVERDUE, "the engines have yet to tell this director what they send")


class PushSessions:
    """All of them, and which engines they are at."""

    def __init__(self, term: Term, choice: EngineChoice, library: Library, admission: Admission) -> None:
        self._term = term
        self._admission = admission
        self._choice = choice
        self._roster = choice.roster
        self._library = library
        self._settling = Settling(term, choice.roster)
        self.steering = Steering(term, self._may_ask_for_others, self._steered, self._inherit_paused)
        """What consoles want of their streams."""
        self._conversations: dict[str, Conversation] = {}
        self._at: defaultdict[Address, dict[str, Conversation]] = defaultdict(dict)
        """Those that an engine has in its load."""
        self._exchanging = Exchanging(choice, self._at)
        self._questions = count()
        self._notes = SessionNotes(term, choice.roster)
        self.reports = StreamReports(choice.roster, self._conversations, self._at)
        """What engines say of those they send."""
        self.receivers = RtpReceivers(self._conversations)
        """What receivers of RTP streams say."""

    # Consoles

    async def play(self, request: Play, asker: Asker) -> Redirect | Refused:
        """Claim 16: look the first segment up, have its engine preload it, and redirect the console there.

        `host` is the one that asks.
        """
        if self._term.standing.superseded:
            return ANOTHER_DIRECTS
        try:
            console = Address.parse(request.console)
        except ValueError as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        guest = await self._admitted(request, console, asker.host)
        if isinstance(guest, Refused):
            return guest
        program = await self._library.published(request.program)
        if program is None:
            self._term.counters.refusals += 1
            return self._library.why_not(request.program)
        wanted = terms_wanted(self._term, request, program)
        opened = wanted if isinstance(wanted, Refused) else await self._open_in_time(wanted)
        if isinstance(opened, Refused):
            self._term.counters.refusals += 1
        else:
            self._term.counters.sessions_begun += 1
            self._admission.note(guest, opened.session, program.name, push=True)
        return opened

    async def _admitted(self, request: Play, console: Address, host: str) -> Guest | Refused:
        """Who asks, or what there is against them."""
        elsewhere = refuse_elsewhere(console, host)
        if elsewhere and not self._may_ask_for_others(host):
            self._term.counters.refusals += 1
            return elsewhere
        return await self._admission.admit(request.token, request.program)

    def _may_ask_for_others(self, host: str) -> bool:
        """Whether streams are sent to other hosts than this one, which asks. A blade of the station asks for players
        that speak RTSP to it, and sees to where their streams go."""
        duty = self._term.duty
        return duty.allow_elsewhere or host == duty.address.host or self._roster.is_host_of(host)

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
            engine=self._notes.engine(conversation.session.state),
            served=untold.served,
            more=untold.more,
            missing=untold.missing,
            receiver_ms=None if conversation.received_at is None else round((_now() - conversation.received_at) * 1000),
        )

    def _steered(self, name: str) -> Conversation | Refused:
        """The session that a console wants something of."""
        conversation = self._live(name)
        return conversation if conversation is not NO_SESSION else self._nobodys()

    async def _inherit_paused(self, name: str, bookmark: Bookmark) -> Conversation | Refused:
        """A session that only the director before knew, for it was paused; its console has shown its ticket.

        Before the leases of the term before have ended an engine may have it that has yet to enlist.
        """
        if _now() < self._term.began_at + self._term.lease_s:
            return _STILL_ASSEMBLING
        program = await self._library.get(bookmark.program)
        if program is None or program.header.table != bookmark.table:
            return Refused(Reason.NOT_HERE, f"the segment table of {bookmark.program} is not here")
        places = [place for place in (bookmark.place, bookmark.left) if place]
        if not all(is_within(program, (place.segment, place.packet)) for place in places):
            return Refused(Reason.NO_SUCH_RANGE, "the program has no such packet")
        if known := self._conversations.get(name):
            return known  # it was asked for twice
        known_turn, rtp = bookmark.known_turn, bookmark.rtp
        terms = terms_inherited(self._term, name, program, bookmark.console, known_turn=known_turn, rtp=rtp)
        conversation = self._begin(terms, _now())
        left = (bookmark.left.segment, bookmark.left.packet) if bookmark.left else None
        position = bookmark.place.segment, bookmark.place.packet
        conversation.hear(PauseInherited(position=position, left=left))
        return conversation

    def _nobodys(self) -> Refused:
        """What a console is told of a session that is not known: it may be yet, or to another director."""
        if self._term.standing.superseded:
            return ANOTHER_DIRECTS
        return _STILL_ASSEMBLING if self._term.is_assembling(_now()) else NO_SESSION

    async def list_sessions(self, asked: ListSessions) -> Sessions:
        """A page of the sessions, the ended ones of the last minute included."""
        following = nsmallest(asked.limit + 1, (name for name in self._conversations if name > asked.after))
        page = following[: asked.limit]
        shown = tuple(self._notes.view(self._conversations[name]) for name in page)
        return Sessions(shown, more=len(following) > len(page))

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
            foreseen=message.underrun is not None,
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

    def inherit(self, streams: Iterable[RunningStream], engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """An engine enlists: take over the streams that it has from an earlier director.

        Returns those it has to stop, or may not start.
        """
        for stream in streams:
            if stream.phase is not TurnPhase.STOPPED or stream.cursor.session not in self._conversations:
                self._inherit(stream, engine)
        active = (TurnPhase.SENDING, TurnPhase.HANDING_OVER, TurnPhase.UNKNOWN)
        cursors = [stream.cursor for stream in streams if stream.phase in active]
        self.reports.miss({(cursor.session, cursor.turn) for cursor in cursors}, engine, None)
        return self.reports.revoked(cursors, engine)

    # The director

    def look_round(self) -> None:
        """End the sessions whose console has fallen silent; forget the ended ones after a minute.

        A late `ASSUMED` may have made a sender of an engine that was struck off meanwhile: it is lost once more.
        """
        now = _now()
        for conversation in list(self._conversations.values()):
            sender = conversation.session.state.sender
            if sender and not self._roster.knows(sender.engine, sender.boot):
                conversation.hear(EngineLost(engine=sender.engine, boot=sender.boot, gone=True))
            conversation.hear(LookedRound())
            state = conversation.session.state
            if isinstance(state, Ended) and now - state.at > ENDED_KEPT_S:
                self._forget(conversation)

    def figures(self) -> tuple[SessionFigures, ...]:
        """Each session that has not ended."""
        return tuple(
            self._notes.figures(each, each.session.state) for each in self._conversations.values() if not each.ended
        )

    @property
    def lost(self) -> Collection[SessionFigures]:
        """The last ones with which nobody could go on."""
        return self._notes.lost

    @property
    def live(self) -> int:
        """Sessions that have not ended."""
        return sum(1 for conversation in self._conversations.values() if not conversation.ended)

    def watched(self, program: ProgramId) -> int:
        """Sessions of a program that have not ended."""
        sessions = (each.session.terms.program.name for each in self._conversations.values() if not each.ended)
        return sum(name == program for name in sessions)

    def give_up(self) -> None:
        """Another director has been appointed: leave all streams to it."""
        for conversation in self._conversations.values():
            conversation.hear(GaveUp())

    # The parts of it

    async def _open_in_time(self, wanted: SessionTerms) -> Redirect | Refused:
        """Open a session; who asks waits while engines have yet to say what they hold, and for the first bytes of what
        has to be brought from another station (claim 14), or to another engine (claim 19)."""
        wait_until = _now() + _BROUGHT_WITHIN_S
        while isinstance(opened := await self._open(wanted), Refused):
            if opened.reason not in _COMES:
                return opened
            if await self._term.has_more_to_hear():
                continue
            if refused := await self._comes(wanted, opened):
                return refused
            if _now() > wait_until:
                return opened
            await asyncio.sleep(_AGAIN_AFTER_S)
        return opened

    async def _comes(self, wanted: SessionTerms, opened: Refused) -> Refused | None:
        """Wait until the first segment is at an engine that may send it. None: it may be; else why not."""
        program, (segment, _) = wanted.program, wanted.begins
        if opened.reason is Reason.AT_CAPACITY:
            return await self._choice.relieved(program, segment)
        return await self._choice.bring(program, segment)

    async def _open(self, wanted: SessionTerms) -> Redirect | Refused:
        program = wanted.program
        if refused := self._library.refusal(program.name):
            return refused
        name = new_session_id(self._term.rng)
        conversation = self._begin(replace(wanted, session=name), _now())
        conversation.hear(PlayAsked())
        turn = await conversation.opened
        if isinstance(turn, Refused):
            self._forget(conversation)
            return turn
        return Redirect(
            session=name,
            turn=turn.number,
            engine=str(self._roster.media(turn.engine)),
            ticket=self._term.tickets.sign(name, program.name),
            program=program.header,
            first=program.segments[turn.segment],
            before=program.segments.before(turn.segment).packets,
            rtp=turn.rtp,
            report_interval_ms=self._term.duty.intervals.watching_ms,
        )

    def _begin(self, terms: SessionTerms, heard_at: float) -> Conversation:
        conversation = self._conversations[terms.session] = Conversation(
            Session(terms, heard_at),
            term=self._term,
            choice=self._choice,
            settling=self._settling,
            moved=self._moved,
            counted=self._notes.count,
            exchanged=self._exchanging.seek,
        )
        self.receivers.know(terms)
        return conversation

    def _forget(self, conversation: Conversation) -> None:
        del self._conversations[conversation.name]
        self.receivers.forget(conversation.session.terms)

    def _live(self, name: str) -> Conversation | Refused:
        if self._term.standing.superseded:
            return ANOTHER_DIRECTS
        conversation = self._conversations.get(name)
        return conversation if conversation and not conversation.ended else NO_SESSION

    def _inherit(self, stream: RunningStream, engine: EngineRecord) -> None:
        conversation = self._conversations.get(stream.cursor.session)
        if conversation is None:
            program = self._library.at_hand(stream.program)
            if program is None or not _is_of(stream, program):
                return
            name, known_turn, rtp = stream.cursor.session, stream.cursor.turn, stream.rtp
            terms = terms_inherited(self._term, name, program, stream.console, known_turn=known_turn, rtp=rtp)
            conversation = self._begin(terms, _now() + FOUND_WITHIN_S)
        elif not conversation.session.may_have_gone_on_in(stream.cursor.turn):
            return
        if not _is_of(stream, conversation.session.terms.program):
            return
        conversation.hear(inherited(stream, engine.address, engine.boot, _now()))

    def _moved(self, conversation: Conversation, before: frozenset[Address]) -> None:
        """Let the load of the engines follow who holds, or is offered, a stream."""
        self._roster.charges.put(conversation.name, conversation.charges)
        for engine in conversation.charged - before:
            self._at[engine][conversation.name] = conversation
        for engine in before - conversation.charged:
            del self._at[engine][conversation.name]
            if not self._at[engine]:
                del self._at[engine]


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_of(stream: RunningStream, program: Program) -> bool:
    """Whether a stream is one of this cut, and at a segment of it."""
    return stream.table == program.header.table and stream.cursor.segment < len(program.segments)
