"""The page in a real browser: by keyboard alone, by its accessibility tree, with orders, losses and hostile text."""

import json
import random

import pytest
from playwright.async_api import expect

from blade_agent.backplane.role import MainBoardState, Role
from chassis_emulator.panel.model import (
    CenterPicture,
    ClearFaults,
    Handle,
    IdentifySlot,
    Inject,
    InjectedFault,
    PanelSeverity,
    Power,
    PowerOrder,
    ProcessState,
    Pull,
)
from chassis_emulator.panel.patch import difference
from chassis_emulator.panel.server import serve_panel
from media_network.refusal import Reason, Refused
from tests.browser import CHECKS, PAIRS, PHONE
from tests.chassis_emulator.panel.browser import HERE, OneLoop, looking, opened
from tests.chassis_emulator.panel.in_memory import (
    BLINK,
    ON,
    InMemoryNetwork,
    chassis,
    empty,
    lights,
    overheated,
    replace,
    two_stations,
)

pytestmark = pytest.mark.peer("chromium")
NAMED_ROLES = {"button", "textbox", "combobox", "radio", "spinbutton", "dialog", "menu", "region", "log", "list"}
NAMED_ROLES |= {"group", "radiogroup", "main", "link", "heading"}


@pytest.fixture(scope="module")
def loop():
    loop = OneLoop()
    yield loop
    loop.close()


def test_every_chassis_is_drawn_as_it_is(loop):
    async def look():
        network = InMemoryNetwork()
        network.change("south/2", empty)
        async with looking(loop.browser, network) as looks:
            page = looks.page
            await expect(page).to_have_title("two-stations – front panel")
            for station, slots in (("home", 2), ("north", 4), ("south", 4)):
                region = page.get_by_role("region", name=station, exact=True)
                await expect(region.locator(".blade")).to_have_count(slots)
                await expect(region.locator(".supply")).to_have_count(2)
            await expect(looks.blade("north/1").locator(".role")).to_have_text("Director")
            await expect(looks.blade("north/3").locator(".role")).to_have_text("Engine")
            await expect(looks.blade("north/3").locator(".streams .count")).to_have_text("12")
            await expect(looks.blade("north/3").locator(".temperature .value")).to_have_text("49 °C")
            await expect(looks.blade("north/3").locator(".power .value")).to_have_text("8.8 W")
            await expect(page.locator("[data-blade='north/3'] + .fan .value")).to_have_text("3,120 rpm")
            await expect(looks.blade("south/2").locator(".nothing")).to_be_visible()
            await expect(looks.blade("south/2").locator(".role")).to_be_hidden()
            colors = [
                await looks.blade(name).locator(".role").evaluate("node => getComputedStyle(node).backgroundColor")
                for name in ("north/1", "north/2")
            ]
            assert colors[0] != colors[1], "the director is to be told at a glance"
            await expect(page.locator("#about-network")).to_have_text("network 63 · 3 chassis, 9 blades · 47 viewers")

    loop.run(look())


def test_what_changes_is_shown_without_a_reload(loop):
    async def look():
        async with looking(loop.browser) as looks:
            await expect(looks.page.locator("#chips")).to_contain_text("All healthy")
            looks.network.change("north/3", overheated)
            await expect(looks.blade("north/3").locator(".temperature .value")).to_have_text("92 °C")
            await expect(looks.page.locator("#chips")).to_contain_text("1 critical")
            looks.network.change("north/4", lambda slot: replace(slot, role=Role.DIRECTOR))
            await expect(looks.blade("north/4").locator(".role")).to_have_text("Director")
            looks.network.change("north/1", lambda slot: replace(slot, handle=Handle.OPEN, hot_swap="M5"))
            await expect(looks.blade("north/1").locator(".state")).to_have_text("asks to leave")
            looks.network.change("north/1", empty)
            await expect(looks.blade("north/1")).to_have_attribute("aria-label", "Slot 1: empty")

    loop.run(look())


