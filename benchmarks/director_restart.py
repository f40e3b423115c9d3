"""A director is started anew where its station holds 2,000 programs: how long until it redirects a viewer.

From the start of its process on: Python, the catalogue from the disk, an engine that enlists with all that it holds.
"""

import asyncio
import random
import tempfile
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path

import psutil

from benchmarks.figure import Figure, show
from benchmarks.parties import Engine, film
from benchmarks.redirect import answers
from benchmarks.served import Control, served
from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.director.director import direct
from blade_agent.main_board.director.duty import DirectorDuty
from media_network.address import Address
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.http.client import HttpClient

PROGRAMS, SEGMENTS = 2_000, 3_600
ASKED = 1_234
BOUND_S = 3.0
DIRECTOR, ENGINE = Address("127.255.8.1", 8081), Address("127.255.8.2", 8081)
MEDIA = DIRECTOR._replace(port=8080)
_PAGE = 200
_AGAIN_S = 0.01


async def main() -> None:
    """Measure and print."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        held = await keep(Path(folder))
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(HttpClient(random.Random(1)))
            engine = Engine(ENGINE, DIRECTOR, held)
            engine.known_until = PROGRAMS
            await engine.serve(http, stack)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            duty = tasks.create_task(engine.be_on_duty())
            began_s = loop.time()
            async with served(partial(serve_director, folder)) as director:
                await redirected()
                took_s = loop.time() - began_s
                times = psutil.Process(director.pid).cpu_times()
            duty.cancel()
    show(
        Figure(
            figure=f"a director started anew redirects, {PROGRAMS:,} programs",
            value=took_s,
            unit="s",
            peer=BOUND_S,
            peer_name="promised",
        ),
        Figure(
            figure="its CPU until then", value=times.user + times.system, unit="s", peer=took_s, peer_name="the time"
        ),
    )


async def keep(folder: Path) -> dict[Cut, range]:
    """Have a blade's disk know the programs; gives what the engine is to hold."""
    catalogue = Catalogue(DiskFiles(), folder / "catalogue")
    await catalogue.load()
    held: dict[Cut, range] = {}
    for first in range(0, PROGRAMS, _PAGE):
        page = [film(number, SEGMENTS, published=True, version=number + 1) for number in range(first, first + _PAGE)]
        await catalogue.learn([change_of(program.header) for program in page], until=first + _PAGE)
        held |= {program.cut: range(SEGMENTS) for program in page}
        for program in page:
            if program.name == f"film-{ASKED:06d}":
                await catalogue.parts.keep(program.header, program.segments.octets)
    return held


async def redirected() -> None:
    """Return when a viewer is sent to the engine; until then it asks again and again."""
    path = f"/programs/film-{ASKED:06d}/7.ts?session={1:024x}"
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(*MEDIA)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {MEDIA}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            writer.close()
            if head.startswith(b"HTTP/1.1 302") and ENGINE.host.encode() in head:
                return
        await asyncio.sleep(_AGAIN_S)


async def serve_director(folder: str, control: Control) -> None:
    """A director as a main board runs it, without a distribution center."""
    duty = DirectorDuty(station="north", address=DIRECTOR, media=MEDIA, epoch=1, center=None, state=Path(folder))
    catalogue = Catalogue(DiskFiles(), Path(folder) / "catalogue")
    await catalogue.load()
    directing = asyncio.create_task(direct(duty, catalogue, random.Random(1)))
    await answers(DIRECTOR)
    await control.report(DIRECTOR)
    directing.cancel()
    with suppress(asyncio.CancelledError):
        await directing


if __name__ == "__main__":
    asyncio.run(main())
