"""A person watches at a station's page: hls.js in Chromium plays, and shows which blade each segment came from.

`WATCH_PICTURES=1` writes the pictures of the documents, docs/pictures/watch-*.png.
"""

import asyncio
import os
import time
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from blade_agent.data import data_folder
from tests.addresses import network_number
from tests.browser import PHONE, chromium
from tests.clips import render
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.peer("chromium")

NETWORK = network_number()
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
TAKING_PICTURES = bool(os.environ.get("WATCH_PICTURES"))
DESK = {"viewport": {"width": 1360, "height": 860}, "locale": "en-GB"}
FRAMES = 12 * 25
FACTS = """(video) => ({
  at: video.currentTime, ended: video.ended, paused: video.paused, ready: video.readyState, lasts: video.duration,
  frames: video.getVideoPlaybackQuality().totalVideoFrames, dropped: video.getVideoPlaybackQuality().droppedVideoFrames,
  wide: video.videoWidth,
})"""


@pytest.fixture(scope="module", autouse=True)
def _the_player_is_there():
    assert (data_folder("player") / "hls.js").is_file(), "`make player` gets it"


@asynccontextmanager
async def watching(station, path="/", **context):
    """The page, opened; what the browser complains about fails the test."""
    async with chromium() as browser, await browser.new_context(**(DESK | context)) as around:
        page = await around.new_page()
        complaints = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(45_000)
        await page.goto(f"http://{station.service('north')}{path}")
        page.complaints = complaints
        yield page


async def facts(page):
    return await page.locator("#video").evaluate(FACTS)


