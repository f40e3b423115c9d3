"""Claim 17: the hand-overs repeat until the console stops; and it pauses, goes on and seeks meanwhile."""

import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from urllib.error import HTTPError

import pytest

from tests.addresses import is_bound
from tests.claims.conftest import sha256
from tests.claims.wire import capture
from tests.end_to_end.viewing import gstreamer, play_push, sessions, streaming, wait_until_length
from tests.laptop import BIN
from tests.patience import PATIENCE_S, wait_until
from tests.terminal import at_a_terminal

PACKET_BYTES = 188
SPACE, RIGHT, LEFT = b" ", b"\x1b[C", b"\x1b[D"


@pytest.fixture(scope="module")
def film_bytes(network, program, tmp_path_factory):
    """The program itself."""
    path = tmp_path_factory.mktemp("claim-17") / "film.ts"
    network.play(program["program"], "north", "hls", path)
    return path.read_bytes()


def begins_of(program, network):
    """Where the segments of a program begin, in bytes, and its end."""
    rows = [network.stored(row, program["program"]) for row in network.engines("north")]
    held = {number: content for row in rows for number, content in row.items()}
    begins = [0]
    for number in range(program["segments"]):
        begins.append(begins[-1] + len(held[number]))
    return begins


def state(director, session):
    return next((view["state"] for view in sessions(director) if view["session"] == session), None)


def at_segment(director, number):
    """The session that streams, when it is at a segment."""
    refused = []

    def look():
        try:
            return streaming(director)
        except HTTPError as error:
            refused.append(error.read())
            return None

    return wait_until(look, lambda view: view and view["present"]["segment"] >= number, why=lambda: refused[-3:])


def is_still(path):
    """Whether nothing comes for a second."""
    before = path.stat().st_size
    time.sleep(1.0)
    return path.stat().st_size == before


@pytest.mark.peer("tshark")
def test_the_streams_end_when_the_console_orders_it_and_the_engine_tells_the_director(
    network, program, film_bytes, tmp_path
):
    director, output = network.director("north"), tmp_path / "film.ts"
    with capture(network, tmp_path) as wire:
        console = play_push(network, program, output)
        session = at_segment(director["control"], 2)["session"]
        console.send_signal(signal.SIGINT)
        console.communicate(timeout=60)
        wait_until(lambda: state(director["control"], session), lambda told: told == "ended", why=network.logs)

    # repeating ... until the media console orders the media engine that streams to cease;
    ceases = wire.said("engine/cease", session=session, cause="ceased")
    (ceased,) = [cease for cease in ceases if cease.answer["cursor"]]
    assert ceased.body.get("epoch") is None

    # notifying the media director by that engine
    (stopped,) = wire.said("director/stopped", session=session, cause="ceased")
    assert stopped.source == ceased.destination
    assert wire.datagrams[-1].number < ceased.answered
    assert film_bytes.startswith(output.read_bytes())


@pytest.mark.peer("tshark")
def test_a_viewer_at_a_terminal_pauses_and_nothing_is_lost_or_sent_twice(network, program, film_bytes, tmp_path):
    director, output = network.director("north"), tmp_path / "film.ts"
    command = [str(BIN / "media-console"), "play", program["program"], "--station", "north", "--by", "push"]
    with (
        capture(network, tmp_path) as wire,
        at_a_terminal([*command, "--output", str(output)], network.environment) as (console, terminal),
    ):
        session = at_segment(director["control"], 1)["session"]
        for _ in range(2):
            terminal.press(SPACE)
            wait_until(
                lambda: state(director["control"], session),
                lambda told: told == "paused",
                why=lambda: terminal.seen + network.logs(),
            )
            wait_until(lambda: terminal.seen, lambda seen: "paused at 0:0" in seen)
            assert is_still(output)
            # Nobody has it: a blade could go.
            station = network.say(director["control"], "director/station")
            assert [engine["streams"] for engine in station["engines"]] == [0] * len(station["engines"])
            terminal.press(SPACE)
            present = streaming(director["control"])
            at_segment(director["control"], (present["present"]["segment"] if present else 0) + 1)
        printed, _ = console.communicate(timeout=60)
        assert console.returncode == 0, printed + terminal.seen + network.logs()
    assert output.read_bytes() == film_bytes
    assert "intact" in printed

    told = {"session": session, "destination": director["address"]}  # the service address leads there
    pauses, resumes = wire.said("director/pause", **told), wire.said("director/resume", **told)
    assert len(pauses) == len(resumes) == 2
    for pause, resume in zip(pauses, resumes, strict=True):
        # The engine that streams is ordered to cease, and nothing leaves any engine until the console says so.
        assert not [frame for frame in wire.datagrams if pause.answered < frame.number < resume.number]
        place = pause.answer["place"]
        assert resume.answer["place"] == place
        starts = wire.said("engine/start", session=session)
        (start,) = [one for one in starts if resume.number < one.number < resume.answered]
        assert (start.source, start.body["packet"]) == (director["address"], place["packet"])
    assert sha256(b"".join(frame.data for frame in wire.datagrams)) == program["sha256"]


