"""A person brings a network up and a network management system beside it, and sees what happens to the network.

`NMS_PICTURES=1` writes the pictures of the documents, docs/pictures/nms-*.png.
"""

import json
import os
import shlex
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import sync_playwright

from tests.addresses import network_number
from tests.clips import render
from tests.distribution_center.network_management.told import Told
from tests.laptop import Laptop, topology
from tests.patience import PATIENCE_S

NETWORK = network_number()
NOTIFICATIONS = f"127.{NETWORK}.0.200:16270"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
TAKING_PICTURES = bool(os.environ.get("NMS_PICTURES"))
FILM_S = 240 if TAKING_PICTURES else 60
pytestmark = pytest.mark.timeout(400)
BLADES = {"home/1", "home/2", "north/1", "north/2", "north/3", "north/4"}


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    """Like that of the other modules, but its agents send informs."""
    targets = f"snmp:\n  targets:\n    - address: {NOTIFICATIONS}\n      inform: true\n"
    plan = topology(NETWORK, ("home", 2), ("north", 4)) + targets
    with Laptop.running(tmp_path_factory.mktemp("network"), plan) as laptop:
        yield laptop


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of the network management system: one that is started again is the same to those who send to it."""
    return tmp_path_factory.mktemp("nms")


class Management:
    """A network management system, as a browser sees it."""

    def __init__(self, url, token):
        self.url, self.token = url, token

    def until(self, condition):
        """Follow its events until the picture is as told; gives components by name, and alarms."""
        told, event = Told(), b""
        give_up_at = time.monotonic() + PATIENCE_S
        with urlopen(f"{self.url}/events", timeout=PATIENCE_S) as events:
            for line in events:
                name, _, data = line.strip().partition(b": ")
                if name == b"event":
                    event = data
                elif name == b"data" and event != b"quiet":
                    change = json.loads(data)
                    told.take(event.decode(), change)
                    if condition(told.components, told.alarm_list()):
                        return told.components, told.alarm_list()
                assert time.monotonic() < give_up_at, (colours(told.components), told.alarms)
        raise AssertionError("the events ended")

    def past_alarms(self):
        with urlopen(f"{self.url}/past-alarms", timeout=10) as response:
            return json.load(response)

    def acknowledge(self, alarm, person="Ada"):
        body = json.dumps({"alarms": [alarm["number"]], "person": person, "comment": "on it"}).encode()
        request = Request(f"{self.url}/acknowledge", data=body, headers={"Authorization": f"Bearer {self.token}"})
        with urlopen(request, timeout=10) as response:
            return json.load(response)[0]["state"]

    def take(self, name, select, points=1):
        """A picture for the documents, when asked for, as soon as a line of the graphs has so many points."""
        if not TAKING_PICTURES:
            return
        PICTURES.mkdir(exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(self.url)
            page.locator(f'[data-component="{select}"]').first.click()
            enough = """([part, points]) => [...document.querySelectorAll(".graph")].some((graph) =>
                graph.textContent.includes(part)
                && graph.querySelector("polyline")?.getAttribute("points").split(" ").length >= points)"""
            page.wait_for_function(enough, arg=[f"{select}/1", points], timeout=200_000)
            page.screenshot(path=PICTURES / f"nms-{name}.png")
            browser.close()


@contextmanager
def managing(station, folder, **changes):
    """A network management system, started as `chassis-emulator nms-settings` says."""
    settings = folder / "nms.toml"
    printed = station.run("chassis-emulator", "nms-settings", "--http-port", 0, "--output", settings).stdout
    assert settings.stat().st_mode & 0o777 == 0o600
    command, *arguments = shlex.split(printed.splitlines()[0].removeprefix("Now run: "))
    lines = settings.read_text().splitlines()
    changes |= {"state": str(folder / "nms"), "discover_s": 1.0, "timeout_s": 0.5}
    changed = [
        f"{key} = {json.dumps(changes[key])}" if (key := line.partition(" = ")[0]) in changes else line
        for line in lines
    ]
    settings.write_text("\n".join(changed))
    process = station.start(command, *arguments)
    try:
        told = []
        while "the page is at" not in (line := process.stderr.readline()):
            told.append(line)
            assert line, "".join(told)
        url = line.split("the page is at ")[1].split("/,")[0]
        yield Management(url, (folder / "nms" / "token").read_text().strip())
    finally:
        process.terminate()
        _, complaints = process.communicate(timeout=20)
    assert "Traceback" not in complaints, complaints


def colours(components):
    return {name: each["colour"] for name, each in components.items()}


def all_green(components, _):
    return components.keys() >= BLADES and set(colours(components).values()) == {"green"}


def is_there(alarms, kind, component, *states):
    return any((a["kind"], a["component"]) == (kind, component) and a["state"] in states for a in alarms)


def test_a_person_sees_the_whole_network_and_what_happens_to_it(station, folder, tmp_path):
    program = station.publish(render(tmp_path / "film.mp4", FILM_S), "north", copies=2)
    with managing(station, folder, poll_s=1.0, lost_after_s=3.0) as nms:
        components, alarms = nms.until(all_green)
        assert alarms == []
        assert set(components) - BLADES == {
            f"@127.{NETWORK}.0.1:8081",
            "home",
            "north",
            "home/chassis",
            "north/chassis",
        }
        roles = {
            f"{name}/{slot['slot']}": slot["role"]
            for name in ("home", "north")
            for slot in components[f"{name}/chassis"]["slots"]
        }
        for row in station.ps():
            if row["slot"]:
                assert roles[row["name"]] == row["role"]
        assert all(20 < components[blade]["last"]["temperature_c"] < 80 for blade in BLADES)
        assert components["north/chassis"]["last"]["power_w"] > 0

        player = station.start(
            *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
            *("--output", str(tmp_path / "received.ts")),
        )
        blades = [f"north/{slot}" for slot in (1, 2, 3, 4)]
        components, _ = nms.until(lambda seen, _: any(seen[blade]["last"].get("streams") for blade in blades))
        nms.until(lambda seen, _: any(seen[blade]["last"].get("sent_bps", 0) > 100_000 for blade in blades))
        nms.take("healthy", "north", points=12)
        player.terminate()
        player.communicate(timeout=20)

        pulled = next(row["slot"] for row in station.engines("north"))
        blade = f"north/{pulled}"
        station.run("chassis-emulator", "pull", blade, "--surprise")
        nms.until(lambda seen, _: seen[blade]["colour"] == "grey")
        nms.until(
            lambda seen, alarms: (
                seen[blade]["health"] == "lost"
                and is_there(alarms, "blade lost", blade, "active")
                and all(alarm["reports"] for alarm in alarms)
            )
        )
        _, [lost] = nms.until(lambda *_: True)  # the manager and the polls say it: one event, one alarm
        assert nms.acknowledge(lost) == "acknowledged"
        components, alarms = nms.until(lambda _, alarms: is_there(alarms, "blade lost", blade, "acknowledged"))
        assert components["north"]["worst"] == "red"
        nms.take("blade-lost", "north")
        station.run("chassis-emulator", "insert", blade)
        nms.until(lambda seen, alarms: all_green(seen, alarms) and not alarms)
        [past] = nms.past_alarms()
        assert (past["number"], past["component"], past["acknowledged_by"]) == (lost["number"], blade, "Ada")


def test_an_inform_is_noticed_long_before_the_next_poll(station, folder):
    """Polls are ten minutes apart here: what is seen soon was told."""
    with managing(station, folder, poll_s=600.0, lost_after_s=3.0) as nms:
        nms.until(all_green)
        pulled = next(row["slot"] for row in station.engines("north"))
        station.run("chassis-emulator", "pull", f"north/{pulled}", "--surprise")
        components, _ = nms.until(lambda _, alarms: is_there(alarms, "blade lost", f"north/{pulled}", "active"))
        assert components["north/chassis"]["slots"][pulled - 1]["hot_swap"] == "M7"
        station.run("chassis-emulator", "insert", f"north/{pulled}")
        nms.until(lambda _, alarms: not is_there(alarms, "blade lost", f"north/{pulled}", "active"))
