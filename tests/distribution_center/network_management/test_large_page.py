"""The page of 200 stations in a real browser: what one change costs it, and how a person finds what is bad."""

import asyncio
import json
import time

import pytest
from playwright.async_api import expect

from distribution_center.network_management.component import center_id
from tests.browser import CHECKS, PAIRS, PHONE
from tests.distribution_center.network_management.showing_world import TOKEN, showing
from tests.distribution_center.network_management.test_page import OWN_PAIRS
from tests.distribution_center.network_management.world import BLADE_LOST, CENTER, MAJOR, MINOR, SENSOR_THRESHOLD, World

pytestmark = pytest.mark.peer("chromium")

WATCH = """() => {
  window.touched = new Set();
  new MutationObserver((found) => found.forEach(({ target }) =>
    window.touched.add((target.closest ? target : target.parentElement).closest("[data-station]")?.dataset.station)))
    .observe(document.getElementById("stations"),
      { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def pull(world, station, slot):
    """A blade is gone without a word; gives the alarms."""
    world.slots[station][slot]["mscSlotHotSwapState"] = 7
    text = f"The blade in slot {slot} does not answer.".encode()
    world.raise_alarm(f"{station}/chassis", BLADE_LOST, MAJOR, slot=slot, resource=f"blade {slot}".encode(), text=text)
    return world.chassis_answers(station)


def test_a_change_touches_its_own_station_and_a_person_finds_what_is_bad(tmp_path):
    async def run():
        world = World(tmp_path, stations=200, blades=14)
        world.fill()
        async with showing(world, tmp_path) as shown:
            page, stations = shown.page, shown.page.locator(".station:visible")
            await expect(page.locator(".station")).to_have_count(200)
            await expect(page.locator("#about-network")).to_contain_text("200 stations · 2800 blades")
            await page.evaluate(WATCH)
            world.passes(10)
            world.blade_answers("station-100", 7, streams=99)
            shown.tell()
            await expect(page.locator('.station[data-station="station-100"] .name .hint')).to_contain_text("▶ 138")
            assert await page.evaluate("[...window.touched]") == ["station-100"]

            shown.tell(pull(world, "station-150", 3))
            await expect(stations.first).to_contain_text("station-150")
            await expect(stations.first).to_contain_text("slot 3 lost")
            await expect(page.locator("#rows > li")).to_have_count(1)
            moved = set(await page.evaluate("[...window.touched]")) - {None}
            assert moved == {"station-100", "station-150"}
            await expect(page.locator("#counts")).to_have_text("1 major")

            await page.locator("label:has(> input[value=bad])").click()
            await expect(stations).to_have_count(1)
            await expect(page.locator("#shown")).to_have_text("1 of 200 stations")
            await page.locator("label:has(> input[value=all])").first.click()
            await page.fill("#search", "station-01")
            await expect(stations).to_have_count(10)
            await page.fill("#search", "")
            await page.select_option("#order", "streams")
            await expect(stations.first).to_contain_text("station-100")
            await page.select_option("#order", "name")
            await expect(stations.first).to_contain_text("station-001")
            fold = stations.first.get_by_role("button", name="Open station-001")
            await fold.click()
            await expect(stations.first.locator(".slot")).to_have_count(14)
            await expect(stations.first.get_by_role("button", name="Close")).to_be_focused()
            assert shown.complaints == []

    asyncio.run(run())


def test_many_alarms_are_acknowledged_at_once_and_the_cleared_ones_are_found_again(tmp_path):
    async def run():
        world = World(tmp_path, stations=12, blades=4)
        world.fill()
        world.wall = time.time()
        async with showing(world, tmp_path) as shown:
            page = shown.page
            for station in world.names[:3]:
                shown.tell(pull(world, station, 2))
            for slot in (1, 3):
                name = f"station-005/{slot}"
                world.raise_alarm(name, SENSOR_THRESHOLD, MINOR, resource=b"CPU", text=b"CPU is hot")
                shown.tell(world.blade_answers("station-005", slot))
            rows = page.locator("#rows > li")
            await expect(rows).to_have_count(5)
            await expect(rows.first.locator(".badge")).to_have_text("major")
            await expect(page).to_have_title("(5) Media network")
            await page.check("#choose-all")
            await rows.nth(4).get_by_role("checkbox").uncheck()
            await expect(page.locator("#chosen")).to_have_text("4 alarms chosen")
            await page.fill("#comment", "a van is on its way")
            await page.get_by_role("button", name="Acknowledge").click()
            await expect(page.locator("#refused")).to_have_text("Say who you are first.")
            await page.fill("#person", "Ada")
            await page.fill("#token", TOKEN)
            await page.get_by_role("button", name="Acknowledge").click()
            await expect(page.locator("#rows > li.acknowledged")).to_have_count(4)
            await expect(rows.first).to_contain_text("acknowledged by Ada: “a van is on its way”")
            await expect(page).to_have_title("(1) Media network")
            await expect(page.locator("#acknowledging")).to_be_hidden()

            world.alarms["station-001/chassis"].clear()
            world.passes(5)
            shown.tell(world.chassis_answers("station-001"))
            await expect(rows).to_have_count(4)
            await page.get_by_role("button", name="Past alarms", exact=True).click()
            past = page.locator("#past .alarm")
            await expect(past).to_have_count(1)
            await expect(past).to_contain_text("station-001 slot 2")
            await expect(past).to_contain_text("a van is on its way")
            async with page.expect_download() as downloading:
                await page.locator("#files a", has_text="JSON").click()
            path = await (await downloading.value).path()
            assert len(json.loads(path.read_text())) == 5
            await page.locator("label:has(> input[value=free])").click()
            dates = page.locator(".free input")
            await dates.nth(0).fill("2020-01-01T10:00")
            await dates.nth(1).fill("2020-01-01T09:00")
            await expect(page.locator(".wrong")).to_contain_text("a minute after the start")
            await dates.nth(1).fill("2020-01-01T11:00")
            await expect(page.locator("#past .hint").first).to_have_text("0 cleared alarms in this span")
            assert shown.complaints == []

    asyncio.run(run())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["desk", "phone"])
def test_what_is_stale_is_said_and_all_can_be_read(tmp_path, scheme, place):
    async def run():
        world = World(tmp_path, stations=8, blades=14)
        world.fill()
        context = (PHONE if place == "phone" else {}) | {"color_scheme": scheme}
        async with showing(world, tmp_path, **context) as shown:
            page = shown.page
            shown.tell(pull(world, "station-003", 2))
            for _ in range(5):
                world.passes(10)
                news = [world.misses(name) for name in ("station-003/2", "station-004/5", center_id(CENTER))]
            shown.tell(*news)
            await expect(page.locator("#rows > li")).to_have_count(3)
            await expect(page.locator("#rows")).to_contain_text("Center hamburg")
            await expect(page.locator("#rows")).not_to_contain_text(CENTER)
            await page.get_by_role("button", name="Open station-003").click()
            lost = page.locator('.slot[data-component="station-003/2"]')
            await expect(lost).to_contain_text("lost")
            assert "stale: read at" in await lost.get_attribute("aria-label")
            await lost.click()
            await expect(page.locator("#stale")).to_contain_text("Stale: it does not answer")
            await page.check("#choose-all")
            found = await page.evaluate(CHECKS, PAIRS + OWN_PAIRS)
            levels = found.pop("levels")
            assert levels[:4] == [1, 2, 2, 2]
            assert found == {"duplicates": [], "small": [], "faint": [], "wide": 0}
            alarms = page.locator("#alarms")
            await page.mouse.wheel(0, 3000)
            if place == "desk":
                await expect(alarms).to_be_in_viewport()
            else:
                await expect(page.locator("#counts")).to_be_in_viewport()
            assert shown.complaints == []

    asyncio.run(run())
