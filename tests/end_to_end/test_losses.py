"""Engines killed while a program plays, and a network that goes down and comes up again."""

import hashlib
import json
import os
import re
import signal
import urllib.error
import urllib.request

import pytest

from tests.addresses import network_number
from tests.end_to_end.viewing import assert_subsequence, begin_of_turn, play_push
from tests.patience import PATIENCE_S

NETWORK = network_number()


def test_kill_of_the_engine_that_is_not_sending_changes_nothing(station, program, tmp_path):
    output = tmp_path / "film.ts"
    director, engines = station.director("north")["control"], station.engines("north")
    console = play_push(station, program, output)
    sending = begin_of_turn(director, 3)
    idle = next(row for row in engines if row["media"] != sending)
    os.kill(idle["pid"], signal.SIGKILL)
    stdout, stderr = console.communicate(timeout=60)
    assert console.returncode == 0, stderr + station.logs()
    assert hashlib.sha256(output.read_bytes()).hexdigest() == program["sha256"], stdout


def test_up_again_starts_what_was_killed_and_it_serves_what_it_had_on_disk(station, program, tmp_path):
    killed = next(row for row in station.ps() if row["state"] == "crashed")
    answer = station.up()
    assert f"{killed['station']}/{killed['slot']}" in answer.stdout
    output = tmp_path / "film.ts"
    station.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", output)
    assert hashlib.sha256(output.read_bytes()).hexdigest() == program["sha256"]


def test_loss_of_the_sending_engine_loses_a_piece_and_repeats_nothing(station, program, tmp_path):
    output = tmp_path / "film.ts"
    director, engines = station.director("north")["control"], station.engines("north")
    console = play_push(station, program, output)
    sending = begin_of_turn(director, 3)
    victim = next(row for row in engines if row["media"] == sending)
    os.kill(victim["pid"], signal.SIGKILL)
    console.communicate(timeout=60)
    whole = tmp_path / "whole.ts"
    station.up()
    station.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", whole)
    assert_subsequence(output.read_bytes(), whole.read_bytes())


TOLD = (
    r"north/1 +\| .* blade agent \S+ in slot 1 on .*: at 127\.",
    r"north/manager +\| .* chassis manager \S+ of station north with 4 slots",
    r"center +\| .* distribution center main, release",
    r"north/1 +\| .* role: director of north at epoch 1",
    r"north/2 +\| .* role: engine of north at epoch 1 under the director at",
    r"north/2 +\| .* enlisted with the director at",
    r"north/1 +\| .* engine \S+ in slot 2 enlists",
    r"north/1 +\| .* station north is registered with the center at",
    r"center +\| .* station north is directed by",
    r"center +\| .* ingest \w+ of \S+ is ordered",
    r"center +\| .* ingest \w+: (converting|storing)",
    r"center +\| .* ingest \w+: done",
    r"center +\| .* \S+ is to be distributed to north",
    r"north/1 +\| .* obtains \S+: \d+ of \d+ are here",
    r"north/[234] +\| .* segment \d+ of \S+ is copied from",
    r"north/1 +\| .* has obtained \S+: all \d+ segments are here",
    r"center +\| .* \S+ is distributed to north",
    r"center +\| .* \S+ is published",
    r"north/1 +\| .* stream \w+ of \S+ to \S+: turn \d+, segment \d+, is at engine",
    r"north/[234] +\| .* stream \w+: turn \d+ begins here",
    r"north/[234] +\| .* stream \w+: turn \d+ ends here",
    r"north/1 +\| .* engine \S+ in slot \d is gone",
    r"environment +\| .* north/\d has ended by signal 9",
    r"north/1 +\| .* stream \w+ of \S+ to \S+ has lost its sender",
    r"north/1 +\| .* stream \w+ of \S+ to \S+ has ended",
    r"north/1 +\| .* player at \S+ fetches",
    r"north/1 +\| .* \S+ is refused director/play: ",
)


def test_the_logs_tell_what_happened_in_the_order_of_time(station, program):
    refused = station.run("media-console", "play", "no-such-program", "--station", "north", "--by", "push", check=False)
    assert refused.returncode
    director = station.director("north")["media"]
    asked = urllib.request.Request(
        f"http://{director}/director/play",
        data=b'{"program": "x", "console": "127.0.0.1:9"}',
        headers={"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(asked, timeout=PATIENCE_S)
    lines = station.run("chassis-emulator", "logs", "--lines", 100_000).stdout.splitlines()
    told = "\n".join(lines)
    assert [each for each in TOLD if not re.search(each, told)] == [], told[-20_000:]
    stamps = [found[1] for line in lines if (found := re.search(r"\| (\d{4}-\d\d-\d\d [\d:,]{12}) ", line))]
    assert len(stamps) > 100
    assert stamps == sorted(stamps)


def test_events_of_all_chassis_are_shown_as_one(station):
    rows = station.json("chassis-emulator", "events")
    assert {row["station"] for row in rows} == {"home", "north"}
    assert [row["event"]["time"] for row in rows] == sorted(row["event"]["time"] for row in rows)
    with station.start("chassis-emulator", "events", "--follow", "--json") as following:
        shown = [json.loads(following.stdout.readline()) for _ in rows]
        station.run("chassis-emulator", "identify", "north/2")
        station.run("chassis-emulator", "pull", "north/2", "--surprise")
        row = json.loads(following.stdout.readline())
        while (row["station"], row["event"]["slot"]) != ("north", 2):
            row = json.loads(following.stdout.readline())
        following.terminate()
    station.run("chassis-emulator", "insert", "north/2")
    assert shown == rows


def test_state_survives_down_and_up(station, program, tmp_path):
    station.down()
    station.up()
    rows = station.json("distribution-center", "programs")
    assert [(row["program"], row["state"]) for row in rows] == [(program["program"], "published")]
    output = tmp_path / "film.ts"
    station.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", output)
    assert hashlib.sha256(output.read_bytes()).hexdigest() == program["sha256"]
