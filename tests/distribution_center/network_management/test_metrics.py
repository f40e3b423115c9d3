"""What Prometheus reads: every series that there can be, and not a word of promtool's lint against any."""

import subprocess

import pytest

from distribution_center.network_management.history import Sample
from distribution_center.network_management.metrics import exposition, own_counters
from distribution_center.network_management.readings import METRICS
from tests.distribution_center.network_management.world import MAJOR, SENSOR_THRESHOLD, World


@pytest.mark.peer("promtool")
def test_promtool_has_nothing_to_say(tmp_path):
    world = World(tmp_path, stations=2, blades=2)
    world.fill()
    world.raise_alarm("station-001/1", SENSOR_THRESHOLD, MAJOR, resource=b'"CPU"\\ \n')
    world.blade_answers("station-001", 1)
    network = world.network
    known = [(component, network.health(name)) for name, component in network.components.items()]
    samples = [Sample("station-001/1", metric, "a part", 1.0) for metric in METRICS]
    assert {sample.metric for sample in network.samples()} <= METRICS
    text = "".join([*exposition(known, network.alarms, samples), *own_counters(polls=7, missed=2)])
    said = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    assert (said.returncode, said.stdout + said.stderr) == (0, b"")
    assert "media_station_pulls_per_second{" in text
