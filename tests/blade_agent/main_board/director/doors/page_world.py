"""A director on duty on real sockets, with the page to watch, and a real browser that looks at it."""

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.director.director import open_director
from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.parts import with_parts
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.server import serve_ports
from media_network.program_header import AttachmentKind, attachment_of
from tests.addresses import network_number
from tests.blade_agent.main_board.director.stage import program_of

HOST = f"127.{network_number()}.1.1"
MEDIA = Address(HOST, 8080)
DESK = {"viewport": {"width": 1360, "height": 860}, "locale": "en-GB"}


def attached(octets: bytes, media_type: str = "image/png"):
    """A picture, and its bytes."""
    return attachment_of(AttachmentKind.PICTURE, media_type, octets)


def film(name: str, title: str, version: int, *, picture: bytes | None = None, **facts):
    """A program in service."""
    attachments = (attached(picture)[0],) if picture else ()
    return program_of(
        segments=30, name=name, first=version * 100, title=title, version=version, attachments=attachments, **facts
    )


@asynccontextmanager
async def directing(folder: Path, films=(), pictures=()):
    """A director that knows these films, and has these pictures."""
    catalogue = Catalogue(DiskFiles(), folder / "catalogue")
    await catalogue.load()
    await catalogue.learn([change_of(one.header) for one in films])
    for octets in pictures:
        await catalogue.parts._keep(attached(octets)[0].sha256, octets)
    duty = DirectorDuty(
        station="north", address=Address(HOST, 8081), media=MEDIA, epoch=1, center=None, state=folder / "state"
    )
    async with (
        open_director(duty, catalogue, random.Random(1), DirectorCounters()) as director,
        serve_ports(with_parts(director.handlers(), catalogue.parts), control=duty.address, media=MEDIA),
    ):
        running = asyncio.create_task(director.run())
        try:
            yield director
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@dataclass
class Looking:
    """Somebody who has the page open."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """What the browser complains about: errors, and what the page's policy forbids."""
    asked: list[str] = field(default_factory=list)
    """Paths, in order."""

    @property
    def cards(self):
        return self.page.locator("#titles > li")


@asynccontextmanager
async def looking(browser, address=MEDIA, path="/", **context):
    """The page, opened. Whatever the browser complains about fails the test."""
    async with await browser.new_context(**(DESK | context)) as around:
        page = await around.new_page()
        looks = Looking(page)
        page.on("console", lambda said: looks.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: looks.complaints.append(str(error)))
        page.on("request", lambda request: looks.asked.append("/" + request.url.split("/", 3)[3]))
        page.set_default_timeout(30_000)
        await page.goto(f"http://{address}{path}")
        yield looks
        assert looks.complaints == [], looks.complaints