async def becomes(page, expression):
    """Until it is true in the page, whose policy does not let a browser look again and again by itself."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not (seen := await page.evaluate(expression)):
        assert time.monotonic() < give_up_at, (expression, await facts(page))
        await asyncio.sleep(0.02)
    return seen


async def plays(page, until_s=0.5):
    """Until so much of it has been shown."""
    await becomes(page, f"document.getElementById('video').currentTime >= {until_s}")
    return await facts(page)


def test_hls_js_plays_every_frame_and_the_page_shows_who_sent_each_segment(station, program):
    engines = {row["media"]: row["slot"] for row in station.engines("north")}

    async def watch():
        asked = []
        async with watching(station) as page:
            page.on("request", lambda request: asked.append(request.url))
            card = page.locator("#titles > li")
            await expect(card).to_have_count(1)
            await becomes(page, "document.images.length > 1 && [...document.images].every((one) => one.complete)")
            assert await card.locator("img").evaluate("(image) => image.naturalWidth") == 320
            await card.locator("a").click()
            await plays(page)
            await expect(page.locator("#strip > li")).to_have_count(program["segments"])
            assert await page.locator("#strip > li").all_text_contents() == [str(n) for n in range(program["segments"])]
            rows = await page.locator("#engines > li").all_text_contents()
            assert len(rows) == len(engines)
            for media, slot in engines.items():
                assert any(row.startswith(f"slot {slot}{media}") for row in rows), rows
            shown = [
                await page.locator("#strip > li").nth(n).get_attribute("title") for n in range(program["segments"])
            ]
            sent = {
                int(path.rpartition("/")[2].removesuffix(".ts")): engines[netloc]
                for scheme, netloc, path, *_ in map(urlsplit, asked)
                if netloc in engines and path.startswith("/segments/")
            }
            assert shown == [f"Segment {n}: slot {sent[n]}" for n in range(program["segments"])]
            await plays(page, 11.5)
            await expect(page.locator("#now")).to_have_text(f"On screen: segment 11, from slot {sent[11]}")
            assert await page.locator("#strip > li[data-now]").all_text_contents() == ["11"]
            await becomes(page, "document.getElementById('video').ended")
            seen = await facts(page)
            assert seen["frames"] >= FRAMES - 1
            assert seen["wide"] == 320
            assert page.complaints == []

    asyncio.run(watch())


def test_the_keys_pause_seek_and_lead_back(station, program):
    async def watch():
        async with watching(station, f"/#/watch/{program['program']}") as page:
            await plays(page)
            await page.locator("#watch-name").focus()
            await page.keyboard.press("Space")
            await becomes(page, "document.getElementById('video').paused")
            before = (await facts(page))["at"]
            await page.keyboard.press("ArrowRight")
            assert (await facts(page))["at"] == pytest.approx(min(before + 10, (await facts(page))["lasts"]), abs=0.5)
            await page.keyboard.press("ArrowLeft")
            await page.keyboard.press("ArrowLeft")
            assert (await facts(page))["at"] == 0
            muted = await page.locator("#video").evaluate("(video) => video.muted")
            await page.keyboard.press("m")
            assert await page.locator("#video").evaluate("(video) => video.muted") is not muted
            await page.keyboard.press("k")  # means nothing
            await page.keyboard.press("Space")
            await plays(page, 0.3)
            await page.keyboard.press("Escape")
            await expect(page.locator("#titles a").first).to_be_visible()
            assert await page.locator("#video").evaluate("(video) => video.src") == ""
            assert page.complaints == []

    asyncio.run(watch())


COUNT_STALLS = """() => {
  window.stalls = 0;
  document.getElementById("video").addEventListener("waiting", () => { window.stalls += 1; });
}"""


@pytest.fixture(scope="module")
def longer(station, tmp_path_factory):
    """A film of which half has yet to be asked for when a player has begun."""
    film = render(tmp_path_factory.mktemp("longer") / "longer.mp4", 40)
    return station.publish(film, "north", segment_ms=1000)


@pytest.fixture
def restored(station):
    yield
    station.run("chassis-emulator", "fault", "clear", "all")
    for row in station.ps():
        if row["state"] == "empty":
            station.run("chassis-emulator", "insert", row["name"])
    station.up()


@pytest.mark.parametrize(
    ("befalls", "whom"),
    [
        (("pull", "--surprise"), "engine"),
        (("pull", "--surprise"), "director"),
        (("fault", "crash"), "director"),
        (("fault", "hang"), "director"),
    ],
)
@pytest.mark.usefixtures("restored")
def test_a_blade_is_lost_and_the_film_goes_on(station, longer, befalls, whom):
    """Nobody who watches notices."""
    program = longer

    async def watch():
        async with watching(station, f"/#/watch/{program['program']}") as page:
            await plays(page, 1.0)
            await page.evaluate(COUNT_STALLS)
            victim = (station.director("north") if whom == "director" else station.engines("north")[0])["name"]
            what, *how = befalls
            words = (what, *how, victim) if what == "fault" else (what, victim, *how)
            await asyncio.to_thread(station.run, "chassis-emulator", *words)
            await plays(page, 4.0)
            assert await page.evaluate("window.stalls") == 0
            await page.locator("#video").evaluate("(video) => { video.playbackRate = 8; }")
            await becomes(page, "document.getElementById('video').ended")
            await expect(page.locator("#hand-overs")).to_contain_text(f"in {program['segments']} segments")
            assert await page.locator("#trouble").is_hidden()

    asyncio.run(watch())


@pytest.mark.parametrize("context", [DESK, PHONE], ids=["desk", "phone"])
def test_at_every_width_nothing_is_out_of_sight(station, program, context, request):
    async def watch():
        async with watching(station, **context) as page:
            await becomes(page, "document.images.length > 1 && [...document.images].every((one) => one.complete)")
            wide = "Math.max(0, document.documentElement.scrollWidth - innerWidth)"
            assert await page.evaluate(wide) == 0
            await page.locator("#titles a").first.click()
            await plays(page, 2.0)
            assert await page.evaluate(wide) == 0
            box = await page.locator("#video").bounding_box()
            assert box["width"] >= 0.55 * context["viewport"]["width"]
            assert box["y"] + box["height"] <= context["viewport"]["height"]
            await take_picture(page, f"watch-{request.node.callspec.id}")

    asyncio.run(watch())


async def take_picture(page, name):
    if TAKING_PICTURES:
        await page.screenshot(path=PICTURES / f"{name}.png")
