"""What a stream wants is done: its segments opened and sent, its messages said (claims 16 and 17)."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec.structs import replace

from blade_agent.main_board.accounts.usage_meter import UsageMeter
from blade_agent.main_board.asking_engines import AskingEngines, outcome_of
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.engine_figures import StreamFigures
from blade_agent.main_board.engine.sending.pusher import Pusher
from blade_agent.main_board.engine.sending.transmission import Transmission
from blade_agent.main_board.engine.turns.effects import (
    AskNext,
    BeginSending,
    CloseSegment,
    ConfirmOrder,
    CountStream,
    CutSending,
    Effect,
    GiveAway,
    HoldReady,
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
from blade_agent.main_board.engine.turns.engine_stream import EngineStream
from blade_agent.main_board.engine.turns.events import (
    AllLeft,
    AssumptionAnswered,
    EndNeared,
    Event,
    NeighbourAnswered,
    NeighbourStarted,
    NextAnswered,
    PreloadLapsed,
    SegmentUnreadable,
    UnderrunAverted,
    UnderrunForeseen,
)
from blade_agent.main_board.engine.turns.states import Active, Asking, Given, HandingOver, Preloading, Sent, Stand
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.messages.enlisting import RunningStream, TurnPhase
from media_network.messages.streaming import (
    ASSUMED,
    NEXT_SEGMENT,
    Assumed,
    HandOver,
    Next,
    NextSegment,
    Preload,
    Ready,
    Start,
    StreamCursor,
    Swap,
    Underrun,
)
from media_network.messages.verb import Done
from media_network.packets import TS_PACKET_BYTES
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

PRELOAD_VALID_MS = 5000
LEAD_S = 1.0
"""How long before the end of the segment the next engine is sought; at once if the segment is shorter."""

_CUT_AHEAD_S = 0.06
"""How far ahead a turn is cut short: what a tick has sent already stays sent."""
_WORTH_A_CUT_S = 0.5
"""With less left of it the segment is sent to its end."""
_PAUSE_S = 0.2
_QUESTION_DEADLINE_S = 1.0
_SPACING_S = 0.003
"""Between our last datagram and the first of the next engine, so that the network does not deliver that one first."""
_PATIENCE = frozenset({Reason.NO_ENGINE, Reason.AT_CAPACITY, Reason.BUSY, Reason.OVERDUE, Reason.WRONG_ROLE})
"""Refusals after which it is worth asking the director again."""

Answer = ConfirmOrder | RefuseOrder | TellStand


class Ourselves(Protocol):
    """This engine, as the one that is named to go on with its own stream."""

    async def preload(self, request: Preload, *, in_place_of: str = "") -> Ready | Refused:
        """Answer `PRELOAD`; `in_place_of`: a session that is about to leave."""
        ...

    async def start(self, request: Start) -> Done | Refused:
        """Answer `START`."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What all streams of an engine have in common."""

    director: DirectorLink
    engines: AskingEngines
    ourselves: Ourselves
    pusher: Pusher
    tasks: asyncio.TaskGroup
    counted: Callable[[StreamFact], None]
    stopped: Callable[["CarriedStream", SayStopped], None]
    settled: Callable[["CarriedStream"], None]
    """Called when an event has had its effect: something of the stream is here, or nothing any more."""
    unreadable: Callable[[Transmission], None]
    give_away: Callable[[Given], None]
    """Called when a stream has begun in exchange for another."""
    meter: UsageMeter | None = None
    """Records what was sent; None: nobody bills it."""


@dataclass(frozen=True)
class _Begun:
    """A turn that is sent, as it is billed."""

    order: Preload
    packet: int
    at_ms: int


