"""Claim 3: several distribution centers, one of them a headquarters whose media asset management controls what the
others download. The network is the example with fewer blades: the home station of each center, and one called north.
"""

import json
import os
import signal
import time
from contextlib import contextmanager
from urllib.request import urlopen

import pytest
import yaml

from chassis_emulator.data import examples
from chassis_emulator.network.control import REVIVE, Revive, order
from chassis_emulator.network.state_folder import StateFolder
from tests.addresses import free_port, network_number
from tests.claims.conftest import Network, sha256
from tests.laptop import Laptop
from tests.patience import PATIENCE_S, wait_until

NUMBER = network_number()
CENTERS = ("main", "east", "west")
SLOTS = {"home": 2, "north": 1}
"""Of the stations of each center."""
PADDING = (2 << 20).to_bytes(4, "big") + b"free" + bytes((2 << 20) - 8)
"""A box that players pass over (ISO/IEC 14496-12, 8.1.2): the film has a middle."""


class Headquarters(Network):
    """The network of the example."""

    number = NUMBER

    mam = f"127.{NUMBER}.0.1:8083"

    def wait_until(self, holds, what):
        """As always, but not all the time: who answers is what is waited for."""
        wait_until(holds, why=lambda: f"{what}\n{self.logs()}", every_s=0.1)

    def ask(self, verb, **message):
        """What the headquarters answers; None: nothing."""
        try:
            return self.say(self.mam, verb, **message)
        except OSError:
            return None

    def ask_center(self, name, verb, **message):
        return self.say(f"127.{NUMBER}.0.{CENTERS.index(name) + 1}:8081", verb, **message)

    def away(self):
        """The centers that the headquarters does not reach; None: it does not say."""
        answer = self.ask("headquarters/centers")
        return answer and {row["center"] for row in answer["centers"] if not row["reachable"]}

    def stages(self, order):
        answer = self.ask("headquarters/ask-order", order=order)
        return answer and {each["center"]: each["stage"] for each in answer["downloads"]}

    def kill(self, *names):
        """As the kernel, or the power, does it."""
        pids = {row["name"]: row["pid"] for row in self.ps()}
        for name in names:
            os.kill(pids[name], signal.SIGKILL)
        self.wait_until(
            lambda: not [row for row in self.ps() if row["name"] in names and row["pid"]], f"one of {names} lives"
        )

    def revive(self):
        """As `up` does it in a network that is up, but for waiting: each test waits for what it wants."""
        return order(StateFolder(self.state), REVIVE, Revive()).names

    def entries(self, **wanted):
        """The catalogue of the headquarters, which follows in a moment."""
        answer = self.ask("headquarters/programs", **wanted)
        return answer["entries"] if answer else []

    def where(self, center, program):
        """Where a program is, as the headquarters has it from the center's feed: what it answers, and segments."""
        answer = self.ask("headquarters/where", center=center, program=program)
        return answer, answer and {share["station"]: share["segments"] for share in answer["stations"]}

    def contents(self):
        """Bytes of the segments that lie on the disks of each station, by station, by program and number."""
        found = {}
        for row in self.ps():
            if row["slot"] is not None:
                found.setdefault(row["station"], {}).update(self._on_disk(row))
        return found

    def _on_disk(self, row):
        # The headquarters' stations have the folders that they would have without other centers.
        folder = self.state / "stations" / row["station"].removeprefix("main.") / str(row["slot"])
        return {
            (path.parent.name.partition(".")[0], int(path.name.partition(".")[0])): path.read_bytes()
            for path in folder.glob("channel-*/**/*.ts")
        }

    def ended(self, center, order, how="done"):
        """How often a center has brought an ingest to an end."""
        log = (self.state / "logs" / f"{center}.center.log").read_text()
        return log.count(f"ingest {order}: {how}")


@pytest.fixture(scope="module")
def content(film):
    """A film that is ordered everywhere: rendered once."""
    return film(2).read_bytes() + PADDING


