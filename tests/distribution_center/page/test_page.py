"""The operator's page in a real browser: what a person sees of programs, and orders, and brings in.

`CENTER_PICTURES=1` writes the pictures of the documents, docs/pictures/center-*.png.
"""

import asyncio
import base64
import os
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.async_api import expect

from distribution_center.page.settings import PageSettings
from distribution_center.registry.repository import Verdict
from distribution_center.registry.statements import Statement
from media_network.messages.content import (
    DISTRIBUTE,
    INGEST,
    PUBLISH,
    WITHDRAW,
    Distribute,
    Ingest,
    Publish,
    Withdraw,
)
from media_network.messages.obtaining import Obstacle, ObtainStanding
from media_network.time_of_day import now_ms
from tests.browser import CHECKS, PAIRS, PHONE
from tests.clips import render
from tests.distribution_center.page.browser import DESK, looking, opened
from tests.distribution_center.page.catalogue import add, png, program
from tests.distribution_center.world import CONTENTS, HOME
from tests.patience import until

pytestmark = pytest.mark.peer("chromium")

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
TAKING_PICTURES = bool(os.environ.get("CENTER_PICTURES"))
MANY = 5000 if os.environ.get("SOAK") else 500
DAY_MS = 24 * 3600 * 1000
EVIL = "<img src=x onerror=document.title='owned'>\u202e\x1b[31m"
PAGE_PAIRS = [["--ok", "--surface"], ["--warning", "--surface"], ["--accent", "--raised"], ["--critical", "--raised"]]
DROP = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  const facts = { dataTransfer: carried, bubbles: true, cancelable: true };
  document.getElementById("drop").dispatchEvent(new DragEvent("drop", facts));
}"""


async def drop(page, name, content):
    await page.evaluate(DROP, [name, base64.b64encode(content).decode()])


async def deny_all(world):
    """As if each station had asked, and nobody else had what it holds."""

    def deny():
        yield Statement("UPDATE deletions SET state = 'denied', reason = 'nobody else holds all of it'", ())
        return Verdict.ACCEPTED

    await world.repository._commits.write(deny)


async def register(world, stack, *names, holds=(), **standing):
    """Stations that take nothing of what is ordered, and hold what a test says: (station, program, segments)."""
    for name in names:
        director = await stack.enter_async_context(world.station(name))
        director.takes = 0
        director.tables |= {one.name: one.header.table for _, one, _ in holds}
        for station, one, count in holds:
            if station == name:
                director.taken |= {(one.name, number): CONTENTS[number] for number in range(count)}
        director.standing = standing.get(name, ObtainStanding())
        await director.begin()


def test_of_many_programs_a_page_is_asked_for(told, free_port):
    async def story(world):
        async with looking(world, free_port) as looks:
            page, rows = looks.page, looks.page.locator(".program")
            await add(world, *(program(f"film-{number:04}", f"Film number {number}") for number in range(MANY)))
            await expect(rows).to_have_count(25)
            await asyncio.sleep(3.0)  # of what has come meanwhile nothing more is asked
            asked = looks.times_asked("/content/programs")
            await page.get_by_role("button", name="Next").click()
            await expect(page.locator("#shown")).to_have_text("26 to 50")
            await expect(rows.first).to_have_attribute("data-program", "film-0025")
            await page.get_by_role("button", name="Back").click()
            await expect(page.locator("#shown")).to_have_text("1 to 25")
            assert looks.times_asked("/content/programs") == asked + 2
            await page.locator("#search").press_sequentially("number 47", delay=20)
            await expect(rows).to_have_count(11 if MANY == 500 else 25)
            await expect(looks.row("film-0479")).to_be_visible()
            assert looks.times_asked("/content/programs") == asked + 3, "one question for nine letters"
            await page.locator("#search").fill("nothing of the kind")
            await expect(page.locator("#none")).to_have_text("No program is like that.")
            await page.locator("#search").fill("")
            await expect(rows).to_have_count(25)
            before = len(looks.asked)
            await asyncio.sleep(3.0)
            assert len(looks.asked) == before, "an idle page asks for nothing"
            await add(world, program("film-0004x", "Between"), program("other", "Beyond this page"))
            await expect(looks.row("film-0004x")).to_be_visible()
            await expect(rows).to_have_count(25)
            only = [said["only"] for path, said in looks.asked[before:] if path == "/content/programs"]
            assert only == [["film-0004x"]], "about what belongs to this page alone"
            await world.ask(WITHDRAW, Withdraw("film-0004x"))
            await expect(looks.row("film-0004x")).to_have_count(0)

    told(story)


def test_what_others_have_written_is_text_and_never_markup(told, free_port):
    async def story(world):
        script = b"<svg xmlns='http://www.w3.org/2000/svg' onload='document.title=1'/>"
        async with looking(world, free_port) as looks, AsyncExitStack() as stack:
            hostile = program("evil", EVIL[:200], picture=script, warnings=(EVIL,))
            await add(world, hostile, picture=script)
            await register(world, stack, HOME, EVIL[:40], holds=[(EVIL[:40], hostile, 2)])
            row = looks.row("evil")
            await expect(row.locator(".name")).to_have_text(EVIL)
            await expect(row.locator(".where")).to_have_text(EVIL[:40])
            await row.locator(".title-line").click()
            await expect(row.locator(".warnings")).to_have_text(EVIL)
            await expect(row.locator(".picture svg"), "it is no picture, and not drawn").to_have_count(1)
            assert await looks.page.locator("main img").count() == 0
            assert await looks.page.title() == "center – programs"
            assert [said for said in looks.complaints if "404" not in said] == []
            looks.complaints.clear()  # of the picture that is none

    told(story)


def test_orders_are_given_by_keyboard_and_what_is_in_their_way_is_said(told, free_port):
    async def story(world):
        film = program("film", "A film", published=False)
        async with looking(world, free_port) as looks, AsyncExitStack() as stack:
            await add(world, film)
            full = ObtainStanding(obstacle=Obstacle.NO_SPACE, needs_bytes=5 * 10**9, free_bytes=10**9)
            await register(world, stack, HOME, "north", "west", holds=[(HOME, film, 4), ("north", film, 2)], west=full)
            page, row = looks.page, looks.row("film")
            await expect(row.locator(".bar")).to_have_count(2)
            await row.locator(".title-line").press("Enter")
            await expect(row.locator("tbody tr")).to_have_count(2)
            for station in ("north", "west"):
                await row.get_by_label(station, exact=True).press("Space")
            await row.get_by_label("Copies at each").fill("3")
            await row.get_by_label("Rate, Mbit/s").fill("200")
            await row.get_by_role("button", name="Distribute").press("Enter")
            await expect(page.locator("#notices")).to_contain_text("film is ordered to 2 stations.")
            await expect(row.locator(".badge")).to_have_text("distributing")
            await expect(row.locator(".trouble")).to_contain_text("the disks of station west are full")
            await expect(row.locator("tbody tr", has_text="north")).to_contain_text(
                "3 ordered, 0 of 4 segments have them"
            )
            await expect(row.locator("tbody tr", has_text="west")).to_contain_text("200 Mbit/s")

            await row.get_by_label("From").fill("2037-07-24T20:00")
            await expect(row.locator(".form .hint", has_text="UTC")).to_contain_text(
                "24 Jul 2037, 20:00 UTC+02:00 is 2037-07-24 18:00 UTC"
            )
            await row.get_by_role("button", name="Publish then").press("Enter")
            await expect(row.locator(".when")).to_have_text("from 24 Jul 2037, 20:00 UTC+02:00")
            assert (await world.row("film")).publish_at_ms == 2_132_071_200_000
            await row.get_by_label("From").fill("")
            await row.get_by_role("button", name="Publish now").press("Enter")
            await expect(row.locator(".badge")).to_have_text("published")

            dialog = page.get_by_role("dialog")
            await expect(page.locator("#deletions")).to_be_hidden()
            await row.get_by_role("button", name="Delete at north").press("Enter")
            await expect(dialog).to_contain_text("Delete film at north")
            await dialog.get_by_role("button", name="Delete it").press("Enter")
            await expect(page.locator("#deletions")).to_contain_text("film at north")
            await expect(page.locator("#deletions .said")).to_have_text("waits")
            dismiss = page.get_by_role("button", name="Dismiss the deletion of film at north")
            await expect(dismiss).to_be_hidden()
            await deny_all(world)
            await expect(page.locator("#deletions .said")).to_have_text("denied")
            await dismiss.press("Enter")
            await expect(page.locator("#deletions")).to_be_hidden()
            await expect(page.locator("#notices")).to_contain_text("film stays at north.")

            await row.get_by_role("button", name="Withdraw").press("Enter")
            await expect(dialog).to_contain_text("A film goes from every station, and from home")
            await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
            await page.keyboard.press("Enter")
            assert await world.row("film"), "the safe answer has the focus"
            await row.get_by_role("button", name="Withdraw").press("Enter")
            await dialog.get_by_role("button", name="Withdraw").press("Enter")
            await expect(row).to_have_count(0)
            assert await world.row("film") is None

    told(story)


def test_a_film_that_is_dropped_becomes_a_program(told, free_port, tmp_path):
    source = render(tmp_path / "tiny.mp4", 2.0, 160, 90)

    async def story(world):
        async with looking(world, free_port) as looks, world.station(HOME) as home:
            page = looks.page
            await page.get_by_role("textbox", name="Title").fill("Dropped & gone")
            await drop(page, "../<b>tiny.mp4", source.read_bytes())
            await expect(page.locator("#notices")).to_contain_text("<b>tiny.mp4 has come, and is being ingested.")
            await expect(page.locator("#ingests .said")).to_contain_text("done: dropped-gone")
            row = page.locator(".program")
            await expect(row.locator(".name")).to_have_text("Dropped & gone")
            await expect(row.locator(".bar")).to_have_attribute("data-grade", "ok")
            assert home.taken
            await until(lambda: not any((world.folder / "uploads").iterdir()))

    told(story)


def test_a_file_that_is_too_large_is_not_sent(told, free_port):
    async def story(world):
        world.page = PageSettings(port=free_port(), upload_bytes_max=1000)
        async with looking(world, free_port) as looks, world.station(HOME):
            await drop(looks.page, "film.mp4", bytes(1001))
            said = "film.mp4: A file of 0.0 MB is more than the 0.0 MB that are taken"
            await expect(looks.page.locator("#notices")).to_contain_text(said)
            await expect(looks.page.locator("#uploads li")).to_have_count(0)
            assert not [path for path, _ in looks.asked if path.startswith("/uploads/") and path != "/uploads/begin"]
            looks.complaints[:] = [said for said in looks.complaints if "413" not in said]

    told(story)


def test_an_ingest_shows_how_far_it_is_and_is_cancelled(told, free_port, tmp_path):
    source = render(tmp_path / "tiny.mp4", 2.0, 160, 90)

    async def story(world):
        async with looking(world, free_port) as looks, world.station(HOME) as home:
            home.takes = 0
            ordered = asyncio.create_task(world.ingest(source, "Never whole"))
            line = looks.page.locator("#ingests .ingest")
            await expect(line).to_contain_text("Never whole")
            await expect(line.locator(".said")).to_contain_text("storing at home, 0 %")
            await line.get_by_role("button", name="Cancel Never whole").click()
            await looks.page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
            await expect(line.locator(".said")).to_have_text("cancelled")
            await expect(looks.page.locator("#none")).to_be_visible()
            ordered.cancel()

    told(story)


async def furnish(world, stack):
    """Four programs at four stations, one of which is full."""
    orange, blue = png(230, 120, 30), png(40, 120, 230)
    summer = program("alpine-summer-3fa2", "Alpine summer", picture=orange, published=False)
    bunny = program(
        "big-buck-bunny-1f3a", "Big Buck Bunny", picture=blue, published=False,
        warnings=("the sound of 7.1 was mixed to 5.1",),
    )  # fmt: skip
    night = program("night-train-77aa", "Night train", published=False)
    reeds = program("sea-of-reeds-0c0c", f"Sea of reeds, {'a title that goes on and on ' * 6}"[:200], published=False)
    for one, picture in ((summer, orange), (bunny, blue), (night, None), (reeds, None)):
        await add(world, one, picture=picture)
    holds = [(HOME, one, 4) for one in (summer, bunny, night, reeds)]
    holds += [(station, one, 4) for station in ("north", "south") for one in (summer, bunny)]
    full = ObtainStanding(obstacle=Obstacle.NO_SPACE, needs_bytes=5 * 10**9, free_bytes=10**9)
    await register(world, stack, HOME, "north", "south", "west", holds=[*holds, ("north", night, 3)], west=full)
    await world.ask(DISTRIBUTE, Distribute(program=bunny.name, stations=("north", "south"), copies=2))
    order = Distribute(program=night.name, stations=("north", "west"), copies=2, rate_bps=200_000_000)
    await world.ask(DISTRIBUTE, order)
    await world.ask(PUBLISH, Publish(summer.name))
    begins_ms = now_ms() // DAY_MS * DAY_MS + 25 * DAY_MS
    await world.ask(PUBLISH, Publish(bunny.name, begins_ms, begins_ms + 60 * DAY_MS))


def test_it_is_read_at_a_desk_in_the_light_and_on_a_phone_in_the_dark(told, free_port, tmp_path):
    async def story(world):
        async with looking(world, free_port) as first, AsyncExitStack() as stack:
            await furnish(world, stack)
            if TAKING_PICTURES:
                source = render(tmp_path / "the-lighthouse.mp4", 20.0, 160, 90)
                await world.ask(INGEST, Ingest(source=str(source), title="The lighthouse"))
                await expect(first.page.locator("#ingests .said")).to_contain_text("storing")
            for place, scheme in (("phone", "dark"), ("desk", "light")):
                context = (PHONE if place == "phone" else DESK) | {"color_scheme": scheme}
                async with opened(first.address, first.page.context.browser, **context) as looks:
                    row = looks.row("night-train-77aa")
                    await expect(row.locator(".trouble")).to_contain_text("the disks of station west are full")
                    await row.locator(".title-line").click()
                    await expect(row.locator("tbody tr")).to_have_count(3)
                    found = await looks.page.evaluate(CHECKS, PAIRS + PAGE_PAIRS)
                    levels = found.pop("levels")
                    assert found == {"duplicates": [], "small": [], "faint": [], "wide": 0}, (place, scheme)
                    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
                    tree = await looks.page.locator("body").aria_snapshot()
                    assert '- button "Night train" [expanded]' in tree
                    assert "north" in tree
                    if TAKING_PICTURES:
                        await looks.page.screenshot(path=PICTURES / f"center-{place}.png", full_page=place == "desk")

    told(story)
