"""Players that nobody here wrote know one address of a station: they lose no frame while director follows director."""

import socket
import subprocess
import urllib.request
from contextlib import ExitStack

import pytest

from tests.addresses import network_number
from tests.end_to_end.viewing import sha256
from tests.patience import PATIENCE_S, wait_until

NETWORK = network_number()
FRAMES = 12 * 25


@pytest.fixture(autouse=True)
def whole_again(station):
    yield
    station.run("chassis-emulator", "fault", "clear", "all")
    for row in station.ps():
        if row["state"] == "empty":
            station.run("chassis-emulator", "insert", row["name"])
    station.up()


def kill(station, director):
    station.run("chassis-emulator", "fault", "crash", director["name"])


def hang(station, director):
    station.run("chassis-emulator", "fault", "hang", director["name"])


def pull(station, director):
    station.run("chassis-emulator", "pull", director["name"])


def ffmpeg(url):
    """Plays in real time, and prints a line a frame."""
    return [
        *("ffmpeg", "-nostdin", "-v", "error", "-re", "-i", url, "-map", "0:v", "-f", "framemd5"),
        *("-flush_packets", "1", "-"),
    ]


@pytest.mark.peer("ffmpeg")
@pytest.mark.parametrize("befall", [kill, hang, pull])
def test_ffmpeg_plays_every_frame_whatever_befalls_the_director(station, program, tmp_path, befall):
    url, director = station.playlist("north", program["program"]), station.director("north")
    frames = tmp_path / "frames"
    with frames.open("wb") as output, subprocess.Popen(ffmpeg(url), stdout=output, stderr=subprocess.PIPE) as player:
        wait_until(lambda: len(decoded(frames)), lambda count: count > 50, process=player)
        befall(station, director)
        complaints = player.communicate(timeout=PATIENCE_S)[1].decode()
    assert len(decoded(frames)) == FRAMES, complaints
    assert station.new_director(director)


def decoded(frames):
    return [line for line in frames.read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.peer("mpv")
@pytest.mark.parametrize("befall", [kill, hang, pull])
def test_mpv_shows_every_picture_whatever_befalls_the_director(station, program, tmp_path, befall):
    """It writes a line a picture, in real time, and keeps nothing in store."""
    url, director = station.playlist("north", program["program"]), station.director("north")
    frames = tmp_path / "frames"
    command = [
        *("mpv", "--no-config", "--no-audio", "--really-quiet", "--cache=no", "--vf=lavfi=[realtime]"),
        *(f"--o={frames}", "--of=framemd5", "--ofopts=flush_packets=1", "--ovc=rawvideo", url),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as player:
        wait_until(lambda: len(decoded(frames)) if frames.exists() else 0, lambda count: count > 50, process=player)
        befall(station, director)
        complaints = player.communicate(timeout=PATIENCE_S)[1].decode()
    assert len(decoded(frames)) == FRAMES, complaints
    assert station.new_director(director)


@pytest.mark.peer("gst-launch-1.0")
@pytest.mark.parametrize("befall", [kill, hang, pull])
def test_gstreamer_receives_every_byte_whatever_befalls_the_director(station, program, tmp_path, befall):
    """It fetches far ahead, so that it is slowed down to half the program's rate."""
    url, director = station.playlist("north", program["program"]), station.director("north")
    output = tmp_path / "film.ts"
    command = [
        *("gst-launch-1.0", "-q", "souphttpsrc", f"location={url}", "!", "hlsdemux", "!"),
        *("identity", "sync=false", f"datarate={program['bytes'] // 10}", "!"),
        *("filesink", "buffer-mode=unbuffered", f"location={output}"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as player:
        wait_until(lambda: output.exists() and output.stat().st_size > 0, process=player)
        befall(station, director)
        complaints = player.communicate(timeout=PATIENCE_S)[1].decode()
    assert sha256(output) == program["sha256"], complaints


def test_a_viewer_who_comes_while_nobody_directs_waits(station, program):
    url, director = station.playlist("north", program["program"]), station.director("north")
    kill(station, director)
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        assert answer.read().startswith(b"#EXTM3U")
    assert station.new_director(director)


def test_a_crowd_that_says_nothing_keeps_no_viewer_out(station, program):
    """More connections than are carried: those that are silent go."""
    url = station.playlist("north", program["program"])
    host, port = station.service("north").split(":")
    with ExitStack() as crowd:
        for _ in range(520):
            crowd.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE_S))
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            assert answer.read().startswith(b"#EXTM3U")
