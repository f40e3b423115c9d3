"""One turn of a stream: one segment, sent by this engine."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from blade_agent.main_board.engine.engine_figures import StreamFigures
from blade_agent.main_board.engine.sending.pacing import Pacing
from blade_agent.main_board.engine.sending.transmission import Transmission
from blade_agent.main_board.engine.store.store import StoredSegment
from blade_agent.main_board.engine.turns.life import ACTIVE, SENDING, TurnEvent, TurnState, next_state
from media_network.address import Address
from media_network.messages.enlisting import RunningStream, TurnPhase
from media_network.messages.streaming import Preload, StreamCursor
from media_network.program import TS_PACKET_BYTES

LEAD_S = 1.0
"""How long before the end of the segment the next engine is sought; at once if the segment is shorter."""

_CUT_AHEAD_S = 0.06
"""How far ahead a turn is cut short: what a tick has sent already stays sent."""
_WORTH_A_CUT_S = 0.5
"""With less left of it the segment is sent to its end."""

_PHASES = {
    TurnState.PRELOADED: TurnPhase.PRELOADED,
    TurnState.STREAMING: TurnPhase.SENDING,
    TurnState.NEAR_END: TurnPhase.SENDING,
    TurnState.HANDING_OVER: TurnPhase.HANDING_OVER,
    TurnState.HANDED_OVER: TurnPhase.STOPPED,
    TurnState.STOPPED: TurnPhase.STOPPED,
}


class Turn:
    """What is sent, how far it is, and where in its life it is. The caller closes it."""

    def __init__(
        self, preload: Preload, console: Address, stored: StoredSegment, unreadable: Callable[["Turn"], None]
    ) -> None:
        """`unreadable` is called when its segment cannot be read to the end."""
        self.preload = preload
        self.transmission = Transmission(stored, console, preload.rate_bps, self)
        self._unreadable = unreadable
        self.state = TurnState.PRELOADED
        self.first_packet = 0
        self.near_end = asyncio.Event()
        self.all_sent = asyncio.Event()
        self.conversation: asyncio.Task[None] | None = None
        self.cut_short = False
        """To be handed over within the segment: the engine drains."""

    @property
    def pacing(self) -> Pacing:
        """Its schedule."""
        return self.transmission.pacing

    @property
    def is_first(self) -> bool:
        """Whether it is a session's first turn: a console is redirected here to ask for it."""
        return self.preload.turn == 1

    @property
    def sending(self) -> bool:
        """Whether packets remain to be sent."""
        return self.state in SENDING

    @property
    def active(self) -> bool:
        """Whether the stream is ours."""
        return self.state in ACTIVE

    @property
    def cursor(self) -> StreamCursor:
        """Every packet before it has left."""
        preload = self.preload
        return StreamCursor(
            session=preload.session, turn=preload.turn, segment=preload.segment.number, packet=self.pacing.packet
        )

    def report(self, now_s: float, next_tick_s: float) -> StreamCursor:
        """The cursor, and how far it gets before the next tick."""
        tick_us = max(0, int((next_tick_s - now_s) * 1e6))
        return replace(self.cursor, reach=self.pacing.reach(next_tick_s), tick_us=tick_us)

    def running(self, now_s: float, next_tick_s: float) -> RunningStream:
        """All there is to know of it."""
        preload = self.preload
        return RunningStream(
            cursor=self.report(now_s, next_tick_s) if self.active else self.cursor,
            phase=TurnPhase.HANDING_OVER if self.all_sent.is_set() else _PHASES[self.state],
            program=preload.program,
            console=preload.console,
            first_packet=self.first_packet,
        )

    def figures(self) -> StreamFigures:
        """It, for whoever manages the network."""
        preload = self.preload
        return StreamFigures(
            session=preload.session,
            program=preload.program,
            console=preload.console,
            segment=preload.segment.number,
            turn=preload.turn,
            rate_bps=preload.rate_bps,
            sent_bytes=(self.pacing.packet - self.first_packet) * TS_PACKET_BYTES,
        )

    def hurry(self) -> None:
        """Hand over as soon as another engine is ready, before the end of the segment."""
        self.cut_short = True
        if self.state is TurnState.STREAMING:
            self.happen(TurnEvent.NEAR_END)
            self.near_end.set()

    def cut_from(self, now_s: float) -> int | None:
        """The next packet, if it is to be handed over before the end of the segment; None if at the end."""
        worth_it = self.pacing.end_s - now_s > _WORTH_A_CUT_S or self.pacing.is_cut
        return self.pacing.packet if self.cut_short and worth_it else None

    def cut(self, now_s: float) -> None:
        """End it in a moment."""
        if self.state is TurnState.NEAR_END:
            self.pacing.cut(_CUT_AHEAD_S, now_s)

    def go_on(self) -> None:
        """Nobody took over where it was cut."""
        self.happen(TurnEvent.NOT_TAKEN)
        self.pacing.go_on()
        self.all_sent.clear()

    def start(self, packet: int, due_s: float) -> None:
        """Begin with this packet, due then."""
        self.happen(TurnEvent.STARTED)
        self.first_packet = packet
        self.transmission.begin(packet, due_s)

    def moved(self, now_s: float, *, left: bool) -> None:
        """See whether the end is near, or reached: see `Progress`."""
        if self.state is TurnState.STREAMING and (self.pacing.all_sent or self.pacing.end_s - now_s <= LEAD_S):
            self.happen(TurnEvent.NEAR_END)
            self.near_end.set()
        if self.state is TurnState.NEAR_END and self.pacing.all_sent and left:
            self.happen(TurnEvent.ALL_SENT)
            self.all_sent.set()

    def failed(self) -> None:
        """See `Progress`."""
        self._unreadable(self)

    def happen(self, event: TurnEvent) -> None:
        """Move on in life. Raises ImpossibleEvent."""
        self.state = next_state(self.state, event)

    def close(self) -> None:
        """Let go of the segment."""
        self.transmission.close()
