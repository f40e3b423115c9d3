"""The panel of 64 blades in five chassis: soon there, nothing cut, the bad one found at a glance, no empty space."""

import pytest
from playwright.async_api import expect

from tests.browser import PHONE
from tests.chassis_emulator.panel.browser import OneLoop, looking
from tests.chassis_emulator.panel.in_memory import (
    InMemoryNetwork,
    PanelSeverity,
    PartHealth,
    chassis,
    empty,
    overheated,
    replace,
    two_stations,
)
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.peer("chromium")

expect.set_options(timeout=1000 * PATIENCE_S)
DESK = {"viewport": {"width": 1440, "height": 900}}
SHOWN_MAX_S = 1.0
"""Of the browser's own processor time; it takes 0.4 s."""
CUT = """() => [...document.querySelectorAll(".blade .word, .blade .value, .fan .value, .light, .role .word")]
  .filter((node) => node.checkVisibility()).filter((node) => {
    const [inner, outer] = [node, node.closest(".blade, .fan")].map((each) => each.getBoundingClientRect());
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = new Set([...range.getClientRects()].map((line) => Math.round(line.top)));
    return inner.right > outer.right + 0.5 || inner.left < outer.left - 0.5 || lines.size > 1
      || node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== "inline";
  }).map((node) => `${node.closest("[data-blade]")?.dataset.blade}: ${node.className} ${node.textContent}`)"""


@pytest.fixture(scope="module")
def loop():
    one = OneLoop()
    yield one
    one.close()


def five_chassis():
    slots = (14, 14, 14, 14, 8)
    stations = [chassis(f"st-{n}", count, number=n, streams=30) for n, count in enumerate(slots, start=1)]
    return InMemoryNetwork(replace(two_stations(), stations=tuple(stations)))


def missed(slot):
    """As the emulator draws a blade that was pulled without a word."""
    return replace(empty(slot), hot_swap="M7", health=PartHealth.CRITICAL, health_text="lost: pulled without a word")


def test_sixty_four_blades_are_there_soon(loop):
    async def look():
        async with looking(loop.browser, five_chassis(), **DESK) as looks:
            measure = await looks.page.context.new_cdp_session(looks.page)
            await measure.send("Performance.enable", {"timeDomain": "threadTicks"})
            await looks.page.reload()
            await looks.page.locator(".blade").nth(63).wait_for(state="attached")
            figures = (await measure.send("Performance.getMetrics"))["metrics"]
            assert {each["name"]: each["value"] for each in figures}["TaskDuration"] < SHOWN_MAX_S

    loop.run(look())


def test_nothing_is_cut_and_nothing_runs_into_the_next_blade(loop):
    async def look():
        network = five_chassis()
        for name in ("st-1/2", "st-5/3"):
            network.change(name, overheated)
        for width in (1440, 1280):
            async with looking(loop.browser, network, viewport={"width": width, "height": 900}) as looks:
                await expect(looks.blade("st-1/2").locator(".temperature .value")).to_have_text("92 °C")
                assert await looks.page.evaluate(CUT) == []

    loop.run(look())


@pytest.mark.parametrize("context", [DESK, PHONE], ids=["desk", "phone"])
def test_a_lost_blade_is_critical_everywhere_and_found_at_a_glance(loop, context):
    async def look():
        network = five_chassis()
        async with looking(loop.browser, network, **context) as looks:
            page, overview = looks.page, looks.page.locator("#overview")
            await expect(page.locator("#chips")).to_contain_text("All healthy")
            await expect(overview.locator("button")).to_have_count(5)
            network.change("st-4/9", missed)
            await expect(page.locator("#chips")).to_contain_text("1 critical")
            await expect(page.locator('[data-station="st-4"]')).to_have_attribute("data-health", "critical")
            bad = overview.locator("[data-health=critical]")
            await expect(bad).to_have_text("st-4✕slot 9 lost: pulled without a word")
            await expect(bad).to_be_in_viewport()
            await bad.click()
            await expect(looks.blade("st-4/9")).to_be_in_viewport()
            await expect(looks.blade("st-4/9")).to_have_attribute("aria-label", "Slot 9: lost: pulled without a word")
            await expect(page.locator("#detail")).to_contain_text("lost: pulled without a word")
            network.change("st-4/9", lambda slot: replace(slot, hot_swap="M0", health=PartHealth.UNKNOWN))
            await expect(page.locator("#chips")).to_contain_text("All healthy")

    loop.run(look())


def test_the_page_is_as_long_as_the_screen_and_the_log_is_one_stop_of_tab(loop):
    async def look():
        network = five_chassis()
        for number in range(60):
            network.note(PanelSeverity.WARNING, f"note {number}", "st-1/2")
        async with looking(loop.browser, network, **DESK) as looks:
            page = looks.page
            await expect(page.locator(".events li")).to_have_count(61)
            height = "document.documentElement.scrollHeight - innerHeight"
            assert await page.evaluate(height) == 0
            await page.get_by_role("log", name="Events").focus()
            await looks.press("ArrowDown")
            assert await looks.focused() == "st-1/2"
            await looks.press("ArrowDown", "ArrowUp", "Tab")
            assert not await page.evaluate("Boolean(document.activeElement.closest('#log'))")
            await page.get_by_role("log", name="Events").focus()
            await looks.press("ArrowDown", "Enter")
            await expect(page.get_by_role("heading", name="st-1/2")).to_be_focused()

    loop.run(look())


def test_the_network_management_system_is_a_link_while_it_watches(loop):
    async def look():
        network = five_chassis()
        async with looking(loop.browser, network, **DESK) as looks:
            link = looks.page.get_by_role("link", name="Network management")
            await expect(link).to_be_hidden()
            network.shown = replace(network.shown, nms="http://127.0.0.1:8070/")
            await expect(link).to_have_attribute("href", "http://127.0.0.1:8070/")

    loop.run(look())
