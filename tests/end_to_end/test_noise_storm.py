"""A storm of noise on every line of a chassis: the counters tell of it, and nothing else does: no role, no viewer.

A thousand bursts on each line in eight seconds; with `SOAK` in the environment ten thousand in a minute.
"""

import os
import time

import pytest

from blade_agent.chassis_manager.orders import CHASSIS, AskChassis
from blade_agent.chassis_manager.settings import Timing
from media_network.local_orders import order
from tests.addresses import network_number
from tests.clips import render
from tests.end_to_end.ipmi_tool import bridged, ipmitool
from tests.end_to_end.viewing import begin_of_turn, play_push, sha256

NETWORK = network_number()
SOAK = bool(os.environ.get("SOAK"))
BURSTS, STORM_S = (10_000, 60) if SOAK else (1000, 8)
BURST_BYTES = 8
"""At most; any number from one on is as likely."""
FILM_S = STORM_S + 4
LOOK_EVERY_S = 0.05
COUNTED_SHARE = (0.5, 1.2)
"""Of the bytes of noise: inside a frame they are not counted singly, and a frame that was broken into adds its own."""


@pytest.fixture(scope="module")
def program(station, tmp_path_factory):
    return station.publish(render(tmp_path_factory.mktemp("storm") / "storm.mp4", FILM_S), "north")


def chassis(station, name="north"):
    return order(station.state / f"stations/{name}/manager/orders.sock", CHASSIS, AskChassis())


def events_after(station, record):
    socket = station.state / "stations/north/manager/orders.sock"
    return station.json("blade-agent", "chassis", "events", "--after", record, "--socket", socket)


class Weather:
    """What was seen of a chassis while it stormed."""

    def __init__(self):
        self.roles = set()
        self.longest_out_s = 0.0
        self._out_since = {}

    def look(self, station):
        """Look once."""
        now, state = time.monotonic(), chassis(station)
        for slot in state.slots:
            if slot.hot_swap == "M4":
                self._out_since.pop(slot.slot, None)
                self.roles.add((slot.slot, slot.role, slot.epoch, slot.boot_id))
            else:
                self.longest_out_s = max(self.longest_out_s, now - self._out_since.setdefault(slot.slot, now))


def storm(station, weather):
    """Let it storm, and look on until it is over."""
    station.run(
        *("chassis-emulator", "fault", "noise-bursts", "north", "--for", STORM_S, "--seed", 1),
        *("--bursts-per-s", BURSTS / STORM_S, "--burst-bytes", BURST_BYTES),
    )
    over_at = time.monotonic() + STORM_S
    while time.monotonic() < over_at or station.json("chassis-emulator", "faults"):
        weather.look(station)
        time.sleep(LOOK_EVERY_S)


@pytest.mark.peer("ipmitool")
def test_a_storm_of_noise_on_every_line_is_counted_and_changes_nothing(station, program, tmp_path):
    output, weather = tmp_path / "film.ts", Weather()
    processes = {row["name"]: row["pid"] for row in station.ps()}
    north, home = chassis(station), chassis(station, "home")
    last = events_after(station, 0)["last"]
    console = play_push(station, program, output)
    begin_of_turn(station.director("north")["control"], 1)
    weather.look(station)
    as_it_was = set(weather.roles)

    storm(station, weather)

    assert len(as_it_was) == len(north.slots)
    assert weather.roles == as_it_was, station.logs()
    assert weather.longest_out_s <= Timing().heartbeat_s + Timing().patience_s, station.logs()
    assert not [event for event in events_after(station, last)["events"] if event["sensor"] == "Hot Swap"]
    assert {row["name"]: row["pid"] for row in station.ps()} == processes
    assert "Traceback" not in station.logs()
    _, stderr = console.communicate(timeout=60)
    assert console.returncode == 0, stderr + station.logs()
    assert sha256(output) == program["sha256"]

    each_way_bytes = BURSTS / 2 * (1 + BURST_BYTES) / 2
    for at_blade, at_manager in counted_since(north, chassis(station)):
        assert COUNTED_SHARE[0] < at_blade / each_way_bytes < COUNTED_SHARE[1]
        assert COUNTED_SHARE[0] < at_manager / each_way_bytes < COUNTED_SHARE[1]
    assert not any(sum(faults) for faults in counted_since(home, chassis(station, "home")))
    assert "IPMI Version" in ipmitool(bridged(station, 3), "mc info").stdout


def counted_since(before, after):
    """What each blade, and the chassis manager at the same line, has counted of what was no message."""
    for then, now in zip(before.slots, after.slots, strict=True):
        at_blade = now.frame_faults + now.message_faults - then.frame_faults - then.message_faults
        yield at_blade, now.line_faults - then.line_faults
