"""Sends all that an engine has under way together, a tick at a time, and keeps its segments read ahead."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from math import floor

from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.sending.push_socket import BATCH_PACKETS, PushSocket
from blade_agent.main_board.engine.sending.read_ahead import SegmentPart
from blade_agent.main_board.engine.sending.rtp_outlet import RtpOutlet
from blade_agent.main_board.engine.sending.transmission import Transmission
from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.stored_segment import read_parts
from media_network.packets import DATAGRAM_BYTES, PACKETS_PER_DATAGRAM, TS_PACKET_BYTES
from media_network.schedule import TICK_S

logger = logging.getLogger(__name__)

_SENT_BETWEEN_BREATHS = 32
"""After so many transmissions the loop may do something else: a message must not wait for a thousand of them."""
_ROUNDING = 1e-6
"""So much of a tick before the next one, that one has come."""


class Pusher:
    """The clockwork of the transmissions. At each tick it sends what is due until the next one, so nothing is late."""

    def __init__(
        self,
        push_socket: PushSocket,
        may_send: Callable[[float], bool],
        counters: EngineCounters,
        tasks: asyncio.TaskGroup,
        rtp: RtpOutlet | None = None,
    ) -> None:
        """`may_send` says whether anything may be sent at a moment of the event loop's time; RTP leaves by `rtp`."""
        self._socket = push_socket
        self._rtp = rtp
        self._may_send = may_send
        self._counters = counters
        self._tasks = tasks
        self._due: dict[Transmission, asyncio.TimerHandle] = {}
        self._under_way: dict[Transmission, None] = {}
        self._wanted = asyncio.Event()
        self._first_tick_s = asyncio.get_running_loop().time()
        self._until_s = 0.0
        """What is due before has been sent by the last tick."""
        self._busy_channels: set[IoChannel] = set()

    def add(self, transmission: Transmission, due_s: float) -> None:
        """Send from `due_s` until all of it is sent, or it is stopped.

        Its first packet is not sent ahead: the last ones of the engine before us may still be on their way.
        """
        self.stop(transmission)
        self._due[transmission] = asyncio.get_running_loop().call_at(due_s, self._begin, transmission)

    def stop(self, transmission: Transmission) -> None:
        """Send nothing more of it; a second time is as good as once."""
        if due := self._due.pop(transmission, None):
            due.cancel()
        self._under_way.pop(transmission, None)

    def next_tick_s(self, now_s: float) -> float:
        """When the next tick is. Ticks never move: what one sends that comes late ends where it would have."""
        return self._first_tick_s + TICK_S * (floor((now_s - self._first_tick_s) / TICK_S + _ROUNDING) + 1)

    def _begin(self, transmission: Transmission) -> None:
        del self._due[transmission]
        self._under_way[transmission] = None
        self._wanted.set()
        self._push(transmission, asyncio.get_running_loop().time())
        self._read_ahead()

    async def run(self) -> None:
        """Tick until cancelled; rest while there is nothing to send."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            self._until_s = self.next_tick_s(loop.time())
            await self._tick()
            self._read_ahead()
            if not self._under_way:
                self._wanted.clear()
            await asyncio.sleep(max(0.0, self._until_s - loop.time()))

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for count, transmission in enumerate(tuple(self._under_way), start=1):
            self._push(transmission, loop.time())
            if count % _SENT_BETWEEN_BREATHS == 0:
                await asyncio.sleep(0)

    def _push(self, transmission: Transmission, now_s: float) -> None:
        """Send what is due: nothing of what was stopped meanwhile, nothing while the socket is congested."""
        if transmission not in self._under_way or not self._may_send(now_s):
            return
        pacing = transmission.pacing
        rtp = self._rtp if transmission.rtp else None
        outlet = rtp.media if rtp else self._socket
        due_packets = pacing.due_packets(self._until_s)
        while due_packets and outlet.idle:
            into = pacing.packet % PACKETS_PER_DATAGRAM
            at_once = min(due_packets, PACKETS_PER_DATAGRAM - into if into else BATCH_PACKETS)
            batch = transmission.read_ahead.take(at_once * TS_PACKET_BYTES)
            if not batch:
                break
            if rtp:
                rtp.send(transmission, batch)
            else:
                outlet.send(batch, transmission.to)
            self._counters.push_late += pacing.lateness_s(now_s) > TICK_S
            self._counters.push_bytes += len(batch)
            self._counters.push_datagrams += -(-len(batch) // DATAGRAM_BYTES)
            packets = len(batch) // TS_PACKET_BYTES
            pacing.sent(packets)
            due_packets -= packets
        left = outlet.idle
        if pacing.all_sent and left:
            del self._under_way[transmission]
        transmission.progress.moved(now_s, left=left)

    def _read_ahead(self) -> None:
        """Read what is needed next: one go a channel, one at a time. What is still being received is read as far as it
        is verified, and a stream that has sent all that waits for more."""
        needy: defaultdict[IoChannel, list[tuple[Transmission, SegmentPart]]] = defaultdict(list)
        for transmission in tuple(self._under_way):
            stored = transmission.stored
            if stored.broken:
                transmission.progress.failed()
                continue
            if stored.channel in self._busy_channels:
                continue
            if part := transmission.read_ahead.ask(stored.readable_bytes):
                needy[stored.channel].append((transmission, part))
        for channel, wishes in needy.items():
            self._busy_channels.add(channel)
            self._tasks.create_task(self._read(channel, wishes), name=f"read ahead {channel.folder}")

    async def _read(self, channel: IoChannel, wishes: list[tuple[Transmission, SegmentPart]]) -> None:
        try:
            whole = await read_parts(channel, [(transmission.stored, *part) for transmission, part in wishes])
        except StoreError as error:
            logger.warning("%s", error)
            for transmission, _ in wishes:
                transmission.progress.failed()
            return
        finally:
            self._busy_channels.discard(channel)
        for (transmission, part), is_whole in zip(wishes, whole, strict=True):
            if is_whole:
                transmission.read_ahead.put(part)
            else:
                transmission.progress.failed()
