"""Claim 21: a viewer goes fast through a segment that is still arriving, as the wire and the player saw it."""

import subprocess
import time
from dataclasses import dataclass
from itertools import groupby

import pytest

from blade_agent.main_board.director.sessions.states import Ended
from blade_agent.main_board.engine.sending.trick_play import TrickPlay
from media_network.packets import DATAGRAM_BYTES
from media_network.segment_index import BLOCK_BYTES, parse_index
from media_network.trick import Trick
from tests.addresses import free_port, is_bound
from tests.claims.core_run import CoreRun
from tests.claims.swapping import (
    PACKET_BYTES,
    PICTURES_A_SECOND,
    SHOWN_EVERY,
    at_one_engine,
    engine_at,
    ingest,
    viewer,
)
from tests.claims.wire import Capture, capture
from tests.patience import PATIENCE_S, wait_until

SCALE = 2
TIMES_THE_RATE = 1.2
"""So fast comes the segment: in time for who plays it, and not for who goes fast."""
SETTLES_S = 1.5
"""So long a viewer takes to begin, and to want it faster: meanwhile some of the segment arrives."""
SILENT_US = 5_000_000
"""When so long nothing has come the player takes it for the end."""
ON_ITS_WAY_S = 0.2
"""What was given so long before has been verified, as far as its blocks are whole."""


@dataclass
class Played:
    """What came of it."""

    program: dict
    first: dict
    """The engine that was still receiving the segment."""
    third: dict
    """The one that had all of it."""
    viewer: object
    given: list
    """When how much of it had been given to the first one."""
    wire: Capture
    complaints: str
    """Of the player."""
    pictures: int
    """That it showed."""

    @property
    def datagrams(self):
        """Those that went to the player."""
        return [frame for frame in self.wire.datagrams if frame.port == self.viewer.port]

    @property
    def own_bytes(self):
        """How much came at the program's own speed."""
        session, first = self.viewer.session, self.first["address"]
        (ordered,) = self.wire.said("engine/preload", destination=first, session=session, redirected=False)
        return ordered.body["trick"]["entered"] * PACKET_BYTES

    def arrived_bytes(self, at):
        """How much of the segment had certainly arrived, and been verified, at a moment."""
        given = max((sent for when, sent in self.given if when <= at - ON_ITS_WAY_S), default=0)
        return given // BLOCK_BYTES * BLOCK_BYTES


class Ffmpeg:
    """A player that shows what comes to a UDP port, and says what is wrong with it."""

    def __init__(self, port, folder):
        self._log, self._shown = folder / "ffmpeg.log", folder / "shown.txt"
        self._source = (
            f"udp://127.0.0.1:{port}?localaddr=127.0.0.1&buffer_size=4194304&fifo_size=100000&timeout={SILENT_US}"
        )
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                ["ffmpeg", "-nostdin", "-v", "error", "-i", self._source, "-map", "0:v", "-f", "framecrc", self._shown],
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: is_bound(port), process=self._process)

    def end(self):
        """Wait until it has seen that nothing more comes; returns what it complained of before, and how many pictures
        it showed."""
        self._process.wait(timeout=PATIENCE_S)
        shown = [line for line in self._shown.read_text().splitlines() if not line.startswith("#")]
        complaints, _, _ = self._log.read_text().partition(self._source)
        return complaints, len(shown)


@pytest.fixture(scope="module")
def played(swaps, tmp_path_factory):
    """A viewer of a segment whose engine is full: it comes from another, which receives it meanwhile. He goes fast, and
    the one before him leaves."""
    folder, port = tmp_path_factory.mktemp("claim-21"), free_port()
    program = ingest(swaps, folder, 320)
    with at_one_engine(swaps, program, "slow", TIMES_THE_RATE) as (source, third), viewer(swaps, program) as before:
        before.begin()
        with capture(swaps, folder) as wire, viewer(swaps, program, port) as watching:
            time.sleep(SETTLES_S)
            player = Ffmpeg(port, folder)
            watching.begin()
            time.sleep(SETTLES_S)
            watching.scale(SCALE)
            before.cease()
            watching.wait_until("ended")
            complaints, pictures = player.end()
        first = engine_at(swaps, watching.engine)
        return Played(program, first, third, watching, source.given, wire, complaints, pictures)


