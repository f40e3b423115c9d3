"""What a stream wants is done: its segments opened and sent, its messages said (claims 16 and 17)."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from blade_agent.main_board.accounts.usage_meter import UsageMeter
from blade_agent.main_board.asking_engines import AskingEngines
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
    EndNeared,
    Event,
    PreloadLapsed,
    SegmentUnreadable,
    UnderrunForeseen,
)
from blade_agent.main_board.engine.turns.states import Active, Given, Sent, Stand
from blade_agent.main_board.engine.turns.stream_voice import Ourselves, StreamVoice
from media_network.messages.enlisting import RunningStream, TurnPhase
from media_network.messages.streaming import (
    Preload,
    StreamCursor,
)
from media_network.packets import TS_PACKET_BYTES

logger = logging.getLogger(__name__)

PRELOAD_VALID_MS = 5000
LEAD_S = 1.0
"""How long before the end of the segment the next engine is sought; at once if the segment is shorter."""

_CUT_AHEAD_S = 0.06
"""How far ahead a turn is cut short: what a tick has sent already stays sent."""

Answer = ConfirmOrder | RefuseOrder | TellStand


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
        self._voice = StreamVoice(self, surroundings.director, surroundings.engines, surroundings.ourselves)
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
                self._say(self._voice.say_assumed(order, packet))
            case AskNext(asking):
                self._say(self._voice.ask_next(asking))
            case PreloadNeighbour(preloading):
                self._say(self._voice.preload_neighbour(preloading))
            case StartNeighbour(starting):
                self._say(self._voice.start_neighbour(starting))
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
        rtp=order.rtp,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
