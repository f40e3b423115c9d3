from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_emulator.media_console.reassembly import Reassembly
from media_network.packets import DATAGRAM_BYTES
from tests.chassis_emulator.media_console.scripted_station import film

SOURCES = "127.1.2.2:4000", "127.1.2.3:4000", "127.1.2.4:4000"


def datagrams(bodies):
    """What engines send: (segment, number in it, source, bytes)."""
    return [
        (segment, number, SOURCES[segment % 3], body[begin : begin + DATAGRAM_BYTES])
        for segment, body in enumerate(bodies)
        for number, begin in enumerate(range(0, len(body), DATAGRAM_BYTES))
    ]


def told(program):
    """A reassembly that is told all segments beforehand."""
    reassembly = Reassembly(program.header)
    for segment in program.segments:
        reassembly.tell(segment)
    return reassembly


def receive(program, stream, late=-1000, untold=()):
    """Take a stream; each segment is told `late` datagrams after its turn begins, and at the end at the latest."""
    reassembly, waiting = Reassembly(program.header), [one for one in program.segments if one.number not in untold]
    for place, (_, _, source, data) in enumerate(stream):
        while waiting and place >= late and waiting[0].number <= stream[min(place - late, len(stream) - 1)][0]:
            reassembly.tell(waiting.pop(0))
        assert reassembly.feed(data, source)
    for segment in waiting:
        reassembly.tell(segment)
    reassembly.finish(stopped=False)
    return reassembly


LATE = pytest.mark.parametrize("late", [-1000, 0, 1, 3, 12, 1000])


@LATE
def test_a_whole_stream(late):
    program, bodies = film(20, 7, 1, 33, 14)
    reassembly = receive(program, datagrams(bodies), late)
    assert reassembly.is_whole
    assert reassembly.sha256 == program.header.sha256
    assert reassembly.hand_overs == 4
    assert [(one.number, one.bytes, one.sha256, one.engine, one.intact) for one in reassembly.segments] == [
        (n, len(body), sha256(body).hexdigest(), SOURCES[n % 3], True) for n, body in enumerate(bodies)
    ]


@LATE
@pytest.mark.parametrize("packets", [(21, 21, 21, 21), (20, 35, 9, 50), (7, 14, 14, 7), (100, 15, 15, 15)])
def test_any_one_datagram_lost_damages_its_segment_only(packets, late):
    program, bodies = film(*packets)
    stream = datagrams(bodies)
    for lost in stream:
        received = receive(program, [one for one in stream if one is not lost], late)
        assert not received.is_whole
        assert [one.number for one in received.segments] == [0, 1, 2, 3]
        assert [one.number for one in received.segments if not one.intact] == [lost[0]], lost[:2]
        assert received.segments[lost[0]].bytes == len(bodies[lost[0]]) - len(lost[3])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_lost_what_is_intact_is_said_so(data):
    packets = data.draw(st.lists(st.integers(1, 30), min_size=2, max_size=7))
    program, bodies = film(*packets)
    stream = datagrams(bodies)
    lost = data.draw(st.sets(st.integers(0, len(stream) - 1), max_size=4))
    late = data.draw(st.integers(-20, 40))
    received = receive(program, [one for place, one in enumerate(stream) if place not in lost], late)
    damaged = {stream[place][0] for place in lost}
    said = {one.number for one in received.segments if not one.intact}
    assert said == damaged
    assert received.bytes == sum(len(one[3]) for place, one in enumerate(stream) if place not in lost)


def test_a_segment_taken_over_in_the_middle_has_two_sources():
    program, bodies = film(40, 7)
    reassembly = told(program)
    reassembly.feed(bodies[0][: 7 * 188], SOURCES[0])
    for begin in range(7 * 188, 40 * 188, 188 * 3):
        reassembly.feed(bodies[0][begin : begin + 188 * 3], SOURCES[1])
    reassembly.feed(bodies[1], SOURCES[1])
    first, second = reassembly.segments
    assert (first.engine, first.earlier, first.intact) == (SOURCES[1], (SOURCES[0],), True)
    assert (second.engine, second.earlier, second.intact) == (SOURCES[1], (), True)
    assert reassembly.hand_overs == 1


@LATE
def test_a_datagram_that_came_twice_damages_nothing_after_it(late):
    program, bodies = film(14, 14, 14)
    stream = datagrams(bodies)
    received = receive(program, [*stream[:2], stream[1], *stream[2:-1]], late)
    assert [one.intact for one in received.segments] == [True, True, False]


