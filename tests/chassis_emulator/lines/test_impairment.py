"""Faults of a line, byte by byte: what each does, and that nothing else happens."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_emulator.faults.kinds import (
    CutFrames,
    DelayedFrames,
    DoubledFrames,
    LostFrames,
    Noise,
    NoiseBursts,
    StuckLine,
)
from chassis_emulator.lines.impairment import Impairment

AT = "north/3"
ENDED_S = 1e6

frames = st.binary(max_size=30).map(lambda data: b"\xa0" + data.replace(b"\xa0", b"?").replace(b"\xa5", b"?") + b"\xa5")
loose = st.binary(min_size=1, max_size=5).map(lambda data: data.replace(b"\xa0", b"!"))
traffic = st.lists(st.tuples(frames | loose | st.binary(max_size=40), st.floats(0, 1)), max_size=30)
faults = st.lists(
    st.one_of(
        st.builds(Noise, target=st.just(AT), bit_error_rate=st.floats(1e-4, 0.5), seed=st.integers(0, 9)),
        st.builds(NoiseBursts, target=st.just(AT), bursts_per_s=st.floats(0.1, 100), seed=st.integers(0, 9)),
        *(
            st.builds(kind, target=st.just(AT), share=st.floats(0, 1), seed=st.integers(0, 9))
            for kind in (LostFrames, DoubledFrames, CutFrames, DelayedFrames)
        ),
        st.builds(StuckLine, target=st.just(AT), seed=st.integers(0, 9)),
    ),
    max_size=4,
)


def frame(number: int, length: int = 10) -> bytes:
    return b"\xa0" + b"%04d" % number * length + b"\xa5"


def carry(fault, pieces):
    """What comes of pieces pushed a hundredth of a second apart, and the counters."""
    line, got = Impairment(), bytearray()
    line.suffer([fault], "to-blade", 0.0)
    for number, piece in enumerate(pieces):
        line.push(piece, number / 100)
        got += line.due(number / 100)
    line.suffer([], "to-blade", len(pieces) / 100)
    return bytes(got + line.due(ENDED_S)), line.counters


@given(traffic)
def test_without_a_fault_bytes_out_are_bytes_in_at_once(story):
    line, now = Impairment(), 0.0
    for data, pause_s in story:
        now += pause_s
        assert line.clear
        line.push(data, now)
        assert line.due(now) == data
        assert line.next_at() is None


@given(traffic, st.sampled_from([LostFrames, DoubledFrames, CutFrames, DelayedFrames]))
def test_a_fault_that_never_strikes_changes_no_byte(story, kind):
    got, _ = carry(kind(target=AT, share=0.0, seed=1), [data for data, _ in story])
    assert got == b"".join(data for data, _ in story)


@settings(deadline=None)
@given(traffic, faults, faults)
def test_any_faults_and_any_bytes_leave_a_line_that_works_again(story, first, then):
    def told():
        line, now, got = Impairment(), 0.0, bytearray()
        for chosen in (first, then):
            line.suffer(chosen, "to-manager", now)
            for data, pause_s in story:
                now += pause_s
                line.push(data, now)
                got += line.due(now)
                at = line.next_at()
                assert at is None or at >= now
        line.suffer([], "to-manager", now)
        line.due(now + 1000)
        assert line.clear
        assert line.held_bytes == 0
        line.push(b"\xa0after all\xa5", now + 1000)
        assert line.due(now + 1000) == b"\xa0after all\xa5"
        return got, line.counters

    assert told() == told(), "the same seeds give the same bytes"


@pytest.mark.parametrize("rate", [1e-3, 0.01, 0.5])
def test_noise_flips_bits_at_its_rate_and_nothing_else(rate):
    sent = bytes(50_000)
    got, counters = carry(
        Noise(target=AT, bit_error_rate=rate, seed=7), [sent[i : i + 50] for i in range(0, 50_000, 50)]
    )
    flipped = sum(byte.bit_count() for byte in got)
    assert len(got) == len(sent)
    assert counters.flipped_bits == flipped == pytest.approx(400_000 * rate, rel=0.15)


def test_bursts_come_at_their_rate_on_an_idle_line():
    line, got, now = Impairment(), 0, 0.0
    line.suffer([NoiseBursts(target=AT, bursts_per_s=200, burst_bytes=4, seed=3)], "to-blade", now)
    while (at := line.next_at()) is not None and at <= 30.0:
        assert at > now
        now = at
        got += len(line.due(now))
    assert line.counters.bursts == pytest.approx(30 * 200 / 2, rel=0.1)
    assert line.counters.burst_bytes == got == pytest.approx(line.counters.bursts * 2.5, rel=0.1)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_frames_are_lost_and_what_is_none_comes(share):
    pieces = [piece for number in range(1000) for piece in (frame(number), b"\xa6")]
    got, counters = carry(LostFrames(target=AT, share=share, seed=5), pieces)
    assert counters.lost_frames == pytest.approx(1000 * share, rel=0.3, abs=1)
    assert got.count(b"\xa5") == 1000 - counters.lost_frames
    assert got.count(b"\xa6") == 1000


def test_frames_come_twice_in_order():
    sent = [frame(number) for number in range(1000)]
    got, counters = carry(DoubledFrames(target=AT, share=0.3, seed=5), sent)
    came = [part + b"\xa5" for part in got.split(b"\xa5")[:-1]]
    assert list(dict.fromkeys(came)) == sent
    assert Counter(Counter(came).values()) == {1: 1000 - counters.doubled_frames, 2: counters.doubled_frames}
    assert counters.doubled_frames == pytest.approx(300, rel=0.2)


def test_frames_break_off():
    got, counters = carry(CutFrames(target=AT, share=0.3, seed=5), [frame(1)] * 1000)
    assert got.count(b"\xa0") == 1000
    assert got.count(b"\xa5") == 1000 - counters.cut_frames
    assert counters.cut_frames == pytest.approx(300, rel=0.2)


def test_a_delayed_frame_holds_up_what_comes_after_it():
    line = Impairment()
    line.suffer([DelayedFrames(target=AT, share=1.0, delay_ms=500, seed=1)], "to-blade", 0.0)
    line.push(frame(1), 0.0)
    line.push(b"\xa6", 0.25)
    assert line.due(0.49) == b""
    assert line.next_at() == 0.5
    assert line.due(0.5) == frame(1) + b"\xa6"
    assert line.counters.delayed_frames == 1


def test_a_stuck_line_carries_nothing_until_it_is_mended():
    line = Impairment()
    line.suffer([StuckLine(target=AT)], "to-blade", 0.0)
    line.push(frame(1), 0.0)
    assert line.due(10.0) == b""
    line.suffer([], "to-blade", 10.0)
    line.push(frame(2), 10.0)
    assert line.due(10.0) == frame(2)
    assert line.counters.swallowed_bytes == len(frame(1))


def test_the_two_directions_have_each_their_own_chance():
    ways = []
    for way in ("to-blade", "to-manager"):
        line = Impairment()
        line.suffer([Noise(target=AT, bit_error_rate=0.1, seed=7)], way, 0.0)
        line.push(bytes(100), 0.0)
        ways.append(line.due(0.0))
    assert ways[0] != ways[1]


def test_another_fault_beside_it_does_not_begin_one_anew():
    noise, line = Noise(target=AT, bit_error_rate=0.1, seed=7), Impairment()
    line.suffer([noise], "to-blade", 0.0)
    line.push(bytes(100), 0.0)
    first = line.due(0.0)
    line.suffer([noise, LostFrames(target=AT, share=0.0, seed=1)], "to-blade", 1.0)
    line.push(bytes(100), 1.0)
    assert first + line.due(1.0) == carry(noise, [bytes(200)])[0]
