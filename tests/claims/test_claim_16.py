"""Claim 16: a stream is handed over from engine to engine, as the wire saw it."""

from itertools import accumulate, pairwise

import pytest

from blade_agent.main_board.director.sessions.states import Ended
from tests.claims.conftest import sha256
from tests.claims.core_run import CoreRun
from tests.claims.wire import Capture, capture


@pytest.fixture(scope="module")
def program(network, film):
    """Eight segments, each of them on one engine of `north`: no segment has the engine of the one before it."""
    return network.publish(film(8), "north", segment_ms=1000, copies=1)


@pytest.fixture(scope="module")
def played(network, program, tmp_path_factory):
    """A console at `north`: what it reports, the bytes it wrote, and what was on the wire meanwhile."""
    folder = tmp_path_factory.mktemp("claim-16")
    with capture(network, folder) as wire:
        report = network.play(program["program"], "north", "push", folder / "film.ts")
    return report, (folder / "film.ts").read_bytes(), wire


@pytest.mark.peer("tshark")
def test_the_request_of_the_media_console_is_redirected(network, program, played):
    _, _, wire = played
    director = network.director("north")

    # receiving a request for a first segment by the media director from the media console
    (play,) = wire.said("director/play", destination=director["address"], program=program["program"])

    # identifying the location of the first segment in a segment location table;
    # redirecting the media console to the IP address of a first media engine
    (first,) = (engine for engine in network.engines("north") if engine["media"] == play.answer["engine"])
    assert 0 in network.stored(first, program["program"])

    # requesting the first segment from the first media engine
    (stream,) = wire.said("engine/stream", destination=first["address"])
    assert stream.body["session"] == play.answer["session"]

    # streaming data from the first media engine
    assert wire.datagrams[0].source == first["address"]
    assert play.answered < stream.number < wire.datagrams[0].number


@pytest.mark.peer("tshark")
def test_the_stream_is_handed_over_at_the_end_of_each_segment(network, program, played):
    report, _, wire = played
    director = network.director("north")["address"]
    addresses = {row[port]: row["address"] for row in network.engines("north") for port in ("control", "media")}
    (play,) = wire.said("director/play", destination=director, program=program["program"])
    session, lengths = play.answer["session"], [segment["bytes"] for segment in report["segments"]]
    frames = frames_by_segment(wire.datagrams, lengths)
    sending, turn = addresses[play.answer["engine"]], play.answer["turn"]

    for number in range(program["segments"] - 1):
        # detecting the segment being streamed as near its end;
        # requesting the location of the next segment from the media director
        (question,) = wire.said("director/next-segment", source=sending, session=session, turn=turn, segment=number)
        assert question.destination == director

        # locating the next segment in the segment location table; replying with the identification of the next segment
        # and the IP address of a second media engine where the next segment resides
        offer = question.answer["hand_over"]
        assert offer["segment"]["number"] == number + 1
        second, turn = addresses[offer["engine"]], offer["turn"]
        assert second != sending

        # notifying the second media engine to preload the next segment
        (preload,) = wire.said("engine/preload", source=sending, destination=second, session=session, turn=turn)
        assert preload.body["segment"] == offer["segment"]
        assert preload.body["console"] == play.body["console"]

        # upon completion of the streaming of the first segment, directing the second media engine to start streaming
        # the next segment to the IP address of the media console
        (start,) = wire.said("engine/start", source=sending, destination=second, session=session, turn=turn)
        assert start.body["packet"] == 0

        # streaming the data of the next segment from the second media engine to the media console
        assert {frame.source for frame in frames[number + 1]} == {second}
        in_order = [question.number, question.answered, preload.number, preload.answered]
        in_order += [frames[number][-1].number, start.number, frames[number + 1][0].number]
        assert in_order == sorted(in_order)

        # upon assumption of the communication of the stream with the media console, notifying the media director
        (assumed,) = wire.said("director/assumed", source=second, session=session, turn=turn)
        assert (assumed.destination, assumed.body["segment"], assumed.body["packet"]) == (director, number + 1, 0)
        sending = second


@pytest.mark.peer("tshark")
def test_what_was_said_is_a_run_of_the_core(network, program, played):
    _, _, wire = played
    director = network.director("north")["address"]
    (play,) = wire.said("director/play", destination=director, program=program["program"])
    run = CoreRun(wire, director, play.answer["session"]).check()
    assert isinstance(run.core.state, Ended)
    assert run.turns == list(range(1, program["segments"] + 1))


@pytest.mark.peer("tshark")
def test_what_lacks_a_message_is_none(network, program, played):
    _, _, wire = played
    director = network.director("north")["address"]
    (play,) = wire.said("director/play", destination=director, program=program["program"])
    session = play.answer["session"]
    # Without the last question the program ends all the same; a question stands for the word that a turn was assumed.
    questions = wire.said("director/next-segment", session=session)[:-1]
    for message in (play, *wire.said("engine/preload", source=director, session=session), *questions):
        less = Capture()
        less.messages = [one for one in wire.messages if one is not message]
        with pytest.raises((AssertionError, StopIteration)):
            CoreRun(less, director, session).check()
    with pytest.raises(AssertionError, match="no trace"):
        CoreRun(Capture(), director, session)


@pytest.mark.peer("tshark")
def test_each_segment_comes_from_an_engine_that_holds_it_and_the_whole_is_the_program(network, program, played):
    report, output, wire = played
    console = {frame.port for frame in wire.datagrams}
    assert len(console) == 1
    passed = b"".join(frame.data for frame in wire.datagrams)
    assert sha256(passed) == sha256(output) == report["sha256"] == program["sha256"]

    holders = {row["address"]: network.stored(row, program["program"]) for row in network.engines("north")}
    lengths = [segment["bytes"] for segment in report["segments"]]
    sources = []
    for segment, frames in zip(report["segments"], frames_by_segment(wire.datagrams, lengths), strict=True):
        (source,) = {frame.source for frame in frames}
        assert sha256(b"".join(frame.data for frame in frames)) == segment["sha256"]
        assert holders[source][segment["number"]] == b"".join(frame.data for frame in frames)
        assert segment["engine"].partition(":")[0] == source
        sources.append(source)
    assert len(set(sources)) == 3
    assert report["hand_overs"] == program["segments"] - 1 >= 5
    assert all(earlier != later for earlier, later in pairwise(sources))


def frames_by_segment(datagrams, lengths):
    """The frames of each segment; none carries bytes of two."""
    ends = list(accumulate(lengths))
    frames, sent_bytes = [[] for _ in lengths], 0
    for frame in datagrams:
        number = next(index for index, end in enumerate(ends) if sent_bytes < end)
        sent_bytes += len(frame.data)
        assert sent_bytes <= ends[number]
        frames[number].append(frame)
    assert sent_bytes == ends[-1]
    return frames
