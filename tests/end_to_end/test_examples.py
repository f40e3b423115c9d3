"""Every topology in `examples/` comes up as it says, and the demo does the main job on a real clip."""

import os
import re
import stat
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from tests.addresses import network_number
from tests.clips import real_clip
from tests.laptop import Laptop

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
TWO_STATIONS = next(path for path in EXAMPLES if path.stem == "two-stations")


def elsewhere(example, folder):
    """The example as it is, but for its number: that of somebody's demo."""
    copy = folder / example.name
    text, numbers = re.subn(r"(?m)^network: \d+$", f"network: {network_number()}", example.read_text())
    assert numbers == 1
    copy.write_text(text)
    return copy


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_comes_up_as_it_says(example, tmp_path):
    described = yaml.safe_load(example.read_text())
    laptop = Laptop(tmp_path / "state", elsewhere(example, tmp_path))
    try:
        laptop.up()
        rows = laptop.ps()
        for station in described["stations"]:
            blades = [row for row in rows if row["station"] == station["name"] and row["slot"]]
            assert [row["slot"] for row in blades] == list(range(1, station["slots"] + 1))
            assert [row["role"] for row in blades] == ["director"] + ["engine"] * (station["slots"] - 1)
            for row in blades:
                assert row["state"] == "ready"
                assert row["address"] == row["control"].partition(":")[0] == row["media"].partition(":")[0]
                assert stat.S_ISCHR(os.stat(row["serial"]).st_mode)
                assert {"network", "pid", "snmp", "ipmi"} <= row.keys()
        assert sum(row["role"] == "center" for row in rows) == 1
        assert laptop.json("chassis-emulator", "credentials").keys() == {"ipmi", "snmp"}
        assert stat.S_IMODE((laptop.state / "credentials.json").stat().st_mode) == 0o600
    finally:
        laptop.down()


def test_demo_does_the_main_job_on_a_real_clip(tmp_path):
    laptop = Laptop(tmp_path / "state", elsewhere(TWO_STATIONS, tmp_path))
    finished = laptop.run("chassis-emulator", "demo", laptop.topology, "--clip", real_clip(), timeout=240)
    assert finished.stdout.rstrip().endswith("demo: ok")
    rows = [line.split() for line in finished.stdout.splitlines() if re.match(r"(hls|push) ", line)]
    for by in ("hls", "push"):
        numbers = [int(row[1]) for row in rows if row[0] == by]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= 5


def test_demo_leaves_the_network_up_where_that_is_wanted_and_says_what_to_open(tmp_path):
    laptop = Laptop(tmp_path / "state", elsewhere(TWO_STATIONS, tmp_path))
    try:
        finished = laptop.run("chassis-emulator", "demo", laptop.topology, "--keep", "--clip", real_clip(), timeout=240)
        addresses = re.findall(r"http://\S+", finished.stdout)
        assert len(addresses) == 2
        for address in addresses:
            with urlopen(address, timeout=10) as answer:
                assert answer.status == 200
    finally:
        laptop.down()


def test_demo_says_what_it_cannot_play(tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear viewer")
    laptop = Laptop(tmp_path / "state", elsewhere(TWO_STATIONS, tmp_path))
    finished = laptop.run("chassis-emulator", "demo", laptop.topology, "--clip", letter, check=False, timeout=240)
    assert finished.returncode != 0
    assert "is not a video" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "demo: ok" not in finished.stdout
