"""A pushed session: a console's claim on a stream, from its request to its end (claims 16 and 17).

Pure: an event and the time come in, effects go out, and everything between is in the state. Never two senders: a turn
is given once, and a new one only when the sender of the one before has said that it is done, has been made to cease, or
can no longer be sending. Never a packet twice: what a lost sender may have sent is skipped.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

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
    EngineFound,
    EngineLost,
    Event,
    GaveUp,
    GotReady,
    LookedRound,
    NextAsked,
    NobodyFound,
    NotReady,
    PlayAsked,
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
from blade_agent.main_board.director.sessions.reach import Position, past_mark, past_turn
from blade_agent.main_board.director.sessions.states import (
    AnyState,
    AwaitingEnlistment,
    AwaitingLeases,
    Doubting,
    Ended,
    Left,
    Opening,
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
        if isinstance(self.state, Ended) or turn >= self.terms.first_own_turn:
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
            case Seeking(lost=lost, tried=tried):
                turn = self._give(event, now)
                self.state = Readying(lost=lost, next=turn, tried=tried | {event.engine})
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
            case Seeking(lost=lost, position=position):
                self.state = Seeking(lost=lost, position=position)
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
            case Readying(lost=lost, next=turn) if turn.number == event.turn:
                self.state = Starting(lost=lost, next=turn)
                return (BeginTurn(turn),)
        return ()

    def _not_ready(self, event: NotReady, _now: float) -> Effects:
        match self.state:
            case Opening(offered=GivenTurn(number=event.turn), tried=tried):
                self.state = Opening(tried=tried)
                return (SeekEngine(Sought(segment=0, packet=0, excluded=tried)),)
            case Readying(lost=lost, next=turn, tried=tried) if turn.number == event.turn:
                return self._seek(lost, (turn.segment, turn.packet), tried)
        return ()

    def _start_answered(self, event: StartAnswered, now: float) -> Effects:
        match self.state, event.outcome:
            case Starting(next=turn), StartOutcome.TAKEN if turn.number == event.turn:
                return self._assume(turn, turn.packet, now)
            case Starting(lost=lost, next=turn), StartOutcome.DOUBTFUL if turn.number == event.turn:
                self.state = SettlingStart(lost=lost, next=turn)
                return (SettleTurn(turn),)
            case Starting(lost=lost, next=turn), StartOutcome.REFUSED if turn.number == event.turn:
                return self._go_on_from(lost, (turn.segment, turn.packet), now)
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

    def _stopped(self, event: TurnStopped, now: float) -> Effects:
        heard = self._assumed(TurnAssumed(turn=event.turn), now)
        holder = self.state.sender
        if holder is None or holder.number != event.turn:
            return heard
        if event.cause in (StopCause.END_OF_PROGRAM, StopCause.CEASED, StopCause.UNKNOWN):
            return (*heard, *self._end(Fact.ENDED, now, *self.state.turns[1:]))
        position = self.terms.program.segments.advance(event.segment, event.packet, 0)
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
        end = self._settlement(turn, event, now)
        effects: Effects = ()
        match self.state:
            case Doubting(holder=holder, heard_at=heard_at, unsettled_until=until, asked=asked) if not end.sent:
                self.state = Streaming(holder=holder, heard_at=heard_at, unsettled_until=until)
                effects = tuple(effect for question in asked for effect in self._name_next(question))
            case Doubting():
                effects = self._lose(now, end, next_too=False)
            case SettlingSender(lost=lost, next=following, withdrawn=withdrawn, unsettled_until=until):
                effects = self._sender_settled(lost, following, withdrawn, until, end, now)
            case SettlingNext(lost=lost, position=position) if not end.sent:
                effects = self._go_on_from(lost, position, now)
            case SettlingNext(lost=lost) | SettlingStart(lost=lost):
                effects = self._go_on_from(lost, end.position, now)
        return effects

    def _console_heard(self, _: ConsoleHeard, now: float) -> Effects:
        if not isinstance(self.state, Ended):
            self.heard_at = max(self.heard_at, now)
        return ()

    def _looked_round(self, _: LookedRound, now: float) -> Effects:
        if isinstance(self.state, Redirected) and now - self.state.offered.given_at > _ASK_WITHIN_S:
            return self._end(Fact.ENDED, now, *self.state.turns)
        if isinstance(self.state, Ended | Left) or now - self.heard_at <= self.terms.patience_s:
            return ()
        waited = isinstance(self.state, Opening | Resuming)
        return self._end(Fact.LOST if waited else Fact.ENDED, now, *self.state.turns)

    def _woken(self, _: Woken, now: float) -> Effects:
        match self.state:
            case Seeking(lost=lost, position=position):
                return self._seek(lost, position)
            case AwaitingLeases(lost=lost, next=following, withdrawn=withdrawn, until=until) if now >= until:
                return self._next_is_settled(lost, following or withdrawn, self._past_whatever_followed(now), now)
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
        )

    def _assume(self, turn: GivenTurn, packet: int, now: float, *, unsettled_until: float | None = None) -> Effects:
        """An engine has the stream."""
        before, asked = self.state, self._waiting()
        self.state = Streaming(holder=turn, heard_at=now, unsettled_until=unsettled_until)
        taken: Effects = (TurnTaken(turn=turn, packet=packet), *_refused(asked, _GOES_ON_ELSEWHERE))
        if isinstance(before, Starting):
            return (*taken, Count(Fact.RESUMED))
        if isinstance(before, Opening | Redirected):
            return taken
        return (*taken, Count(Fact.HANDED_OVER))

    def _name_next(self, asked: NextAsked) -> Effects:
        """Answer the sender: with the same offer again, unless it failed, or with one that has yet to be found."""
        if not isinstance(self.state, Streaming):
            return self._refuse(asked)
        holder, known = self.state.holder, self.state.next
        if holder.number != asked.turn or holder.segment != asked.segment:
            return (RefuseNext(asked=asked, refused=_stale(asked.turn)),)
        segment, packet, leaving = holder.segment + 1, 0, frozenset[Address]()
        if asked.packet is not None:
            # Its engine drains: another is to go on in the middle of the segment.
            segment, packet, leaving = holder.segment, asked.packet, frozenset({holder.engine})
        if segment == len(self.terms.program.segments):
            return (NameNext(asked=asked, next=None),)
        sought = Sought(segment=segment, packet=packet, unfit=asked.failed, excluded=leaving, asked=asked)
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
        if end is None:
            self.state = SettlingSender(lost=lost, next=following, withdrawn=withdrawn, unsettled_until=until)
            return (*told, SettleTurn(lost))
        return (*told, *self._sender_settled(lost, following, withdrawn, until, end, now))

    def _sender_settled(  # noqa: PLR0917 -- what is known of a sender that was lost
        self,
        lost: GivenTurn,
        following: GivenTurn | None,
        withdrawn: GivenTurn | None,
        until: float | None,
        end: _Settlement,
        now: float,
    ) -> Effects:
        if until is not None and now < until:
            self.state = AwaitingLeases(lost=lost, next=following, withdrawn=withdrawn, until=until)
            return (WakeAt(until),)
        return self._next_is_settled(lost, following or withdrawn, end.position, now)

    def _next_is_settled(
        self, lost: GivenTurn, following: GivenTurn | None, position: Position | None, now: float
    ) -> Effects:
        if following:
            self.state = SettlingNext(lost=lost, next=following, position=position)
            return (SettleTurn(following),)
        return self._go_on_from(lost, position, now)

    def _go_on_from(self, lost: GivenTurn, position: Position | None, now: float) -> Effects:
        """Have another engine send from here on; nobody sends this stream meanwhile."""
        self._mark = None  # it goes on ahead of the schedule it had
        if position is None:
            return self._end(Fact.ENDED, now)
        return self._seek(lost, position)

    def _seek(self, lost: GivenTurn, position: Position, tried: frozenset[Address] = frozenset()) -> Effects:
        self.state = Seeking(lost=lost, position=position, tried=tried)
        segment, packet = position
        return (SeekEngine(Sought(segment=segment, packet=packet, excluded=tried)),)

    def _end(self, fact: Fact, now: float, *still_sending: GivenTurn | None) -> Effects:
        asked, turns = self._waiting(), self.state.turns
        away: Effects = (TurnAway(_NOBODY_GOT_READY),) if isinstance(self.state, Opening) else ()
        self.state = Ended(at=now, last=turns[0] if turns else None)
        ceased: tuple[Effect, ...] = tuple(CeaseTurn(turn) for turn in still_sending if turn)
        return (*ceased, *away, *_refused(asked, NO_SESSION), Count(fact))

    def _settlement(self, turn: GivenTurn, event: TurnSettled, now: float) -> _Settlement:
        match event.answer:
            case Superseded():
                return _Settlement(sent=True, position=None)
            case Ceased(boot=turn.boot, cursor=cursor) if cursor is not None and cursor.turn == turn.number:
                return _Settlement(
                    sent=True, position=self.terms.program.segments.advance(cursor.segment, cursor.packet, 0)
                )
            case Ceased(boot=turn.boot) if not isinstance(self.state, SettlingSender):
                return _Settlement(sent=False, position=(turn.segment, turn.packet))
        # It does not answer, has forgotten how far it was, or is gone: another boot answers.
        return _Settlement(sent=True, position=past_turn(self.terms.program, turn, self._mark, now))

    def _past_whatever_followed(self, now: float) -> Position | None:
        """As `past_turn`, where it is not known in how many turns the stream went on since its mark."""
        return past_mark(self.terms.program, self._turns_given, self._mark, now)

    _HANDLERS: ClassVar[Mapping[type[Event], Callable[["Session", Any, float], Effects]]] = {
        PlayAsked: _play_asked,
        EngineFound: _found,
        NobodyFound: _nobody_found,
        GotReady: _got_ready,
        NotReady: _not_ready,
        StartAnswered: _start_answered,
        TurnAssumed: _assumed,
        NextAsked: _next_asked,
        TurnStopped: _stopped,
        SenderReported: _reported,
        SenderUnnamed: _unnamed,
        EngineLost: _engine_lost,
        TurnSettled: _settled,
        ConsoleHeard: _console_heard,
        LookedRound: _looked_round,
        Woken: _woken,
        TurnInherited: _inherited,
        GaveUp: _gave_up,
    }


def _is_for(turn: GivenTurn | None, sought: Sought) -> TypeGuard[GivenTurn]:
    return turn is not None and turn.segment == sought.segment and str(turn.engine) not in sought.unfit


def _stale(turn: int) -> Refused:
    return Refused(Reason.STALE_TURN, f"turn {turn} is not the stream's present one")


def _refused(asked: tuple[NextAsked, ...], refused: Refused) -> Effects:
    return tuple(RefuseNext(asked=question, refused=refused) for question in asked)
