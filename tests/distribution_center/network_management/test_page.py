"""The page in a real browser: what a person sees of a network, and does."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import async_playwright, expect

from tests.distribution_center.network_management.agents import FAN, HOT, Scene, live_a_second
from tests.distribution_center.network_management.test_nms import managing

pytestmark = pytest.mark.peer("chromium")


@asynccontextmanager
async def page_of(nms, complaints, asked):
    async with async_playwright() as playwright:
        # Debian's; root, as in a container, has no sandbox
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        await page.goto(nms.url)
        try:
            yield page
        finally:
            await browser.close()


def test_a_person_sees_what_is_wrong_and_acknowledges_it(tmp_path, free_port):
    async def run():
        scene = Scene(tmp_path, http_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
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
                rows = page.locator("#rows tr")
                await expect(rows).to_have_count(2)
                await expect(rows.first).to_contain_text(HOT.text)
                await expect(page).to_have_title("(2) Media network")
                acknowledge = rows.first.get_by_role("button", name="Acknowledge")
                await acknowledge.click()
                await expect(page.locator("#refused")).to_have_text("Say who you are first.")
                await page.fill("#person", "Ada")
                await page.fill("#token", "guessed")
                await acknowledge.click()
                await expect(page.locator("#refused")).to_have_text("That is not the token.")
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
        scene = Scene(tmp_path, http_port=free_port("127.65.0.1"), snmp_port=free_port("127.65.0.1"))
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
                assert await page.locator("img").count() == 0
                assert complaints == []

    asyncio.run(run())