def test_arrows_go_on_and_back_and_what_came_is_what_lies_there(network, program, film_bytes, tmp_path):
    director, output = network.director("north")["control"], tmp_path / "film.ts"
    begins = begins_of(program, network)
    command = [str(BIN / "media-console"), "play", program["program"], "--station", "north", "--by", "push"]
    with at_a_terminal([*command, "--output", str(output)], network.environment) as (console, terminal):
        session = at_segment(director, 1)["session"]
        terminal.press(SPACE)
        wait_until(lambda: state(director, session), lambda told: told == "paused", why=network.logs)
        terminal.press(RIGHT + SPACE)  # ten seconds on are more than there are: to the last segment
        at_segment(director, program["segments"] - 1)
        terminal.press(LEFT)  # and back to the beginning
        wait_until(lambda: streaming(director), lambda view: view and view["present"]["segment"] == 0)
        printed, _ = console.communicate(timeout=60)
        assert console.returncode == 0, printed + terminal.seen + network.logs()
    received = output.read_bytes()
    assert received.endswith(film_bytes)
    # Before that came the film from its beginning, and then the last segment from its own.
    before, last = received[: -len(film_bytes)], film_bytes[begins[-2] :]
    assert any(
        film_bytes.startswith(before[:left]) and last.startswith(before[left:])
        for left in range(PACKET_BYTES, len(before), PACKET_BYTES)
    )
    assert "2 jumps" in printed


@pytest.mark.peer("gst-launch-1.0")
def test_a_player_that_nobody_here_wrote_receives_exactly_what_is_between_the_orders(
    network, program, film_bytes, tmp_path, free_port
):
    director, output, port = network.director("north"), tmp_path / "player.ts", free_port()
    console = f"127.0.0.1:{port}"
    begins = begins_of(program, network)
    with gstreamer(output, port):
        play = network.say(director["media"], "director/play", program=program["program"], console=console)
        order = {"session": play["session"], "ticket": play["ticket"]}
        network.say(play["engine"], "engine/stream", turn=play["turn"], **order)
        with watching(network, director["media"], play["session"]):
            at_segment(director["control"], 1)
            first = network.say(director["media"], "director/pause", **order)["place"]["packets"] * PACKET_BYTES
            wait_until_length(output, first)
            assert is_still(output)
            network.say(director["media"], "director/resume", **order)
            at_segment(director["control"], 3)
            answer = network.say(director["media"], "director/seek", to_ms=6500, **order)
            assert answer["state"] == "streaming"
            (jump,) = jumps(network, director["media"], play["session"])
            second = jump["left"]["packets"] * PACKET_BYTES
            number = jump["begins"]["segment"]
            assert (jump["begins"]["packets"] * PACKET_BYTES, jump["begins"]["packet"]) == (begins[number], 0)
            wait_until_length(output, second + len(film_bytes) - begins[number])
            wait_until(lambda: state(director["control"], play["session"]), lambda told: told == "ended")
    assert first < second
    assert output.read_bytes() == film_bytes[:second] + film_bytes[begins[number] :]


@contextmanager
def mpv(url, port, output):
    """An mpv that writes the stream that comes to a UDP port, as it is, until nothing has come for a while."""
    player = subprocess.Popen(
        ["mpv", "--no-config", "--no-terminal", "--network-timeout=10", f"--stream-dump={output}", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_bound(port), process=player)
        yield player
        player.wait(timeout=PATIENCE_S)
    finally:
        player.kill()
        player.wait()


@pytest.mark.peer("mpv")
def test_the_keys_of_the_console_pause_what_another_player_receives(network, program, film_bytes, tmp_path):
    director, output = network.director("north")["control"], tmp_path / "mpv.ts"
    found = network.json("media-console", "url", program["program"], "--station", "north", "--by", "udp")
    name, *arguments = found["send"].split()
    with (
        mpv(found["url"], int(found["url"].rpartition(":")[2]), output),
        at_a_terminal([str(BIN / name), *arguments], network.environment) as (console, terminal),
    ):
        session = at_segment(director, 1)["session"]
        terminal.press(SPACE)
        wait_until(lambda: state(director, session), lambda told: told == "paused", why=lambda: terminal.seen)
        assert is_still(output)
        (shown,) = [
            row for row in network.json("blade-agent", "sessions", "--director", director) if row["session"] == session
        ]
        assert (shown["state"], shown["program"]) == ("paused", program["program"])
        terminal.press(SPACE)
        printed, _ = console.communicate(timeout=60)
        assert console.returncode == 0, printed + terminal.seen + network.logs()
    assert output.read_bytes() == film_bytes


@contextmanager
def watching(network, director, session):
    """Say that somebody watches, while the context is open."""
    done = threading.Event()

    def say():
        while not done.wait(1.0):
            network.say(director, "director/watching", session=session)

    saying = threading.Thread(target=say)
    saying.start()
    try:
        yield
    finally:
        done.set()
        saying.join()


def jumps(network, director, session):
    view = network.say(director, "director/watching", session=session)
    return [turn["jump"] for turn in view["served"] if turn["jump"]]
