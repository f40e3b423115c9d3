"""A pushed session: a console's claim on a stream, from its request to its end (claims 16 and 17).

Pure: an event and the time come in, effects go out, and everything between is in the state. Never two senders: a turn
is given once, and a new one only when the sender of the one before has said that it is done, has been made to cease, or
can no longer be sending. Never a packet twice: what a lost sender may have sent is skipped. A pause and a seek end a
turn as a loss does, and go on with another: what differs is where, and when.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from blade_agent.main_board.director.sessions.aim import Aim
from blade_agent.main_board.director.sessions.course import NORMAL, Course, packets_before
from blade_agent.main_board.director.sessions.effects import (
    BeginTurn,
    CeaseTurn,
    Count,
    Effect,
    Effects,
    Fact,
    GetReady,
    NameNext,
    RedirectConsole,
    RefuseNext,
    SeekEngine,
    SettleTurn,
    SuspectEngine,
    TurnAway,
    TurnTaken,
    WakeAt,
)
from blade_agent.main_board.director.sessions.events import (
    ConsoleHeard,
    EndAsked,
    EngineFound,
    EngineLost,
    Event,
    ExchangeAsked,
    GaveUp,
    GotReady,
    LookedRound,
    NextAsked,
    NobodyFound,
    NotReady,
    PauseAsked,
    PauseInherited,
    PlayAsked,
    ResumeAsked,
    ScaleAsked,
    SeekAsked,
    SenderReported,
    SenderUnnamed,
    Sought,
    StartAnswered,
    Superseded,
    TurnAssumed,
    TurnInherited,
    TurnSettled,
    TurnStopped,
    Woken,
)
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.position import Position, end_of
from blade_agent.main_board.director.sessions.reach import furthest, past_mark, past_turn
from blade_agent.main_board.director.sessions.states import (
    AnyState,
    AwaitingEnlistment,
    AwaitingLeases,
    Doubting,
    Ended,
    Left,
    Opening,
    Paused,
    Readying,
    Redirected,
    Resuming,
    Seeking,
    SettlingNext,
    SettlingSender,
    SettlingStart,
    Starting,
    Streaming,
)
from blade_agent.main_board.director.sessions.table import TABLE
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.messages.streaming import Ceased, StopCause
from media_network.program import Program
from media_network.refusal import Reason, Refused

_SEEK_PAUSE_S = 0.25
_ASK_WITHIN_S = 15.0
"""How long a console may take to ask the engine that it was redirected to: no preload lasts so long."""

NO_SESSION = Refused(Reason.UNKNOWN_SESSION, "the session has ended, or was never here")
_NOBODY_GOT_READY = Refused(Reason.NO_ENGINE, "no engine got ready for it in time")
ANOTHER_DIRECTS = Refused(Reason.WRONG_ROLE, "the station has another director")
_GOES_ON_ELSEWHERE = Refused(Reason.ASSUMED, "the stream goes on at another engine")


class SessionTerms(Struct, frozen=True, kw_only=True):
    """What does not change as long as a session lasts. Times are the event loop's, in seconds."""

    session: str
    program: Program
    console: str
    """Where the datagrams go, `host:port`."""
    patience_s: float
    """How long its console may be silent."""
    lease_s: float
    """How long an engine may send that is not heard of any more."""
    pause_s: float
    """How long it may be paused."""
    first_own_turn: int = 1
    """Turns of a lower number were given by an earlier director."""
    leases_end_at: float = 0.0
    """When the last lease of the term before has ended."""


class _Settlement(Struct, frozen=True):
    """How a turn ended. `position` is the first packet that certainly nobody has sent; None past the program's end."""

    sent: bool
    position: Position | None