@pytest.fixture(scope="module")
def headquarters(tmp_path_factory, provider, content):
    plan = yaml.safe_load(examples()["headquarters"].read_text()) | {"network": NUMBER, "pki": True}
    for center in (plan["center"], *plan["other_centers"]):
        center["providers"] = [{"name": "studio", "address": provider.address}]
    for center in (plan, *plan["other_centers"]):
        center["stations"] = [{"name": name, "slots": slots} for name, slots in SLOTS.items()]
    provider.files |= {"ordered.mp4": content, "later.mp4": content, "never.mp4": content}
    with Headquarters.running(tmp_path_factory.mktemp("headquarters"), yaml.safe_dump(plan)) as network:
        yield network


def test_one_order_at_the_headquarters_brings_a_film_home_where_it_is_ordered(headquarters, provider, content):
    network = headquarters

    # a third plurality of distribution centers, a portion of the plurality of media stations communicating with each
    network.wait_until(lambda: network.away() == set(), "a center is not reached")
    assert tuple(row["center"] for row in network.json("distribution-center", "mam", "centers")) == CENTERS
    pages = {row["name"]: row["page"] for row in network.ps() if row["page"]}
    assert pages == {f"{name}/center": f"http://127.{NUMBER}.0.{at}:8082/" for at, name in enumerate(CENTERS, start=1)}
    for center in CENTERS:
        rows = network.ask_center(center, "registry/stations")["stations"]
        assert [(row["station"], row["home"]) for row in rows] == [("home", True), ("north", False)]

    # a media asset management system communicating with the content manager in each distribution center for
    # controlling downloading of content to the associated home media station
    provider.asked.clear()
    with provider.holding("ordered.mp4", len(content) // 2, times=2):
        ordered = network.json(
            *("distribution-center", "mam", "order", provider.url("ordered.mp4")),
            *("--center", "east", "--center", "west", "--segment-ms", "1000", "--no-wait"),
        )
        order = ordered["order"]
        both = {"east": "downloading", "west": "downloading"}
        network.wait_until(lambda: network.stages(order) == both, "the centers do not download")

        # One of the centers and the headquarters are killed in the middle of it.
        network.kill("mam", "east/center")
    assert set(network.revive()) == {"east/center", "mam"}
    done = {"east": "done", "west": "done"}
    network.wait_until(lambda: network.stages(order) == done, "the order does not end")
    assert (network.ended("east", order), network.ended("west", order)) == (1, 1)

    # It is at the right home stations, whole, and nowhere else: by the registries, and by what is on every disk.
    network.wait_until(lambda: len(network.entries()) == 2, "the catalogue does not follow")
    entries = network.json("distribution-center", "mam", "programs")
    assert [entry["center"] for entry in entries] == ["east", "west"]
    [name], [digest] = {entry["program"] for entry in entries}, {entry["sha256"] for entry in entries}
    assert [place["center"] for entry in entries for place in entry["same_film"]] == ["west", "east"]
    segments = entries[0]["segments"]
    home = {"station": "home", "segments": segments, "of": segments}
    network.wait_until(
        lambda: [network.where(center, name)[1] for center in ("east", "west")] == [{"home": segments}] * 2,
        "the shares do not follow",
    )
    where = network.json("distribution-center", "mam", "where", name)
    assert {each["center"]: each["stations"] for each in where} == {"east": [home], "west": [home]}
    for center in CENTERS:
        rows = network.ask_center(center, "content/programs")["programs"]
        assert [row["program"] for row in rows] == ([] if center == "main" else [name])
    for station, held in network.contents().items():
        if station in {"east.home", "west.home"}:
            assert sha256(b"".join(held[name, number] for number in range(segments))) == digest
            assert len(held) == segments
        else:
            assert held == {}, station


def test_what_is_ordered_of_a_center_that_is_away_is_done_when_it_is_back(headquarters, provider):
    """And what is taken back meanwhile is not."""
    network = headquarters
    [known] = network.entries(center="west")
    now, held = network.where("west", known["program"])
    assert (held, now.get("obstacle")) == ({"home": known["segments"]}, None)
    before = network.ask("headquarters/orders")["orders"]
    network.kill("main/center", "west/center")
    network.wait_until(lambda: network.away() == {"main", "west"}, "they are not missed")

    # Where a program is, is known from the feed while its center is away, with the age of that.
    [then] = [
        each
        for each in network.json("distribution-center", "mam", "where", known["program"])
        if each["center"] == "west"
    ]
    assert then["stations"] == now["stations"]
    assert then["age_ms"] > 0
    assert then["obstacle"].startswith("west is away")
    source, never = provider.url("later.mp4"), provider.url("never.mp4")
    network.ask("headquarters/order", order="later", source=source, centers=["main"])
    network.ask("headquarters/order", order="never", source=never, centers=["west"])
    [taken_back] = network.json("distribution-center", "mam", "cancel", "never", "--no-wait")["downloads"]
    assert taken_back["stage"] == "cancelling"
    # Nobody has heard of either but the headquarters, which is killed before it could say it to anybody.
    network.kill("mam")
    network.revive()
    network.wait_until(lambda: network.stages("later") == {"main": "done"}, "the order does not end")
    assert network.ended("main", "later") == 1
    network.wait_until(lambda: network.stages("never") == {"west": "cancelled"}, "it is not taken back")
    assert "never.mp4" not in {name for name, _ in provider.asked}

    [entry] = wait_until(lambda: network.entries(center="main"), why=network.logs)
    assert network.contents()["main.home"].keys() == {(entry["program"], each) for each in range(entry["segments"])}

    # What was over before stays as it is, whoever has been killed since.
    assert [
        each for each in network.ask("headquarters/orders")["orders"] if each["order"] not in {"later", "never"}
    ] == (before)
    assert (network.ended("east", before[0]["order"]), network.ended("west", before[0]["order"])) == (1, 1)

    # A center that there is none of is refused with those that there are, and so is one that is to be spoken to.
    for command in (("mam", "order", "/films/film.mp4", "--center", "nort"), ("programs", "--center", "nort")):
        refused = network.run("distribution-center", *command, check=False)
        assert refused.returncode == 1
        assert "Centers: main, east, west" in refused.stderr

    # One that fails says why.
    failed = network.run(
        *("distribution-center", "mam", "order", "https://elsewhere.example/film.mp4", "--center", "west"), check=False
    )
    assert failed.returncode == 1
    assert "is no provider's: the only provider is studio" in failed.stdout


def test_one_network_management_system_shows_all_of_them(headquarters, tmp_path):
    network = headquarters
    port = free_port()
    settings = tmp_path / "nms.toml"
    network.run("chassis-emulator", "nms-settings", "--output", settings, "--http-port", port)
    told = {"mshCenters": 3, "mshCentersAway": 0, "mshPrograms": 3, "mshOrdersOpen": 0}
    expected = {"@/headquarters": "headquarters"} | {f"@{center}": "center" for center in CENTERS}
    for center in CENTERS:
        for station, slots in SLOTS.items():
            whole = f"{center}.{station}"
            blades = {f"{whole}/{slot}": "blade" for slot in range(1, slots + 1)}
            expected |= {whole: "station", f"{whole}/chassis": "chassis"} | blades
    with running(network, "distribution-center", "nms", "run", "--settings", settings):
        wait_until(lambda: _answers(port))
        answering, figures = {}, {}
        for seen in pictures(port):
            answering = {name: each["kind"] for name, each in seen.items() if each["health"] == "answering"}
            # Its first answer may be of a minute ago, when nobody asked yet.
            figures = seen.get("@/headquarters", {}).get("scalars", {})
            if answering == expected and figures == told:
                break
        assert (answering, figures) == (expected, told)


def _answers(port):
    try:
        with urlopen(f"http://127.0.0.1:{port}/network.json", timeout=10):
            return True
    except OSError:
        return False


def pictures(port):
    """All components by name, whenever one of them is another: what an open page is told."""
    seen, give_up_at = {}, time.monotonic() + PATIENCE_S
    with urlopen(f"http://127.0.0.1:{port}/events", timeout=PATIENCE_S) as events:
        for line in events:
            if line.startswith(b"data: "):
                for each in (json.loads(line[6:]) or {}).get("components", ()):
                    seen[each["component"]] = seen.get(each["component"], {}) | each
                yield seen
            if time.monotonic() > give_up_at:
                return


@contextmanager
def running(network: Laptop, *command):
    process = network.start(*command)
    try:
        yield
    finally:
        process.terminate()
        process.communicate()
