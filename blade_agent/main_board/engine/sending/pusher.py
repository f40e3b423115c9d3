"""Sends all streams of an engine together, a tick at a time, and keeps their segments read ahead."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from math import floor

from blade_agent.main_board.engine.sending.push_socket import BATCH_BYTES, PushSocket
from blade_agent.main_board.engine.sending.read_ahead import Part
from blade_agent.main_board.engine.store.errors import StoreError
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.store import read_parts
from blade_agent.main_board.engine.turns.turn import Turn
from media_network.messages.streaming import TICK_S
from media_network.program import DATAGRAM_BYTES, TS_PACKET_BYTES

_log = logging.getLogger(__name__)

_TURNS_BETWEEN_BREATHS = 32
"""After so many streams the loop may do something else: a message must not wait for a thousand of them."""
_ROUNDING = 1e-6
"""So much of a tick before the next one, that one has come."""


class Pusher:
    """The clockwork of the streams. At each tick it sends what is due until the next one, so nothing is late."""

    def __init__(
        self,
        push_socket: PushSocket,
        leased: Callable[[float], bool],
        failed: Callable[[Turn], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._socket = push_socket
        self._leased = leased
        self._failed = failed
        self._tasks = tasks
        self._turns: dict[Turn, None] = {}
        self._wanted = asyncio.Event()
        self._first_tick_s = asyncio.get_running_loop().time()
        self._until_s = 0.0
        """What is due before has been sent by the last tick."""
        self._busy_channels: set[IoChannel] = set()
        self.sent_bytes = 0
        self.sent_datagrams = 0
        self.late_batches = 0
        """Batches that left more than a tick after their first packet was due."""

    def add(self, turn: Turn, due_s: float) -> None:
        """Send a turn that has been started, from `due_s` until it has ended.

        Its first packet is not sent ahead: the last ones of the engine before us may still be on their way.
        """
        asyncio.get_running_loop().call_at(due_s, self._begin, turn)

    def next_tick_s(self, now_s: float) -> float:
        """When the next tick is. Ticks never move: what one sends that comes late ends where it would have."""
        return self._first_tick_s + TICK_S * (floor((now_s - self._first_tick_s) / TICK_S + _ROUNDING) + 1)

    def _begin(self, turn: Turn) -> None:
        self._turns[turn] = None
        self._wanted.set()
        self._push(turn, asyncio.get_running_loop().time())
        self._read_ahead()

    async def run(self) -> None:
        """Tick until cancelled; rest while there is nothing to send."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            self._until_s = self.next_tick_s(loop.time())
            await self._tick()
            self._read_ahead()
            if not self._turns:
                self._wanted.clear()
            await asyncio.sleep(max(0.0, self._until_s - loop.time()))

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for count, turn in enumerate(tuple(self._turns), start=1):
            self._push(turn, loop.time())
            if count % _TURNS_BETWEEN_BREATHS == 0:
                await asyncio.sleep(0)

    def _push(self, turn: Turn, now_s: float) -> None:
        """Send what is due of a turn: nothing without a lease, nothing while the socket is congested."""
        if not turn.sending:
            self._turns.pop(turn, None)
            return
        if not self._leased(now_s):
            return
        due_packets = turn.pacing.due_packets(self._until_s)
        while due_packets and self._socket.idle:
            batch = turn.read_ahead.take(min(due_packets * TS_PACKET_BYTES, BATCH_BYTES))
            if not batch:
                break
            self._socket.send(batch, turn.console)
            self.late_batches += turn.pacing.lateness_s(now_s) > TICK_S
            self.sent_bytes += len(batch)
            self.sent_datagrams += -(-len(batch) // DATAGRAM_BYTES)
            packets = len(batch) // TS_PACKET_BYTES
            turn.pacing.sent(packets)
            due_packets -= packets
        turn.note_progress(now_s, left=self._socket.idle)

    def _read_ahead(self) -> None:
        """Read what the turns need next: one go a channel, one at a time."""
        needy: defaultdict[IoChannel, list[tuple[Turn, Part]]] = defaultdict(list)
        for turn in self._turns:
            channel = turn.stored.channel
            if channel not in self._busy_channels and (part := turn.read_ahead.ask()):
                needy[channel].append((turn, part))
        for channel, wishes in needy.items():
            self._busy_channels.add(channel)
            self._tasks.create_task(self._read(channel, wishes), name=f"read ahead {channel.folder}")

    async def _read(self, channel: IoChannel, wishes: list[tuple[Turn, Part]]) -> None:
        try:
            whole = await read_parts(channel, [(turn.stored, *part) for turn, part in wishes])
        except StoreError as error:
            _log.warning("%s", error)
            for turn, _ in wishes:
                self._failed(turn)
            return
        finally:
            self._busy_channels.discard(channel)
        for (turn, part), is_whole in zip(wishes, whole, strict=True):
            if is_whole:
                turn.read_ahead.put(part)
            else:
                self._failed(turn)