class Session:
    """A console that a program is pushed to."""

    def __init__(self, terms: SessionTerms, heard_at: float) -> None:
        """Before its first event nobody has asked for it. `heard_at`: when its console was last heard of."""
        self.terms = terms
        self.state: AnyState = Opening()
        self.heard_at = heard_at
        self._turns_given = terms.first_own_turn if terms.first_own_turn > 1 else 0
        self._asked = (0, 0)
        """Turn and number of the newest question."""
        self._mark: Mark | None = None
        """How far the stream can have got since its sender, or the one before, reported last."""

    def on(self, event: Event, now: float) -> Effects:
        """Take an event; give what is to be done. The table says where it may lead from here."""
        before = self.state
        effects = self._HANDLERS[type(event)](self, event, now)
        ways = TABLE[type(before)][type(event)]
        assert type(self.state) in ways, f"{before} has gone to {self.state} on {event}"  # noqa: S101 -- the core's own
        return effects

    def sends(self, turn: int) -> bool:
        """Whether the turn of this number is the one that is being sent."""
        return self.state.sender is not None and self.state.sender.number == turn

    def may_have_gone_on_in(self, turn: int) -> bool:
        """Whether an engine that enlists may have the stream in a turn that the director before has offered it."""
        if isinstance(self.state, Ended | Paused) or turn >= self.terms.first_own_turn:
            return False
        sent = self.state.turns[0].number if not isinstance(self.state, Opening | Redirected) else 0
        return turn > sent

    # What the events mean

    def _play_asked(self, _: PlayAsked, _now: float) -> Effects:
        return (SeekEngine(Sought(segment=0, packet=0)),)

    def _found(self, event: EngineFound, now: float) -> Effects:
        sought = event.sought
        match self.state:
            case Opening(tried=tried):
                turn = self._give(event, now)
                self.state = Opening(offered=turn, tried=tried | {event.engine})
                return (GetReady(turn=turn, redirected=True),)
            case Seeking(lost=lost, tried=tried, aim=aim):
                turn = self._give(event, now)
                self.state = Readying(lost=lost, next=turn, tried=tried | {event.engine}, aim=aim)
                return (GetReady(turn=turn, redirected=False),)
            case Streaming(next=known) as state if sought.asked:
                # Of questions that waited together, the first was answered just now.
                turn = known if _is_for(known, sought) else self._give(event, now)
                self.state = replace(state, next=turn)
                return (NameNext(asked=sought.asked, next=turn),)
        raise AssertionError(f"nobody was sought in {self.state}")

    def _nobody_found(self, event: NobodyFound, now: float) -> Effects:
        match self.state:
            case Opening():
                self.state = Ended(at=now, last=None)
                return (TurnAway(event.refused),)
            case Seeking() as seeking:
                self.state = replace(seeking, tried=frozenset())
                return (WakeAt(now + _SEEK_PAUSE_S),)
            case Streaming() as state if event.sought.asked:
                self.state = replace(state, next=None)
                return (RefuseNext(asked=event.sought.asked, refused=event.refused),)
        raise AssertionError(f"nobody was sought in {self.state}")

    def _got_ready(self, event: GotReady, now: float) -> Effects:
        match self.state:
            case Opening(offered=GivenTurn(number=event.turn) as turn):
                self.state = Redirected(offered=turn)
                self.heard_at = now
                return (RedirectConsole(turn),)
            case Readying(lost=lost, next=turn, aim=aim) if turn.number == event.turn:
                self.state = Starting(lost=lost, next=turn, aim=aim)
                return (BeginTurn(turn),)
        return ()

    def _not_ready(self, event: NotReady, now: float) -> Effects:
        match self.state:
            case Opening(offered=GivenTurn(number=event.turn), tried=tried):
                self.state = Opening(tried=tried)
                return (SeekEngine(Sought(segment=0, packet=0, excluded=tried)),)
            case Readying(next=turn, tried=tried) as state if turn.number == event.turn:
                return self._seek(self._sought_again(state, turn, tried), now)
        return ()

    def _start_answered(self, event: StartAnswered, now: float) -> Effects:
        match self.state, event.outcome:
            case Starting(next=turn), StartOutcome.TAKEN if turn.number == event.turn:
                return self._assume(turn, turn.packet, now)
            case Starting(next=turn) as state, StartOutcome.DOUBTFUL if turn.number == event.turn:
                return self._settle_start(state, state.aim)
            case Starting(next=turn) as state, StartOutcome.REFUSED if turn.number == event.turn:
                return self._seek(self._sought_again(state, turn), now)
        return ()

    def _assumed(self, event: TurnAssumed, now: float) -> Effects:
        offer = self.state.offer
        if offer is None or offer.number != event.turn:
            return ()
        return self._assume(offer, offer.packet if event.packet is None else event.packet, now)

    def _next_asked(self, event: NextAsked, now: float) -> Effects:
        heard = self._assumed(TurnAssumed(turn=event.turn), now)
        if (event.turn, event.number) < self._asked:
            return (*heard, RefuseNext(asked=event, refused=_stale(event.turn)))
        self._asked = event.turn, event.number
        match self.state:
            case Streaming(holder=holder, heard_at=heard_at, next=GivenTurn() as doubted, unsettled_until=until) if (
                holder.number == event.turn and str(doubted.engine) == event.doubtful
            ):
                self.state = Doubting(
                    holder=holder, heard_at=heard_at, doubted=doubted, unsettled_until=until, asked=(event,)
                )
                return (*heard, SettleTurn(doubted))
            case Streaming(holder=holder, next=known) if (
                event.doubtful and holder.number == event.turn < self.terms.first_own_turn
            ):
                until = self.terms.leases_end_at
                self.state = AwaitingEnlistment(holder=holder, next=known, until=until, asked=(event,))
                return (*heard, WakeAt(until))
            case Doubting(asked=asked) | AwaitingEnlistment(asked=asked) as state if self.sends(event.turn):
                self.state = replace(state, asked=(*asked, event))
                return heard
        return (*heard, *self._name_next(event))

    def _exchange_asked(self, event: ExchangeAsked, now: float) -> Effects:
        """Claim 22: offer the stream, where it is, to the engine that gives another for it. Who sends it goes on until
        that one has begun here; if it never does, the offer is withdrawn with the next question."""
        match self.state:
            case Streaming(holder=holder, next=None, unsettled_until=None) as state:
                # Whoever is lost with it has begun no further on than the sender can be by now.
                packet = max(holder.packet, furthest(self.terms.program, holder, self._mark, now))
                if packet < holder.course.packets(self.terms.program, holder.segment):
                    sought = Sought(segment=holder.segment, packet=packet, course=holder.course)
                    found = EngineFound(sought=sought, engine=event.engine, boot=event.boot)
                    self.state = replace(state, next=self._give(found, now))
        return ()

    def _stopped(self, event: TurnStopped, now: float) -> Effects:
        heard = self._assumed(TurnAssumed(turn=event.turn), now)
        holder = self.state.sender
        if holder is None or holder.number != event.turn:
            return heard
        if event.cause is StopCause.END_OF_PROGRAM and holder.course.scale < 0:
            return (*heard, *self._rest(holder, now))
        if event.cause in (StopCause.END_OF_PROGRAM, StopCause.CEASED, StopCause.UNKNOWN):
            return (*heard, *self._end(Fact.ENDED, now, *self.state.turns[1:]))
        position = holder.course.place(self.terms.program, event.segment, event.packet)
        return (*heard, *self._lose(now, _Settlement(sent=True, position=position)))

    def _reported(self, event: SenderReported, _now: float) -> Effects:
        if self.sends(event.mark.turn):
            self._mark = event.mark
            if isinstance(self.state, Streaming):
                self.state = replace(self.state, unnamed_since=None)
        return ()

    def _unnamed(self, event: SenderUnnamed, now: float) -> Effects:
        """The engine has handed over to another that may yet say so, or has not got the stream any more."""
        match self.state:
            case Streaming(next=GivenTurn()) | AwaitingEnlistment(next=GivenTurn()) | Doubting() if (
                not event.next_answers
            ):
                return self._lose(now)
            case Streaming(holder=holder, next=None, unsettled_until=float(until)):
                # Handed over under the director before, to an engine that never enlisted here.
                return self._lose(now) if holder.number < self.terms.first_own_turn and until < now else ()
            case Streaming(heard_at=heard_at, unnamed_since=since) as state if (
                event.sent_at and event.sent_at > heard_at
            ):
                if state.next is None or (since is not None and now - since > self.terms.lease_s):
                    return self._lose(now)
                self.state = replace(state, unnamed_since=now if since is None else since)
        return ()

    def _engine_lost(self, event: EngineLost, now: float) -> Effects:
        sender, lost = self.state.sender, (event.engine, event.boot)
        if sender and (sender.engine, sender.boot) == lost:
            return self._lose(now)
        match self.state:
            case Redirected(offered=turn) if event.gone and (turn.engine, turn.boot) == lost:
                # Its console learns by itself that its engine is gone, and requests again.
                return self._end(Fact.LOST, now, turn)
        return ()

    def _settled(self, event: TurnSettled, now: float) -> Effects:
        turn = self.state.settling
        if turn is None or turn.number != event.turn:
            return ()
        if isinstance(event.answer, Superseded):
            return self._end(Fact.ENDED, now)
        end = self._settlement(turn, event, now)
        effects: Effects = ()
        match self.state:
            case Doubting(holder=holder, heard_at=heard_at, unsettled_until=until, asked=asked) if not end.sent:
                self.state = Streaming(holder=holder, heard_at=heard_at, unsettled_until=until)
                effects = tuple(effect for question in asked for effect in self._name_next(question))
            case Doubting():
                effects = self._lose(now, end, next_too=False)
            case SettlingSender(unsettled_until=until) as state:
                effects = self._sender_settled(state, until, end, now)
            case SettlingNext(position=position) as state if not end.sent:
                effects = self._go_on_from(state, position, now)
            case SettlingStart(next=unsent) as state if not end.sent:
                effects = self._go_on_from(state, end.position, now, left=unsent.left)
            case SettlingNext() | SettlingStart() as state:
                effects = (*_taken_unheard(turn, event), *self._go_on_from(state, end.position, now))
        return effects

    # What its console wants

    def _pause_asked(self, _: PauseAsked, now: float) -> Effects:
        match self.state:
            case Seeking(lost=lost, position=position, course=course, left=left):
                return self._pause(lost, position, course, left, now)
            case Readying(lost=lost, next=turn):
                return (CeaseTurn(turn), *self._pause(lost, self._begins(turn), turn.course, turn.left, now))
        return self._aim_at(paused=True, scale=1)

    def _resume_asked(self, _: ResumeAsked, now: float) -> Effects:
        match self.state:
            case Paused(last=last, position=position, left=left):
                return self._go(last, position, left, NORMAL, now)
            case SettlingSender() | AwaitingLeases() | SettlingNext() | SettlingStart():
                return self._aim_at(paused=False)
        return ()

    def _seek_asked(self, event: SeekAsked, now: float) -> Effects:
        match self.state:
            case Paused(position=position, left=left) as state:
                self.state = replace(state, position=event.position, left=left or position)
                return ()
            case Seeking(lost=lost, position=position, left=left):
                return self._go(lost, event.position, left or position, NORMAL, now)
            case Readying(lost=lost, next=turn):
                left = turn.left or self._begins(turn)
                return (CeaseTurn(turn), *self._go(lost, event.position, left, NORMAL, now))
        return self._aim_at(to=event.position, scale=1)

    def _scale_asked(self, event: ScaleAsked, now: float) -> Effects:
        """Claim 21, first step. The stream goes on where it is, in a turn of that speed."""
        scale = event.scale
        match self.state:
            case Streaming(holder=turn) | Doubting(holder=turn) | AwaitingEnlistment(holder=turn) if (
                turn.course.scale != scale
            ):
                return self._aim_at(scale=scale)
            case Paused(last=last, position=position, left=left):
                return self._go(last, position, left, self._course(scale, position), now)
            case Seeking() as state:
                return self._change(state, scale, now) if state.course.scale != scale else ()
            case Readying(next=offered) as state if offered.course.scale != scale:
                return (CeaseTurn(offered), *self._change(self._sought_again(state, offered), scale, now))
            case Starting() | SettlingSender() | AwaitingLeases() | SettlingNext() | SettlingStart():
                return self._aim_at(scale=scale, paused=False)
        return ()

    def _end_asked(self, _: EndAsked, now: float) -> Effects:
        return () if isinstance(self.state, Ended | Left) else self._end(Fact.ENDED, now, *self.state.turns)

    def _pause_inherited(self, event: PauseInherited, now: float) -> Effects:
        if isinstance(self.state, Opening):
            self.state = Paused(last=None, position=event.position, left=event.left, since=now)
        return ()

    def _aim_at(self, **wanted: Any) -> Effects:
        """Go on as is wanted when it is certain where the stream has stopped: have it stop, unless it does already."""
        match self.state:
            case Streaming() | Doubting() | AwaitingEnlistment():
                return self._halt(Aim(ordered=True, **wanted))
            case Starting(aim=aim) as state:
                return self._settle_start(state, replace(aim, ordered=True, **wanted))
            case SettlingSender(aim=aim) | AwaitingLeases(aim=aim) | SettlingNext(aim=aim) | SettlingStart(aim=aim):
                self.state = replace(self.state, aim=replace(aim, **wanted))
        return ()

    def _halt(self, aim: Aim) -> Effects:
        """Have the sender stop, and whoever was named as its next one not begin."""
        asked = self._waiting()
        match self.state:
            case Streaming(holder=lost, next=withdrawn, unsettled_until=until):
                pass
            case Doubting(holder=lost, doubted=withdrawn, unsettled_until=until):
                pass
            case AwaitingEnlistment(holder=lost, next=withdrawn, until=until):
                pass
            case _:
                return ()
        self.state = SettlingSender(lost=lost, withdrawn=withdrawn, unsettled_until=until, aim=aim)
        return (*_refused(asked, _GOES_ON_ELSEWHERE), SettleTurn(lost))

    def _console_heard(self, _: ConsoleHeard, now: float) -> Effects:
        if not isinstance(self.state, Ended):
            self.heard_at = max(self.heard_at, now)
        return ()

    def _looked_round(self, _: LookedRound, now: float) -> Effects:
        if isinstance(self.state, Redirected) and now - self.state.offered.given_at > _ASK_WITHIN_S:
            return self._end(Fact.ENDED, now, *self.state.turns)
        if isinstance(self.state, Paused) and now - self.state.since > self.terms.pause_s:
            return self._end(Fact.ENDED, now)
        if isinstance(self.state, Ended | Left) or now - self.heard_at <= self.terms.patience_s:
            return ()
        waited = isinstance(self.state, Opening | Resuming)
        return self._end(Fact.LOST if waited else Fact.ENDED, now, *self.state.turns)

    def _woken(self, _: Woken, now: float) -> Effects:
        match self.state:
            case Seeking() as state:
                return self._seek(state, now)
            case AwaitingLeases(until=until) as state if now >= until:
                return self._next_is_settled(state, self._past_whatever_followed(now), now)
            case AwaitingEnlistment(until=until) if now >= until:
                return self._lose(now, _Settlement(sent=True, position=self._past_whatever_followed(now)))
        return ()

    def _inherited(self, event: TurnInherited, now: float) -> Effects:
        if event.preloaded:
            match self.state:
                case Redirected(offered=known) if known.number >= event.turn.number:
                    pass  # its console was told a later one
                case Opening() | Redirected():
                    self.state = Redirected(offered=event.turn)
            return ()
        if not isinstance(
            self.state, Opening | Redirected | Streaming | AwaitingEnlistment | SettlingSender | AwaitingLeases
        ):
            return ()  # every lease of the term before has ended
        self._mark = event.mark
        until = self.terms.leases_end_at if event.handing_over else None
        return self._assume(event.turn, event.first_packet, now, unsettled_until=until)

    def _gave_up(self, _: GaveUp, now: float) -> Effects:
        if isinstance(self.state, Opening):
            self.state = Ended(at=now, last=None)
            return (TurnAway(ANOTHER_DIRECTS),)
        if isinstance(self.state, Ended):
            return ()
        asked = self._waiting()
        self.state = Left(last=self.state.turns)
        return _refused(asked, ANOTHER_DIRECTS)

    # The parts of it

    def _give(self, found: EngineFound, now: float) -> GivenTurn:
        """Number the next turn."""
        self._turns_given += 1
        return GivenTurn(
            number=self._turns_given,
            engine=found.engine,
            boot=found.boot,
            segment=found.sought.segment,
            packet=found.sought.packet,
            given_at=now,
            left=found.sought.left,
            course=found.sought.course,
            exchange=found.exchange,
        )

    def _assume(self, turn: GivenTurn, packet: int, now: float, *, unsettled_until: float | None = None) -> Effects:
        """An engine has the stream."""
        before, asked = self.state, self._waiting()
        self.state = Streaming(holder=turn, heard_at=now, unsettled_until=unsettled_until)
        taken: Effects = (TurnTaken(turn=turn, packet=packet), *_refused(asked, _GOES_ON_ELSEWHERE))
        match before:
            case Starting(aim=aim):
                return (*taken, Count(Fact.WENT_ON if aim.ordered else Fact.RESUMED))
            case Opening() | Redirected():
                return taken
            case SettlingSender(aim=aim) | AwaitingLeases(aim=aim) if (
                aim.paused or aim.to is not None or aim.scale not in (None, turn.course.scale)
            ):
                return (*taken, Count(Fact.HANDED_OVER), *self._halt(aim))
        return (*taken, Count(Fact.HANDED_OVER))

    def _name_next(self, asked: NextAsked) -> Effects:
        """Answer the sender: with the same offer again, unless it failed, or with one that has yet to be found."""
        if not isinstance(self.state, Streaming):
            return self._refuse(asked)
        holder, known = self.state.holder, self.state.next
        if holder.number != asked.turn or holder.segment != asked.segment:
            return (RefuseNext(asked=asked, refused=_stale(asked.turn)),)
        segment, packet, leaving = holder.course.after(self.terms.program, holder.segment), 0, frozenset[Address]()
        if asked.packet is not None:
            # Its engine drains, or foresees an underrun: another is to go on in the middle of the segment.
            segment, packet, leaving = holder.segment, asked.packet, frozenset({holder.engine})
        if segment is None:
            return (NameNext(asked=asked, next=None),)
        sought = Sought(
            segment=segment,
            packet=packet,
            unfit=asked.failed,
            excluded=leaving,
            asked=asked,
            course=holder.course,
            whole=asked.foreseen and segment == holder.segment,
        )
        if _is_for(known, sought):
            return (NameNext(asked=asked, next=known),)
        self.state = replace(self.state, next=None)
        failed = known and str(known.engine) in asked.failed
        suspect: Effects = (SuspectEngine(known.engine),) if known and failed else ()
        return (*suspect, SeekEngine(sought))

    def _refuse(self, asked: NextAsked) -> Effects:
        """Answer a question that the session has outlived."""
        match self.state:
            case Ended():
                refused = NO_SESSION
            case Left():
                refused = ANOTHER_DIRECTS
            case Resuming():
                refused = _GOES_ON_ELSEWHERE
            case _:
                refused = _stale(asked.turn)
        return (RefuseNext(asked=asked, refused=refused),)

    def _waiting(self) -> tuple[NextAsked, ...]:
        """The questions that wait for an answer."""
        return self.state.asked if isinstance(self.state, Doubting | AwaitingEnlistment) else ()

    def _lose(self, now: float, end: _Settlement | None = None, *, next_too: bool = True) -> Effects:
        """The sender is lost; `end`, if it is known how far it got, and `next_too`, if its next one may have it."""
        asked = self._waiting()
        following: GivenTurn | None = None
        withdrawn: GivenTurn | None = None
        match self.state:
            case Streaming(holder=lost, next=following, unsettled_until=until):
                pass
            case Doubting(holder=lost, doubted=doubted, unsettled_until=until):
                withdrawn = doubted if next_too else None
            case AwaitingEnlistment(holder=lost, next=following, until=until):
                pass
            case _:
                return ()
        told: Effects = (Count(Fact.SENDER_LOST), *_refused(asked, _GOES_ON_ELSEWHERE))
        settling = SettlingSender(lost=lost, next=following, withdrawn=withdrawn, unsettled_until=until)
        if end is None:
            self.state = settling
            return (*told, SettleTurn(lost))
        return (*told, *self._sender_settled(settling, until, end, now))

    def _sender_settled(self, state: SettlingSender, until: float | None, end: _Settlement, now: float) -> Effects:
        if until is not None and now < until:
            self.state = AwaitingLeases(
                lost=state.lost, next=state.next, withdrawn=state.withdrawn, until=until, aim=state.aim
            )
            return (WakeAt(until),)
        return self._next_is_settled(state, end.position, now)

    def _next_is_settled(
        self, state: SettlingSender | AwaitingLeases, position: Position | None, now: float
    ) -> Effects:
        if following := state.next or state.withdrawn:
            self.state = SettlingNext(lost=state.lost, next=following, position=position, aim=state.aim)
            return (SettleTurn(following),)
        return self._go_on_from(state, position, now)

    def _settle_start(self, state: Starting, aim: Aim) -> Effects:
        self.state = SettlingStart(lost=state.lost, next=state.next, aim=aim)
        return (SettleTurn(state.next),)

    def _go_on_from(
        self, state: Resuming, position: Position | None, now: float, left: Position | None = None
    ) -> Effects:
        """Have another engine send from here on, or from where the console wants; nobody sends this stream meanwhile.

        `left`: where the stream stopped, if it was to jump here already.
        """
        self._mark = None  # it goes on ahead of the schedule it had
        aim, program = state.aim, self.terms.program
        stopped = state.next if isinstance(state, SettlingStart) else state.lost
        course = stopped.course if stopped else NORMAL
        if aim.to is not None:
            left, position = left or position or end_of(program), aim.to
            course = self._course(aim.scale or 1, position)
        if position is None and course.scale < 0:
            position = (0, 0)
        if position is None:
            return self._end(Fact.ENDED, now)
        if aim.paused:
            return self._pause(state.lost, position, course, left, now)
        following = Seeking(lost=state.lost, position=position, left=left, course=course, aim=Aim(ordered=aim.ordered))
        if aim.scale not in (None, course.scale):
            return self._change(following, aim.scale or 1, now)
        return self._seek(following, now)

    def _course(self, scale: int, position: Position) -> Course:
        return NORMAL if scale == 1 else Course(scale, packets_before(self.terms.program, position))

    def _change(self, state: Seeking, scale: int, now: float) -> Effects:
        """Go on there at another speed; at the program's own from where decoding can begin."""
        position = state.position
        begins = position if state.course == NORMAL or scale != 1 else (position[0], 0)
        return self._go(state.lost, begins, state.left or position, self._course(scale, position), now)

    def _pause(
        self, last: GivenTurn | None, position: Position, course: Course, left: Position | None, now: float
    ) -> Effects:
        """Whatever its speed was, it goes on at the program's own, from where decoding can begin."""
        if course != NORMAL:
            left, position = left or position, (min(position[0], len(self.terms.program.segments) - 1), 0)
        self.state = Paused(last=last, position=position, left=left, since=now)
        return (Count(Fact.PAUSED),)

    def _rest(self, last: GivenTurn, now: float) -> Effects:
        """It has gone back to the beginning, and waits there."""
        ceased: Effects = tuple(CeaseTurn(turn) for turn in self.state.turns if turn is not last)
        asked = self._waiting()
        return (*ceased, *_refused(asked, _GOES_ON_ELSEWHERE), *self._pause(last, (0, 0), last.course, None, now))

    def _begins(self, turn: GivenTurn) -> Position:
        """Where in the program a turn begins."""
        return turn.at(self.terms.program) or ((0, 0) if turn.course.scale < 0 else end_of(self.terms.program))

    def _go(
        self, lost: GivenTurn | None, position: Position, left: Position | None, course: Course, now: float
    ) -> Effects:
        """As the console wants."""
        return self._seek(Seeking(lost=lost, position=position, left=left, course=course, aim=Aim(ordered=True)), now)

    def _seek(self, state: Seeking, now: float) -> Effects:
        entered = state.course.enter(self.terms.program, state.position)
        if entered is None and state.course.scale < 0:
            return self._pause(state.lost, (0, 0), state.course, state.left, now)
        if entered is None:
            return self._end(Fact.ENDED, now)
        self.state = state
        segment, packet = entered
        sought = Sought(segment=segment, packet=packet, excluded=state.tried, left=state.left, course=state.course)
        return (SeekEngine(sought),)

    def _sought_again(
        self, state: Readying | Starting, turn: GivenTurn, tried: frozenset[Address] = frozenset()
    ) -> Seeking:
        """Nothing of this turn was sent: another engine is to have it."""
        return Seeking(
            lost=state.lost,
            position=self._begins(turn),
            left=turn.left,
            course=turn.course,
            tried=tried,
            aim=state.aim,
        )

    def _end(self, fact: Fact, now: float, *still_sending: GivenTurn | None) -> Effects:
        asked, turns = self._waiting(), self.state.turns
        away: Effects = (TurnAway(_NOBODY_GOT_READY),) if isinstance(self.state, Opening) else ()
        last = self.state.last if isinstance(self.state, Paused) else next(iter(turns), None)
        self.state = Ended(at=now, last=last)
        ceased: tuple[Effect, ...] = tuple(CeaseTurn(turn) for turn in still_sending if turn)
        return (*ceased, *away, *_refused(asked, NO_SESSION), Count(fact))

    def _settlement(self, turn: GivenTurn, event: TurnSettled, now: float) -> _Settlement:
        match event.answer:
            case Ceased(boot=turn.boot, cursor=cursor) if cursor is not None and cursor.turn == turn.number:
                return _Settlement(
                    sent=True, position=turn.course.place(self.terms.program, cursor.segment, cursor.packet)
                )
            case Ceased(boot=turn.boot) if not isinstance(self.state, SettlingSender):
                return _Settlement(sent=False, position=self._begins(turn))
        # It does not answer, has forgotten how far it was, or is gone: another boot answers.
        return _Settlement(sent=True, position=past_turn(self.terms.program, turn, self._mark, now))

    def _past_whatever_followed(self, now: float) -> Position | None:
        """As `past_turn`, where it is not known in how many turns the stream went on since its mark."""
        state = self.state
        last = state.lost if isinstance(state, Resuming) else state.sender
        course = last.course if last else NORMAL
        return past_mark(self.terms.program, course, self._turns_given, self._mark, now)

    _HANDLERS: ClassVar[Mapping[type[Event], Callable[["Session", Any, float], Effects]]] = {
        PlayAsked: _play_asked,
        EngineFound: _found,
        NobodyFound: _nobody_found,
        GotReady: _got_ready,
        NotReady: _not_ready,
        StartAnswered: _start_answered,
        TurnAssumed: _assumed,
        NextAsked: _next_asked,
        ExchangeAsked: _exchange_asked,
        TurnStopped: _stopped,
        SenderReported: _reported,
        SenderUnnamed: _unnamed,
        EngineLost: _engine_lost,
        TurnSettled: _settled,
        ConsoleHeard: _console_heard,
        PauseAsked: _pause_asked,
        ResumeAsked: _resume_asked,
        SeekAsked: _seek_asked,
        ScaleAsked: _scale_asked,
        EndAsked: _end_asked,
        PauseInherited: _pause_inherited,
        LookedRound: _looked_round,
        Woken: _woken,
        TurnInherited: _inherited,
        GaveUp: _gave_up,
    }


def _taken_unheard(turn: GivenTurn, event: TurnSettled) -> Effects:
    """Its console is told of a turn that was sent, and of one with which the stream may have jumped."""
    answer = event.answer
    sent = isinstance(answer, Ceased) and answer.boot == turn.boot and answer.cursor is not None
    return (TurnTaken(turn=turn, packet=turn.packet),) if sent or turn.left else ()


def _is_for(turn: GivenTurn | None, sought: Sought) -> TypeGuard[GivenTurn]:
    return turn is not None and turn.segment == sought.segment and str(turn.engine) not in sought.unfit


def _stale(turn: int) -> Refused:
    return Refused(Reason.STALE_TURN, f"turn {turn} is not the stream's present one")


def _refused(asked: tuple[NextAsked, ...], refused: Refused) -> Effects:
    return tuple(RefuseNext(asked=question, refused=refused) for question in asked)