DOING = [
    ({"process": ProcessState.CRASHED, "hot_swap": "M7"}, "crashed"),
    ({"process": ProcessState.HUNG}, "hangs"),
    ({"powered": False}, "power off"),
    ({"main_board": MainBoardState.FAILED}, "main board failed"),
    ({"hot_swap": "M7"}, "not heard"),
    ({"hot_swap": "M1"}, "may be taken out"),
    ({"hot_swap": None}, "state unknown"),
]


def test_what_a_blade_does_is_said_in_words(loop):
    async def look():
        network = InMemoryNetwork(replace(two_stations(), stations=(chassis("full", 1 + len(DOING), number=1),)))
        for slot, (change, _) in enumerate(DOING, start=2):
            network.change(f"full/{slot}", lambda picture, change=change: replace(picture, **change))
        async with looking(loop.browser, network) as looks:
            for slot, (_, words) in enumerate(DOING, start=2):
                await expect(looks.blade(f"full/{slot}").locator(".state")).to_have_text(words)
                assert words in await looks.blade(f"full/{slot}").get_attribute("aria-label")

    loop.run(look())


def test_what_is_unknown_is_no_number(loop):
    async def look():
        network = InMemoryNetwork()
        unknown = dict.fromkeys(("temperature_c", "fan_rpm", "power_w", "streams", "role", "sent_bps", "handle"))
        network.change("north/3", lambda slot: replace(slot, **unknown))
        async with looking(loop.browser, network) as looks:
            for part in (".temperature .value", ".power .value", ".streams .count"):
                await expect(looks.blade("north/3").locator(part)).to_have_text("–")
            about = await looks.page.locator("#about-north-3").text_content()
            assert about.startswith("streams unknown, temperature unknown, fan unknown, power unknown")

    loop.run(look())


def test_lights_shine_as_the_model_says(loop):
    async def lamps(looks, name):
        return await looks.blade(name).evaluate(
            """blade => Object.fromEntries([...blade.querySelectorAll(".light")].map((light) => {
              const timing = light.firstChild.getAnimations()[0]?.effect.getTiming();
              const { light: name, state, color } = light.dataset;
              return [name, [state, color ?? null, timing?.duration ?? null]];
            }))"""
        )

    async def look():
        network = InMemoryNetwork()
        long_blink = {"on_ms": 900, "off_ms": 100}
        network.change("north/3", lambda slot: replace(slot, lights=lights(blue=long_blink, identify=BLINK, fault=ON)))
        network.change("north/2", lambda slot: replace(slot, lights=replace(slot.lights, identify=None)))
        async with looking(loop.browser, network) as looks:
            assert await lamps(looks, "north/3") == {
                "blue": ["blinking", "blue", 1000],
                "fault": ["on", "red", None],
                "activity": ["off", "green", None],
                "identify": ["blinking", "white", 500],
            }
            assert (await lamps(looks, "north/2"))["identify"] == ["none", None, None]
        async with looking(loop.browser, network, reduced_motion="reduce") as looks:
            assert (await lamps(looks, "north/3"))["blue"] == ["blinking", "blue", None]
            rates = await looks.page.evaluate(
                "document.getAnimations().map((one) => one.playbackRate).filter((rate) => rate !== 0)"
            )
            assert rates == [], "nothing moves"

    loop.run(look())