def test_strays_are_counted_and_not_taken():
    program, bodies = film(7)
    reassembly = told(program)
    for stray in (b"", b"GET / HTTP/1.1", bytes(187), bytes(188 * 8)):
        assert not reassembly.feed(stray, "127.6.6.6:6")
    assert reassembly.feed(bodies[0], SOURCES[0])
    assert not reassembly.feed(bodies[0], SOURCES[0])
    assert (reassembly.strays, reassembly.sha256, reassembly.hand_overs) == (5, program.header.sha256, 0)


def test_noise_in_place_of_the_stream_is_kept_within_bounds():
    program, _ = film(*[7] * 40)
    reassembly = told(program)
    for number in range(40):
        assert reassembly.feed(number.to_bytes(1) * DATAGRAM_BYTES, SOURCES[0])
    assert len(reassembly._pieces) <= 6
    reassembly.finish(stopped=False)
    assert [one.intact for one in reassembly.segments] == [False] * 40


def test_stopped_before_the_end_lists_what_had_begun():
    program, bodies = film(7, 14, 7)
    reassembly = told(program)
    reassembly.feed(bodies[0], SOURCES[0])
    reassembly.feed(bodies[1][:DATAGRAM_BYTES], SOURCES[1])
    reassembly.finish(stopped=True)
    assert [(one.number, one.bytes, one.intact) for one in reassembly.segments] == [(0, 1316, True), (1, 1316, False)]


def test_noise_in_place_of_a_stream_that_nobody_tells_is_kept_within_bounds():
    program, bodies = film(*[7] * 40)
    reassembly = Reassembly(program.header, kept_bytes_max=5 * DATAGRAM_BYTES)
    for number in range(20):
        assert reassembly.feed(number.to_bytes(1) * DATAGRAM_BYTES, SOURCES[0])
        assert len(reassembly._pieces) <= 6
    for body, segment in zip(bodies[20:], program.segments[20:], strict=True):
        reassembly.tell(segment)
        assert reassembly.feed(body, SOURCES[0])
    reassembly.finish(stopped=False)
    assert [one.intact for one in reassembly.segments[20:]] == [True] * 20
    assert True not in [one.intact for one in reassembly.segments[:20]]


@LATE
def test_segments_that_were_skipped_for_their_sender_was_lost_damage_nothing_after_them(late):
    program, bodies = film(21, 14, 28, 14, 35, 14, 21)
    # The sender was lost in segment 1; another went on within segment 4, nobody sent 2 and 3.
    stream = [one for one in datagrams(bodies) if one[:2] < (1, 1) or one[:2] > (4, 1)]
    received = receive(program, stream, late, untold=(2, 3))
    assert [one.intact for one in received.segments] == [True, False, False, False, False, True, True]
    assert [one.bytes for one in received.segments[2:4]] == [0, 0]


@LATE
def test_a_segment_whose_turn_a_lost_director_took_with_it(late):
    program, bodies = film(21, 14, 28, 14)
    whole = receive(program, datagrams(bodies), late, untold=(2,))
    assert [(one.bytes, one.intact) for one in whole.segments] == [(len(body), True) for body in bodies]
    stream = datagrams(bodies)
    damaged = receive(program, [one for one in stream if one[:2] != (1, 1)], late, untold=(2,))
    assert [one.intact for one in damaged.segments] == [True, False, None, True]
    assert damaged.bytes == program.header.length_bytes - len(stream[4][3])


def test_it_is_ahead_while_a_segment_comes_that_was_not_told():
    program, bodies = film(7, 14, 7)
    reassembly = Reassembly(program.header)
    reassembly.tell(program.segments[0])
    assert not reassembly.is_ahead
    reassembly.feed(bodies[0], SOURCES[0])
    assert not reassembly.is_ahead
    reassembly.feed(bodies[1][:DATAGRAM_BYTES], SOURCES[1])
    assert reassembly.is_ahead
    reassembly.tell(program.segments[1])
    assert not reassembly.is_ahead
    reassembly.feed(bodies[1][DATAGRAM_BYTES:], SOURCES[1])
    assert [one.intact for one in reassembly.segments] == [True, True]


def test_a_segment_that_is_told_twice_or_too_late_changes_nothing():
    program, bodies = film(7, 14, 7)
    reassembly = told(program)
    reassembly.feed(bodies[0], SOURCES[0])
    for segment in program.segments:
        reassembly.tell(segment)
    for body in bodies[1:]:
        reassembly.feed(body, SOURCES[0])
    reassembly.finish(stopped=False)
    assert [one.intact for one in reassembly.segments] == [True] * 3
