"""The streams of an engine: what it answers to `PRELOAD`, `STREAM`, `START` and `CEASE`.

At most one turn of a session is active here, and at most one later turn preloaded.
"""

import asyncio
import logging
from dataclasses import dataclass

from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.engine_figures import StreamFigures
from blade_agent.main_board.engine.sending.push_socket import PushSocket
from blade_agent.main_board.engine.sending.pusher import Pusher
from blade_agent.main_board.engine.store.errors import NotHeld, StoreError
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.engine.turns.hand_over import conduct
from blade_agent.main_board.engine.turns.life import TurnEvent
from blade_agent.main_board.engine.turns.neighbours import Engines
from blade_agent.main_board.engine.turns.turn import Turn
from blade_agent.main_board.engine.turns.turn_memory import TurnMemory
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.messages.enlisting import RunningStream
from media_network.messages.streaming import (
    STOPPED,
    Cease,
    Ceased,
    Preload,
    Ready,
    Start,
    StopCause,
    Stopped,
    Stream,
    StreamCursor,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused

_log = logging.getLogger(__name__)

PRELOAD_VALID_MS = 5000
_DUE_IN_MAX_S = 5.0
_TURNS_MAX = 8192
_LAST_WORD_S = 0.5


@dataclass
class StreamCounters:
    """What has come of the streams since the start."""

    started: int = 0
    hand_overs_given: int = 0
    hand_overs_taken: int = 0
    hand_overs_failed: int = 0
    """Within a segment: the stream went on here."""
    stopped_short: int = 0
    refusals: int = 0


@dataclass
class _Preloaded:
    turn: Turn
    lapse: asyncio.TimerHandle


class Streams:
    """Turns that are preloaded, active and over."""

    def __init__(
        self,
        *,
        store: SegmentStore,
        director: DirectorLink,
        client: HttpClient,
        push_socket: PushSocket,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.pusher = Pusher(push_socket, director.leased, tasks)
        self._push_socket = push_socket
        self._store = store
        self._director = director
        self._engines = Engines(client, director, self.preload, self.start)
        self._tasks = tasks
        self._preloaded: dict[str, _Preloaded] = {}
        self._active: dict[str, Turn] = {}
        self._untold: dict[str, RunningStream] = {}
        """Streams that stopped short, by session, until a director has heard of it."""
        self._memory = TurnMemory()
        self.counters = StreamCounters()

    # What the director, consoles and other engines say

    async def preload(self, request: Preload) -> Ready | Refused:
        """Answer `PRELOAD`."""
        if refused := self._refuse_preload(request):
            self.counters.refusals += 1
            return refused
        present = self._preloaded.get(request.session)
        if present is None or present.turn.preload != request:
            try:
                turn = await self._open(request)
            except ValueError as error:
                return Refused(Reason.BAD_MESSAGE, str(error))
            except StoreError as error:
                self._store.lose_failed_channels()
                return Refused(Reason.NOT_HERE, str(error))
            # The session may have moved on while the disk was read.
            if refused := self._refuse_preload(request):
                turn.close()
                return refused
        else:
            turn = present.turn
        self._put_preloaded(turn)
        return Ready(valid_ms=PRELOAD_VALID_MS)

    async def stream(self, request: Stream) -> Done | Refused:
        """Answer `STREAM`: the console that was redirected here is ready for the first packet."""
        preloaded = self._preloaded.get(request.session)
        waited_for = preloaded and preloaded.turn.preload.turn == request.turn
        if preloaded and waited_for and not self._admits(request, preloaded.turn.preload.program):
            self.counters.refusals += 1
            return Refused(Reason.BAD_TICKET, "the ticket is not good for this session")
        return self._start(request.session, request.turn, packet=0, due_in_s=0.0)

    async def start(self, request: Start) -> Done | Refused:
        """Answer `START`: the packet before this one has been sent."""
        if request.epoch != self._director.epoch:
            return self._stale_epoch(request.epoch)
        return self._start(
            request.session,
            request.turn,
            packet=request.packet,
            due_in_s=min(request.due_in_us / 1_000_000, _DUE_IN_MAX_S),
        )

    async def cease(self, request: Cease) -> Ceased | Refused:
        """Answer `CEASE`: nothing of these turns will be sent after the answer."""
        if request.epoch not in (None, self._director.epoch):
            return self._stale_epoch(request.epoch)
        turn = self._cease(request.session, request.turn)
        await self._push_socket.drain()
        if turn is None:
            return Ceased(self._director.boot, self._memory.cursor(request.session, request.turn))
        self._tell_stopped(turn, request.cause)
        return Ceased(self._director.boot, turn.cursor)

    # What the bond with the director brings

    def revoke(self, cursor: StreamCursor) -> None:
        """Stop a stream that the director, which knows it, does not let go on."""
        self._cease(cursor.session, cursor.turn)

    def expire(self) -> None:
        """Stop everything: the lease has ended."""
        for session in tuple(self._preloaded):
            self._drop_preloaded(session)
        for turn in tuple(self._active.values()):
            self._interrupt(turn)
            self._tell_stopped(turn, StopCause.LEASE_EXPIRED)

    def drain(self, *, draining: bool) -> None:
        """Hand every stream over as soon as another engine is ready; who was to start one here is refused."""
        for session in tuple(self._preloaded) if draining else ():
            self._drop_preloaded(session)
        for turn in self._active.values():
            turn.cut_short = draining
            if draining:
                turn.hurry()

    def change_director(self) -> None:
        """What the director before had prepared is void, but for consoles that were redirected here already."""
        for session in [session for session, each in self._preloaded.items() if not each.turn.is_first]:
            self._drop_preloaded(session)

    def running(self) -> tuple[RunningStream, ...]:
        """All that another director has to know to go on."""
        now_s = asyncio.get_running_loop().time()
        waiting = (each.turn for each in self._preloaded.values() if each.turn.is_first)
        known = [self._running(turn) for turn in (*self._active.values(), *waiting)]
        if not self._director.leased(now_s):
            # Meanwhile another engine may have got them.
            self._untold.clear()
        return (*known, *self._untold.values())

    @property
    def cursors(self) -> tuple[StreamCursor, ...]:
        """Of every active turn."""
        now_s = asyncio.get_running_loop().time()
        next_tick_s = self.pusher.next_tick_s(now_s)
        return tuple(turn.report(now_s, next_tick_s) for turn in self._active.values())

    def figures(self) -> tuple[StreamFigures, ...]:
        """Every active turn."""
        return tuple(turn.figures() for turn in self._active.values())

    @property
    def count(self) -> int:
        """Turns that are active or may become so at any moment."""
        return len(self._active) + len(self._preloaded)

    @property
    def active(self) -> int:
        """Turns that are active."""
        return len(self._active)

    @property
    def rate_bps(self) -> int:
        """What the active turns send."""
        return sum(turn.preload.rate_bps for turn in self._active.values())

    async def leave(self) -> None:
        """Send nothing more, and let the director know how far everything was sent, if it answers at once."""
        cursors = [turn.cursor for turn in self._active.values() if turn.sending]
        self.close()
        stops = [
            Stopped(session=at.session, turn=at.turn, segment=at.segment, packet=at.packet, cause=StopCause.FAILED)
            for at in cursors
        ]
        await self._push_socket.drain()
        await asyncio.gather(*(self._director.ask(STOPPED, stop, deadline_s=_LAST_WORD_S) for stop in stops))

    def close(self) -> None:
        """Let go of all segments; nothing more is sent."""
        for session in tuple(self._preloaded):
            self._drop_preloaded(session)
        for turn in tuple(self._active.values()):
            self._interrupt(turn)

    # The life of a turn

    def _refuse_preload(self, request: Preload) -> Refused | None:
        session, turn = request.session, request.turn
        if request.epoch != self._director.epoch:
            return self._stale_epoch(request.epoch)
        present = self._preloaded.get(session)
        newer_is_here = present is not None and present.turn.preload.turn > turn
        if newer_is_here or self._memory.is_over(session, turn) or self._memory.was_started(session, turn):
            return Refused(Reason.STALE_TURN, f"turn {turn} of {session} is over or started")
        if len(self._preloaded) + len(self._active) >= _TURNS_MAX:
            return Refused(Reason.AT_CAPACITY, f"{_TURNS_MAX} streams")
        committed_bps = self._committed_bps(session) + request.rate_bps
        capacity_bps = self._director.duty.capacity_bps
        if committed_bps > capacity_bps:
            return Refused(Reason.AT_CAPACITY, f"{committed_bps} bit/s of {capacity_bps}")
        return None

    def _admits(self, request: Stream, program: str) -> bool:
        return self._director.holder(request.ticket, program) == request.session

    def _committed_bps(self, without_session: str) -> int:
        """What the streams of all other sessions need."""
        rates = {session: preloaded.turn.preload.rate_bps for session, preloaded in self._preloaded.items()}
        rates |= {session: turn.preload.rate_bps for session, turn in self._active.items()}
        rates.pop(without_session, None)
        return sum(rates.values())

    async def _open(self, request: Preload) -> Turn:
        """A turn with its first window in memory. Raises StoreError, ValueError for a bad console address."""
        console = Address.parse(request.console)
        if not self._store.holds(request.program, request.segment):
            raise NotHeld(request.program, request.segment.number)
        stored = await self._store.read(request.program, request.segment.number)
        turn = Turn(request, console, stored, self._fail)
        try:
            await turn.transmission.read_first(request.packet)
        except BaseException:
            turn.close()
            raise
        return turn

    def _put_preloaded(self, turn: Turn) -> None:
        """Keep a turn ready until it is started or its time is over."""
        session = turn.preload.session
        present = self._preloaded.pop(session, None)
        if present:
            present.lapse.cancel()
            if present.turn is not turn:
                present.turn.close()
        lapse = asyncio.get_running_loop().call_later(PRELOAD_VALID_MS / 1000, self._drop_preloaded, session)
        self._preloaded[session] = _Preloaded(turn, lapse)

    def _drop_preloaded(self, session: str) -> None:
        preloaded = self._preloaded.pop(session, None)
        if preloaded:
            preloaded.lapse.cancel()
            preloaded.turn.happen(TurnEvent.STOP)
            preloaded.turn.close()

    def _start(self, session: str, number: int, *, packet: int, due_in_s: float) -> Done | Refused:
        now_s = asyncio.get_running_loop().time()
        if self._memory.is_over(session, number):
            return Refused(Reason.STALE_TURN, f"turn {number} of {session} is over")
        if self._memory.was_started(session, number):
            return Done()
        preloaded = self._preloaded.get(session)
        if preloaded is None or preloaded.turn.preload.turn != number:
            self.counters.refusals += 1
            return Refused(Reason.NOT_READY, f"turn {number} of {session} is not preloaded")
        if not self._director.leased(now_s):
            self.counters.refusals += 1
            return Refused(Reason.NOT_READY, "this engine has no lease")
        turn = preloaded.turn
        if packet > turn.preload.segment.packets:
            return Refused(Reason.BAD_MESSAGE, f"the segment has {turn.preload.segment.packets} packets")
        preloaded.lapse.cancel()
        del self._preloaded[session]
        self._activate(turn, packet, now_s + due_in_s)
        return Done()

    def _activate(self, turn: Turn, packet: int, due_s: float) -> None:
        session = turn.preload.session
        earlier = self._active.pop(session, None)
        if earlier and earlier.sending:
            self._interrupt(earlier)
        self._memory.start(session, turn.preload.turn)
        self._active[session] = turn
        self._untold.pop(session, None)
        turn.start(packet, due_s)
        self.counters.started += 1
        self.counters.hand_overs_taken += not turn.is_first
        turn.conversation = self._tasks.create_task(self._accompany(turn), name=f"stream {session}")
        self.pusher.add(turn.transmission, due_s)
        self._director.report_soon()
        if self._director.draining:
            turn.hurry()

    def _go_on(self, turn: Turn) -> None:
        self.counters.hand_overs_failed += 1
        turn.go_on()
        self.pusher.add(turn.transmission, asyncio.get_running_loop().time())

    async def _accompany(self, turn: Turn) -> None:
        cause = await conduct(turn, self._director, self._engines, self._go_on)
        self.counters.hand_overs_given += cause is None
        turn.happen(TurnEvent.TAKEN if cause is None else TurnEvent.STOP)
        self._retire(turn)
        if cause is not None:
            self._tell_stopped(turn, cause)

    def _cease(self, session: str, number: int) -> Turn | None:
        """Stop and forbid all turns up to this one; returns the active one if it was among them."""
        self._memory.cease(session, number)
        preloaded = self._preloaded.get(session)
        if preloaded and preloaded.turn.preload.turn <= number:
            self._drop_preloaded(session)
        turn = self._active.get(session)
        if turn is None or turn.preload.turn > number:
            return None
        self._interrupt(turn)
        return turn

    def _interrupt(self, turn: Turn) -> None:
        if turn.conversation:
            turn.conversation.cancel()
        turn.happen(TurnEvent.STOP)
        self._retire(turn)

    def _retire(self, turn: Turn) -> None:
        self.pusher.stop(turn.transmission)
        self._memory.end(turn.cursor)
        turn.close()
        if self._active.get(turn.preload.session) is turn:
            del self._active[turn.preload.session]

    def _fail(self, turn: Turn) -> None:
        """The segment of a turn cannot be read: its file is damaged, or the whole channel."""
        self._store.lose(*turn.transmission.stored.key)
        if turn.active:
            self._interrupt(turn)
            self._tell_stopped(turn, StopCause.FAILED)
        self._store.lose_failed_channels()

    def _tell_stopped(self, turn: Turn, cause: StopCause) -> None:
        cursor = turn.cursor
        self.counters.stopped_short += cause in (StopCause.LEASE_EXPIRED, StopCause.FAILED)
        if cause is StopCause.FAILED:
            self._untold[cursor.session] = self._running(turn)
        stopped = Stopped(
            session=cursor.session, turn=cursor.turn, segment=cursor.segment, packet=cursor.packet, cause=cause
        )
        self._tasks.create_task(self._say_stopped(stopped), name=f"stopped {cursor.session}")

    def _running(self, turn: Turn) -> RunningStream:
        now_s = asyncio.get_running_loop().time()
        return turn.running(now_s, self.pusher.next_tick_s(now_s))

    async def _say_stopped(self, stopped: Stopped) -> None:
        await self._director.say(STOPPED, stopped)
        untold = self._untold.get(stopped.session)
        if untold and untold.cursor.turn == stopped.turn:
            del self._untold[stopped.session]

    def _stale_epoch(self, epoch: int | None) -> Refused:
        self.counters.refusals += 1
        return Refused(Reason.STALE_EPOCH, f"epoch {epoch} is not our director's, {self._director.epoch}")
