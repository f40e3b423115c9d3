"""Claim 4: the store of a media engine has several independent I/O channels, for input and output at once."""

import json
import threading
import time
from contextlib import contextmanager
from http.client import HTTPException
from urllib.request import urlopen

import pytest

from tests.claims.conftest import sha256
from tests.claims.full import addresses
from tests.patience import PATIENCE_S

HANG_S = 1.0
"""So long a disk is waited for."""


@pytest.fixture(scope="module")
def program(full, film):
    """Eight segments, each of them on two engines of `north`."""
    return full.publish(film(8), "north", segment_ms=1000, copies=2)


@contextmanager
def hanging(network, channel):
    """The disk of an I/O channel does not answer while the context lasts."""
    fault = network.json("chassis-emulator", "fault", "hanging-channel", channel)
    try:
        yield
    finally:
        network.run("chassis-emulator", "fault", "clear", fault["id"])


def channels_of(network, row):
    """How the I/O channels of a blade are, by name, as it says itself."""
    folder = network.state / "stations" / row["station"] / str(row["slot"])
    (status,) = folder.glob("**/status.json")
    return {channel["name"]: channel["state"] for channel in json.loads(status.read_text())["channels"]}


def on_channel(network, row, program, channel):
    """The segments of a program that lie on one channel of an engine: bytes by number."""
    files = (path for path in network.segment_files(row, program["program"]) if channel in path.parts)
    return {int(path.name.partition(".")[0]): path.read_bytes() for path in files}


def busiest(network, program):
    """An engine that has segments of a program on two channels, with the names of both."""
    for row in network.engines("north"):
        names = [name for name in channels_of(network, row) if on_channel(network, row, program, name)]
        if len(names) == 2:
            return row, *names
    raise AssertionError("no engine has it on both channels")


def held(network, row):
    """How many segments the director counts at an engine."""
    view = network.say(network.director("north")["control"], "director/station")
    return next(engine["segments"] for engine in view["engines"] if engine["media"] == row["media"])


def read_from(network, row, program, number):
    """A segment, asked of one engine by name, and how long it took."""
    director = network.director("north")["control"]
    table = network.say(director, "director/program", program=program["program"])["table"]
    begun = time.monotonic()
    with network.copy_of(row, program["program"], table, number, "home/2") as answer:
        return answer.read(), time.monotonic() - begun


def test_each_engine_has_several_channels_and_segments_are_on_all_of_them(full, program):
    for row in full.engines("north"):
        states = channels_of(full, row)
        assert len(states) >= 2
        assert set(states.values()) == {"working"}
    row, first, second = busiest(full, program)
    assert on_channel(full, row, program, first).keys().isdisjoint(on_channel(full, row, program, second))


def test_one_channel_takes_and_gives_while_another_does_not_answer_and_that_one_is_tried_again(full, film, program):
    """Input and output at once, and independently: a reader of the one that hangs waits, and nobody else."""
    row, hung, other = busiest(full, program)
    before, on_hung, on_other = held(full, row), *(on_channel(full, row, program, name) for name in (hung, other))
    with hanging(full, f"north/{row['slot']}/{hung}"):
        found = []
        asking = threading.Thread(target=lambda: found.append(refused(full, row, program, min(on_hung))))
        asking.start()
        received, took_s = read_from(full, row, program, min(on_other))
        assert received == on_other[min(on_other)]
        assert asking.is_alive() or took_s < HANG_S, "who reads from the other does not wait for it"
        new = full.publish(film(4), "north", segment_ms=1000, copies=3)
        assert on_channel(full, row, new, other), "the other takes what comes meanwhile"
        assert not on_channel(full, row, new, hung)
        asking.join(PATIENCE_S)
        assert found == [True], "the engine does not have it for now"
        full.wait_until(lambda: channels_of(full, row)[hung] == "hanging", "that it is said")

        # its segments are fetched again from elsewhere
        def all_twice():
            rows = full.engines("north")
            at = [[n for n, _ in usable(full, each, program, row, hung)] for each in rows]
            return all(sum(number in numbers for numbers in at) >= 2 for number in range(program["segments"]))

        full.wait_until(all_twice, "two copies of all that is not on the disk that hangs")
    full.wait_until(lambda: channels_of(full, row)[hung] == "working", "that it is used again")
    full.wait_until(lambda: held(full, row) >= before, "that what is on it is held again")
    number = min(on_hung)
    assert read_from(full, row, program, number)[0] == on_hung[number]


def refused(network, row, program, number):
    """Whether an engine gives a segment not, or not to its end."""
    try:
        return len(read_from(network, row, program, number)[0]) == 0
    except (OSError, HTTPException):
        return True


def usable(network, row, program, hung_row, hung):
    """The segments on an engine's disks that answer."""
    folder = f"/{hung_row['slot']}/{hung}/"
    paths = network.segment_files(row, program["program"])
    return [(int(path.name.partition(".")[0]), path) for path in paths if folder not in str(path)]


def test_a_stream_from_a_channel_that_hangs_goes_on_from_another_engine_exact(full, film, tmp_path):
    program = full.publish(film(6), "north", segment_ms=6000, copies=2)
    output = tmp_path / "film.ts"
    player = full.start(
        *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
        *("--output", output, "--json"),
    )
    full.wait_until(lambda: output.exists() and output.stat().st_size, "the first bytes")
    director = full.director("north")["control"]
    (session,) = full.say(director, "director/sessions", after="", limit=100)["sessions"]
    sender = next(row for row in full.engines("north") if row["media"] == session["engine"])
    (channel,) = (name for name in channels_of(full, sender) if on_channel(full, sender, program, name))
    with hanging(full, f"north/{sender['slot']}/{channel}"):
        report, complaints = player.communicate(timeout=PATIENCE_S)
    assert player.returncode == 0, complaints
    assert json.loads(report)["sha256"] == sha256(output.read_bytes()) == program["sha256"]


def test_players_get_all_of_it_while_a_channel_hangs(full, program):
    row, hung, _ = busiest(full, program)
    full.wait_until(lambda: channels_of(full, row)[hung] == "working", "that it works")
    with hanging(full, f"north/{row['slot']}/{hung}"):
        received = b""
        for address in addresses(full.service("north"), program):
            received += comes(address)
    assert sha256(received) == program["sha256"]


def comes(address):
    """A segment, asked for as players do: again until it is whole."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urlopen(address, timeout=PATIENCE_S) as answer:
                return answer.read()
        except (OSError, HTTPException):
            assert time.monotonic() < give_up_at
            time.sleep(0.2)
