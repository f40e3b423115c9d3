"""Viewers of a running station: our media console and GStreamer, and what the director says of their sessions."""

import hashlib
import json
import signal
import subprocess
import urllib.request
from contextlib import contextmanager
from urllib.parse import urljoin

from tests.addresses import is_bound
from tests.patience import PATIENCE_S, wait_until


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def listed(playlist):
    """The addresses in a playlist of HLS, in full."""
    with urllib.request.urlopen(playlist, timeout=PATIENCE_S) as answer:
        return [urljoin(playlist, line) for line in answer.read().decode().splitlines() if not line.startswith("#")]


def segments_of(playlist):
    """Those of the segments, of the multivariant playlist that is given to players."""
    [media] = listed(playlist)
    return listed(media)


def play_push(station, program, output):
    """A media console that receives a program at `north` by push."""
    return station.start(
        *("media-console", "play", program["program"], "--station", "north", "--by", "push"),
        *("--output", output, "--json"),
    )


@contextmanager
def gstreamer(output, port):
    """A GStreamer that writes what comes at a UDP port, while the context lasts."""
    player = subprocess.Popen(
        [
            *("gst-launch-1.0", "-q", "-e", "udpsrc", "address=127.0.0.1", f"port={port}", "buffer-size=4194304"),
            *("!", "filesink", "buffer-mode=unbuffered", f"location={output}"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_bound(port), process=player)
        yield player
    finally:
        player.send_signal(signal.SIGINT)
        player.wait(timeout=PATIENCE_S)


def wait_until_length(path, length_bytes):
    """Until a player has written so much."""
    wait_until(lambda: path.stat().st_size, lambda written: written >= length_bytes)


def sessions(director):
    """The sessions of a director, as it tells them."""
    own = getattr(director, "own", None)
    request = urllib.request.Request(
        f"{'https' if own else 'http'}://{director}/director/sessions",
        data=b"{}",
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S, context=own) as answer:
        return json.load(answer)["sessions"]


def streaming(director):
    """The session that streams, as its director sees it, or None."""
    return next((session for session in sessions(director) if session["state"] == "streaming"), None)


def begin_of_turn(director, number):
    """The engine that has just taken the turn, early enough in it for nobody to be next yet."""
    return wait_until(lambda: streaming(director), lambda session: session and session["present"]["turn"] >= number)[
        "engine"
    ]


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