def test_a_journey_by_keyboard_alone(loop):
    async def travel():
        async with looking(loop.browser) as looks:
            page, network = looks.page, looks.network
            while not (await looks.focused()).startswith("Slot 1: director"):
                await looks.press("Tab")
            assert await looks.focused() == "Slot 1: director, in service, healthy"
            await looks.press("ArrowRight")
            assert (await looks.focused()).startswith("Slot 2: engine")
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", "the focus is to be seen"
            await looks.press("ArrowRight", "ArrowRight", "ArrowRight")
            await expect(looks.blade("north/3")).to_be_focused()
            await looks.press("End")
            await expect(looks.blade("north/4")).to_be_focused()
            await looks.press("Home", "ArrowDown")
            assert (await page.evaluate("document.activeElement.dataset.blade")).startswith("south/")
            await looks.press("ArrowUp", "End", "ArrowLeft")

            await looks.press("Enter")
            await expect(page.get_by_role("heading", name="north/3")).to_be_focused()
            await expect(looks.blade("north/3")).to_have_attribute("aria-expanded", "true")
            await looks.press("Escape")
            await expect(page.locator("#detail")).to_be_hidden()
            await expect(looks.blade("north/3")).to_be_focused()

            await looks.press("Shift+F10")
            await expect(page.get_by_role("menu", name="Orders for north/3")).to_be_visible()
            assert await looks.focused() == "Open"
            await looks.press("ArrowDown", "ArrowDown")
            assert await looks.focused() == "Pull by surprise"
            await looks.press("Enter")
            dialog = page.get_by_role("dialog", name="Pull north/3 by surprise?")
            await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
            await looks.press("Escape")
            await expect(dialog).to_be_hidden()
            assert network.orders == []

            await expect(looks.blade("north/3")).to_be_focused()
            await looks.press("Shift+F10")
            await expect(page.get_by_role("menu", name="Orders for north/3")).to_be_visible()
            await looks.press("End", "Home", "ArrowDown", "ArrowDown", "Enter")
            await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
            await looks.press("Tab", "Enter")
            await expect(looks.blade("north/3")).to_have_attribute("aria-label", "Slot 3: empty")
            assert network.orders == [Pull(blade="north/3", surprise=True)]
            await expect(looks.blade("north/3")).to_be_focused()

            await looks.press("Enter")
            await expect(page.get_by_role("heading", name="north/3")).to_be_focused()
            await looks.press("Tab", "Tab", "Enter")
            await expect(looks.blade("north/3")).to_have_attribute("aria-label", "Slot 3: engine, in service, healthy")

    loop.run(travel())


def test_one_blade_of_each_chassis_is_in_the_order_of_tab(loop):
    async def look():
        async with looking(loop.browser) as looks:
            stops = (
                "[...document.querySelectorAll('.blade')].filter((b) => b.tabIndex === 0).map((b) => b.dataset.blade)"
            )
            assert await looks.page.evaluate(stops) == ["home/1", "north/1", "south/1"]
            await looks.blade("north/3").focus()
            assert await looks.page.evaluate(stops) == ["home/1", "north/3", "south/1"]
            looks.network.change("north/3", overheated)
            await expect(looks.blade("north/3").locator(".temperature .value")).to_have_text("92 °C")
            await expect(looks.blade("north/3")).to_be_focused()
            assert await looks.page.evaluate(stops) == ["home/1", "north/3", "south/1"]

    loop.run(look())


def test_every_thing_has_a_name_in_the_accessibility_tree(loop):
    async def look():
        network = InMemoryNetwork()
        network.change("north/3", overheated)
        network.inject(Inject(kind="fan", target="north/3"))
        async with looking(loop.browser, network) as looks:
            await looks.blade("north/3").click()
            session = await looks.page.context.new_cdp_session(looks.page)
            nodes = [
                node for node in (await session.send("Accessibility.getFullAXTree"))["nodes"] if not node["ignored"]
            ]
            named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes}
            nameless = {role for role, name in named if role in NAMED_ROLES and not name.strip()}
            assert nameless == set()
            assert ("main", "Chassis") in named
            for station in ("home", "north", "south"):
                assert ("region", station) in named
                assert ("list", f"Slots of {station}") in named
            label = "Slot 3: engine, in service, critical, processor 91.5 °C, critical from 85 °C, 1 injected"
            assert ("button", label) in named
            (blade,) = [node for node in nodes if node.get("name", {}).get("value") == label]
            assert "temperature 92 °C, fan 5,900 rpm" in blade["description"]["value"]
            assert "fault light on" in blade["description"]["value"]
            assert ("region", "north/3") in named
            assert ("button", "Chassis manager of north: running, epoch 3") in named
            assert ("radio", "Warnings and worse") in named
            assert ("log", "Console of north/3") in named
            assert ("button", "Clear Fan stands still") in named

    loop.run(look())


