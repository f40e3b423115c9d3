"""The streams of an engine: what it answers to `PRELOAD`, `SWAP`, `STREAM`, `START` and `CEASE`."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from blade_agent.main_board.accounts.usage_meter import UsageMeter
from blade_agent.main_board.asking_engines import AskingEngines
from blade_agent.main_board.asking_host import refuse_elsewhere
from blade_agent.main_board.engine.director_link import DirectorLink
from blade_agent.main_board.engine.engine_figures import EngineCounters, StreamFigures
from blade_agent.main_board.engine.sending.push_socket import PushSocket
from blade_agent.main_board.engine.sending.pusher import Pusher
from blade_agent.main_board.engine.sending.rtp_outlet import RtpOutlet
from blade_agent.main_board.engine.sending.transmission import Transmission
from blade_agent.main_board.engine.store.arriving import Arrivals
from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.engine.turns.carried_stream import (
    PRELOAD_VALID_MS,
    CarriedStream,
    Surroundings,
    cursor_of,
    stopped_stream,
)
from blade_agent.main_board.engine.turns.effects import RefuseOrder, SayStopped, StreamFact, TellStand
from blade_agent.main_board.engine.turns.events import (
    CeaseOrdered,
    DirectorReplaced,
    DrainEnded,
    DrainOrdered,
    DutyLeft,
    Event,
    GivenAway,
    LeaseEnded,
    PreloadOrdered,
    SegmentOpened,
    StartOrdered,
    TurnRevoked,
)
from blade_agent.main_board.engine.turns.states import Active, Given, Sent
from blade_agent.main_board.engine.turns.turn_opener import TurnOpener
from media_network.address import Address
from media_network.cut import Cut
from media_network.http.asker import Asker
from media_network.http.client import HttpClient
from media_network.messages.enlisting import RunningStream
from media_network.messages.streaming import (
    STOPPED,
    Cease,
    Ceased,
    Exchange,
    HandOver,
    Preload,
    Ready,
    Start,
    StopCause,
    Stopped,
    Stream,
    StreamCursor,
    Swap,
    Swapped,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

_DUE_IN_MAX_S = 5.0
_TURNS_MAX = 8192
_STREAMS_REMEMBERED = 16_384
_LAST_WORD_S = 0.5


class EngineStreams:
    """All streams that are, or were, here."""

    def __init__(
        self,
        *,
        store: SegmentStore,
        arrivals: Arrivals,
        director: DirectorLink,
        client: HttpClient,
        push_socket: PushSocket,
        counters: EngineCounters,
        tasks: asyncio.TaskGroup,
        rtp: RtpOutlet | None = None,
        meter: UsageMeter | None = None,
        remembered: int = _STREAMS_REMEMBERED,
    ) -> None:
        self.pusher = Pusher(push_socket, director.leased, counters, tasks, rtp)
        self._push_socket = push_socket
        self._rtp = rtp
        self._store = store
        self._opener = TurnOpener(store, arrivals)
        self._director = director
        self._counters = counters
        self._tasks = tasks
        self._remembered = remembered
        self._known: OrderedDict[str, CarriedStream] = OrderedDict()
        """By session, those longest unheard of first. What is past of them is remembered as long as there is room."""
        self._live: dict[str, CarriedStream] = {}
        """Those of which something is here."""
        self._untold: dict[str, RunningStream] = {}
        """Streams that stopped short, by session, until a director has heard of it."""
        self._surroundings = Surroundings(
            director=director,
            engines=AskingEngines(client),
            ourselves=self,
            pusher=self.pusher,
            tasks=tasks,
            counted=self._counted,
            stopped=self._tell_stopped,
            settled=self._settle,
            unreadable=self._unreadable,
            give_away=self._give_away,
            meter=meter,
        )

    # What the director, consoles and other engines say

    async def preload(self, request: Preload, *, in_place_of: str = "") -> Ready | Refused:
        """Answer `PRELOAD`; `in_place_of`: a session that is about to leave."""
        return await self._get_ready(request, in_place_of=in_place_of)

    async def swap(self, request: Swap) -> Swapped | Refused:
        """Answer `SWAP` (claims 21 and 22): a stream is to go on here, and another may be taken for it."""
        exchange = request.exchange
        if exchange is None:
            answer = await self._get_ready(request.preload)
            return answer if isinstance(answer, Refused) else Swapped(valid_ms=answer.valid_ms)
        going = self._goes_for(exchange)
        if isinstance(going, Refused):
            return self._refuse(going)
        offer = HandOver(turn=exchange.next_turn, engine=request.engine, segment=going.segment)
        given = Given(session=exchange.session, turn=exchange.turn, offer=offer)
        answer = await self._get_ready(request.preload, given, in_place_of=exchange.session)
        if isinstance(answer, Refused):
            return answer
        packet = self._carried(exchange.session).packet
        returned = replace(going, turn=exchange.next_turn, packet=packet, redirected=False)
        return Swapped(valid_ms=answer.valid_ms, returned=returned)

    async def _get_ready(
        self, request: Preload, given: Given | None = None, *, in_place_of: str = ""
    ) -> Ready | Refused:
        if refused := self._refuse_preload(request, in_place_of):
            return self._refuse(refused)
        carried = self._carried(request.session)
        answer = carried.hear(PreloadOrdered(request, given))
        if answer is None:
            try:
                transmission = await self._opener.open(request, carried.progress(request.turn))
            except ValueError as error:
                return Refused(Reason.BAD_MESSAGE, str(error))
            except StoreError as error:
                return Refused(Reason.NOT_HERE, str(error))
            if refused := self._refuse_preload(request, in_place_of):
                transmission.close()
                return self._refuse(refused)
            answer = carried.hear(SegmentOpened(request, given))
            if isinstance(answer, RefuseOrder):
                transmission.close()
            else:
                carried.put(request.turn, transmission)
        if isinstance(answer, RefuseOrder):
            return self._refuse(answer.refused)
        return Ready(valid_ms=PRELOAD_VALID_MS)

    async def stream(self, request: Stream, asker: Asker) -> Done | Refused:
        """Answer `STREAM`: the console at `host`, that was redirected here, is ready for the first packet."""
        carried = self._known.get(request.session)
        ready = carried.stream.ready if carried else None
        if ready and ready.turn == request.turn and (refused := self._refuse_stream(request, ready, asker.host)):
            return self._refuse(refused)
        return self._start(request.session, request.turn, packet=0, due_in_s=0.0)

    async def start(self, request: Start) -> Done | Refused:
        """Answer `START`: the packet before this one has been sent."""
        if request.epoch != self._director.epoch:
            return self._refuse(self._stale_epoch(request.epoch))
        due_in_s = min(request.due_in_us / 1_000_000, _DUE_IN_MAX_S)
        return self._start(request.session, request.turn, packet=request.packet, due_in_s=due_in_s)

    async def cease(self, request: Cease) -> Ceased | Refused:
        """Answer `CEASE`: nothing of these turns will be sent after the answer."""
        if request.epoch not in (None, self._director.epoch):
            return self._refuse(self._stale_epoch(request.epoch))
        carried = self._carried(request.session)
        answer = carried.hear(CeaseOrdered(turn=request.turn, cause=request.cause, packet=carried.packet))
        await self._drain_sockets()
        stand = answer.stand if isinstance(answer, TellStand) else None
        return Ceased(self._director.boot, cursor_of(request.session, stand) if stand else None)

    # What the bond with the director brings

    def revoke(self, cursor: StreamCursor) -> None:
        """Stop a stream that the director, which knows it, does not let go on."""
        carried = self._carried(cursor.session)
        carried.hear(TurnRevoked(turn=cursor.turn, packet=carried.packet))

    def expire(self) -> None:
        """Stop everything: the lease has ended."""
        for carried in tuple(self._live.values()):
            carried.hear(LeaseEnded(carried.packet))

    def drain(self, *, draining: bool) -> None:
        """Hand every stream over as soon as another engine is ready; who was to start one here is refused."""
        self._hear_all(DrainOrdered() if draining else DrainEnded())

    def change_director(self) -> None:
        """What the director before had prepared is void, but for consoles that were redirected here already."""
        self._hear_all(DirectorReplaced())

    def running(self) -> tuple[RunningStream, ...]:
        """All that another director has to know to go on."""
        now_s = asyncio.get_running_loop().time()
        next_tick_s = self.pusher.next_tick_s(now_s)
        known = (carried.running(now_s, next_tick_s) for carried in self._live.values())
        if not self._director.leased(now_s):
            # Meanwhile another engine may have got them.
            self._untold.clear()
        return (*filter(None, known), *self._untold.values())

    @property
    def cursors(self) -> tuple[StreamCursor, ...]:
        """Of every active turn."""
        now_s = asyncio.get_running_loop().time()
        next_tick_s = self.pusher.next_tick_s(now_s)
        return tuple(carried.report(active, now_s, next_tick_s) for carried, active in self._active())

    def figures(self) -> tuple[StreamFigures, ...]:
        """Every active turn."""
        return tuple(carried.figures(active) for carried, active in self._active())

    @property
    def count(self) -> int:
        """Turns that are active or may become so at any moment."""
        return self.active + sum(1 for carried in self._live.values() if carried.stream.ready)

    @property
    def active(self) -> int:
        """Turns that are active."""
        return sum(1 for _ in self._active())

    def reads(self, cut: Cut) -> int:
        """Streams that send this cut, or may begin to at any moment."""
        orders = (order for carried in self._live.values() for order in carried.orders)
        return sum((order.program, order.table) == cut for order in orders)

    @property
    def rate_bps(self) -> int:
        """What the active turns send."""
        return sum(active.order.rate_bps for _, active in self._active())

    async def leave(self) -> None:
        """Send nothing more, and let the director know how far everything was sent, if it answers at once."""
        cursors = [carried.cursor(active) for carried, active in self._active() if active.sent is not Sent.ALL]
        for carried in tuple(self._live.values()):
            carried.hear(DutyLeft(carried.packet))
        stops = [
            Stopped(session=at.session, turn=at.turn, segment=at.segment, packet=at.packet, cause=StopCause.FAILED)
            for at in cursors
        ]
        await self._drain_sockets()
        await asyncio.gather(*(self._director.ask(STOPPED, stop, deadline_s=_LAST_WORD_S) for stop in stops))

    # The parts of it

    async def _drain_sockets(self) -> None:
        """Wait until all that was sent has left us."""
        await self._push_socket.drain()
        if self._rtp:
            await self._rtp.media.drain()

    def _active(self) -> Iterator[tuple[CarriedStream, Active]]:
        return ((carried, active) for carried in self._live.values() if (active := carried.active))

    def _carried(self, session: str) -> CarriedStream:
        """The stream of a session, or what there is room to remember of it from now on."""
        carried = self._known.get(session)
        if carried is None:
            carried = self._known[session] = CarriedStream(session, self._surroundings)
        self._known.move_to_end(session)
        while len(self._known) > self._remembered + len(self._live):
            longest_unheard = next(name for name in self._known if name not in self._live)
            del self._known[longest_unheard]
        return carried

    def _hear_all(self, event: Event) -> None:
        for carried in tuple(self._live.values()):
            carried.hear(event)

    def _settle(self, carried: CarriedStream) -> None:
        if carried.stream.idle:
            self._live.pop(carried.session, None)
        else:
            self._known[carried.session] = self._live[carried.session] = carried

    def _start(self, session: str, turn: int, *, packet: int, due_in_s: float) -> Done | Refused:
        now_s = asyncio.get_running_loop().time()
        carried = self._known.get(session)
        if carried is None:
            return self._refuse(Refused(Reason.NOT_READY, f"turn {turn} of {session} is not preloaded"))
        order = StartOrdered(
            turn=turn,
            packet=packet,
            due_at=now_s + due_in_s,
            leased=self._director.leased(now_s),
            draining=self._director.draining,
            at=carried.packet,
        )
        answer = carried.hear(order)
        if isinstance(answer, RefuseOrder):
            return self._refuse(answer.refused)
        self._untold.pop(session, None)
        return Done()

    def _refuse_stream(self, request: Stream, ready: Preload, host: str) -> Refused | None:
        """A console may start what it was redirected to, where its datagrams come to itself."""
        if not ready.redirected:
            return Refused(Reason.NOT_READY, f"turn {request.turn} is another engine's to start")
        if self._director.holder(request.ticket, ready.program) != request.session:
            return Refused(Reason.BAD_TICKET, "the ticket is not good for this session")
        elsewhere = refuse_elsewhere(Address.parse(ready.console), host)
        allowed = self._director.duty.allow_elsewhere or self._director.is_of_station(host)
        return None if allowed else elsewhere

    def _goes_for(self, exchange: Exchange) -> Preload | Refused:
        """The turn of a stream that is to be given for another, if it is in the middle of it."""
        carried = self._live.get(exchange.session)
        active = carried.active if carried else None
        if active is None or active.turn != exchange.turn or active.sent is not Sent.GOING:
            return Refused(Reason.STALE_TURN, f"turn {exchange.turn} of {exchange.session} is not to be had any more")
        return active.order

    def _give_away(self, given: Given) -> None:
        """Claim 22: the other stream has begun here, so this one goes on where that came from."""
        if carried := self._live.get(given.session):
            carried.hear(GivenAway(given))

    def _refuse_preload(self, request: Preload, in_place_of: str = "") -> Refused | None:
        """What every stream has to do with: the director, and what the engine can carry."""
        if request.epoch != self._director.epoch:
            return self._stale_epoch(request.epoch)
        if request.rtp and self._rtp is None:
            return Refused(Reason.UNABLE, "this engine cannot send from the station's service address")
        if self.count >= _TURNS_MAX:
            return Refused(Reason.AT_CAPACITY, f"{_TURNS_MAX} streams")
        committed_bps = self._committed_bps({request.session, in_place_of}) + request.rate_bps
        capacity_bps = self._director.duty.capacity_bps
        if committed_bps > capacity_bps:
            return Refused(Reason.AT_CAPACITY, f"{committed_bps} bit/s of {capacity_bps}")
        return None

    def _committed_bps(self, without: Collection[str]) -> int:
        """What the streams of all other sessions need."""
        orders = (
            carried.active.order if carried.active else carried.stream.ready
            for session, carried in self._live.items()
            if session not in without
        )
        return sum(order.rate_bps for order in orders if order)

    def _unreadable(self, transmission: Transmission) -> None:
        """The segment of a turn cannot be read: its file is damaged, unless the whole channel has been lost, or what
        broke off was a copy on its way: another may be there by now."""
        if transmission.stored.channel.usable and not transmission.stored.broken:
            self._store.lose(transmission.stored.key)

    def _counted(self, fact: StreamFact) -> None:
        match fact:
            case StreamFact.STARTED:
                self._counters.push_turns += 1
            case StreamFact.TAKEN_OVER:
                self._counters.hand_overs_in += 1
            case StreamFact.HANDED_OVER:
                self._counters.hand_overs_out += 1
            case StreamFact.NOT_TAKEN:
                self._counters.hand_over_failures += 1

    def _tell_stopped(self, carried: CarriedStream, stop: SayStopped) -> None:
        self._counters.push_failures += stop.cause in (StopCause.LEASE_EXPIRED, StopCause.FAILED)
        if stop.cause is StopCause.FAILED:
            self._untold[carried.session] = stopped_stream(stop)
        at, order = stop.stand, stop.order
        forward = order.trick is None or order.trick.scale > 0
        if self._rtp and order.rtp and stop.cause is StopCause.END_OF_PROGRAM and forward:
            self._rtp.end(order.rtp, at.packet, order.rate_bps, Address.parse(order.console))
        stopped = Stopped(session=carried.session, turn=at.turn, segment=at.segment, packet=at.packet, cause=stop.cause)
        self._tasks.create_task(self._say_stopped(stopped), name=f"stopped {carried.session}")

    async def _say_stopped(self, stopped: Stopped) -> None:
        await self._director.say(STOPPED, stopped)
        untold = self._untold.get(stopped.session)
        if untold and untold.cursor.turn == stopped.turn:
            del self._untold[stopped.session]

    def _stale_epoch(self, epoch: int | None) -> Refused:
        return Refused(Reason.STALE_EPOCH, f"epoch {epoch} is not our director's, {self._director.epoch}")

    def _refuse(self, refused: Refused) -> Refused:
        self._counters.refusals += 1
        return refused
