"""A center, by what stations say to it: a registration, a location, a place to wait; each over real sockets.

docs/scale.md reckons with these. Beside the messages is a bare aiohttp server that answers as many bytes.
"""

import asyncio
import random
import resource
import socket
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path

import msgspec
import psutil
from aiohttp import web

from benchmarks.figure import Figure, show
from benchmarks.parties import HomeDirector, film
from benchmarks.redirect import answers
from benchmarks.served import Control, Served, served
from distribution_center.center import run_center
from distribution_center.registry.sqlite_repository import SqliteRepository
from distribution_center.settings import CenterSettings
from media_network.address import Address
from media_network.cut import Cut
from media_network.http.client import HttpClient
from media_network.messages.program_information import ASK_CHANGES, AskChanges
from media_network.messages.registry import (
    ADD_LOCATIONS,
    REGISTER_STATION,
    AddLocations,
    RegisterStation,
    StationRegistered,
)

HOST = "127.0.0.1"
HOME = "home"
AT_ONCE = 16
WARM_UP = 300
MESSAGES = 4_000
SEGMENTS = MESSAGES + WARM_UP
HOSTS_WAITING, WAITING_OF_EACH = 64, 16
IDLE_S = 8.0
_SETTLES_S = 12.0
"""Until so many connections are made, on a slow machine."""
_KIB = 1024


async def main() -> None:
    """Measure and print."""
    program = film(0, SEGMENTS)
    with tempfile.TemporaryDirectory() as folder:
        await keep(Path(folder), [program])
        async with served(partial(serve_center, folder)) as center, HttpClient(random.Random(1)) as http:
            await HomeDirector(HOME, Address(HOST, 1), center.address).register(http, {program.cut: []}, heard=1)
            registering_us, _ = await measure(
                center, lambda _: http.ask(center.address, REGISTER_STATION, REGISTRATION)
            )
            add = partial(say_location, http, center.address, program.cut)
            adding_us, added_per_s = await measure(center, add)
            waiting_kib, waiting_percent = await measure_waiting(center)
    async with served(serve_bare) as bare, HttpClient(random.Random(1)) as http:
        bare_us, _ = await measure(bare, lambda _: http.ask(bare.address, REGISTER_STATION, REGISTRATION))
    name = "bare aiohttp, as many bytes"
    show(
        Figure(
            figure="a registration at the center", value=registering_us, unit="CPU us", peer=bare_us, peer_name=name
        ),
        Figure(
            figure="a location that is added, durable", value=adding_us, unit="CPU us", peer=bare_us, peer_name=name
        ),
        Figure(
            figure=f"locations added a second, {AT_ONCE} at once",
            value=added_per_s,
            unit="1/s",
            peer=1e6 / adding_us,
            peer_name="what a core can",
        ),
        Figure(
            figure=f"a station that waits for the feed, of {HOSTS_WAITING * WAITING_OF_EACH}",
            value=waiting_kib,
            unit="KiB",
            peer=64.0,
            peer_name="promised",
        ),
        Figure(
            figure=f"a center with {HOSTS_WAITING * WAITING_OF_EACH} that wait",
            value=waiting_percent,
            unit="% of a core",
            peer=1.0,
            peer_name="promised",
        ),
    )


REGISTRATION = RegisterStation(
    station="north",
    director="127.0.0.9:8081",
    media="127.0.0.9:8080",
    epoch=1,
    engines=14,
    staying=14,
    heard=1,
    zone="berlin",
    load=0.25,
    free_bps=12 * 10**9,
    free_bytes=28 * 10**12,
    stored_bytes=14 * 10**12,
)


async def measure(server: Served, ask: Callable[[int], Awaitable[object]]) -> tuple[float, float]:
    """CPU of the server in microseconds a message, and messages a second. `ask` gets the number of the message."""
    numbers = iter(range(SEGMENTS))

    async def ask_on(last: int) -> None:
        for number in numbers:
            await ask(number)
            if number >= last:
                return

    await ask_on(WARM_UP - 1)
    await server.cost_s()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.gather(*(ask_on(SEGMENTS) for _ in range(AT_ONCE)))
    took_s = loop.time() - began_s
    return await server.cost_s() / MESSAGES * 1e6, MESSAGES / took_s


async def say_location(http: HttpClient, center: Address, cut: Cut, number: int) -> None:
    """A segment more is at home."""
    message = AddLocations(
        station=HOME, epoch=1, generation=1, program=cut.program, table=cut.table, segments=str(number)
    )
    if await http.tell(center, ADD_LOCATIONS, message) is None:
        raise OSError("a location is refused")


async def measure_waiting(center: Served) -> tuple[float, float]:
    """KiB a station that waits, and the center's share of a core while all do."""
    process = psutil.Process(center.pid)
    before_bytes = process.memory_info().rss
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        waiting = []
        for number in range(HOSTS_WAITING):
            http = await stack.enter_async_context(HttpClient(random.Random(number), f"127.0.2.{number + 1}"))
            question = AskChanges(since=1, wait_ms=30_000)
            waiting += [
                tasks.create_task(http.tell(center.address, ASK_CHANGES, question, deadline_s=33.0))
                for _ in range(WAITING_OF_EACH)
            ]
        await asyncio.sleep(_SETTLES_S)
        await center.cost_s()
        await asyncio.sleep(IDLE_S)
        spent_s = await center.cost_s()
        if any(task.done() for task in waiting):
            raise OSError("somebody was not let wait")
        grown_bytes = process.memory_info().rss - before_bytes
        for task in waiting:
            task.cancel()
    return grown_bytes / len(waiting) / _KIB, spent_s / IDLE_S * 100


async def keep(folder: Path, programs: list) -> None:
    """Have a registry with these programs in a center's folder."""
    repository = SqliteRepository.open(folder / "registry.sqlite")
    for first in range(0, len(programs), 500):
        await asyncio.gather(*(repository.add_program(each) for each in programs[first : first + 500]))
    await repository.close()


async def serve_center(folder: str, control: Control) -> None:
    """A center as a process runs it; the folder has its registry."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ports = [free_port() for _ in range(2)]
    settings = CenterSettings(
        name="center", address=HOST, control_port=ports[0], media_port=ports[1], state=folder, home=HOME
    )
    running = asyncio.create_task(run_center(settings, random.Random(1)))
    await answers(Address(HOST, ports[0]))
    await control.report(Address(HOST, ports[0]))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def serve_bare(control: Control) -> None:
    """Nothing but the bytes."""
    answer = StationRegistered(media="127.0.0.1:8080", newest=1, now_ms=1_800_000_000_000, generation=1)
    body = msgspec.json.encode(answer)

    async def post(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.Response(body=body, content_type="application/json")

    application = web.Application()
    application.router.add_post(f"/{REGISTER_STATION.path}", post)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    await control.report(Address(HOST, runner.addresses[0][1]))
    await runner.cleanup()


def free_port() -> int:
    """One that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