class CarriedStream:
    """One stream, all that is said for it, and what is sent of it."""

    def __init__(self, session: str, surroundings: Surroundings) -> None:
        self.session = session
        self.stream = EngineStream()
        self._here = surroundings
        self._transmissions: dict[int, Transmission] = {}
        """By turn: the one that is preloaded, and the one that is sent."""
        self._begun: dict[int, _Begun] = {}
        self._questions = 0
        self._lapse: asyncio.TimerHandle | None = None
        self._talk: asyncio.Task[None] | None = None

    def hear(self, event: Event) -> Answer | None:
        """Take an event, and have done what follows from it; give the answer, if it was an order."""
        answer: Answer | None = None
        for effect in self.stream.on(event):
            if isinstance(effect, Answer):
                answer = effect
            else:
                self._carry_out(effect)
        self._here.settled(self)
        return answer

    def put(self, turn: int, transmission: Transmission) -> None:
        """Have a segment at hand that was opened for a turn; one that was opened before is closed."""
        if before := self._transmissions.get(turn):
            before.close()
        self._transmissions[turn] = transmission

    def progress(self, turn: int) -> "TurnProgress":
        """Who is told how a turn of it fares."""
        return TurnProgress(self, turn)

    def transmission(self, turn: int) -> Transmission:
        """Of a turn that is preloaded or sent."""
        return self._transmissions[turn]

    @property
    def active(self) -> Active | None:
        """The turn that is ours."""
        active = self.stream.active
        return active if isinstance(active, Active) else None

    @property
    def packet(self) -> int:
        """The next one to send of the turn that is ours; 0 without one."""
        active = self.active
        return self._transmissions[active.turn].pacing.packet if active else 0

    # What is known of it

    @property
    def orders(self) -> tuple[Preload, ...]:
        """Of the turns that are being sent here, or may be at any moment."""
        active = self.active
        return tuple(order for order in (active.order if active else None, self.stream.ready) if order)

    def cursor(self, active: Active) -> StreamCursor:
        """Every packet before it has left."""
        return StreamCursor(
            session=self.session,
            turn=active.turn,
            segment=active.order.segment.number,
            packet=self._transmissions[active.turn].pacing.packet,
        )

    def report(self, active: Active, now_s: float, next_tick_s: float) -> StreamCursor:
        """The cursor, and how far it gets before the next tick."""
        tick_us = max(0, int((next_tick_s - now_s) * 1e6))
        reach = self._transmissions[active.turn].pacing.reach(next_tick_s)
        return replace(self.cursor(active), reach=reach, tick_us=tick_us)

    def running(self, now_s: float, next_tick_s: float) -> RunningStream | None:
        """All that another director has to know to go on with it; None if it has nothing to do with it."""
        if active := self.active:
            return _running(
                active.order,
                self.report(active, now_s, next_tick_s),
                TurnPhase.HANDING_OVER if active.sent is Sent.ALL else TurnPhase.SENDING,
                active.first_packet,
            )
        ready = self.stream.ready
        if ready is None or not ready.redirected:
            return None
        cursor = StreamCursor(session=self.session, turn=ready.turn, segment=ready.segment.number, packet=0)
        return _running(ready, cursor, TurnPhase.PRELOADED, 0)

    def figures(self, active: Active) -> StreamFigures:
        """The turn that is ours, for whoever manages the network."""
        order = active.order
        return StreamFigures(
            session=order.session,
            program=order.program,
            console=order.console,
            segment=order.segment.number,
            turn=order.turn,
            rate_bps=order.rate_bps,
            sent_bytes=(self.packet - active.first_packet) * TS_PACKET_BYTES,
        )

    # What is done for it

    def _carry_out(self, effect: Effect) -> None:  # noqa: C901, PLR0912 -- a case an effect
        match effect:
            case HoldReady(order):
                self._hold(order.turn)
            case CloseSegment(turn) | StopSending(turn):
                self._close(turn, sent=isinstance(effect, StopSending))
            case BeginSending(turn=turn, packet=packet, due_at=due_at):
                self._cancel_lapse()
                logger.info("stream %s: turn %d begins here with packet %d", self.session, turn, packet)
                self._transmissions[turn].begin(packet, due_at)
                self._meter_begin(turn, packet)
                self._here.pusher.add(self._transmissions[turn], due_at)
            case CutSending(turn):
                self._transmissions[turn].pacing.cut(_CUT_AHEAD_S, _now())
            case ResumeSending(turn):
                self._transmissions[turn].pacing.go_on()
                self._here.pusher.add(self._transmissions[turn], _now())
            case SayAssumed(order=order, packet=packet):
                self._say(self._say_assumed(order, packet))
            case AskNext(asking):
                self._say(self._ask_next(asking))
            case PreloadNeighbour(preloading):
                self._say(self._preload_neighbour(preloading))
            case StartNeighbour(starting):
                self._say(self._start_neighbour(starting))
            case SayStopped():
                self._here.stopped(self, effect)
            case GiveAway(given):
                self._here.give_away(given)
            case ReportSoon():
                self._here.director.report_soon()
            case CountStream(fact):
                self._here.counted(fact)

    def _hold(self, turn: int) -> None:
        self._cancel_lapse()
        later = asyncio.get_running_loop().call_later
        self._lapse = later(PRELOAD_VALID_MS / 1000, self.hear, PreloadLapsed(turn))

    def _cancel_lapse(self) -> None:
        if self._lapse:
            self._lapse.cancel()
            self._lapse = None

    def _close(self, turn: int, *, sent: bool) -> None:
        if sent:
            logger.info("stream %s: turn %d ends here", self.session, turn)
        active, ready = self.active, self.stream.ready
        if ready is None:
            self._cancel_lapse()
        if active is None:
            self._hush()
        if transmission := self._transmissions.pop(turn, None):
            self._here.pusher.stop(transmission)
            transmission.close()
            self._meter_end(turn, transmission.pacing.packet)

    def _meter_begin(self, turn: int, packet: int) -> None:
        active, meter = self.active, self._here.meter
        if meter and active and active.turn == turn:
            self._begun[turn] = _Begun(active.order, packet, meter.now_ms())

    def _meter_end(self, turn: int, packet: int) -> None:
        begun, meter = self._begun.pop(turn, None), self._here.meter
        if meter and begun:
            meter.turn_ended(
                session=self.session,
                epoch=begun.order.epoch,
                turn=turn,
                program=begun.order.program,
                sent_bytes=(packet - begun.packet) * TS_PACKET_BYTES,
                began_at_ms=begun.at_ms,
            )

    def _say(self, saying: Coroutine[Any, Any, None]) -> None:
        """One thing at a time is said of a stream: what was said of an earlier turn is of no interest any more."""
        self._hush()
        self._talk = self._here.tasks.create_task(saying, name=f"stream {self.session}")

    def _hush(self) -> None:
        if self._talk and self._talk is not asyncio.current_task():
            self._talk.cancel()

    async def _say_assumed(self, order: Preload, packet: int) -> None:
        message = Assumed(
            session=self.session,
            turn=order.turn,
            engine=str(self._here.director.own),
            segment=order.segment.number,
            packet=packet,
        )
        answer = await self._here.director.say(ASSUMED, message)
        self.hear(AssumptionAnswered(order.turn, self.packet, isinstance(answer, Refused)))

    async def _ask_next(self, asking: Asking) -> None:
        """Ask for the next segment until the director knows one, or patience has run out."""
        loop, director = asyncio.get_running_loop(), self._here.director
        pacing = self._transmissions[asking.turn].pacing
        # About a doubtful engine the director may have to wait for the end of a lease.
        deadline_s = _QUESTION_DEADLINE_S + (director.lease_s if asking.doubtful else 0.0)
        asked_s, found = loop.time(), None
        while found is None and loop.time() < max(pacing.end_s, asked_s) + director.lease_s:
            if self.active is None or self.active.turn != asking.turn:
                return
            if asking.foreseen and not self._transmissions[asking.turn].underrun(loop.time()):
                # It is all here by now, or will be in time.
                self.hear(UnderrunAverted(asking.turn))
                if not isinstance(self.active, Asking):
                    return
            answer = await director.ask(NEXT_SEGMENT, self._question(asking), deadline_s=deadline_s)
            if isinstance(answer, Next) or (isinstance(answer, Refused) and answer.reason not in _PATIENCE):
                found = answer
            else:
                await asyncio.sleep(_PAUSE_S)
        self.hear(NextAnswered(asking.turn, self.packet, found))

    def _question(self, asking: Asking) -> NextSegment:
        self._questions += 1
        packet, transmission = self._cut_from(asking.turn), self._transmissions[asking.turn]
        return NextSegment(
            session=self.session,
            turn=asking.turn,
            segment=asking.order.segment.number,
            packet=packet,
            underrun=_underrun(transmission) if asking.foreseen and packet is not None else None,
            failed=asking.failed,
            doubtful=asking.doubtful,
            number=self._questions,
        )

    def _cut_from(self, turn: int) -> int | None:
        """The next packet, if the turn is to be handed over before the end of its segment; None if at the end."""
        pacing, active = self._transmissions[turn].pacing, self.active
        leaves = active is not None and (active.hurried or active.foreseen)
        cut = pacing.is_cut or (leaves and pacing.end_s - _now() > _WORTH_A_CUT_S)
        return pacing.packet if cut else None

    async def _preload_neighbour(self, preloading: Preloading) -> None:
        order, offer = preloading.order, preloading.offer
        message = Preload(
            epoch=self._here.director.epoch,
            session=self.session,
            turn=offer.turn,
            program=order.program,
            table=order.table,
            segment=offer.segment,
            rate_bps=order.rate_bps,
            console=order.console,
            packet=offer.packet,
            trick=offer.trick,
        )
        swaps = preloading.foreseen and offer.segment.number == order.segment.number
        is_ready = await (self._swap(offer, message) if swaps else self._preload(offer, message))
        if not is_ready:
            logger.warning("engine %s is not ready for turn %d of %s", offer.engine, offer.turn, self.session)
        self.hear(NeighbourAnswered(order.turn, is_ready))

    async def _preload(self, offer: HandOver, message: Preload) -> bool:
        engine = _address(offer.engine)
        answer: Ready | Refused | None = None
        if engine == self._here.director.own:
            answer = await self._here.ourselves.preload(message)
        elif engine:
            answer = await self._here.engines.preload(engine, message)
        return isinstance(answer, Ready)

    async def _swap(self, offer: HandOver, message: Preload) -> bool:
        """Claims 21 and 22: request a swap that identifies our console, and get ready for the one that comes back."""
        engine = _address(offer.engine)
        if engine is None or engine == self._here.director.own:
            return False
        request = Swap(engine=str(self._here.director.own), preload=message, exchange=offer.exchange)
        answer = await self._here.engines.swap(engine, request)
        if answer is None or isinstance(answer, Refused):
            return False
        if offer.exchange is None:
            return True
        returned = answer.returned
        if returned is None or (returned.session, returned.turn) != (offer.exchange.session, offer.exchange.next_turn):
            return False
        return isinstance(await self._here.ourselves.preload(returned, in_place_of=self.session), Ready)

    async def _start_neighbour(self, starting: HandingOver) -> None:
        outcome = await self._started(starting)
        if outcome is not StartOutcome.TAKEN:
            offer = starting.offer
            logger.warning("engine %s did not take turn %d of %s", offer.engine, offer.turn, self.session)
        self.hear(NeighbourStarted(starting.turn, self.packet, outcome))

    async def _started(self, starting: HandingOver) -> StartOutcome:
        """Direct the next engine to start, unless our lease has ended: the stream may be another's then."""
        director, offer = self._here.director, starting.offer
        left_s = director.lease_end_s - _now()
        engine = _address(offer.engine)
        if left_s <= 0 or engine is None:
            return StartOutcome.REFUSED
        pacing = self._transmissions[starting.turn].pacing
        message = Start(
            epoch=director.epoch,
            session=self.session,
            turn=offer.turn,
            packet=pacing.packet if offer.segment.number == starting.order.segment.number else 0,
            due_in_us=round(max(_SPACING_S, pacing.end_s - _now()) * 1_000_000),
        )
        if engine == director.own:
            return outcome_of(await self._here.ourselves.start(message))
        return await self._here.engines.start(engine, message, within_s=left_s)

    def moved(self, turn: int, now_s: float, *, left: bool) -> None:
        """See `Progress`."""
        active = self.active
        if active is None or active.turn != turn:
            return
        transmission = self._transmissions[turn]
        pacing = transmission.pacing
        if active.sent is Sent.GOING and transmission.underrun(now_s):
            self.hear(UnderrunForeseen(turn))
        if active.sent is Sent.GOING and (pacing.all_sent or pacing.end_s - now_s <= LEAD_S):
            self.hear(EndNeared(turn))
        if pacing.all_sent and left:
            self.hear(AllLeft(turn, pacing.packet))

    def failed(self, turn: int) -> None:
        """See `Progress`."""
        if transmission := self._transmissions.get(turn):
            self._here.unreadable(transmission)
            self.hear(SegmentUnreadable(turn, self.packet))


