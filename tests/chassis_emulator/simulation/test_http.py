"""aiohttp, unmodified, between simulated hosts: streaming, ranges, files, and what is not deterministic about it."""

import asyncio
import os
import random
import time
import uuid

import aiohttp
import apsw
import pytest
from aiohttp import web

from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.simulation import Simulation
from media_network.http.client import LoopConnector

SERVER = "127.1.1.2"
URL = f"http://{SERVER}:8080"
CONTENT = random.Random(1).randbytes(3_000_000)
WEATHERS = {
    "calm": Conditions(),
    "bad": Conditions(latency_s=(0.001, 0.2), loss=0.1, splitting=0.5),
}


def serve(*routes: web.RouteDef):
    async def program() -> None:
        application = web.Application()
        application.add_routes(routes)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, SERVER, 8080).start()
        await asyncio.Event().wait()

    return program


@pytest.fixture(params=WEATHERS, ids=WEATHERS.__getitem__ and str)
def simulation(request):
    with Simulation(5, weather=WEATHERS[request.param]) as simulation:
        yield simulation


@pytest.mark.parametrize(
    ("header", "status", "expected"),
    [
        ({}, 200, CONTENT),
        ({"Range": "bytes=1000000-"}, 206, CONTENT[1_000_000:]),
        ({"Range": "bytes=188-375"}, 206, CONTENT[188:376]),
        ({"Range": "bytes=-1316"}, 206, CONTENT[-1316:]),
        ({"Range": "bytes=9000000-"}, 416, b""),
    ],
    ids=["whole", "from", "between", "tail", "beyond"],
)
def test_a_file_is_served_by_sendfile(simulation, tmp_path, header, status, expected):
    path = tmp_path / "segment.ts"
    path.write_bytes(CONTENT)

    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    async def fetch() -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession(connector=LoopConnector()) as session,
            session.get(f"{URL}/segment", headers=header) as response,
        ):
            return response.status, await response.read()

    simulation.start(simulation.host(SERVER), serve(web.get("/segment", answer)))
    simulation.run(until_s=1)
    assert simulation.run_until_complete(fetch()) == (status, expected)


def test_an_upload_is_streamed_and_a_connection_kept(simulation):
    received = []

    async def take(request: web.Request) -> web.Response:
        received.append(b"".join([piece async for piece in request.content.iter_any()]))
        assert request.transport
        return web.Response(text=str(request.transport.get_extra_info("peername")))

    async def upload() -> set[str]:
        async def pieces():
            for start in range(0, len(CONTENT), 100_000):
                yield CONTENT[start : start + 100_000]
                await asyncio.sleep(0.01)

        peers = set()
        async with aiohttp.ClientSession(connector=LoopConnector()) as session:
            for _ in range(3):
                async with session.post(f"{URL}/", data=pieces()) as response:
                    peers.add(await response.text())
        return peers

    simulation.start(simulation.host(SERVER), serve(web.post("/", take)))
    simulation.run(until_s=1)
    assert len(simulation.run_until_complete(upload())) == 1
    assert received == [CONTENT] * 3


def test_a_server_that_crashes_in_the_middle_is_noticed_and_the_rest_fetched_by_range(simulation, tmp_path):
    path = tmp_path / "segment.ts"
    path.write_bytes(CONTENT)
    host = simulation.host(SERVER)

    async def answer(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    async def fetch(session: aiohttp.ClientSession, received: bytearray) -> None:
        async with session.get(f"{URL}/segment", headers={"Range": f"bytes={len(received)}-"}) as response:
            async for piece in response.content.iter_any():
                received += piece
                if len(received) > len(CONTENT) // 2 and host.boot and len(host.boots) == 1:
                    simulation.crash(host)

    async def play() -> tuple[bytes, int]:
        received, breaks = bytearray(), 0
        async with aiohttp.ClientSession(connector=LoopConnector()) as session:
            while len(received) < len(CONTENT):
                try:
                    await fetch(session, received)
                except aiohttp.ClientError:
                    breaks += 1
                    simulation.restart(host)
                    await asyncio.sleep(1)
        return bytes(received), breaks

    simulation.start(host, serve(web.get("/segment", answer)))
    simulation.run(until_s=1)
    assert simulation.run_until_complete(play()) == (CONTENT, 1)


def test_a_pool_of_connections_ages_by_the_clock_of_the_simulation(simulation):
    async def answer(request: web.Request) -> web.Response:
        assert request.transport
        return web.Response(text=str(request.transport.get_extra_info("peername")))

    async def ask_twice(pause_s: float) -> bool:
        async with aiohttp.ClientSession(connector=LoopConnector()) as session:
            async with session.get(URL) as response:
                first = await response.text()
            await asyncio.sleep(pause_s)
            async with session.get(URL) as response:
                return first == await response.text()

    simulation.start(simulation.host(SERVER), serve(web.get("/", answer)))
    simulation.run(until_s=1)
    assert simulation.run_until_complete(ask_twice(50))
    assert not simulation.run_until_complete(ask_twice(70))


def test_clocks_and_randomness_of_libraries_follow_the_run_and_are_put_back(tmp_path):
    async def read() -> tuple[object, ...]:
        await asyncio.sleep(10)
        connection = apsw.Connection(str(tmp_path / "file"))  # a file of the operating system's, as a center's are
        [(of_sqlite,)] = connection.execute("SELECT hex(randomblob(8))").fetchall()
        connection.close()
        return time.time(), time.monotonic(), os.urandom(8), random.random(), uuid.uuid4(), of_sqlite

    readings = []
    before = time.time, time.monotonic, os.urandom, random.getstate()
    for seed in (1, 1, 2):
        with Simulation(seed) as simulation:
            readings.append(simulation.run_until_complete(read()))
    assert (time.time, time.monotonic, os.urandom, random.getstate()) == before
    assert readings[0] == readings[1]
    assert readings[0][:2] == readings[2][:2] == (1_767_225_610.0, 10.0)
    assert not set(readings[0][2:]) & set(readings[2][2:])
