from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_emulator.media_console.reassembly import Reassembly
from media_network.program import DATAGRAM_BYTES
from tests.chassis_emulator.media_console.scripted_station import film

SOURCES = "127.1.2.2:4000", "127.1.2.3:4000", "127.1.2.4:4000"


def datagrams(bodies):
    """What engines send: (segment, number in it, source, bytes)."""
    return [
        (segment, number, SOURCES[segment % 3], body[begin : begin + DATAGRAM_BYTES])
        for segment, body in enumerate(bodies)
        for number, begin in enumerate(range(0, len(body), DATAGRAM_BYTES))
    ]


def receive(program, stream):
    reassembly = Reassembly(program)
    for _, _, source, data in stream:
        assert reassembly.feed(data, source)
    reassembly.finish(stopped=False)
    return reassembly


def test_a_whole_stream():
    program, bodies = film(20, 7, 1, 33, 14)
    reassembly = receive(program, datagrams(bodies))
    assert reassembly.is_whole
    assert reassembly.sha256 == program.sha256
    assert reassembly.hand_overs == 4
    assert [(one.number, one.bytes, one.sha256, one.engine, one.intact) for one in reassembly.segments] == [
        (n, len(body), sha256(body).hexdigest(), SOURCES[n % 3], True) for n, body in enumerate(bodies)
    ]


@pytest.mark.parametrize("packets", [(21, 21, 21, 21), (20, 35, 9, 50), (7, 14, 14, 7), (100, 15, 15, 15)])
def test_any_one_datagram_lost_damages_its_segment_only(packets):
    program, bodies = film(*packets)
    stream = datagrams(bodies)
    for lost in stream:
        received = receive(program, [one for one in stream if one is not lost])
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
    received = receive(program, [one for place, one in enumerate(stream) if place not in lost])
    damaged = {stream[place][0] for place in lost}
    said = {one.number for one in received.segments if not one.intact}
    assert said == damaged
    assert received.bytes == sum(len(one[3]) for place, one in enumerate(stream) if place not in lost)


def test_a_segment_taken_over_in_the_middle_has_two_sources():
    program, bodies = film(40, 7)
    reassembly = Reassembly(program)
    reassembly.feed(bodies[0][: 7 * 188], SOURCES[0])
    for begin in range(7 * 188, 40 * 188, 188 * 3):
        reassembly.feed(bodies[0][begin : begin + 188 * 3], SOURCES[1])
    reassembly.feed(bodies[1], SOURCES[1])
    first, second = reassembly.segments
    assert (first.engine, first.earlier, first.intact) == (SOURCES[1], (SOURCES[0],), True)
    assert (second.engine, second.earlier, second.intact) == (SOURCES[1], (), True)
    assert reassembly.hand_overs == 1


def test_a_datagram_that_came_twice_damages_nothing_after_it():
    program, bodies = film(14, 14, 14)
    stream = datagrams(bodies)
    received = receive(program, [*stream[:2], stream[1], *stream[2:-1]])
    assert [one.intact for one in received.segments] == [True, True, False]


def test_strays_are_counted_and_not_taken():
    program, bodies = film(7)
    reassembly = Reassembly(program)
    for stray in (b"", b"GET / HTTP/1.1", bytes(187), bytes(188 * 8)):
        assert not reassembly.feed(stray, "127.6.6.6:6")
    assert reassembly.feed(bodies[0], SOURCES[0])
    assert not reassembly.feed(bodies[0], SOURCES[0])
    assert (reassembly.strays, reassembly.sha256, reassembly.hand_overs) == (5, program.sha256, 0)


def test_noise_in_place_of_the_stream_is_kept_within_bounds():
    program, _ = film(*[7] * 40)
    reassembly = Reassembly(program)
    for number in range(40):
        assert reassembly.feed(number.to_bytes(1) * DATAGRAM_BYTES, SOURCES[0])
    assert len(reassembly._pieces) <= 6
    reassembly.finish(stopped=False)
    assert [one.intact for one in reassembly.segments] == [False] * 40


def test_stopped_before_the_end_lists_what_had_begun():
    program, bodies = film(7, 14, 7)
    reassembly = Reassembly(program)
    reassembly.feed(bodies[0], SOURCES[0])
    reassembly.feed(bodies[1][:DATAGRAM_BYTES], SOURCES[1])
    reassembly.finish(stopped=True)
    assert [(one.number, one.bytes, one.intact) for one in reassembly.segments] == [(0, 1316, True), (1, 1316, False)]
