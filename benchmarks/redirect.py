"""Redirects of HLS segments: a director on duty with its tables, against nginx and bare aiohttp that answer 302 to all.

Both know where to without looking: the director chooses an engine by load, counts the session and signs a ticket.
"""

import asyncio
import random
import re
import tempfile
from contextlib import AsyncExitStack, suppress
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from benchmarks.figure import Figure, show
from benchmarks.nginx import Nginx, nginx
from benchmarks.parties import Engine
from benchmarks.served import Control, Served, served
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.director import direct
from blade_agent.main_board.director.duty import DirectorDuty
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.program_information import PUBLISH_PROGRAM, PublishProgram
from media_network.program import Program, make_program
from media_network.segment_table import Segment, SegmentTable

PROGRAMS = 200
SEGMENTS = 500
ENGINES = 3
CONNECTIONS = 50
WARM_UP = 500
REQUESTS = 20_000
PLAYLISTS = 2_000
PROGRAMS_PLAYED = 20
PLAYLIST_BOUND_US = 100
PLAYERS = 20
"""Over one connection: as a cache in front has it."""
NAMES = [f"program-{number}" for number in range(PROGRAMS)]
MEDIA_PORT = 8080
CONTROL_PORT = 8081
HOST = "127.255.1.1"
_PAUSE_S = 0.05
_TRIES = 600


async def main() -> None:
    """Measure both and print."""
    async with served(serve_director) as director, HttpClient(random.Random(1)) as http, AsyncExitStack() as doors:
        control = Address(HOST, CONTROL_PORT)
        headers = [program(number).header for number in range(PROGRAMS)]
        for header in headers:
            await http.ask(control, PUBLISH_PROGRAM, PublishProgram(header))
        held = {header.cut: range(SEGMENTS) for header in headers}
        engines = [Engine(engine(slot), control, held, slot=slot) for slot in range(2, 2 + ENGINES)]
        for each in engines:
            await each.serve(http, doors)
        on_duty = [asyncio.create_task(each.be_on_duty()) for each in engines]
        spent_us, rate = await measure(director)
        playlist_us = await measure_playlists(director)
        for each in on_duty:
            each.cancel()
    with tempfile.TemporaryDirectory() as folder:
        async with nginx(Path(folder), f"return 302 http://{HOST}/segments/;") as peer:
            peer_us, peer_rate = await measure(peer)
    async with served(serve_bare) as bare:
        bare_us, _ = await measure(bare)
    name = "nginx, 302 to one place"
    show(
        Figure(figure="redirect of an HLS segment", value=spent_us, unit="CPU us", peer=peer_us, peer_name=name),
        Figure(figure="redirects by one director", value=rate, unit="1/s", peer=peer_rate, peer_name=name),
        Figure(figure="bare aiohttp 302", value=bare_us, unit="CPU us", peer=peer_us, peer_name=name),
        Figure(
            figure="playlist of 500 segments",
            value=playlist_us,
            unit="CPU us",
            peer=PLAYLIST_BOUND_US,
            peer_name="bound",
        ),
    )


async def measure_playlists(server: Served) -> float:
    """CPU of the server in microseconds a playlist of all segments."""
    reader, writer = await asyncio.open_connection(*server.address)
    await server.cost_s()
    for number in range(PLAYLISTS):
        path = f"/programs/program-{number % PROGRAMS_PLAYED}/media.m3u8?session={number:024x}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise OSError(head.decode())
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
    writer.close()
    await writer.wait_closed()
    return await server.cost_s() / PLAYLISTS * 1e6


async def measure(server: Served | Nginx) -> tuple[float, float]:
    """CPU of the server in microseconds a redirect, and redirects a second."""
    loop = asyncio.get_running_loop()
    await redirections(server, WARM_UP, seed=0)
    await server.cost_s()
    began_s = loop.time()
    awake = asyncio.create_task(never_sleep())
    await asyncio.gather(*(redirections(server, REQUESTS // CONNECTIONS, seed) for seed in range(CONNECTIONS)))
    took_s = loop.time() - began_s
    awake.cancel()
    return await server.cost_s() / REQUESTS * 1e6, REQUESTS / took_s


async def never_sleep() -> None:
    """Keep a client awake: else every answer has to wake it, and the kernel counts that to who answers."""
    loop = asyncio.get_running_loop()
    while await loop.create_task(asyncio.sleep(0, result=True)):
        pass


async def redirections(server: Served | Nginx, times: int, seed: int) -> None:
    """Ask for segments over one connection, each the next one of a player's that was let in before.

    Engines that a busy machine lets report too late are chosen for nothing until they do: what is refused for the
    moment is asked for again.
    """
    rng = random.Random(seed)
    reader, writer = await asyncio.open_connection(*server.address)
    players = [[name, await opened(name, server, reader, writer), 0] for name in rng.choices(NAMES, k=PLAYERS)]
    for _ in range(times):
        player = rng.choice(players)
        name, query, segment = player
        player[2] = (segment + 1) % SEGMENTS
        path = f"/programs/{name}/{segment}.ts?{query}"
        for _ in range(_TRIES):
            if await is_redirected(f"GET {path} HTTP/1.1\r\nHost: {server.address}\r\n\r\n", reader, writer):
                break
            await asyncio.sleep(_PAUSE_S)
        else:
            raise OSError(f"no redirection for {path}")
    writer.close()
    await writer.wait_closed()


async def opened(name: str, server: Served | Nginx, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """What a playlist says of its session; something of that length where there are no playlists."""
    writer.write(f"GET /programs/{name}/playlist.m3u8 HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0))
        return f"session={0:024x}&ticket={0:024x}.{0:032x}"
    text = (await reader.readuntil(b"0\r\n\r\n")).decode()
    found = re.search(r"media\.m3u8\?(\S+)", text)
    if found is None:
        raise OSError(text)
    return found[1]


async def is_redirected(asked: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether the answer is a redirection, not a refusal for the moment. Raises OSError for any other."""
    writer.write(asked.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status not in {HTTPStatus.FOUND, HTTPStatus.SERVICE_UNAVAILABLE}:
        raise OSError(head.decode())
    await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0))
    return status == HTTPStatus.FOUND


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


def engine(slot: int) -> Address:
    """Where the engine of a slot answers."""
    return Address(f"127.255.1.{slot}", CONTROL_PORT)


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
