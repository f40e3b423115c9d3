"""A message between two machines that show each other certificates, against the same without; over kept connections.

Both ends of each way run in processes of their own; the figure is the CPU of both. And a handshake, both ends: what a
connection costs that is new.
"""

import asyncio
import random
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.control_call import REPORT_OF_AN_ENGINE, measure, serve_table
from benchmarks.figure import Figure, cpu_s, show
from benchmarks.served import Control, Served, served
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.identity.authority_folder import AuthorityFolder
from media_network.identity.certificates import utc_now
from media_network.identity.credentials import Credentials
from media_network.identity.identity import Identity
from media_network.identity.settings import IdentitySettings
from media_network.messages.enlisting import REPORT, Report, Reported

HANDSHAKES = 40
"""Fewer than a host has at once."""
DOMAIN = "benchmark.example"


async def main() -> None:
    """Measure both and print."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        issue(folder)
        identity = Credentials(IdentitySettings.in_folder(folder / "asking"))
        async with served(serve_table) as server, HttpClient(random.Random(1)) as http:
            peer = await measure(server, lambda: http.ask(server.address, REPORT, REPORT_OF_AN_ENGINE))
        async with (
            served(partial(serve_secured, folder / "serving")) as server,
            HttpClient(random.Random(1), identification=identity) as http,
        ):
            value = await measure(server, lambda: http.ask(server.address, REPORT, REPORT_OF_AN_ENGINE))
            first = await handshakes(server, identity)
    show(
        Figure(
            figure="a message and its answer over mutual TLS, both ends",
            value=value,
            unit="CPU us",
            peer=peer,
            peer_name="without TLS, both ends",
        ),
        Figure(
            figure="a message over a new connection with mutual TLS, both ends",
            value=first,
            unit="CPU us",
            peer=value,
            peer_name="over one that is kept",
        ),
    )


async def handshakes(server: Served, identity: Credentials) -> float:
    """CPU of both ends, in microseconds a message that makes a connection."""
    await server.cost_s()
    before_s = cpu_s()
    for _ in range(HANDSHAKES):
        async with HttpClient(random.Random(1), identification=identity) as http:
            await http.ask(server.address, REPORT, REPORT_OF_AN_ENGINE)
    ours_s = cpu_s() - before_s
    return (ours_s + await server.cost_s()) / HANDSHAKES * 1e6


def issue(folder: Path) -> None:
    """An authority, and identities of both."""
    authority = AuthorityFolder(folder / "authority")
    known, now, lives = authority.found(DOMAIN, utc_now()), utc_now(), timedelta(days=1)
    for name, slot in (("asking", "2"), ("serving", "1")):
        identity = Identity.named(DOMAIN, f"blade/north/{slot}")
        authority.issue(known, identity, ("127.0.0.1",), folder / name, now, lives)


async def serve_secured(folder: Path, control: Control) -> None:
    """The table of `control_call`, to whoever shows a certificate."""

    async def answer(report: Report) -> Reported:
        return Reported(report.streams[:1])

    table = HandlerTable("benchmark")
    table.verb(REPORT, answer)
    own = Credentials(IdentitySettings.in_folder(folder))
    async with serve(table, Address("127.0.0.1", 0), identification=own) as bound:
        await control.report(bound)


if __name__ == "__main__":
    asyncio.run(main())