@dataclass(frozen=True)
class TurnProgress:
    """Hears how one turn of a stream fares: see `Progress`."""

    carried: CarriedStream
    turn: int

    def moved(self, now_s: float, *, left: bool) -> None:
        """More may have been sent."""
        self.carried.moved(self.turn, now_s, left=left)

    def failed(self) -> None:
        """The segment cannot be read."""
        self.carried.failed(self.turn)


def stopped_stream(stopped: SayStopped) -> RunningStream:
    """A stream that stopped short, for a director that has not heard of it."""
    return _running(
        stopped.order, cursor_of(stopped.order.session, stopped.stand), TurnPhase.STOPPED, stopped.first_packet
    )


def cursor_of(session: str, stand: Stand) -> StreamCursor:
    """Where a turn ended."""
    return StreamCursor(session=session, turn=stand.turn, segment=stand.segment, packet=stand.packet)


def _running(order: Preload, cursor: StreamCursor, phase: TurnPhase, first_packet: int) -> RunningStream:
    return RunningStream(
        cursor=cursor,
        phase=phase,
        program=order.program,
        table=order.table,
        console=order.console,
        first_packet=first_packet,
        trick=order.trick,
    )


def _underrun(transmission: Transmission) -> Underrun | None:
    now_s = _now()
    missed = transmission.underrun(now_s)
    return missed and Underrun(packet=missed.packet, in_ms=max(0, round((missed.due_s - now_s) * 1000)))


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
