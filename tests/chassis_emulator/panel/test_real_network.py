"""The panel on a real emulated network: what a person does with the mouse happens to real blades.

`PANEL_PICTURES=1` writes the pictures of the documents, docs/pictures/panel-*.png.
"""

import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from media_network.address import Address
from tests.addresses import network_number
from tests.chassis_emulator.panel.browser import OneLoop, opened
from tests.clips import render
from tests.laptop import Laptop, topology

pytestmark = [pytest.mark.peer("chromium"), pytest.mark.timeout(180)]
NETWORK = network_number()
PANEL = Address(f"127.{NETWORK}.0.1", 8090)
PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
WITHIN_MS = 30_000


@pytest.fixture(scope="module")
def loop():
    loop = OneLoop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def laptop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panel")
    plan = folder / "topology.yaml"
    plan.write_text(topology(NETWORK, ("home", 2), ("north", 4), ("south", 4)))
    laptop = Laptop(folder / "state", plan)
    try:
        assert f"http://{PANEL}/" in laptop.run("chassis-emulator", "up", plan, "--panel", "--control").stdout
        yield laptop
    finally:
        laptop.down()


@pytest.fixture(scope="module")
def program(laptop, tmp_path_factory):
    return laptop.publish(render(tmp_path_factory.mktemp("film") / "film.mp4", 45), "north")["program"]


@pytest.fixture
def viewers(laptop, program):
    """How many people watch a film from north: it lasts longer than a test."""
    words = ("media-console", "play", program, "--station", "north", "--by", "push", "--output", os.devnull)
    consoles = [laptop.start(*words) for _ in range(6)]
    yield len(consoles)
    for console in consoles:
        console.terminate()
    for console in consoles:
        console.communicate(timeout=30)


@asynccontextmanager
async def looking(browser):
    async with opened(browser, PANEL, color_scheme="dark", viewport={"width": 1280, "height": 880}) as looks:
        yield looks


async def take(looks, name):
    """A picture for the documents, when asked for."""
    if os.environ.get("PANEL_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        await looks.page.locator(".notices p").first.wait_for(state="detached")
        await looks.page.screenshot(path=PICTURES / f"panel-{name}.png")


async def doing(looks, blade, words):
    await expect(looks.blade(blade).locator(".state")).to_have_text(words, timeout=WITHIN_MS)


async def all_see(looks, viewers):
    plate = looks.page.get_by_role("region", name="north").locator(".figures")
    await expect(plate).to_contain_text(f"{viewers} viewers", timeout=WITHIN_MS)


def test_a_healthy_network(loop, viewers):
    async def look():
        async with looking(loop.browser) as looks:
            for blade in (
                "home/1",
                "home/2",
                *(f"{name}/{slot}" for name in ("north", "south") for slot in range(1, 5)),
            ):
                await doing(looks, blade, "in service")
            for station in ("home", "north", "south"):
                await expect(looks.blade(f"{station}/1").locator(".role")).to_have_text("Director")
                await expect(looks.blade(f"{station}/2").locator(".role")).to_have_text("Engine")
            await expect(looks.blade("north/3").locator(".temperature .value")).to_contain_text("°C")
            await expect(looks.blade("north/3").locator(".power .value")).to_contain_text("W")
            await expect(looks.page.locator("#chips")).to_contain_text("All healthy", timeout=WITHIN_MS)
            await expect(looks.page.locator(".events li").first).to_be_visible(timeout=WITHIN_MS)
            await all_see(looks, viewers)
            await take(looks, "healthy")

    loop.run(look())


def test_a_blade_is_pulled_and_put_back(loop, laptop, viewers):
    async def pull():
        async with looking(loop.browser) as looks:
            await doing(looks, "north/3", "in service")
            await looks.blade("north/3").click()
            await looks.page.locator(".actions").get_by_role("button", name="Pull", exact=True).click()
            slot = looks.blade("north/3")
            await expect(slot).to_have_attribute("aria-label", "Slot 3: empty", timeout=WITHIN_MS)
            assert laptop.blade("north", 3)["pid"] is None
            await all_see(looks, viewers)
            await looks.press("Escape")
            await take(looks, "one-blade-out")
            await looks.press("Enter")
            await looks.page.locator(".actions").get_by_role("button", name="Insert").click()
            await doing(looks, "north/3", "in service")
            assert laptop.blade("north", 3)["pid"] is not None

    loop.run(pull())


def test_a_blade_gets_too_hot_and_well_again(loop, viewers):
    async def heat():
        async with looking(loop.browser) as looks:
            page = looks.page
            await doing(looks, "north/2", "in service")
            await looks.blade("north/2").click()
            await page.get_by_label("Fault", exact=True).select_option("Over temperature")
            await page.get_by_label("rise (K)").fill("66")
            await page.get_by_role("button", name="Inject", exact=True).click()
            critical = page.locator(".slot[data-health='critical'] [data-blade='north/2']")
            await expect(critical).to_be_visible(timeout=WITHIN_MS)
            await expect(page.locator("#chips")).to_contain_text("1 critical")
            light = looks.blade("north/2").locator("[data-light='fault']")
            await expect(light).to_have_attribute("data-state", "on", timeout=WITHIN_MS)
            alarm = page.locator(".events [data-severity='critical']", has_text="north/2")
            await expect(alarm.first).to_be_visible(timeout=WITHIN_MS)
            await take(looks, "over-temperature")
            await page.locator(".injected-list").get_by_role("button").first.click()
            await expect(page.locator("#chips")).to_contain_text("All healthy", timeout=WITHIN_MS)

    loop.run(heat())