def test_alarms_are_spoken_and_what_was_there_before_is_not(loop):
    async def look():
        network = InMemoryNetwork()
        network.note(PanelSeverity.CRITICAL, "Old news", "north/2")
        async with looking(loop.browser, network) as looks:
            await expect(looks.page.locator(".events li")).to_have_count(2)
            alarms = looks.page.locator("#alarms")
            await expect(alarms).to_have_attribute("role", "alert")
            await expect(alarms).to_have_text("")
            network.note(PanelSeverity.CRITICAL, "processor 91.5 °C", "north/3")
            await expect(alarms).to_have_text("critical: north/3: processor 91.5 °C")
            network.note(PanelSeverity.INFO, "all is well", "north/3")
            await expect(looks.page.locator(".events li")).to_have_count(4)
            await expect(alarms).to_have_text("critical: north/3: processor 91.5 °C")

    loop.run(look())


def test_the_question_says_how_many_viewers_are_cut_off_now(loop):
    async def ask():
        async with looking(loop.browser) as looks:
            page, network = looks.page, looks.network
            await looks.blade("north/3").click()
            await page.get_by_role("button", name="Power off").click()
            dialog = page.get_by_role("dialog")
            await expect(dialog).to_contain_text("Switch north/3 off?")
            await expect(dialog).to_contain_text("12 viewers will be cut off")
            await expect(dialog).to_contain_text("until another engine takes over")
            network.change("north/3", lambda slot: replace(slot, streams=1))
            await expect(dialog).to_contain_text("1 viewer will be cut off")
            for other in ("north/2", "north/4"):
                network.change(other, lambda slot: replace(slot, hot_swap="M6"))
            await expect(dialog).to_contain_text("cut off for good: no other engine of north is in service")
            network.change("north/3", lambda slot: replace(slot, streams=None))
            await expect(dialog).to_contain_text("How many viewers north/3 serves is not known")
            assert network.orders == []
            await dialog.get_by_role("button", name="Switch north/3 off").click()
            await expect(page.get_by_role("status")).to_contain_text("Switch north/3 off: done.")
            assert network.orders == [Power(blade="north/3", order=PowerOrder.OFF)]

    loop.run(ask())


ASKED = [
    ("north/1", "Reset", "north/1 is the director: until another blade is appointed, north takes no new viewer."),
    ("north/1", "Pull by surprise", "No viewer is cut off"),
    ("home/2", "Pull", "No other engine of home is in service"),
    ("north/4", "Power cycle", "9 viewers will be cut off"),
]


def test_what_is_asked_before_what(loop):
    async def ask():
        async with looking(loop.browser) as looks:
            dialog = looks.page.get_by_role("dialog")
            for blade, button, said in ASKED:
                await looks.blade(blade).click()
                await looks.page.locator(".actions").get_by_role("button", name=button, exact=True).click()
                await expect(dialog).to_contain_text(said)
                await dialog.get_by_role("button", name="Cancel").click()
                await expect(dialog).to_be_hidden()
            assert looks.network.orders == []

    loop.run(ask())


def test_what_cuts_nobody_off_is_done_at_once(loop):
    async def give():
        async with looking(loop.browser) as looks:
            await looks.blade("north/3").click()
            for button in ("Identify", "Pull"):
                await looks.page.locator(".actions").get_by_role("button", name=button, exact=True).click()
                await expect(looks.page.get_by_role("status")).to_contain_text(f"{button} north/3: done.")
            assert looks.network.orders == [IdentifySlot(blade="north/3", seconds=30), Pull(blade="north/3")]

    loop.run(give())


