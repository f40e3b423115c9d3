"""CPU of pushing streams over UDP: an engine's own clockwork, against one send call a datagram, in the same run.

Both push the same segments at the same rates to a socket that drops what it gets.
"""

import asyncio
import random
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from benchmarks.figure import Figure, cpu_s, show
from blade_agent.files import DiskFiles
from blade_agent.main_board.engine.sending.push_socket import PushSocket, open_push_socket
from blade_agent.main_board.engine.sending.pusher import Pusher
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.engine.turns.turn import Turn
from media_network.address import Address
from media_network.messages.streaming import Preload
from media_network.program import TS_PACKET_BYTES, Segment

STREAMS = 200
RATE_BPS = 8_000_000
WARM_UP_S = 1.5
MEASURE_S = 3.0
SEGMENT_BYTES = 6 * 1024 * TS_PACKET_BYTES * 8
PROGRAM = "benchmark"


async def main() -> None:
    """Measure both and print."""
    with tempfile.TemporaryDirectory() as folder:
        store = await SegmentStore.open(DiskFiles(), [Path(folder)])
        segment = await put_segment(store)
        value = await push(store, segment, offload=True)
        peer = await push(store, segment, offload=False)
        store.close()
    show(
        Figure(
            figure=f"push, {STREAMS} streams of {RATE_BPS // 1_000_000} Mbit/s",
            value=value,
            unit="CPU s/GB",
            peer=peer,
            peer_name="one send a datagram",
        )
    )


async def put_segment(store: SegmentStore) -> Segment:
    """Store one segment that lasts longer than the measurement."""
    data = random.Random(1).randbytes(SEGMENT_BYTES)
    segment = Segment(number=0, length_bytes=len(data), duration_ms=10_000, sha256=sha256(data).hexdigest())
    async with store.receive(PROGRAM, segment) as reception:
        await reception.write(data)
        await reception.store()
    return segment


async def push(store: SegmentStore, segment: Segment, *, offload: bool) -> float:
    """Push for a while; returns CPU seconds a gigabyte."""
    loop = asyncio.get_running_loop()
    async with open_push_socket("127.0.0.1") as push_socket, unread_console() as console:
        push_socket.set_offload(on=offload)
        async with running_pusher(push_socket) as pusher:
            turns = [await make_turn(store, segment, console, number) for number in range(STREAMS)]
            for turn in turns:
                turn.start(0, loop.time())
                pusher.add(turn, loop.time())
            await asyncio.sleep(WARM_UP_S)
            before_s, before_bytes = cpu_s(), sent_bytes(turns)
            await asyncio.sleep(MEASURE_S)
            spent_s, pushed_bytes = cpu_s() - before_s, sent_bytes(turns) - before_bytes
        for turn in turns:
            turn.close()
    return spent_s / (pushed_bytes / 1e9)


@asynccontextmanager
async def running_pusher(push_socket: PushSocket) -> AsyncIterator[Pusher]:
    """A pusher that ticks while the context is open."""
    async with asyncio.TaskGroup() as tasks:
        pusher = Pusher(push_socket, lambda _: True, lambda _: None, tasks)
        ticking = tasks.create_task(pusher.run())
        yield pusher
        ticking.cancel()


@asynccontextmanager
async def unread_console() -> AsyncIterator[Address]:
    """An address where datagrams are dropped by the kernel, at no cost to the sender's figure but their delivery."""
    with socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ear.bind(("127.0.0.1", 0))
        yield Address(*ear.getsockname())


async def make_turn(store: SegmentStore, segment: Segment, console: Address, number: int) -> Turn:
    """A preloaded turn of a session of its own."""
    order = Preload(
        epoch=1,
        session=str(number),
        turn=1,
        program=PROGRAM,
        segment=segment,
        rate_bps=RATE_BPS,
        console=str(console),
    )
    turn = Turn(order, console, await store.read(PROGRAM, 0))
    await turn.read_first()
    return turn


def sent_bytes(turns: list[Turn]) -> int:
    """What all turns have sent so far."""
    return sum(turn.pacing.packet for turn in turns) * TS_PACKET_BYTES


if __name__ == "__main__":
    asyncio.run(main())
