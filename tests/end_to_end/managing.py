"""A network management system of ours beside a network on this laptop, as a browser sees it.

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

from playwright.sync_api import sync_playwright

from tests.distribution_center.network_management.told import Told
from tests.patience import PATIENCE_S

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
TAKING_PICTURES = bool(os.environ.get("NMS_PICTURES"))


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
