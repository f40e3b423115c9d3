"""The page of a generated network, in a real browser."""

import asyncio
import contextlib
from pathlib import Path

from playwright.async_api import expect

from distribution_center.network_management.history import History
from distribution_center.network_management.live import Live
from distribution_center.network_management.monitor import Monitor
from distribution_center.network_management.web import Pages, serve_pages
from media_network.address import Address
from tests.browser import chromium
from tests.patience import PATIENCE_S

TOKEN = "a-token-for-acknowledging"
expect.set_options(timeout=1000 * PATIENCE_S)
DESK = {"viewport": {"width": 1440, "height": 900}}


class ShownWorld:
    """A world, whoever serves it, and a browser's page of it."""

    def __init__(self, world, monitor, page, complaints):
        self.world, self.page, self.complaints = world, page, complaints
        self._monitor = monitor

    def tell(self, *alarms):
        """What has happened is drawn, and kept."""
        self._monitor._note((), [each for news in alarms for each in news])


@contextlib.asynccontextmanager
async def showing(world, folder, **context):
    """The page is open and has all stations."""
    folder = Path(folder)
    live, history = Live(world.network), History(folder / "history.sqlite")
    monitor = Monitor(world.settings, world.network, history, http=None, poller=None, changed=live.changed)
    pages = Pages(world.settings, network=world.network, monitor=monitor, history=history, live=live, token=TOKEN)
    complaints = []
    try:
        async with serve_pages(pages, Address("127.0.0.1", 0)) as address, chromium() as browser:
            drawing = asyncio.create_task(live.run())
            page = await browser.new_page(**(DESK | context))
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.set_default_timeout(1000 * PATIENCE_S)
            await page.goto(f"http://{address}")
            yield ShownWorld(world, monitor, page, complaints)
            drawing.cancel()
    finally:
        history.close()
