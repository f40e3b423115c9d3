"""A program at another speed, as it leaves an engine: judged by ffprobe and ffmpeg, and by its own packets."""

import hashlib
import json
import subprocess
from itertools import pairwise

import pytest

from blade_agent.main_board.director.sessions.course import Course
from blade_agent.main_board.engine.sending.trick_play import TrickPlay
from distribution_center.content.segment_folder import index_path, segment_path
from media_network.packets import DATAGRAM_BYTES, TS_PACKET_BYTES
from media_network.segment_index import parse_index
from media_network.transport_stream import CLOCK_HZ, Packets
from tests.clips import render
from tests.distribution_center.content.ingested import ingested

SPEEDS = (2, 4, 8, 16, -1 * 2, -4, -16)
SECONDS, SEGMENT_MS, PICTURES_A_SECOND = 12, 2000, 5


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A program of six segments with five key pictures a second, and what lies in its spool."""
    folder = tmp_path_factory.mktemp("trick")
    source = render(folder / "film.mp4", SECONDS, 320, 180, gop=25 // PICTURES_A_SECOND)
    program, _ = ingested(source, folder / "spool", segment_ms=SEGMENT_MS)
    (spool,) = {path.parent for path in (folder / "spool").rglob("*.ts")}
    numbers = range(len(program.segments))
    segments = [segment_path(spool, number).read_bytes() for number in numbers]
    return program, segments, [index_path(spool, number).read_bytes() for number in numbers]


def play_of(film, course, number):
    program, segments, indexes = film
    segment = program.segments[number]
    index = parse_index(
        indexes[number], packets=segment.packets, ticks=segment.duration_ticks, length_bytes=segment.length_bytes
    )
    return TrickPlay(index, course.trick(program, number), program.rate_bps, segment.length_bytes), segments[number]


def read(play, data, *, readable=10**9, by=DATAGRAM_BYTES):
    """All that it gives, as the pusher takes it."""
    out = []
    while True:
        if part := play.ask(min(readable, len(data))):
            part.buffer[:] = data[part.offset : part.offset + len(part.buffer)]
            play.put(part)
        taken = bytes(play.take(by))
        if not (taken or part):
            return b"".join(out)
        out.append(taken)


def run_of(film, scale):
    """The whole program, one way, turn after turn."""
    program = film[0]
    entered = 0 if scale > 0 else program.segments.before(len(program.segments)).packets
    course = Course(scale, entered)
    number, turns = 0 if scale > 0 else len(program.segments) - 1, []
    while number is not None:
        turn = read(*play_of(film, course, number))
        assert len(turn) == course.packets(program, number) * TS_PACKET_BYTES
        turns.append(turn)
        number = course.after(program, number)
    return turns


@pytest.mark.peer("ffmpeg")
@pytest.mark.parametrize("scale", SPEEDS)
def test_whatever_the_speed_a_player_finds_nothing_wrong_and_the_length_is_right(film, scale, tmp_path):
    path = tmp_path / "fast.ts"
    path.write_bytes(b"".join(run_of(film, scale)))
    shown = probe(path)
    # Nothing is wrong with a counter, a time stamp or a picture.
    decoded = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-i", path, "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (decoded.returncode, decoded.stderr) == (0, "")
    times = [float(packet["pts_time"]) for packet in shown]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert all(packet["pts"] == packet["dts"] and "K" in packet["flags"] for packet in shown)
    header = film[0].header
    lasts_s = header.length_bytes * 8 / header.rate_bps / abs(scale)
    assert path.stat().st_size * 8 / header.rate_bps == pytest.approx(lasts_s, abs=0.05)
    assert times[-1] - times[0] <= lasts_s
    # What is shown is evenly there: no second without a picture, as far as the film lasts so long.
    assert all(later - earlier <= 1.0 for earlier, later in pairwise(times))


def probe(path):
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_packets", "-select_streams", "v", "-of", "json", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not told.stderr
    return json.loads(told.stdout)["packets"]


@pytest.mark.parametrize("scale", SPEEDS)
def test_counters_go_on_over_all_turns_and_the_clock_says_what_the_rate_is(film, scale):
    stream = b"".join(run_of(film, scale))
    packets, counters, clocks = Packets(stream), {}, []
    assert packets.out_of_step() is None
    for index in range(packets.count):
        pid, control = packets.pid(index), stream[index * TS_PACKET_BYTES + 3]
        if pid == 0x1FFF:
            continue
        if control & 0x10:
            assert control & 0xF == (counters.get(pid, -1) + 1) % 16, (index, pid)
        counters[pid] = control & 0xF
    assert set(counters) == {0, 0x1000, 0x100}
    clocks = list(packets.clock_references())
    for (index, clock), (later, later_clock) in pairwise(clocks):
        expected = (later - index) * TS_PACKET_BYTES * 8 * CLOCK_HZ / film[0].rate_bps
        assert later_clock - clock == pytest.approx(expected, abs=2)
        assert expected <= CLOCK_HZ * 0.1
    assert len(clocks) > 2


@pytest.mark.parametrize("scale", [4, -4])
def test_who_goes_on_in_the_middle_sends_what_the_one_before_would_have_sent(film, scale):
    program = film[0]
    course = Course(scale, 0 if scale > 0 else program.segments.before(len(program.segments)).packets)
    number = 2
    whole = read(*play_of(film, course, number))
    for packet in (1, 7, 200, len(whole) // TS_PACKET_BYTES - 3):
        play, data = play_of(film, course, number)
        play.seek(packet * TS_PACKET_BYTES)
        rest = read(play, data)
        assert hashlib.sha256(rest).digest() == hashlib.sha256(whole[packet * TS_PACKET_BYTES :]).digest()
    assert len(whole) > 200 * TS_PACKET_BYTES


def test_nothing_is_read_that_has_not_arrived_and_nothing_changes_by_it(film):
    program = film[0]
    course = Course(4, 0)
    play, data = play_of(film, course, 0)
    whole = read(*play_of(film, course, 0))
    needs = play.needs()
    assert needs == sorted(needs)
    assert needs[0][0] == 0
    came, half = b"", len(data) // 2
    came += read(play, data, readable=half)
    assert came == whole[: len(came)]
    first_missing = next(packet for packet, until in needs if until > half)
    assert len(came) <= first_missing * TS_PACKET_BYTES < len(whole)
    came += read(play, data)
    assert came == whole
    assert len(program.segments) == SECONDS * 1000 // SEGMENT_MS


def test_what_is_no_transport_stream_is_silent(film):
    program = film[0]
    play, data = play_of(film, Course(4, 0), 0)
    nothing = read(play, bytes(len(data)))
    assert len(nothing) == Course(4, 0).packets(program, 0) * TS_PACKET_BYTES
    assert set(nothing[2::TS_PACKET_BYTES]) == {0xFF}
