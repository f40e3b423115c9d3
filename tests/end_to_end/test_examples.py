"""Every topology in `examples/` comes up as it says, and the demo does the main job on a real clip."""

import os
import re
import signal
import stat
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from media_network.holding import holding_name
from tests.addresses import network_number
from tests.clips import real_clip
from tests.laptop import BIN, Laptop
from tests.patience import wait_until
from tests.signals import heed_signals

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
ONE_STATION, TWO_STATIONS = (
    next(path for path in EXAMPLES if path.stem == name) for name in ("one-station", "two-stations")
)


def elsewhere(example, folder):
    """The example as it is, but for its number: that of somebody's demo."""
    copy = folder / example.name
    text, numbers = re.subn(r"(?m)^network: \d+$", f"network: {network_number()}", example.read_text())
    assert numbers == 1
    copy.write_text(text)
    return copy


def stations_of(described):
    """Each with its name in the whole network: of several centers, each has its stations."""
    others = described.get("other_centers", ())
    for center in (described["center"] | {"stations": described["stations"]}, *others):
        for station in center["stations"]:
            yield (f"{center['name']}.{station['name']}" if others else station["name"]), station


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_comes_up_as_it_says(example, tmp_path):
    described = yaml.safe_load(example.read_text())
    laptop = Laptop(tmp_path / "state", elsewhere(example, tmp_path))
    try:
        laptop.up()
        rows = laptop.ps()
        for name, station in stations_of(described):
            blades = [row for row in rows if row["station"] == name and row["slot"]]
            assert [row["slot"] for row in blades] == list(range(1, station["slots"] + 1))
            assert [row["role"] for row in blades] == ["director"] + ["engine"] * (station["slots"] - 1)
            for row in blades:
                assert row["state"] == "ready"
                assert row["address"] == row["control"].partition(":")[0] == row["media"].partition(":")[0]
                assert stat.S_ISCHR(os.stat(row["serial"]).st_mode)
                assert {"network", "pid", "snmp", "ipmi"} <= row.keys()
        assert sum(row["role"] == "center" for row in rows) == 1 + len(described.get("other_centers", ()))
        assert laptop.json("chassis-emulator", "credentials").keys() >= {"ipmi", "snmp"}
        assert stat.S_IMODE((laptop.state / "credentials.json").stat().st_mode) == 0o600
    finally:
        laptop.down()


def test_demo_does_the_main_job_on_a_real_clip_beside_any_other_network(tmp_path):
    laptop = Laptop(tmp_path / "state", elsewhere(TWO_STATIONS, tmp_path))
    number = yaml.safe_load(Path(laptop.topology).read_text())["network"]
    with holding_name(f"network/{number}", "another network"):
        finished = laptop.run("chassis-emulator", "demo", laptop.topology, "--clip", real_clip(), timeout=240)
    assert finished.stdout.rstrip().endswith("demo: ok")
    rows = [line.split() for line in finished.stdout.splitlines() if re.match(r"(hls|push) ", line)]
    for by in ("hls", "push"):
        numbers = [int(row[1]) for row in rows if row[0] == by]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= 5
    assert {row[2].split(".")[1] for row in rows} != {str(number)}
    assert not laptop.state.exists()


ENDLESS = ("chassis-emulator ps --watch", "distribution-center nms run")
ANSWERS = {
    "ffplay": "nb_streams=2",
    "media-console": "intact",
    "curl": '"station":"north"',
    "ipmitool -I serial-basic": "Device ID",
    "ipmitool -I lanplus": "degrees C",
    "snmpwalk": "STRING",
    "distribution-center nms run": "the page is at http://127.0.0.1:",
    "chassis-emulator ps": "north/manager",
}
HINT = re.compile(r"^  # .*\n  (\S.*)$", re.MULTILINE)