def test_a_refusal_is_said_in_its_own_words(loop):
    async def give():
        async with looking(loop.browser) as looks:
            looks.network.refusal = Refused(Reason.BUSY, "north/3 leaves already.")
            looks.page.on("console", lambda _: looks.complaints.clear())  # the browser notes the 429 itself
            await looks.blade("north/3").click()
            await looks.page.get_by_role("button", name="Identify").click()
            await expect(looks.page.get_by_role("status")).to_contain_text("Identify north/3: north/3 leaves already.")
            looks.complaints.clear()

    loop.run(give())


def test_faults_are_injected_with_their_numbers_and_cleared(loop):
    async def give():
        async with looking(loop.browser) as looks:
            page, network = looks.page, looks.network
            await looks.blade("north/3").click()
            await page.get_by_label("Fault", exact=True).select_option("Over-temperature")
            await page.get_by_label("Temperature (°C)").fill("99.5")
            await page.get_by_role("button", name="Inject", exact=True).click()
            await expect(page.get_by_role("list", name="Injected faults")).to_contain_text("Over-temperature")
            await expect(looks.blade("north/3").locator(".injected")).to_have_text("1 injected")
            await page.get_by_label("Fault", exact=True).select_option("Blade crashes")
            await page.get_by_role("button", name="Inject", exact=True).click()
            await expect(page.get_by_role("dialog")).to_contain_text("12 viewers will be cut off")
            await page.get_by_role("button", name="Cancel").click()
            await page.get_by_role("button", name="Clear Over-temperature").click()
            await expect(looks.blade("north/3").locator(".injected")).to_have_text("")
            assert network.orders == [
                Inject(kind="over-temperature", target="north/3", parameters={"celsius": 99.5}),
                ClearFaults(faults=("over-temperature:north/3",)),
            ]

    loop.run(give())


def test_faults_of_supplies_belong_to_the_chassis(loop):
    async def give():
        network = InMemoryNetwork()
        fault = InjectedFault(
            fault="supply:north/supply-2", kind="supply", target="north/supply-2", text="Supply fails"
        )
        network.change_chassis(
            "north",
            lambda one: replace(
                one, supplies=(one.supplies[0], replace(one.supplies[1], faults=(fault,))), power_w=300.0
            ),
        )
        async with looking(loop.browser, network) as looks:
            page = looks.page
            await page.get_by_role("button", name="Chassis manager of north").click()
            await expect(page.get_by_role("heading", name="north, chassis manager")).to_be_focused()
            await expect(page.get_by_role("button", name="Clear Supply fails")).to_be_visible()
            await page.get_by_label("Fault", exact=True).select_option("Supply fails: supply-1")
            await page.get_by_role("button", name="Inject", exact=True).click()
            await expect(page.get_by_role("dialog")).to_contain_text("36 viewers will be cut off")
            await expect(page.get_by_role("dialog")).to_contain_text("cannot carry what it draws")
            await page.get_by_role("dialog").locator("button.grave").click()
            await expect(page.get_by_role("status")).to_contain_text("done")
            assert network.orders == [Inject(kind="supply", target="north/supply-1")]

    loop.run(give())


def test_the_event_log_is_live_and_filtered(loop):
    async def look():
        network = InMemoryNetwork()
        for number in range(3):
            network.note(PanelSeverity.INFO, f"note {number}", "north/2")
        network.note(PanelSeverity.WARNING, "warm", "north/3")
        network.note(PanelSeverity.CRITICAL, "hot", "north/3")
        async with looking(loop.browser, network) as looks:
            page, lines = looks.page, looks.page.locator(".events li:visible")
            await expect(lines).to_have_count(6)
            await expect(lines.first).to_contain_text("14:13:25north/3 hot")
            await page.get_by_role("radio", name="Warnings and worse").check()
            await expect(lines).to_have_count(2)
            await page.get_by_role("radio", name="Critical").check()
            await expect(lines).to_have_count(1)
            network.note(PanelSeverity.CRITICAL, "hotter", "north/3")
            network.note(PanelSeverity.INFO, "never mind", "north/3")
            await expect(lines.first).to_contain_text("hotter")
            await expect(lines).to_have_count(2)
            await page.get_by_role("radio", name="All").check()
            await expect(lines).to_have_count(8)
            await lines.first.get_by_role("button", name="north/3").click()
            await expect(page.get_by_role("heading", name="north/3")).to_be_focused()

    loop.run(look())


