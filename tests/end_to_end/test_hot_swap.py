"""Every blade of a station is pulled and put back while players receive, gracefully and as a careless hand does it."""

import hashlib
import threading
import time
from contextlib import ExitStack

import pytest

from tests.addresses import network_number
from tests.clips import render
from tests.end_to_end.viewing import begin_of_turn, gstreamer, play_push, sha256, streaming, wait_until_length
from tests.patience import wait_until

NETWORK = network_number()
SLOTS = {1, 2, 3, 4}
LONG_FILM_S = 24
SHORT_FILM_S = 12
DATAGRAM_BYTES = 7 * 188
LOST_AT_MOST_S = 0.5
"""What came due until the death was known: a batch of 0.04 s, where nothing else keeps the machine busy."""

pytestmark = pytest.mark.peer("gst-launch-1.0")


@pytest.fixture(scope="module")
def long_program(station, tmp_path_factory):
    return station.publish(render(tmp_path_factory.mktemp("long") / "long.mp4", LONG_FILM_S), "north")


@pytest.fixture(scope="module")
def short_program(station, film):
    """Every engine has all of it: with one of them gone the director need not send itself."""
    return station.publish(film, "north", copies=3)


@pytest.fixture
def players():
    """Other people's, until the test has ended."""
    with ExitStack() as playing:
        yield playing


class HlsViewer(threading.Thread):
    """Receives by HLS no faster than the film is seen, so that it is at it all the time."""

    def __init__(self, station, program, seconds):
        super().__init__(daemon=True)
        self._console = station.start(
            *("media-console", "play", program["program"], "--station", "north", "--by", "hls", "--output", "-")
        )
        self._rate_bytes_s = program["bytes"] / seconds
        self._digest = hashlib.sha256()
        self.start()

    def run(self):
        began, received_bytes, never = time.monotonic(), 0, threading.Event()
        while piece := self._console.stdout.buffer.read1(8192):
            self._digest.update(piece)
            received_bytes += len(piece)
            never.wait(max(0.0, began + received_bytes / self._rate_bytes_s - time.monotonic()))

    def sha256(self, timeout_s=60):
        """Of all that came."""
        self.join(timeout_s)
        return self._digest.hexdigest()

    def report(self):
        return self._console.communicate(timeout=10)[1]


class Showing:
    """A program shown once to three viewers: pushed to a media console and to GStreamer, and fetched by HLS."""

    def __init__(self, station, program, seconds, folder, port, players):
        self._station = station
        self.program = program
        self.ours, self.theirs = folder / "console.ts", folder / "gstreamer.ts"
        players.enter_context(gstreamer(self.theirs, port))
        self._remote = station.start(
            *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
            *("--to", f"127.0.0.1:{port}"),
        )
        self._console = play_push(station, program, self.ours)
        self.viewer = HlsViewer(station, program, seconds)

    @property
    def goes_on(self):
        return None in (self._console.poll(), self._remote.poll())

    def finish(self, *, exact):
        """Wait for the end of it."""
        for console in (self._console, self._remote):
            _, stderr = console.communicate(timeout=90)
            assert console.returncode == 0 or not exact, stderr + self._station.logs()
        if exact:
            wait_until_length(self.theirs, self.program["bytes"])
        assert self.viewer.sha256() == self.program["sha256"], self.viewer.report() + self._station.logs()


def slot_of(station, media):
    return next(row["slot"] for row in station.ps() if row["station"] == "north" and row["media"] == media)


def pull(station, slot, *options):
    station.run("chassis-emulator", "pull", f"north/{slot}", *options)
    row = station.blade("north", slot)
    assert (row["state"], row["pid"]) == ("empty", None)


def put_back(station, slot):
    """Put a blade back; returns when it serves."""
    station.run("chassis-emulator", "insert", f"north/{slot}")
    station.up()


def test_each_blade_is_pulled_in_turn_and_put_back_and_no_viewer_misses_a_byte(
    station, long_program, tmp_path, free_port, players
):
    showings, pulled_while_it_sent = [], 0
    left = set(SLOTS)
    while left:
        if not showings or not showings[-1].goes_on:
            folder = tmp_path / str(len(showings))
            folder.mkdir()
            showings.append(Showing(station, long_program, LONG_FILM_S, folder, free_port(), players))
            begin_of_turn(station.director("north")["control"], 1)
        director = station.director("north")
        session = streaming(director["control"])
        sending = slot_of(station, session["engine"]) if session else None
        slot = sending if sending in left else min(left, key=lambda slot: (slot == director["slot"], slot))
        pulled_while_it_sent += slot == sending
        pull(station, slot)
        assert station.director("north")["slot"] != slot
        put_back(station, slot)
        left.remove(slot)
    for showing in showings:
        showing.finish(exact=True)
        assert sha256(showing.ours) == sha256(showing.theirs) == long_program["sha256"]
    assert pulled_while_it_sent


def test_surprise_pulls_of_the_sender_and_of_the_director_cost_one_gap_and_no_packet_comes_twice(
    station, short_program, tmp_path, free_port, players
):
    whole = tmp_path / "whole.ts"
    station.run(
        *("media-console", "play", short_program["program"], "--station", "north", "--by", "hls", "--output", whole)
    )
    assert sha256(whole) == short_program["sha256"]
    before = station.director("north")
    showing = Showing(station, short_program, SHORT_FILM_S, tmp_path, free_port(), players)
    sender = slot_of(station, begin_of_turn(before["control"], 2))
    pull(station, sender, "--surprise")
    put_back(station, sender)
    pull(station, before["slot"], "--surprise")
    put_back(station, before["slot"])
    assert station.new_director(before)["epoch"] > before["epoch"]
    showing.finish(exact=False)
    wait_for_end(showing.theirs, whole.read_bytes()[-188:])
    for received in (showing.ours, showing.theirs):
        missing = gaps(received.read_bytes(), whole.read_bytes())
        assert len(missing) <= 1, missing
        assert sum(missing) / short_program["bytes"] * SHORT_FILM_S < LOST_AT_MOST_S


def wait_for_end(path, last_packet):
    """Until what a player has written ends as the program does."""
    wait_until(lambda: path.read_bytes().endswith(last_packet), why=lambda: f"{path} does not end as the program does")


def gaps(got, whole):
    """Bytes missing at each place where some are; nothing is there twice, or out of its order."""
    missing, at, begin = [], 0, 0
    while begin < len(got):
        if got[begin : begin + 188] != whole[at : at + 188]:
            found = whole.find(got[begin : begin + DATAGRAM_BYTES], at)
            assert found > at, f"what stands at byte {begin} had come before, or is not of the program"
            missing.append(found - at)
            at = found
        at, begin = at + 188, begin + 188
    return [*missing, *([len(whole) - at] if at < len(whole) else [])]
