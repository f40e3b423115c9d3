"""Blades drained by their service ports, and a director and a sender killed, while players that receive go on."""

import os
import signal
import subprocess
import time

import pytest

from blade_agent.backplane.messages.role import DRAIN, Drain
from tests.addresses import network_number
from tests.end_to_end.viewing import (
    assert_subsequence,
    begin_of_turn,
    gstreamer,
    play_push,
    sha256,
    streaming,
    wait_until_length,
)
from tests.patience import wait_until

NETWORK = network_number()


@pytest.fixture(scope="module")
def program(station, film):
    """Four segments, long enough to be cut short."""
    return station.publish(film, "north", segment_ms=3000)


def drain(row, draining):
    """Give the OEM command by ipmitool; returns what the blade still carries."""
    answer = subprocess.run(
        [
            *("ipmitool", "-I", "serial-basic", "-D", f"{row['serial']}:115200"),
            *("raw", *map(hex, (DRAIN.code.net_fn, DRAIN.code.number, *DRAIN.request_data(Drain(draining))))),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    enterprise, low, high = answer.split()[:3], *answer.split()[3:5]
    assert enterprise == ["88", "1f", "00"]
    return int(low, 16) + 256 * int(high, 16)


def drain_until_empty(row):
    """Drain a blade. That it was done within the segment is seen in the turns."""
    wait_until(lambda: not drain(row, draining=True), why=lambda: f"{row['station']}/{row['slot']} does not drain")


@pytest.mark.peer("ipmitool")
def test_a_sender_that_is_drained_hands_over_within_its_segment_and_nothing_is_lost(station, program, tmp_path):
    output = tmp_path / "film.ts"
    director, engines = station.director("north")["control"], station.engines("north")
    console = play_push(station, program, output)
    starts = []
    for turn in (1, 3, 5):
        sending = begin_of_turn(director, turn)
        row = next(row for row in engines if row["media"] == sending)
        drain_until_empty(row)
        present = streaming(director)["present"]
        starts.append((present["segment"], present["packet"]))
        drain(row, draining=False)
    stdout, stderr = console.communicate(timeout=60)
    assert console.returncode == 0, stderr + station.logs()
    assert sha256(output) == program["sha256"], stdout
    assert starts == sorted(starts)
    assert any(packet for _, packet in starts), f"no turn was cut short where others went on: {starts}"


@pytest.mark.peer("gst-launch-1.0")
def test_the_death_of_the_director_does_not_interrupt_what_it_directed(station, program, tmp_path, free_port):
    ours, theirs, port = tmp_path / "console.ts", tmp_path / "gstreamer.ts", free_port()
    director = station.director("north")
    with gstreamer(theirs, port):
        remote = station.start(
            *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
            *("--to", f"127.0.0.1:{port}"),
        )
        console = play_push(station, program, ours)
        begin_of_turn(director["control"], 2)
        os.kill(director["pid"], signal.SIGKILL)
        following = station.new_director(director)
        assert following["slot"] != director["slot"]
        for process in (console, remote):
            _, stderr = process.communicate(timeout=90)
            assert process.returncode == 0, stderr + station.logs()
        wait_until_length(theirs, program["bytes"])
    assert sha256(ours) == program["sha256"]
    assert sha256(theirs) == program["sha256"]
    station.up()


def test_after_the_death_of_the_sender_the_stream_goes_on_within_a_moment(station, program, tmp_path):
    output, whole = tmp_path / "film.ts", tmp_path / "whole.ts"
    director, engines = station.director("north")["control"], station.engines("north")
    console = play_push(station, program, output)
    sending = begin_of_turn(director, 2)
    time.sleep(0.5)  # the middle of its segment, where nobody is next yet
    os.kill(next(row for row in engines if row["media"] == sending)["pid"], signal.SIGKILL)
    console.communicate(timeout=60)
    station.up()
    station.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", whole)
    assert_subsequence(output.read_bytes(), whole.read_bytes())
    lost_s = (program["bytes"] - output.stat().st_size) * 12 / program["bytes"]
    assert lost_s < 1.0, f"{lost_s:.2f} s were lost"