@pytest.mark.peer("tshark")
@pytest.mark.peer("ffmpeg")
def test_an_engine_that_foresees_an_underrun_has_another_take_its_place(swaps, played):
    wire, first, third, session = played.wire, played.first["address"], played.third["address"], played.viewer.session
    director = swaps.director("north")["address"]

    # the media director has directed the first media engine to fetch the first segment and the step of redirecting
    # occurs during receipt of the segment
    (fetch,) = wire.said("engine/fetch", source=director, destination=first, program=played.program["program"])
    (play,) = wire.said("director/play", destination=director, console=played.viewer.console)
    assert play.answer["engine"] == played.first["media"]
    bytes_of_it = f"segments/{played.program['program']}/{fetch.body['table']}/0.ts"
    (copy,) = (one for one in wire.messages if one.source == first and one.path.startswith(bytes_of_it))
    assert copy.number < play.answered
    (done,) = wire.said("director/copy-done", source=first)

    # receiving a fast forward request of the stream from the media console
    (faster,) = wire.said("director/scale", destination=director, session=session)
    assert faster.answer["scale"] == SCALE
    (begun,) = wire.said("engine/start", source=director, destination=first, session=session)

    # identifying the potential for a streaming error if the fast forward exceeds the portion of the segment which has
    # been received by the media engine; notifying the media director of the impending error state
    questions = wire.said("director/next-segment", source=first, session=session)
    assert all(question.body["underrun"] for question in questions)
    notified, answered = questions[0], questions[-1]
    for question in questions:
        # The cursor is where everything has come: it is foreseen, and far from there.
        reached = question.body["packet"] * SCALE * PACKET_BYTES
        arrived = played.arrived_bytes(question.at)
        assert reached < arrived
        missed = question.body["underrun"]
        assert missed["packet"] * SCALE * PACKET_BYTES > arrived - BLOCK_BYTES
        assert missed["in_ms"] > 500
    assert copy.number < notified.number < done.number, "the segment is still arriving"

    # replying to the media engine with the identification of a third media engine having the entire segment
    offer = answered.answer["hand_over"]
    assert (offer["engine"], offer["segment"]["number"]) == (played.third["control"], 0)
    assert len(swaps.stored(played.third, played.program["program"])[0]) == offer["segment"]["length_bytes"]

    # requesting of the third media engine a swap identifying the media console in current communication
    (swap,) = wire.said("engine/swap", source=first, destination=third)
    assert swap.body["preload"]["console"] == played.viewer.console
    assert (swap.body["preload"]["turn"], swap.body["exchange"]) == (offer["turn"], None)

    # streaming of data by the third media engine from the segment to media console
    (start,) = wire.said("engine/start", source=first, destination=third, session=session)
    senders = [sender for sender, _ in groupby(frame.source for frame in played.datagrams)]
    assert senders == [first, third]
    from_third = next(frame for frame in played.datagrams if frame.source == third)
    in_order = [play.answered, faster.number, begun.number, notified.number, answered.answered]
    in_order += [swap.number, swap.answered, start.number, from_third.number]
    assert in_order == sorted(in_order)


@pytest.mark.peer("tshark")
@pytest.mark.peer("ffmpeg")
def test_what_was_said_is_a_run_of_the_core(swaps, played):
    run = CoreRun(played.wire, swaps.director("north")["address"], played.viewer.session).check()
    assert isinstance(run.core.state, Ended)
    assert run.turns == [1, 2, 3], "at its own speed, fast, and fast at the third engine"


@pytest.mark.peer("tshark")
@pytest.mark.peer("ffmpeg")
def test_what_comes_is_what_one_engine_with_the_whole_segment_would_have_sent(swaps, played):
    wire, session = played.wire, played.viewer.session
    whole = swaps.stored(played.third, played.program["program"])[0]
    (begun,) = wire.said("engine/start", destination=played.first["address"], session=session)
    sent = b"".join(frame.data for frame in played.datagrams)
    # At its own speed, up to where it became faster; then fast, from there on.
    assert sent[: played.own_bytes] == whole[: played.own_bytes]
    (swap,) = wire.said("engine/swap", source=played.first["address"])
    assert (
        sent[played.own_bytes :] == at_speed(swaps, played, swap.body["preload"])[begun.body["packet"] * PACKET_BYTES :]
    )


@pytest.mark.peer("tshark")
@pytest.mark.peer("ffmpeg")
def test_the_player_finds_nothing_wrong_but_the_picture_in_the_middle_of_which_its_viewer_wanted_it_faster(played):
    assert played.complaints.count("error while decoding") <= 1, played.complaints
    fast_bytes = sum(len(frame.data) for frame in played.datagrams) - played.own_bytes
    fast_s = fast_bytes * 8 / played.program["rate_bps"]
    own_s = played.own_bytes * 8 / played.program["rate_bps"]
    expected = own_s * PICTURES_A_SECOND + fast_s * SCALE * PICTURES_A_SECOND / SHOWN_EVERY
    assert played.pictures == pytest.approx(expected, abs=8)


@pytest.mark.peer("tshark")
@pytest.mark.peer("ffmpeg")
def test_in_what_came_fast_a_player_finds_nothing_wrong_at_all(played, tmp_path):
    path = tmp_path / "fast.ts"
    path.write_bytes(b"".join(frame.data for frame in played.datagrams)[played.own_bytes :])
    decoded = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", path, "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (decoded.returncode, decoded.stderr) == (0, "")


def at_speed(network, played, order):
    """All of a turn at another speed, from the segment that the third engine holds."""
    (path,) = network.segment_files(played.third, played.program["program"])
    content = path.read_bytes()
    index = parse_index(
        path.with_suffix(".index").read_bytes(),
        packets=len(content) // PACKET_BYTES,
        ticks=order["segment"]["duration_ticks"],
        length_bytes=len(content),
    )
    play, made = TrickPlay(index, Trick(**order["trick"]), order["rate_bps"], len(content)), []
    while True:
        if part := play.ask(len(content)):
            part.buffer[:] = content[part.offset : part.offset + len(part.buffer)]
            play.put(part)
        taken = bytes(play.take(DATAGRAM_BYTES))
        if not (taken or part):
            return b"".join(made)
        made.append(taken)
