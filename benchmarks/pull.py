"""CPU of serving segments by HTTP: the engine's segment resource against aiohttp's FileResponse, in the same run.

Each server is a process of its own, so that only its CPU is counted; a client reads whole segments and drops them.
"""

import asyncio
import random
import socket
import tempfile
from functools import partial
from hashlib import sha256
from pathlib import Path

from aiohttp import web

from benchmarks.figure import Figure, show
from benchmarks.served import Control, Server, served
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

SEGMENT_BYTES = 8 * 1024 * 1024 // TS_PACKET_BYTES * TS_PACKET_BYTES
READS = 128
AT_ONCE = 8
CUT = Cut("benchmark", "0" * 64)
KEY = TicketKey(bytes(32))


async def main() -> None:
    """Measure both and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await put_segment(folder)
        value = await measure(partial(serve_engine, folder))
        peer = await measure(partial(serve_file_response, folder))
    show(
        Figure(
            figure="pull, segments of 8 MiB",
            value=value,
            unit="CPU s/GB",
            peer=peer,
            peer_name="aiohttp FileResponse",
        )
    )


async def put_segment(folder: Path) -> None:
    """Store one segment."""
    data = random.Random(1).randbytes(SEGMENT_BYTES)
    segment = Segment(number=0, length_bytes=len(data), duration_ticks=900_000, sha256=sha256(data).hexdigest())
    store = await SegmentStore.open(DiskFiles(), [folder])
    async with store.receive(CUT, segment) as reception:
        await reception.write(data)
        await reception.store()
    store.close()


async def measure(server: Server) -> float:
    """Read from a server in another process; returns its CPU seconds a gigabyte."""
    async with served(server) as serving:
        readers = [read_segments(serving.address, READS // AT_ONCE) for _ in range(AT_ONCE)]
        read_bytes = sum(await asyncio.gather(*readers))
        return await serving.cost_s() / (read_bytes / 1e9)


async def read_segments(address: Address, times: int) -> int:
    """Read the segment so many times over one connection; returns the bytes of its body."""
    loop = asyncio.get_running_loop()
    request = f"GET {segment_target(CUT, 0, KEY.sign('reader', CUT.program))} HTTP/1.1\r\nHost: {address}\r\n\r\n"
    buffer = bytearray(1024 * 1024)
    with socket.socket() as connection:
        connection.setblocking(False)  # noqa: FBT003 -- the socket module takes no keyword
        await loop.sock_connect(connection, address)
        for _ in range(times):
            await loop.sock_sendall(connection, request.encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += await loop.sock_recv(connection, 4096)
            if not head.startswith(b"HTTP/1.1 200"):
                raise OSError(head[:80].decode())
            left = SEGMENT_BYTES - len(head.partition(b"\r\n\r\n")[2])
            while left:
                left -= await loop.sock_recv_into(connection, memoryview(buffer)[: min(left, len(buffer))])
    return times * SEGMENT_BYTES


async def serve_engine(folder: Path, control: Control) -> None:
    """The resource of an engine that a director has given its key."""
    store = await SegmentStore.open(DiskFiles(), [folder])
    address = Address("127.0.0.1", 0)
    duty = EngineDuty(slot=2, address=address, media=address, director=address, epoch=1, capacity_bps=10**9)
    async with HttpClient(random.Random(1)) as client:
        director = DirectorLink(duty, "boot", client, store)
        director.take_ticket_key(KEY)
        table = HandlerTable("benchmark")
        table.resource(
            HELD_SEGMENT_PATH, SegmentResource(store, Arrivals(), director, EngineCounters(), nobody_knows).get
        )
        async with serve(table, address) as bound:
            await control.report(bound)
    store.close()


async def serve_file_response(folder: Path, control: Control) -> None:
    """The same path by aiohttp's own means."""
    [file] = (folder / f"{CUT.program}.{CUT.table}").iterdir()

    async def get(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(file)

    table = HandlerTable("benchmark")
    table.resource(HELD_SEGMENT_PATH, get)
    async with serve(table, Address("127.0.0.1", 0)) as bound:
        await control.report(bound)


if __name__ == "__main__":
    asyncio.run(main())