def test_the_console_follows_what_is_printed(loop):
    async def look():
        async with looking(loop.browser) as looks:
            await looks.blade("north/3").click()
            console = looks.page.get_by_role("log", name="Console of north/3")
            await expect(console).to_contain_text("enlisted with 127.63.2.1:8080")
            looks.network.printed["north/3"] += [f"line {number}" for number in range(300)]
            await expect(console).to_contain_text("line 299")
            at_end = "node => node.scrollHeight - node.scrollTop - node.clientHeight < 2"
            assert await console.evaluate(at_end), "it stays at the end"
            await looks.press("Escape")
            looks.complaints.clear()

    loop.run(look())


def test_the_center_opens_too_and_more_than_one_press_of_escape_does_no_harm(loop):
    async def look():
        async with looking(loop.browser) as looks:
            center = looks.page.get_by_role("button", name="Center", exact=True)
            await center.click()
            detail = looks.page.get_by_role("region", name="Distribution center")
            await expect(detail).to_contain_text("127.63.0.1:8080")
            await looks.press("Escape", "Escape")
            await expect(detail).to_be_hidden()
            await expect(center).to_be_focused()

    loop.run(look())


def test_of_several_centers_the_one_that_is_away_is_named(loop):
    async def look():
        network = InMemoryNetwork()
        east = CenterPicture(name="east/center", process=ProcessState.CRASHED, address="127.63.0.2:8081")
        network.shown = replace(network.shown, other_centers=(east,))
        async with looking(loop.browser, network) as looks:
            await looks.page.get_by_role("button", name="east/center crashed", exact=True).click()
            detail = looks.page.get_by_role("region", name="Distribution centers")
            await expect(detail).to_contain_text("crashed, 127.63.0.2:8081")

    loop.run(look())


def test_markup_in_what_others_wrote_is_text(loop):
    async def look():
        network = InMemoryNetwork()
        evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
        network.note(PanelSeverity.WARNING, evil, "north/3")
        network.printed["north/3"] = [evil]
        network.change("north/3", lambda slot: replace(slot, health_text=evil, role=None, waits_for=evil))
        async with looking(loop.browser, network) as looks:
            await looks.blade("north/3").click()
            await expect(looks.page.locator(".events li").first).to_contain_text(evil)
            await expect(looks.page.locator(".console")).to_have_text(evil)
            assert await looks.page.locator("img[src=x], script:not([src])").count() == 0

    loop.run(look())


def test_a_lost_connection_is_said_and_found_again(loop):
    async def look():
        network = InMemoryNetwork()
        async with serve_panel(HERE, network, control=True) as address:
            first = opened(loop.browser, address)
            looks = await first.__aenter__()
            await expect(looks.page.locator("#chips")).to_contain_text("Live")
        banner = looks.page.locator("#lost")
        await expect(banner).to_contain_text("Connection lost at")
        await expect(banner).to_have_attribute("role", "alert")
        await expect(looks.page.locator("#chips")).to_contain_text("Lost")
        network.change("north/3", overheated)
        async with serve_panel(address, network, control=True):
            await expect(banner).to_be_hidden()
            await expect(looks.page.locator("#chips")).to_contain_text("Live")
            await expect(looks.blade("north/3").locator(".temperature .value")).to_have_text("92 °C")
            looks.complaints.clear()  # the browser notes each attempt that failed
            await first.__aexit__(None, None, None)

    loop.run(look())


