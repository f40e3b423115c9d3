"""One stream at an engine: the turns of it that are preloaded, sent and over (claims 16 and 17).

Pure: an event comes in, effects go out, and everything between is in the state. Whoever holds the newest turn sends; a
turn that is over never sends again.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from blade_agent.main_board.engine.turns.effects import (
    AskNext,
    BeginSending,
    CloseSegment,
    ConfirmOrder,
    CountStream,
    CutSending,
    Effects,
    GiveAway,
    HoldReady,
    OpenSegment,
    PreloadNeighbour,
    RefuseOrder,
    ReportSoon,
    ResumeSending,
    SayAssumed,
    SayStopped,
    StartNeighbour,
    StopSending,
    StreamFact,
    TellStand,
)
from blade_agent.main_board.engine.turns.events import (
    AllLeft,
    AssumptionAnswered,
    CeaseOrdered,
    DirectorReplaced,
    DrainEnded,
    DrainOrdered,
    DutyLeft,
    EndNeared,
    Event,
    GivenAway,
    LeaseEnded,
    NeighbourAnswered,
    NeighbourStarted,
    NextAnswered,
    PreloadLapsed,
    PreloadOrdered,
    SegmentOpened,
    SegmentUnreadable,
    StartOrdered,
    TurnRevoked,
    UnderrunAverted,
    UnderrunForeseen,
)
from blade_agent.main_board.engine.turns.states import (
    Absent,
    Active,
    AnyActive,
    Asking,
    Assuming,
    Finishing,
    Given,
    HandingOver,
    Past,
    Preloading,
    Prepared,
    Sent,
    Stand,
    Underway,
)
from blade_agent.main_board.engine.turns.table import TABLE
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import Preload, StopCause
from media_network.refusal import Reason, Refused


class EngineStream:
    """What an engine has of one session's stream."""

    def __init__(self) -> None:
        self.ready: Preload | None = None
        """The turn that is preloaded."""
        self.given: Given | None = None
        """What is handed over when it begins."""
        self.active: AnyActive = Absent()
        self.past = Past()

    def on(self, event: Event) -> Effects:
        """Take an event; give what is to be done. The table says where it may lead from here."""
        before = self.active
        effects = self._HANDLERS[type(event)](self, event)
        ways = TABLE[type(before)][type(event)]
        assert type(self.active) in ways, f"{before} has gone to {self.active} on {event}"  # noqa: S101 -- the core's own
        return effects

    @property
    def idle(self) -> bool:
        """Whether there is nothing of it here but what is past."""
        return self.ready is None and isinstance(self.active, Absent)

    @property
    def sending(self) -> Active | None:
        """The turn of which packets remain to be sent."""
        active = self.active
        return active if isinstance(active, Active) and active.sent is not Sent.ALL else None

    # Orders

    def _preload_ordered(self, event: PreloadOrdered) -> Effects:
        if self._is_stale(event.order):
            return (_stale(event.order.turn, event.order.session),)
        if self.ready == event.order:
            self.given = event.given
            return (HoldReady(event.order), ConfirmOrder())
        return (OpenSegment(event.order, event.given),)

    def _opened(self, event: SegmentOpened) -> Effects:
        order = event.order
        if self._is_stale(order):
            # The stream has moved on while the disk was read.
            return (_stale(order.turn, order.session),)
        before, self.ready, self.given = self.ready, order, event.given
        closed: Effects = (CloseSegment(before.turn),) if before and before.turn != order.turn else ()
        return (*closed, HoldReady(order), ConfirmOrder())

    def _lapsed(self, event: PreloadLapsed) -> Effects:
        return self._drop_ready() if self.ready and self.ready.turn == event.turn else ()

    def _start_ordered(self, event: StartOrdered) -> Effects:
        order = self.ready
        if event.turn <= self.past.over or event.turn < self.past.started:
            return (RefuseOrder(Refused(Reason.STALE_TURN, f"turn {event.turn} is over")),)
        if event.turn == self.past.started:
            return (ConfirmOrder(),)
        if order is None or order.turn != event.turn:
            return (RefuseOrder(Refused(Reason.NOT_READY, f"turn {event.turn} is not preloaded")),)
        if not event.leased:
            return (RefuseOrder(Refused(Reason.NOT_READY, "this engine has no lease")),)
        if event.packet > order.packets:
            return (RefuseOrder(Refused(Reason.BAD_MESSAGE, f"the turn has {order.packets} packets")),)
        before = self._give_way(event.at)
        sent = Sent.NEAR_END if event.draining else Sent.GOING
        self.active = Assuming(order=order, first_packet=event.packet, sent=sent, hurried=event.draining)
        given: Effects = (GiveAway(self.given),) if self.given else ()
        self.ready, self.given, self.past = None, None, replace(self.past, started=event.turn)
        taken: Effects = () if order.redirected else (CountStream(StreamFact.TAKEN_OVER),)
        return (
            *before,
            BeginSending(turn=order.turn, packet=event.packet, due_at=event.due_at),
            SayAssumed(order=order, packet=event.packet),
            ReportSoon(),
            CountStream(StreamFact.STARTED),
            *taken,
            *given,
            ConfirmOrder(),
        )

    def _cease_ordered(self, event: CeaseOrdered) -> Effects:
        stopped = self._cease(event.turn, event.packet, event.cause)
        stand = self.past.stand
        # Of an earlier turn nothing follows for this one.
        return (*stopped, TellStand(stand if stand and stand.turn == event.turn else None))

    def _revoked(self, event: TurnRevoked) -> Effects:
        return self._cease(event.turn, event.packet, None)

    def _lease_ended(self, event: LeaseEnded) -> Effects:
        return (*self._drop_ready(), *self._stop(event.packet, StopCause.LEASE_EXPIRED))

    def _duty_left(self, event: DutyLeft) -> Effects:
        return (*self._drop_ready(), *self._stop(event.packet, None))

    def _drain_ordered(self, _: DrainOrdered) -> Effects:
        """Who was to start it here is refused, and asks the director again."""
        dropped = self._drop_ready()
        if not isinstance(self.active, Active):
            return dropped
        self.active = replace(self.active, hurried=True)
        return (*dropped, *self._near_end())

    def _drain_ended(self, _: DrainEnded) -> Effects:
        if isinstance(self.active, Active):
            self.active = replace(self.active, hurried=False)
        return ()

    def _director_replaced(self, _: DirectorReplaced) -> Effects:
        """A console that was redirected here comes all the same."""
        return self._drop_ready() if self.ready and not self.ready.redirected else ()

    # Swaps (claims 21 and 22)

    def _foreseen(self, event: UnderrunForeseen) -> Effects:
        """Another engine is to go on before the stream needs what has not come."""
        active = self.active
        if not isinstance(active, Active) or active.turn != event.turn or active.sent is not Sent.GOING:
            return ()
        self.active = replace(active, foreseen=True)
        return self._near_end()

    def _averted(self, event: UnderrunAverted) -> Effects:
        """Nobody had the whole segment, and now it need not be."""
        match self.active:
            case Asking(foreseen=True, hurried=False, sent=Sent.NEAR_END, doubtful=None) as asking if (
                asking.turn == event.turn
            ):
                self.active = Underway(order=asking.order, first_packet=asking.first_packet)
        return ()

    def _given_away(self, event: GivenAway) -> Effects:
        """The director has named the engine, which is ready: nothing is asked. Near its end the stream stays."""
        given = event.given
        match self.active:
            case Underway(sent=Sent.GOING) as active if active.turn == given.turn:
                near = replace(active, sent=Sent.NEAR_END)
                self.active = Prepared(**_of(near), offer=given.offer, failed=(), cut=True)
                return (CutSending(active.turn),)
        return ()

    # What is sent

    def _end_neared(self, event: EndNeared) -> Effects:
        return self._near_end() if self._is_active(event.turn) else ()

    def _all_left(self, event: AllLeft) -> Effects:
        if not self._is_active(event.turn):
            return ()
        near = self._near_end()
        self.active = replace(self.active, sent=Sent.ALL)
        match self.active:
            case Prepared():
                return (*near, *self._start_neighbour(self.active))
            case Finishing():
                return (*near, *self._stop(event.packet, StopCause.END_OF_PROGRAM))
        return near

    def _unreadable(self, event: SegmentUnreadable) -> Effects:
        return self._stop(event.packet, StopCause.FAILED) if self._is_active(event.turn) else ()

    # The conversation of claim 16

    def _assumption_answered(self, event: AssumptionAnswered) -> Effects:
        match self.active:
            case Assuming() as active if active.turn == event.turn:
                if event.refused:
                    return self._stop(event.packet, StopCause.FAILED)
                if active.sent is not Sent.GOING:
                    return self._ask(active)
                self.active = Underway(**_of(active))
        return ()

    def _next_answered(self, event: NextAnswered) -> Effects:
        asking = self.active
        if not isinstance(asking, Asking) or asking.turn != event.turn:
            return ()
        if event.answer is None:
            return self._stop(event.packet, StopCause.FAILED)
        if isinstance(event.answer, Refused):
            # An engine whose answer we missed may have started after all. While we still send, it cannot have.
            if event.answer.reason is Reason.ASSUMED and asking.sent is Sent.ALL:
                return self._hand_over(event.packet)
            return self._stop(event.packet, StopCause.FAILED)
        if event.answer.hand_over is None:
            self.active = Finishing(**_of(asking))
            return self._stop(event.packet, StopCause.END_OF_PROGRAM) if asking.sent is Sent.ALL else ()
        self.active = Preloading(**_of(asking), offer=event.answer.hand_over, failed=asking.failed)
        return (PreloadNeighbour(self.active),)

    def _neighbour_answered(self, event: NeighbourAnswered) -> Effects:
        match self.active:
            case Preloading(offer=offer, failed=failed) as active if active.turn == event.turn:
                if not event.ready:
                    return self._ask(active, failed=(*failed, offer.engine))
                within = offer.segment.number == active.order.segment.number
                cut = within and active.sent is not Sent.ALL
                prepared = self.active = Prepared(**_of(active), offer=offer, failed=failed, cut=cut)
                if active.sent is Sent.ALL:
                    return self._start_neighbour(prepared)
                return (CutSending(active.turn),) if cut else ()
        return ()

    def _neighbour_started(self, event: NeighbourStarted) -> Effects:
        match self.active, event.outcome:
            case HandingOver() as active, _ if active.turn != event.turn:
                return ()
            case HandingOver(), StartOutcome.TAKEN:
                return self._hand_over(event.packet)
            case HandingOver(offer=offer, failed=failed) as active, StartOutcome.DOUBTFUL:
                return self._ask(active, failed=failed, doubtful=offer.engine)
            case HandingOver(offer=offer, failed=failed, cut=False) as active, _:
                return self._ask(active, failed=(*failed, offer.engine))
            case HandingOver() as active, _:
                return self._go_on(active)
        return ()

    def _go_on(self, active: HandingOver) -> Effects:
        """It was cut short for an engine that has not taken it: the rest of the segment is still ours to send."""
        resumed = (ResumeSending(active.turn), CountStream(StreamFact.NOT_TAKEN))
        if not (active.hurried or active.foreseen):
            # It was to be given for another stream, and stays.
            self.active = Underway(order=active.order, first_packet=active.first_packet)
            return resumed
        going = replace(active, sent=Sent.NEAR_END)
        return (*resumed, *self._ask(going, failed=(*active.failed, active.offer.engine)))

    # The parts of it

    def _is_active(self, turn: int) -> bool:
        return isinstance(self.active, Active) and self.active.turn == turn

    def _is_stale(self, order: Preload) -> bool:
        newer_is_here = self.ready is not None and self.ready.turn > order.turn
        return newer_is_here or order.turn <= self.past.over or order.turn <= self.past.started

    def _near_end(self) -> Effects:
        active = self.active
        if not isinstance(active, Active) or active.sent is not Sent.GOING:
            return ()
        self.active = replace(active, sent=Sent.NEAR_END)
        return self._ask(self.active) if isinstance(active, Underway) else ()

    def _ask(self, active: Active, failed: tuple[str, ...] = (), doubtful: str | None = None) -> Effects:
        asking = self.active = Asking(**_of(active), failed=failed, doubtful=doubtful)
        return (AskNext(asking),)

    def _start_neighbour(self, prepared: Prepared) -> Effects:
        starting = self.active = HandingOver(
            **_of(prepared), offer=prepared.offer, failed=prepared.failed, cut=prepared.cut
        )
        return (StartNeighbour(starting),)

    def _give_way(self, packet: int) -> Effects:
        """A later turn of the stream begins here."""
        if isinstance(self.active, Active) and self.active.sent is Sent.ALL:
            return self._hand_over(packet)
        return self._stop(packet, None)

    def _hand_over(self, packet: int) -> Effects:
        return (*self._stop(packet, None), CountStream(StreamFact.HANDED_OVER))

    def _cease(self, turn: int, packet: int, cause: StopCause | None) -> Effects:
        """Stop and forbid all turns up to this one."""
        self.past = replace(self.past, over=max(self.past.over, turn))
        dropped = self._drop_ready() if self.ready and self.ready.turn <= turn else ()
        if not isinstance(self.active, Active) or self.active.turn > turn:
            return dropped
        return (*dropped, *self._stop(packet, cause))

    def _stop(self, packet: int, cause: StopCause | None) -> Effects:
        """The turn that is being sent is over; the director is told the cause, unless it knows."""
        active = self.active
        if not isinstance(active, Active):
            return ()
        stand = Stand(turn=active.turn, segment=active.order.segment.number, packet=packet)
        self.active, self.past = Absent(), replace(self.past, stand=stand)
        if cause is None:
            return (StopSending(active.turn),)
        told = SayStopped(order=active.order, stand=stand, first_packet=active.first_packet, cause=cause)
        return (StopSending(active.turn), told)

    def _drop_ready(self) -> Effects:
        order, self.ready, self.given = self.ready, None, None
        return (CloseSegment(order.turn),) if order else ()

    _HANDLERS: ClassVar[Mapping[type[Event], Callable[["EngineStream", Any], Effects]]] = {
        PreloadOrdered: _preload_ordered,
        SegmentOpened: _opened,
        PreloadLapsed: _lapsed,
        StartOrdered: _start_ordered,
        CeaseOrdered: _cease_ordered,
        TurnRevoked: _revoked,
        LeaseEnded: _lease_ended,
        DutyLeft: _duty_left,
        DrainOrdered: _drain_ordered,
        DrainEnded: _drain_ended,
        DirectorReplaced: _director_replaced,
        UnderrunForeseen: _foreseen,
        UnderrunAverted: _averted,
        GivenAway: _given_away,
        EndNeared: _end_neared,
        AllLeft: _all_left,
        SegmentUnreadable: _unreadable,
        AssumptionAnswered: _assumption_answered,
        NextAnswered: _next_answered,
        NeighbourAnswered: _neighbour_answered,
        NeighbourStarted: _neighbour_started,
    }


def _of(active: Active) -> dict[str, Any]:
    """What every state of a turn has."""
    return {
        "order": active.order,
        "first_packet": active.first_packet,
        "sent": active.sent,
        "hurried": active.hurried,
        "foreseen": active.foreseen,
    }


def _stale(turn: int, session: str) -> RefuseOrder:
    return RefuseOrder(Refused(Reason.STALE_TURN, f"turn {turn} of {session} is over or started"))
