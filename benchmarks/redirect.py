"""Redirects of HLS segments: a director on duty with its tables, against a bare aiohttp handler that answers 302."""

import asyncio
import random
import tempfile
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from benchmarks.figure import Figure, show
from benchmarks.served import Control, Served, served
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.director import direct
from blade_agent.main_board.director.duty import DirectorDuty
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.holding_pages import page_of
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.enlisting import ENLIST, REPORT, Enlist, Report
from media_network.messages.program_information import PUBLISH_PROGRAM, PublishProgram
from media_network.program import Program, make_program
from media_network.segment_table import Segment, SegmentTable

PROGRAMS = 200
SEGMENTS = 500
ENGINES = 3
CONNECTIONS = 16
WARM_UP = 500
REQUESTS = 8_000
SESSIONS = 1_000
MEDIA_PORT = 8080
CONTROL_PORT = 8081
HOST = "127.255.1.1"
_REPORT_S = 0.5
_CAPACITY_BPS = 10**12


async def main() -> None:
    """Measure both and print."""
    async with served(serve_director) as director, HttpClient(random.Random(1)) as http, asyncio.TaskGroup() as tasks:
        control = Address(HOST, CONTROL_PORT)
        await enlist(http, control)
        reporting = tasks.create_task(keep_reporting(http, control))
        spent_us, rate = await measure(director)
        reporting.cancel()
    async with served(serve_bare) as bare:
        bare_us, bare_rate = await measure(bare)
    name = "bare aiohttp 302"
    show(
        Figure(figure="redirect of an HLS segment", value=spent_us, unit="CPU us", peer=bare_us, peer_name=name),
        Figure(figure="redirects by one director", value=rate, unit="1/s", peer=bare_rate, peer_name=name),
    )


async def measure(server: Served) -> tuple[float, float]:
    """CPU of the server in microseconds a redirect, and redirects a second."""
    loop = asyncio.get_running_loop()
    await request(server.address, WARM_UP)
    await server.cost_s()
    began_s = loop.time()
    await asyncio.gather(*(request(server.address, REQUESTS // CONNECTIONS) for _ in range(CONNECTIONS)))
    took_s = loop.time() - began_s
    return await server.cost_s() / REQUESTS * 1e6, REQUESTS / took_s


async def request(address: Address, times: int) -> None:
    """Ask for segments over one connection, one after the other, in sessions of many consoles."""
    rng = random.Random(2)
    reader, writer = await asyncio.open_connection(*address)
    for _ in range(times):
        program, segment = rng.randrange(PROGRAMS), rng.randrange(SEGMENTS)
        path = f"/programs/program-{program}/{segment}.ts?session={rng.randrange(SESSIONS):024x}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 302"):
            raise OSError(head.decode())
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0))
    writer.close()
    await writer.wait_closed()


def program(number: int) -> Program:
    """A program of a thousand seconds."""
    segments = SegmentTable.of(
        Segment(number=position, length_bytes=188, duration_ticks=180_000, sha256="0" * 64)
        for position in range(SEGMENTS)
    )
    return make_program(
        segments,
        program=f"program-{number}",
        version=number + 1,
        title="Benchmark",
        rate_bps=4_000_000,
        sha256="0" * 64,
        publish_at_ms=0,
    )


async def enlist(http: HttpClient, director: Address) -> None:
    """Publish the programs, and report for duty as its engines, each with everything."""
    headers = [program(number).header for number in range(PROGRAMS)]
    for header in headers:
        await http.ask(director, PUBLISH_PROGRAM, PublishProgram(header))
    cuts = sorted(header.cut for header in headers)
    for slot in range(ENGINES):
        message = Enlist(
            slot=slot + 2,
            engine=str(engine(slot)),
            media=str(engine(slot)._replace(port=MEDIA_PORT)),
            boot="boot",
            epoch=1,
            capacity_bps=_CAPACITY_BPS,
            holdings=page_of(cuts, lambda _: [range(SEGMENTS)]),
        )
        await http.ask(director, ENLIST, message)


async def keep_reporting(http: HttpClient, director: Address) -> None:
    """Stay on duty."""
    while True:
        for slot in range(ENGINES):
            await http.tell(director, REPORT, Report(engine=str(engine(slot)), boot="boot", epoch=1))
        await asyncio.sleep(_REPORT_S)


def engine(slot: int) -> Address:
    """Where an engine would answer; nobody goes there."""
    return Address(f"127.255.1.{slot + 2}", CONTROL_PORT)


async def serve_director(control: Control) -> None:
    """A director as a main board runs it, without a distribution center."""
    with tempfile.TemporaryDirectory() as folder:
        address, media = Address(HOST, CONTROL_PORT), Address(HOST, MEDIA_PORT)
        duty = DirectorDuty(station="benchmark", address=address, media=media, epoch=1, center=None, state=Path(folder))
        catalogue = Catalogue(DiskFiles(), Path(folder) / "catalogue")
        await catalogue.load()
        for number in range(PROGRAMS):
            known = program(number)
            await catalogue.parts.keep(known.header, known.segments.octets)
        directing = asyncio.create_task(direct(duty, catalogue, random.Random(1)))
        await answers(media)
        await control.report(media)
        directing.cancel()
        with suppress(asyncio.CancelledError):
            await directing


async def answers(address: Address) -> None:
    """Return when somebody listens there."""
    while True:
        try:
            _, writer = await asyncio.open_connection(*address)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


async def serve_bare(control: Control) -> None:
    """Nothing but the redirect."""

    async def get(_: web.Request) -> web.StreamResponse:
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": "http://127.0.0.1/"})

    table = HandlerTable("benchmark")
    table.resource("/programs/{program}/{segment}.ts", get)
    async with serve(table, Address("127.0.0.1", 0)) as bound:
        await control.report(bound)


if __name__ == "__main__":
    asyncio.run(main())
