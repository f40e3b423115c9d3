"""A center on duty with its page, and a real browser that looks at it."""

import json
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from playwright.async_api import Page

from distribution_center.page.settings import PageSettings
from media_network.address import Address
from tests.browser import chromium

DESK = {"viewport": {"width": 1360, "height": 900}, "locale": "en-GB", "timezone_id": "Europe/Berlin"}


@dataclass
class Looking:
    """Somebody who has the page open."""

    page: Page
    address: Address
    complaints: list[str] = field(default_factory=list)
    """What the browser complains about: errors, and what the page's policy forbids."""
    asked: list[tuple[str, object]] = field(default_factory=list)
    """Every path that was asked, with what was said."""
    origins: set[str] = field(default_factory=set)

    def row(self, program):
        return self.page.locator(f'.program[data-program="{program}"]')

    def times_asked(self, path):
        return sum(asked == path for asked, _ in self.asked)


@asynccontextmanager
async def looking(world, free_port, **context):
    """The page of the world's center, which is on duty with it. Whatever the browser complains about fails the test."""
    if world.page is None:
        world.page = PageSettings(port=free_port())
    address = Address(world.page.address, world.page.port)
    async with world.center(), opened(address, **context) as looks:
        yield looks


@asynccontextmanager
async def opened(address, browser=None, **context):
    """Another look, by the same browser if there is one."""
    async with (
        nullcontext(browser) if browser else chromium() as looked_with,
        await looked_with.new_context(**(DESK | context)) as around,
    ):
        page = await around.new_page()
        looks = Looking(page, address)
        page.on("console", lambda said: looks.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: looks.complaints.append(str(error)))
        page.on("request", lambda request: _note(looks, request))
        page.set_default_timeout(20_000)
        await page.goto(f"http://{address}/")
        await page.locator("#chips [data-grade=live]").wait_for()
        yield looks
        assert looks.complaints == [], looks.complaints
        assert looks.origins == {str(address)}


def _note(looks, request):
    looks.origins.add(request.url.split("/")[2])
    path = "/" + request.url.split("/", 3)[3]
    json_sent = request.method == "POST" and request.post_data
    looks.asked.append((path, json.loads(json_sent) if json_sent else None))