def test_a_network_that_was_started_again_gives_a_new_page(loop):
    async def look():
        network = InMemoryNetwork()
        async with serve_panel(HERE, network, control=True) as address:
            first = opened(loop.browser, address)
            looks = await first.__aenter__()
        network.shown = replace(network.shown, boot="another", name="renamed")
        async with serve_panel(address, network, control=True):
            await expect(looks.page).to_have_title("renamed – front panel")
            await looks.blade("north/3").click()
            await looks.page.get_by_role("button", name="Identify").click()
            await expect(looks.page.get_by_role("status")).to_contain_text("Identify north/3: done.")
            looks.complaints.clear()
            await first.__aexit__(None, None, None)

    loop.run(look())


def test_read_only_offers_no_order(loop):
    async def look():
        network = InMemoryNetwork()
        network.inject(Inject(kind="fan", target="north/3"))
        async with looking(loop.browser, network, control=False) as looks:
            page = looks.page
            await expect(page.locator("#chips")).to_contain_text("Read-only")
            await looks.blade("north/3").click()
            await expect(page.locator("#detail")).to_contain_text("Read-only. Start the network with --control")
            await expect(page.locator("#detail")).to_contain_text("Fan stands still")
            assert await page.locator("#detail button:visible").count() == 1, "nothing but Close"
            await looks.blade("north/3").click(button="right")
            await expect(page.get_by_role("menuitem")).to_have_count(1)

    loop.run(look())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["desk", "phone"])
def test_basic_accessibility(loop, scheme, place):
    """What a checker such as axe looks at first, in both colour schemes and both layouts."""

    async def look():
        network = InMemoryNetwork(
            replace(two_stations(), stations=(*two_stations().stations, chassis("full", 16, number=4)))
        )
        network.change("north/3", overheated)
        network.change("north/4", empty)
        context = PHONE if place == "phone" else {}
        async with looking(loop.browser, network, color_scheme=scheme, **context) as looks:
            await looks.blade("north/3").click()
            found = await looks.page.evaluate(CHECKS, PAIRS + OWN_PAIRS)
            assert found == {
                "duplicates": [],
                "small": [],
                "faint": [],
                "wide": 0,
                "levels": [1, 2, 2, 2, 2, 3, 4, 4, 2],
            }
            assert await looks.page.get_attribute("html", "lang") == "en"

    loop.run(look())


def test_patches_are_applied_as_they_were_made(loop):
    rng = random.Random(3)

    def document(depth):
        kind = rng.choice("ndl" if depth else "n")
        if kind == "n":
            return rng.choice([None, True, False, 0, 1, -2.5, "a", ""])
        if kind == "l":
            return [document(depth - 1) for _ in range(rng.randrange(4))]
        return {key: document(depth - 1) for key in rng.sample("abcd", rng.randrange(4))}

    pairs = [(document(4), document(4)) for _ in range(300)]
    pairs += [(json.loads(json.dumps(before)), before) for before, _ in pairs]
    cases = [[before, difference(before, after), after] for before, after in pairs]

    async def look():
        async with looking(loop.browser) as looks:
            arrived = await looks.page.evaluate(
                """async (cases) => {
                  const { applyPatch } = await import("/patch.js");
                  return cases.map(([before, patch]) => patch === null ? before : applyPatch(before, patch));
                }""",
                cases,
            )
            assert arrived == [after for _, _, after in cases]

    loop.run(look())


OWN_PAIRS = [
    ["--frame-ink", "--frame-1"],
    ["--frame-ink", "--frame-2"],
    ["--ink", "--face-1"],
    ["--ink", "--face-2"],
    ["--faint", "--face-1"],
    ["--faint", "--face-2"],
    ["--critical", "--face-1"],
    ["--critical", "--face-2"],
    ["--director", "--director-back"],
    ["--engine", "--engine-back"],
    ["--ink", "--unassigned-back"],
    ["--hollow-ink", "--hollow"],
]
