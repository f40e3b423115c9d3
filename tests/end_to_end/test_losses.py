"""Engines killed while a program plays, and a network that goes down and comes up again."""

import hashlib
import json
import os
import signal
import time
import urllib.request

NETWORK = 22


def play_push(station, program, output):
    return station.start(
        *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
        *("--output", output, "--json"),
    )


def streaming(director):
    """The session that streams, as its director sees it, or None."""
    request = urllib.request.Request(
        f"http://{director}/director/sessions", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        found = json.load(answer)["sessions"]
    return next((session for session in found if session["state"] == "streaming"), None)


def begin_of_turn(director, number, timeout_s=30):
    """The engine that has just taken the turn, early enough in it for nobody to be next yet."""
    give_up_at = time.monotonic() + timeout_s
    while time.monotonic() < give_up_at:
        session = streaming(director)
        if session and session["served"][-1]["turn"] >= number:
            return session["engine"]
        time.sleep(0.02)
    raise AssertionError(f"turn {number} did not come")


def test_kill_of_the_engine_that_is_not_sending_changes_nothing(station, program, tmp_path):
    output = tmp_path / "film.ts"
    director, engines = station.director("north")["http"], station.engines("north")
    console = play_push(station, program, output)
    sending = begin_of_turn(director, 3)
    idle = next(row for row in engines if row["http"] != sending)
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
    director, engines = station.director("north")["http"], station.engines("north")
    console = play_push(station, program, output)
    sending = begin_of_turn(director, 3)
    victim = next(row for row in engines if row["http"] == sending)
    os.kill(victim["pid"], signal.SIGKILL)
    console.communicate(timeout=60)
    whole = tmp_path / "whole.ts"
    station.up()
    station.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", whole)
    assert_subsequence(output.read_bytes(), whole.read_bytes())


def assert_subsequence(got, whole):
    """Each packet received is a later one than the packet before it: a gap, never a repeat."""
    packets = [whole[at : at + 188] for at in range(0, len(whole), 188)]
    at = 0
    for start in range(0, len(got), 188):
        packet = got[start : start + 188]
        while at < len(packets) and packets[at] != packet:
            at += 1
        assert at < len(packets), f"the packet at byte {start} was sent before"
        at += 1
    assert len(got) > len(whole) // 2


def test_state_survives_down_and_up(station, program, tmp_path):
    station.down()
    station.up()
    rows = station.json("distribution-center", "programs")
    assert [(row["program"], row["state"]) for row in rows] == [(program["program"], "published")]
    output = tmp_path / "film.ts"
    station.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", output)
    assert hashlib.sha256(output.read_bytes()).hexdigest() == program["sha256"]
