"""A headquarters, two real centers with scripted home stations, and who asks; in virtual time."""

import asyncio
import random
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from distribution_center.headquarters.mam import serve_mam
from distribution_center.headquarters.settings import MamSettings
from distribution_center.headquarters.store import HeadquartersStore
from media_network.address import Address
from media_network.messages.headquarters import (
    ASK_ORDER,
    LIST_CENTERS,
    ORDER_DOWNLOAD,
    AskOrder,
    ListCenters,
    OrderDownload,
)
from tests.distribution_center.world import HOME, World

MAM = Address("127.0.0.1", 8082)


class TwoCenters:
    """Centers by name, and the headquarters; each may be away, and comes back with what it has kept."""

    def __init__(self, folder, http):
        self.folder, self.http = folder, http
        self.centers = {
            "east": World(folder / "east", http, control_port=9181, media_port=9180),
            "west": World(folder / "west", http, control_port=9281, media_port=9280),
        }
        self.starts = 0
        self.poll_s = 1.0

    @property
    def settings(self):
        centers = {name: str(center.address) for name, center in self.centers.items()}
        return MamSettings(centers=centers, state=str(self.folder), port=MAM.port, poll_s=self.poll_s)

    @asynccontextmanager
    async def mam(self):
        self.starts += 1
        store = HeadquartersStore(self.folder / "headquarters.sqlite")
        duty = asyncio.create_task(serve_mam(self.settings, store, random.Random(self.starts)))
        try:
            await self.ask(LIST_CENTERS, ListCenters())
            yield
        finally:
            duty.cancel()
            with suppress(asyncio.CancelledError):
                await duty
            store.close()

    @asynccontextmanager
    async def center(self, name):
        """One with its home station, until the context is left."""
        self.starts += 1
        async with self.centers[name].center(), self.centers[name].station(HOME, port=10_000 + self.starts) as home:
            yield home

    @asynccontextmanager
    async def everybody(self):
        async with AsyncExitStack() as stack:
            for name in self.centers:
                await stack.enter_async_context(self.center(name))
            await stack.enter_async_context(self.mam())
            yield

    async def ask(self, verb, message):
        return await self.http.ask(MAM, verb, message, deadline_s=10.0)

    async def order(self, *centers, source="/films/film.mp4", order="order-1"):
        return await self.ask(ORDER_DOWNLOAD, OrderDownload(order=order, source=source, centers=centers))

    async def stages(self, order="order-1"):
        outcome = await self.ask(ASK_ORDER, AskOrder(order))
        return {each.center: each.stage.value for each in outcome.downloads}

    async def reach(self, stages, order="order-1"):
        """Return when the downloads are so far, within ten minutes of virtual time."""
        for _ in range(1200):
            if (seen := await self.stages(order)) == stages:
                return
            await asyncio.sleep(0.5)
        raise AssertionError(seen)
