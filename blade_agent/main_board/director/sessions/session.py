"""A pushed session: a console's claim on a stream, from its request to its end (claims 16 and 17).

Pure: an event and the time come in, effects go out, and everything between is in the state. Never two senders: a turn
is given once, and a new one only when the sender of the one before has said that it is done, has been made to cease, or
can no longer be sending. Never a packet twice: what a lost sender may have sent is skipped.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from blade_agent.main_board.director.sessions.console_orders import ConsoleOrders
from blade_agent.main_board.director.sessions.effects import (
    BeginTurn,
    Effects,
    Fact,
    GetReady,
    NameNext,
    RedirectConsole,
    RefuseNext,
    SeekEngine,
    SettleTurn,
    TurnAway,
    TurnTaken,
    WakeAt,
)
from blade_agent.main_board.director.sessions.events import (
    ConsoleHeard,
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
from blade_agent.main_board.director.sessions.given_turn import GivenTurn, Settlement
from blade_agent.main_board.director.sessions.reach import furthest
from blade_agent.main_board.director.sessions.refusals import ANOTHER_DIRECTS, refuse_all, stale_turn
from blade_agent.main_board.director.sessions.states import (
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
from blade_agent.main_board.director.sessions.turn_keeping import is_for
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import Ceased, StopCause

_SEEK_PAUSE_S = 0.25
_ASK_WITHIN_S = 15.0
"""How long a console may take to ask the engine that it was redirected to: no preload lasts so long."""


class Session(ConsoleOrders):
    """A console that a program is pushed to."""

    def on(self, event: Event, now: float) -> Effects:
        """Take an event; give what is to be done. The table says where it may lead from here."""
        before = self.state
        effects = self._HANDLERS[type(event)](self, event, now)
        ways = TABLE[type(before)][type(event)]
        assert type(self.state) in ways, f"{before} has gone to {self.state} on {event}"  # noqa: S101 -- the core's own
        return effects

    # What the events mean

    def _play_asked(self, _: PlayAsked, _now: float) -> Effects:
        return (SeekEngine(self._sought_first()),)

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
                turn = known if is_for(known, sought) else self._give_within(state.holder, event, now)
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
                return (SeekEngine(self._sought_first(tried)),)
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
        if event.packet is not None:
            offer = replace(offer, packet=event.packet, reached=None)
        return self._assume(offer, offer.packet, now)

    def _next_asked(self, event: NextAsked, now: float) -> Effects:
        heard = self._assumed(TurnAssumed(turn=event.turn), now)
        if (event.turn, event.number) < self._asked:
            return (*heard, RefuseNext(asked=event, refused=stale_turn(event.turn)))
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
        return (*heard, *self._lose(now, Settlement(sent=True, position=position)))

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
                effects = (*_taken_unheard(turn, event), *self._go_on_from(state, end.position, now, stopped=turn))
        return effects

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
                return self._lose(now, Settlement(sent=True, position=self._past_whatever_followed(now)))
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
        return refuse_all(asked, ANOTHER_DIRECTS)

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
        **ConsoleOrders.ORDERS,
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
