"""What the cache of subscribers costs a director, and what a viewer waits while subscriber management hangs.

Beside a decision from the cache stand 10 us; beside what all but one of a hundred viewers wait no longer than, with
subscriber management hung for half a minute, the 5 ms that they may wait.
"""

import asyncio
import random
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, cpu_s, show
from blade_agent.main_board.accounts.settings import AccountsLinkSettings
from blade_agent.main_board.accounts.station_accounts import StationAccounts
from distribution_center.accounts.accounts_server import accounts_table
from distribution_center.accounts.news_desk import NewsDesk
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.server import serve
from media_network.messages.billing import DeliverUsage, UsageDelivered
from media_network.messages.subscribers import Grant, SubscriberNews, SubscriberStanding, SubscriberState
from media_network.refusal import Refused

TIMES, SUBSCRIBERS = 20_000, 1000
HUNG_S, PAUSE_S = 30.0, 0.005
BOUND_MS = 5.0
OWN = Address("127.0.0.1", 8081)
_MAY = SubscriberStanding(
    state=SubscriberState.ACTIVE, grants=(Grant(what="classics", package=True),), packages=("classics",)
)


class Management:
    """Everybody may see everything, until it hangs."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def standing(self, subscriber: str, program: str, now_ms: int) -> SubscriberStanding:  # noqa: ARG002
        """See `SubscriberManagement`."""
        await self.goes_on.wait()
        return _MAY

    async def news(self, since: int | None, most: int) -> SubscriberNews:  # noqa: ARG002
        """See `SubscriberManagement`."""
        await self.goes_on.wait()
        return SubscriberNews(until=0)

    async def deliver(self, delivery: DeliverUsage) -> UsageDelivered:  # noqa: ARG002
        """See `Ledger`."""
        await self.goes_on.wait()
        return UsageDelivered(new=0, known=0)


async def main() -> None:
    """Measure and print."""
    management = Management()
    table = accounts_table(management, management, NewsDesk(management))
    with tempfile.TemporaryDirectory() as folder:
        async with serve(table, Address("127.0.0.1", 0)) as at:
            # Fresh for a second, so that nearly all who come while it hangs are stale.
            settings = AccountsLinkSettings(subscribers=str(at), fresh_s=1.0, refusal_s=1.0)
            accounts = StationAccounts(settings, Path(folder), DiskFiles(), random.Random(1), OWN)
            async with accounts.running():
                for number in range(SUBSCRIBERS):
                    await admit(accounts, number)
                hit_us = await spent_us(accounts)
                management.goes_on.clear()
                waited_ms = await waits_ms(accounts)
                management.goes_on.set()
    p99_ms = sorted(waited_ms)[int(len(waited_ms) * 0.99)]
    show(
        Figure(
            figure="entitlement from the cache", value=1e6 / hit_us, unit="1/s of a core", peer=1e5, peer_name="10 us"
        ),
        Figure(
            figure="a viewer with subscriber management hung, p99",
            value=p99_ms,
            unit="ms",
            peer=BOUND_MS,
            peer_name="the bound",
        ),
    )


async def admit(accounts: StationAccounts, number: int) -> None:
    """One viewer, who may."""
    answer = await accounts.admit(f"viewer-{number % SUBSCRIBERS}", "film")
    if isinstance(answer, Refused):
        raise TypeError(str(answer))


async def spent_us(accounts: StationAccounts) -> float:
    """CPU microseconds a decision about one who is known."""
    await admit(accounts, 0)
    begun = cpu_s()
    for _ in range(TIMES):
        await admit(accounts, 0)
    return (cpu_s() - begun) / TIMES * 1e6


async def waits_ms(accounts: StationAccounts) -> list[float]:
    """What viewers wait who come for half a minute."""
    waited, ends_s = [], time.monotonic() + HUNG_S
    number = 0
    while time.monotonic() < ends_s:
        began_s = time.perf_counter()
        await admit(accounts, number)
        waited.append((time.perf_counter() - began_s) * 1000)
        number += 1
        await asyncio.sleep(PAUSE_S)
    return waited


if __name__ == "__main__":
    asyncio.run(main())
