"""CPU of serving segments by HTTP: the engine's segment resource against nginx, which sends the same files.

Each server is a process of its own, so that only its CPU is counted; clients read whole segments and drop them.
"""

import asyncio
import os
import random
import socket
import tempfile
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

from benchmarks.figure import Figure, show
from benchmarks.nginx import Nginx, nginx
from benchmarks.served import Control, Served, served
from blade_agent.main_board.engine.director_link import DirectorLink, EngineDuty
from blade_agent.main_board.engine.doors.segment_resource import SegmentResource
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.arriving import Arrivals
from blade_agent.main_board.engine.store.store import SegmentStore, nobody_knows
from media_network.address import Address
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.packets import TS_PACKET_BYTES
from media_network.segment_table import Segment
from media_network.segment_url import HELD_SEGMENT_PATH, segment_target
from media_network.ticket import TicketKey

LARGE_BYTES = 8 * 1024 * 1024 // TS_PACKET_BYTES * TS_PACKET_BYTES
SMALL_BYTES = 300_000 // TS_PACKET_BYTES * TS_PACKET_BYTES
LARGE_READS, LARGE_CLIENTS = 128, 8
SMALL_READS, SMALL_CLIENTS = 5_000, 50
SEGMENTS = 20
CUT = Cut("benchmark", "0" * 64)
KEY = TicketKey(bytes(32))


class Cost(NamedTuple):
    """Of many reads."""

    cpu_us: float
    """Of the server, a request."""
    p99_ms: float
    """Within which 99 of 100 requests have their last byte."""


async def main() -> None:
    """Measure both and print."""
    name = "nginx"
    for what, length_bytes, reads, clients in (
        ("8 MiB", LARGE_BYTES, LARGE_READS, LARGE_CLIENTS),
        ("300 kB, 50 clients", SMALL_BYTES, SMALL_READS, SMALL_CLIENTS),
    ):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as others:
            await put_segments(Path(folder), length_bytes)
            async with served(partial(serve_engine, Path(folder))) as engine:
                ours = await measure(engine, length_bytes, reads, clients)
            async with nginx(Path(others), links(Path(folder), Path(others))) as peer:
                theirs = await measure(peer, length_bytes, reads, clients)
        gb = length_bytes / 1e9
        show(
            Figure(
                figure=f"pull, segments of {what}",
                value=ours.cpu_us / 1e6 / gb,
                unit="CPU s/GB",
                peer=theirs.cpu_us / 1e6 / gb,
                peer_name=name,
            ),
            Figure(
                figure=f"a request of it, of {what}",
                value=ours.cpu_us,
                unit="CPU us",
                peer=theirs.cpu_us,
                peer_name=name,
            ),
            Figure(
                figure=f"99 of 100 requests, of {what}",
                value=ours.p99_ms,
                unit="ms",
                peer=theirs.p99_ms,
                peer_name=name,
            ),
        )


async def put_segments(folder: Path, length_bytes: int) -> None:
    """Store some segments."""
    rng = random.Random(1)
    store = await SegmentStore.open(DiskFiles(), [folder])
    for number in range(SEGMENTS):
        data = rng.randbytes(length_bytes)
        digest = sha256(data).hexdigest()
        segment = Segment(number=number, length_bytes=len(data), duration_ticks=900_000, sha256=digest)
        async with store.receive(CUT, segment) as reception:
            await reception.write(data)
            await reception.store()
    store.close()


def links(folder: Path, others: Path) -> str:
    """Have the same files where nginx finds them by the same addresses; returns what it has to be told."""
    os.chmod(folder, 0o755)
    os.chmod(others, 0o755)
    root = others / "segments" / CUT.program / CUT.table
    root.mkdir(parents=True)
    for file in (folder / f"{CUT.program}.{CUT.table}").iterdir():
        if not file.name.endswith(".index"):
            (root / f"{file.name.partition('.')[0]}.ts").symlink_to(file)
    return f"root {others};"


async def measure(server: Served | Nginx, length_bytes: int, reads: int, clients: int) -> Cost:
    """Have several clients read from a server in another process."""
    took_s: list[float] = []
    await read_segments(server.address, length_bytes, SEGMENTS, 0, [])
    await server.cost_s()
    readers = [read_segments(server.address, length_bytes, reads // clients, seed, took_s) for seed in range(clients)]
    await asyncio.gather(*readers)
    cost_s = await server.cost_s()
    return Cost(cost_s / len(took_s) * 1e6, quantiles(took_s, n=100)[98] * 1000)


async def read_segments(address: Address, length_bytes: int, times: int, begin: int, took_s: list[float]) -> None:
    """Read so many segments over one connection."""
    loop = asyncio.get_running_loop()
    ticket = KEY.sign("reader", CUT.program)
    buffer = bytearray(1024 * 1024)
    with socket.socket() as connection:
        connection.setblocking(False)  # noqa: FBT003 -- the socket module takes no keyword
        await loop.sock_connect(connection, address)
        for turn in range(times):
            began_s = loop.time()
            target = segment_target(CUT, (begin + turn) % SEGMENTS, ticket)
            await loop.sock_sendall(connection, f"GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                part = await loop.sock_recv(connection, 4096)
                if not part:
                    raise OSError("the server has left")
                head += part
            if not head.startswith(b"HTTP/1.1 200"):
                raise OSError(head[:80].decode())
            left = length_bytes - len(head.partition(b"\r\n\r\n")[2])
            while left:
                count = await loop.sock_recv_into(connection, memoryview(buffer)[: min(left, len(buffer))])
                if not count:
                    raise OSError(f"the server has left {left} bytes before the end")
                left -= count
            took_s.append(loop.time() - began_s)


async def serve_engine(folder: Path, control: Control) -> None:
    """The resource of an engine that a director has given its key."""
    store = await SegmentStore.open(DiskFiles(), [folder])
    address = Address("127.0.0.1", 0)
    duty = EngineDuty(slot=2, address=address, media=address, director=address, epoch=1, capacity_bps=10**9)
    async with HttpClient(random.Random(1)) as client:
        director = DirectorLink(duty, "boot", client, store)
        director.take_ticket_key(KEY)
        table = HandlerTable("benchmark")
        resource = SegmentResource(store, Arrivals(), director, EngineCounters(), nobody_knows)
        table.resource(HELD_SEGMENT_PATH, resource.get)
        table.at_once = resource.get_at_once
        async with serve(table, address) as bound:
            await control.report(bound)
    store.close()


if __name__ == "__main__":
    asyncio.run(main())
