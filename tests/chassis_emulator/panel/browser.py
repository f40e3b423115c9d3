"""A real browser for the panel's tests: one Chromium, one event loop, a fresh page for each test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, Locator, Page

from chassis_emulator.panel.server import serve_panel
from media_network.address import Address
from tests.browser import chromium
from tests.chassis_emulator.panel.in_memory import NETWORK, InMemoryNetwork

HERE = Address(f"127.{NETWORK}.0.1", 0)


@dataclass
class Looking:
    """Somebody who looks at the panel of a network."""

    network: InMemoryNetwork
    page: Page
    address: Address
    complaints: list[str] = field(default_factory=list)
    """What the browser complains about: errors, and what the page's policy forbids."""
    asked: set[str] = field(default_factory=set)
    """Every origin that was asked for anything."""

    def blade(self, name: str) -> Locator:
        return self.page.locator(f'[data-blade="{name}"]')

    async def focused(self) -> str:
        """The name of what has the focus: its label, or what it reads."""
        return await self.page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        )

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)


@asynccontextmanager
async def looking(browser: Browser, network: InMemoryNetwork | None = None, *, control: bool = True, **context):
    """Open the panel; whatever the browser complains about fails the test."""
    network = network or InMemoryNetwork()
    async with serve_panel(HERE, network, control=control) as address, opened(browser, address, **context) as looks:
        looks.network = network
        yield looks


@asynccontextmanager
async def opened(browser: Browser, address: Address, **context) -> AsyncIterator[Looking]:
    settings = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "timezone_id": "UTC"}
    async with await browser.new_context(**(settings | context)) as around:
        page = await around.new_page()
        looks = Looking(InMemoryNetwork(), page, address)
        page.on("console", lambda said: looks.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: looks.complaints.append(str(error)))
        page.on("request", lambda request: looks.asked.add(request.url.split("/")[2]))
        page.set_default_timeout(15_000)
        await page.goto(f"http://{address}/")
        await page.locator(".blade").first.wait_for()
        yield looks
        assert looks.complaints == [], looks.complaints
        assert looks.asked == {str(address)}


class OneLoop:
    """Runs coroutines on one event loop, with one browser, until it is closed."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._browser = chromium()
        self.browser = self.run(self._browser.__aenter__())

    def run(self, coroutine):
        return self._runner.run(coroutine)

    def close(self) -> None:
        self.run(self._browser.__aexit__(None, None, None))
        self._runner.close()
