"""The page in a real browser: what a person sees of a network, and does."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import expect

from tests.browser import CHECKS, PAIRS, PHONE, chromium
from tests.distribution_center.network_management.agents import FAN, HOT, Scene, live_a_second
from tests.distribution_center.network_management.test_nms import managing

pytestmark = pytest.mark.peer("chromium")


DESK = {"viewport": {"width": 1440, "height": 900}}
OWN_PAIRS = [
    ["--on-green", "--green"],
    ["--on-bright", "--yellow"],
    ["--on-bright", "--orange"],
    ["--on-bright", "--grey"],
    ["--on-red", "--red"],
    ["--ink", "--critical-back"],
    ["--ink", "--warning-back"],
    ["--accent", "--warning-back"],
    ["--warning", "--surface"],
]


@asynccontextmanager
async def page_of(nms, complaints, asked, **context):
    async with chromium() as browser:
        page = await browser.new_page(**(DESK | context))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        await page.goto(nms.url)
        yield page


def test_a_person_sees_what_is_wrong_and_acknowledges_it(tmp_path, free_port):
    async def run():
        scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
        complaints, asked = [], set()
        async with scene:
            await scene.station("north", 1, 3, slots=4)
            scene.agents["north/2"].scalars["mssPushStreams"] = 5
            async with managing(scene, tmp_path / "nms") as nms, page_of(nms, complaints, asked) as page:
                slot = page.locator('.slot[data-component="north/3"]')
                await expect(page.locator(".slot.green")).to_have_count(3)
                await expect(page.locator(".slot.empty")).to_have_count(1)
                await expect(page.locator("#connection")).to_have_text("live")
                await expect(page.locator("#none")).to_be_visible()
                await expect(page.locator('.slot[data-component="north/2"]')).to_contain_text("▶5")
                await expect(page.locator('.slot[data-component="north/1"] b')).to_have_text("D")
                for second in range(2):
                    live_a_second(scene, second)
                    await nms.until(lambda seen, _: "sent_bps" in seen["north/3"]["last"])
                await slot.click()
                await expect(page.locator("#name")).to_have_text("north slot 3")
                await expect(page.locator('.graph[data-metric="temperature_c"] .now')).to_contain_text("°C")
                await expect(page.locator('.graph[data-metric="channel_bps"] li')).to_have_text(["nvme1", "nvme2"])
                await expect(page.locator('.graph[data-metric="streams"] polyline')).not_to_have_count(0)

                scene.agents["north/3"].alarms.raise_alarm(HOT)
                scene.agents["north/2"].alarms.raise_alarm(FAN)
                await expect(page.locator(".slot.orange")).to_have_attribute("data-component", "north/3")
                rows = page.locator("#rows > li")
                await expect(rows).to_have_count(2)
                await expect(rows.first).to_contain_text(HOT.text)
                await expect(page).to_have_title("(2) Media network")
                await rows.first.get_by_role("checkbox").check()
                await page.fill("#person", "Ada")
                await page.fill("#token", "guessed")
                acknowledge = page.get_by_role("button", name="Acknowledge")
                await acknowledge.click()
                await expect(page.locator("#refused")).to_contain_text("That is not the token")
                await page.fill("#token", nms.token)
                await acknowledge.click()
                await expect(rows.first).to_contain_text("acknowledged by Ada")
                await expect(page.locator("#refused")).to_have_text("")

                await scene.stop("north/3")
                await expect(page.locator('.slot.grey[data-component="north/3"]')).to_be_visible()
                await expect(page.locator('.slot.red[data-component="north/3"] b')).to_have_text("✕", timeout=10_000)
                assert asked == {nms.url.removeprefix("http://")}
        # the guess above is the one thing that the browser may complain about
        assert [each for each in complaints if "401" not in each and "ERR_" not in each] == []

    asyncio.run(run())


def test_names_are_text_and_never_markup(tmp_path, free_port):
    async def run():
        scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
        complaints, asked = [], set()
        evil = "<img src=x onerror=document.title='owned'>"
        async with scene:
            await scene.station("north", 1, 1)
            scene.agents["north/1"].put("names", 3, entPhysicalName=evil)
            cause = type(HOT)(kind=HOT.kind, severity=HOT.severity, resource=evil, text=f"{evil}\x1b[31m")
            scene.agents["north/1"].alarms.raise_alarm(cause)
            async with managing(scene, tmp_path / "nms") as nms, page_of(nms, complaints, asked) as page:
                await expect(page.locator("#rows")).to_contain_text(evil)
                await page.locator('.slot[data-component="north/1"]').click()
                await expect(page.locator('.graph[data-metric="temperature_c"] li')).to_contain_text(evil)
                assert await page.locator("img:not([src='/icon.svg'])").count() == 0
                assert complaints == []

    asyncio.run(run())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["desk", "phone"])
def test_basic_accessibility(tmp_path, free_port, scheme, place):
    async def run():
        scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
        complaints, asked = [], set()
        context = (PHONE if place == "phone" else DESK) | {"color_scheme": scheme}
        async with scene:
            await scene.station("north", 1, 2, slots=16)
            async with managing(scene, tmp_path / "nms") as nms, page_of(nms, complaints, asked, **context) as page:
                await expect(page.locator(".slot.empty")).to_have_count(14)
                await expect(page.locator(".slot.green")).to_have_count(2)
                scene.agents["north/1"].alarms.raise_alarm(HOT)
                await expect(page.locator("#rows > li")).to_have_count(1)
                await expect(page.locator(".graph")).not_to_have_count(0)
                found = await page.evaluate(CHECKS, PAIRS + OWN_PAIRS)
                graphs = await page.locator(".graph").count()
                levels = [1, 2, 2, 2, *[3] * graphs]
                assert found == {"duplicates": [], "small": [], "faint": [], "wide": 0, "levels": levels}
                assert complaints == []

    asyncio.run(run())


def test_what_has_the_focus_keeps_it_while_the_map_changes(tmp_path, free_port):
    async def run():
        scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
        async with scene:
            await scene.station("north", 1, 2)
            async with managing(scene, tmp_path / "nms") as nms, page_of(nms, [], set()) as page:
                slot = page.locator('.slot[data-component="north/2"]')
                await expect(slot).to_contain_text("▶3")
                await slot.focus()
                before = await slot.element_handle()
                scene.agents["north/2"].scalars["mssPushStreams"] = 7
                await expect(slot).to_contain_text("▶7")
                await expect(slot).to_be_focused()
                assert await slot.evaluate("(now, before) => now === before", before)
                await page.keyboard.press("Enter")
                await expect(page.locator("#name")).to_have_text("north slot 2")
                await expect(slot).to_have_attribute("aria-pressed", "true")

    asyncio.run(run())


def test_a_lost_connection_is_said_and_found_again(tmp_path, free_port):
    async def run():
        scene = Scene(tmp_path, control_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
        again = {"http_port": free_port()}
        async with scene, AsyncExitStack() as stack:
            await scene.station("north", 1, 2)
            async with managing(scene, tmp_path / "nms", **again) as nms:
                page = await stack.enter_async_context(page_of(nms, [], set()))
                await expect(page.locator("#connection")).to_have_text("live")
            await expect(page.locator("#connection")).to_have_text("lost")
            await expect(page.locator("#lost")).to_contain_text("Connection lost at")
            async with managing(scene, tmp_path / "nms", **again):
                await expect(page.locator("#connection")).to_have_text("live")
                await expect(page.locator("#lost")).to_be_hidden()

    asyncio.run(run())
