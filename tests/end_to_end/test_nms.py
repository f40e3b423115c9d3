"""A person brings a network up and a network management system beside it, and sees what happens to the network.

`NMS_PICTURES=1` writes the pictures of the documents, docs/pictures/nms-*.png.
"""

import pytest

from tests.addresses import network_number
from tests.clips import render
from tests.end_to_end.managing import TAKING_PICTURES, colours, managing
from tests.laptop import Laptop, topology

NETWORK = network_number()
NOTIFICATIONS = f"127.{NETWORK}.0.200:16270"
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
