"""Engines killed while a program plays, and a network that goes down and comes up again."""

import hashlib
import os
import signal

from tests.addresses import network_number
from tests.end_to_end.viewing import assert_subsequence, begin_of_turn, play_push

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


def test_state_survives_down_and_up(station, program, tmp_path):
    station.down()
    station.up()
    rows = station.json("distribution-center", "programs")
    assert [(row["program"], row["state"]) for row in rows] == [(program["program"], "published")]
    output = tmp_path / "film.ts"
    station.run("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", output)
    assert hashlib.sha256(output.read_bytes()).hexdigest() == program["sha256"]