@pytest.mark.peer("ffprobe", "curl", "ipmitool", "snmpwalk")
def test_demo_leaves_the_network_up_where_that_is_wanted_and_each_line_can_be_pasted(tmp_path):
    laptop = Laptop(tmp_path / "a state", elsewhere(TWO_STATIONS, tmp_path))
    # A shell that knows nothing of us.
    bare = {"PATH": os.defpath, "HOME": str(tmp_path)}
    laptop.environment = {**bare, "MEDIA_STATION_STATE": str(laptop.state)}
    try:
        finished = laptop.run("chassis-emulator", "demo", laptop.topology, "--keep", "--clip", real_clip(), timeout=240)
        assert finished.stdout.rstrip().endswith("demo: ok")
        opened, _, pasted = finished.stdout.partition("Open in a browser:")[2].partition("Paste into a shell")
        pages, lines = HINT.findall(opened), HINT.findall(pasted)
        assert len(pages) == 3
        for page in pages:
            with urlopen(page, timeout=10) as answer:
                assert answer.status == 200
        assert completions(laptop, "media-console play big").startswith("plain,bigbuckbunny-")
        assert completions(laptop, "distribution-center distribute x sou") == "plain,south\n"
        exports = [line for line in lines if line.startswith("export ")]
        assert len(exports) == 1, "where the commands are; which network is in the environment already"
        said = {line: paste(line, exports, tmp_path, laptop) for line in lines if line not in exports}
        assert lines[-1] == "chassis-emulator down"
        assert "is down" in said[lines[-1]]
        assert len(said) == 12
        for command, answer in ANSWERS.items():
            assert any(line.startswith(command) and answer in told for line, told in said.items()), (command, said)
        assert (tmp_path / "received.ts").stat().st_size > 0
    finally:
        laptop.down()


def completions(laptop, words):
    """What a shell is offered at the end of these."""
    program, position = words.split()[0], len(words.split()) - 1
    variable = f"_{program}_COMPLETE".replace("-", "_").upper()
    asking = {variable: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    return subprocess.run(
        [BIN / program], env={**laptop.environment, **asking}, capture_output=True, text=True, check=True
    ).stdout


def paste(line, exports, folder, laptop):
    """Run a line as a shell would, and give what it says; one that goes on is stopped when it has spoken."""
    # A player wants a screen. What it would play is the same to its sister.
    line = line.replace("ffplay ", "ffprobe -v error -show_entries format=nb_streams ")
    process = subprocess.Popen(
        ["bash", "-c", "\n".join([*exports, f"exec {line}"])],
        cwd=folder,
        env=laptop.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_signals,  # noqa: PLW1509 -- no thread of ours forks
    )
    first = ""
    if line.startswith(ENDLESS):
        while not any(line.startswith(command) and answer in first for command, answer in ANSWERS.items()):
            first += process.stdout.readline()
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, (line, first, said)
    assert "Traceback" not in said
    assert (first + said).strip(), line
    return first + said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_that_is_stopped_leaves_nothing(tmp_path, number):
    clip = real_clip()
    laptop = Laptop(tmp_path / "state", elsewhere(ONE_STATION, tmp_path))
    laptop.environment["TMPDIR"] = str(tmp_path)
    process = subprocess.Popen(
        [BIN / "chassis-emulator", "demo", laptop.topology, "--clip", clip],
        env=laptop.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,  # noqa: PLW1509 -- no thread of ours forks
    )
    up = number is signal.SIGINT  # the other one comes while it comes up
    awaited = "one-station is up" if up else "$ chassis-emulator up"
    while not (line := process.stdout.readline()).startswith(awaited):
        assert line, process.communicate()
    if not up:
        wait_until(lambda: list(tmp_path.glob("media-station-demo-*/lock")))
    process.send_signal(number)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Stopped: the network of the demo is ended, and nothing of it stays." in errors
    assert "Traceback" not in errors
    assert ("is down" in out) == up or "No network was up" in out
    assert list(tmp_path.glob("media-station-demo-*")) == []
    number = yaml.safe_load(Path(laptop.topology).read_text())["network"]
    with holding_name(f"network/{number}", "its number"):
        pass


def test_demo_says_what_it_cannot_play(tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear viewer")
    laptop = Laptop(tmp_path / "state", elsewhere(TWO_STATIONS, tmp_path))
    finished = laptop.run("chassis-emulator", "demo", laptop.topology, "--clip", letter, check=False, timeout=240)
    assert finished.returncode != 0
    assert "is not a video" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "demo: ok" not in finished.stdout
