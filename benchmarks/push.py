"""CPU of pushing streams over UDP: an engine's own clockwork, against one send call a datagram, in the same run; and
the same as RTP, against raw UDP.

All push the same segments at the same rates to a socket that drops what it gets.
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
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.sending.push_socket import PushSocket, open_push_socket
from blade_agent.main_board.engine.sending.pusher import Pusher
from blade_agent.main_board.engine.sending.rtp_outlet import RtpOutlet, open_rtp_outlet
from blade_agent.main_board.engine.sending.transmission import Transmission
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.address import Address
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.packets import TS_PACKET_BYTES
from media_network.rtp import RtpPlace
from media_network.segment_table import Segment

STREAMS = 200
RATE_BPS = 8_000_000
WARM_UP_S = 1.5
MEASURE_S = 3.0
SEGMENT_BYTES = 6 * 1024 * TS_PACKET_BYTES * 8
CUT = Cut("benchmark", "0" * 64)
PLACE = RtpPlace(ssrc=1, sequence=1, timestamp=1)


async def main() -> None:
    """Measure both and print."""
    with tempfile.TemporaryDirectory() as folder:
        store = await SegmentStore.open(DiskFiles(), [Path(folder)])
        await put_segment(store)
        value = await push(store, offload=True)
        peer = await push(store, offload=False)
        rtp = await push(store, offload=True, rtp=PLACE)
        rtp_peer = await push(store, offload=False, rtp=PLACE)
        store.close()
    show(
        Figure(
            figure=f"push, {STREAMS} streams of {RATE_BPS // 1_000_000} Mbit/s",
            value=value,
            unit="CPU s/GB",
            peer=peer,
            peer_name="one send a datagram",
        ),
        Figure(figure="the same as RTP", value=rtp, unit="CPU s/GB", peer=value, peer_name="raw UDP"),
        Figure(
            figure="both, one send a datagram",
            value=rtp_peer,
            unit="CPU s/GB",
            peer=peer,
            peer_name="raw UDP",
        ),
    )


async def put_segment(store: SegmentStore) -> None:
    """Store one segment that lasts longer than the measurement."""
    data = random.Random(1).randbytes(SEGMENT_BYTES)
    segment = Segment(number=0, length_bytes=len(data), duration_ticks=900_000, sha256=sha256(data).hexdigest())
    async with store.receive(CUT, segment) as reception:
        await reception.write(data)
        await reception.store()


async def push(store: SegmentStore, *, offload: bool, rtp: RtpPlace | None = None) -> float:
    """Push for a while, as RTP from a place on if there is one; returns CPU seconds a gigabyte."""
    loop = asyncio.get_running_loop()
    async with (
        open_push_socket("127.0.0.1") as push_socket,
        open_rtp_outlet(Address("127.0.0.1", 0), "benchmark") as outlet,
        unread_console() as console,
    ):
        for outgoing in (push_socket, outlet.media):
            outgoing.set_offload(on=offload)
        async with running_pusher(push_socket, outlet) as pusher:
            under_way = [await make_transmission(store, console, rtp) for _ in range(STREAMS)]
            for transmission in under_way:
                transmission.begin(0, loop.time())
                pusher.add(transmission, loop.time())
            await asyncio.sleep(WARM_UP_S)
            before_s, before_bytes = cpu_s(), sent_bytes(under_way)
            await asyncio.sleep(MEASURE_S)
            spent_s, pushed_bytes = cpu_s() - before_s, sent_bytes(under_way) - before_bytes
        for transmission in under_way:
            transmission.close()
    return spent_s / (pushed_bytes / 1e9)


@asynccontextmanager
async def running_pusher(push_socket: PushSocket, outlet: RtpOutlet) -> AsyncIterator[Pusher]:
    """A pusher that ticks while the context is open."""
    async with asyncio.TaskGroup() as tasks:
        pusher = Pusher(push_socket, lambda _: True, EngineCounters(), tasks, outlet)
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


class Unwatched:
    """Nobody has to know how a transmission fares."""

    def moved(self, now_s: float, *, left: bool) -> None:
        """See `Progress`."""

    def failed(self) -> None:
        """See `Progress`."""


async def make_transmission(store: SegmentStore, console: Address, rtp: RtpPlace | None) -> Transmission:
    """A transmission with its first window in memory."""
    transmission = Transmission(await store.read(CUT, 0), console, RATE_BPS, Unwatched(), rtp=rtp)
    await transmission.read_first(0)
    return transmission


def sent_bytes(under_way: list[Transmission]) -> int:
    """What has been sent so far."""
    return sum(transmission.pacing.packet for transmission in under_way) * TS_PACKET_BYTES


if __name__ == "__main__":
    asyncio.run(main())
