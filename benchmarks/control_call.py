"""A message between two parties: through our client and handler table, against aiohttp's own client and server.

Both ends of each way run in processes of their own; the figure is the CPU of both.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import web

from benchmarks.figure import Figure, cpu_s, show
from benchmarks.served import Control, Served, served
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.enlisting import REPORT, Report, Reported
from media_network.messages.streaming import StreamCursor

MESSAGES = 4_000
AT_ONCE = 8
WARM_UP = 400
REPORT_OF_AN_ENGINE = Report(
    engine="127.1.2.2:8080",
    boot="0123456789abcdef",
    epoch=1,
    streams=tuple(StreamCursor(session=f"{n:024x}", turn=n, segment=n, packet=n) for n in range(4)),
    push_bps=16_000_000,
    free_bytes=10**12,
)
DOCUMENT = {
    "engine": "127.1.2.2:8080",
    "boot": "0123456789abcdef",
    "epoch": 1,
    "streams": [{"session": f"{n:024x}", "turn": n, "segment": n, "packet": n} for n in range(4)],
    "push_bps": 16_000_000,
    "free_bytes": 10**12,
}

Ask = Callable[[], Awaitable[object]]


async def main() -> None:
    """Measure both and print."""
    async with served(serve_table) as server, HttpClient(random.Random(1)) as http:
        value = await measure(server, lambda: http.ask(server.address, REPORT, REPORT_OF_AN_ENGINE))
    async with served(serve_bare) as server, aiohttp.ClientSession() as session:
        url = f"http://{server.address}/{REPORT.path}"

        async def post() -> object:
            async with session.post(url, json=DOCUMENT) as response:
                return await response.json()

        peer = await measure(server, post)
    show(
        Figure(
            figure="a message and its answer, both ends",
            value=value,
            unit="CPU us",
            peer=peer,
            peer_name="bare aiohttp, both ends",
        )
    )


async def measure(server: Served, ask: Ask) -> float:
    """CPU of both ends, in microseconds a message."""
    await ask_often(ask, WARM_UP)
    await server.cost_s()
    before_s = cpu_s()
    await asyncio.gather(*(ask_often(ask, MESSAGES // AT_ONCE) for _ in range(AT_ONCE)))
    ours_s = cpu_s() - before_s
    return (ours_s + await server.cost_s()) / MESSAGES * 1e6


async def ask_often(ask: Ask, times: int) -> None:
    """One after the other."""
    for _ in range(times):
        await ask()


async def serve_table(control: Control) -> None:
    """A handler table with one verb."""

    async def answer(report: Report) -> Reported:
        return Reported(report.streams[:1])

    table = HandlerTable("benchmark")
    table.verb(REPORT, answer)
    async with serve(table, Address("127.0.0.1", 0)) as bound:
        await control.report(bound)


async def serve_bare(control: Control) -> None:
    """The same by aiohttp's own means, and the standard library's JSON."""

    async def post(request: web.Request) -> web.StreamResponse:
        report = await request.json()
        return web.json_response({"revoked": report["streams"][:1]}, dumps=json.dumps)

    application = web.Application()
    application.router.add_post(f"/{REPORT.path}", post)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await control.report(Address("127.0.0.1", runner.addresses[0][1]))
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
