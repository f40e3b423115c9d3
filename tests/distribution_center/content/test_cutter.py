"""The cutter, on streams made by hand and on anything."""

from hashlib import sha256
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distribution_center.content import cutter as cutter_module
from distribution_center.content.cutter import (
    NEXT_RUN,
    CutError,
    CutPiece,
    CutSegment,
    Cutter,
    LostSync,
    NoRandomAccess,
    NotConstantRate,
    PacketBeginning,
    Run,
    TimeRunsBack,
    TruncatedPacket,
)
from media_network.packets import TS_PACKET_BYTES
from media_network.segment_index import KeyPicture, index_of, parse_index
from media_network.transport_stream import TIME_STAMP_TURN
from tests.distribution_center.content.packets import (
    CLOCK_ONLY,
    MAP,
    NULL,
    PAT,
    REST,
    SERVICES,
    SOUND,
    VIDEO_PID,
    clock_at,
    packet,
    picture,
)

RATE_BPS = 1_000_000
SECOND = 90_000


def cut(
    stream: bytes, *, target_ms: int = 2000, chunks: list[int] | None = None, length_ms: int = 6000
) -> tuple[list[bytes], Cutter]:
    """Cut a whole stream, fed in chunks of the lengths given, over and over; the segments' bytes."""
    cutter = Cutter(target_ms=target_ms, rate_bps=RATE_BPS)
    out: list[CutPiece | CutSegment] = []
    lengths, place = chunks or [len(stream) or 1], 0
    while place < len(stream):
        for length in lengths:
            out += cutter.feed(stream[place : place + length])
            place += length
    out += cutter.close(length_ms * 90)
    parts = [b""]
    for item in out:
        if isinstance(item, CutPiece):
            assert item.number == len(parts) - 1
            parts[-1] += item.data
        else:
            assert item.segment.number == len(parts) - 1
            _check_index(item, parts[-1])
            parts.append(b"")
    assert parts.pop() == b""
    return parts, cutter


def _check_index(cut_segment: CutSegment, content: bytes) -> None:
    """Whatever was cut: the index is accepted, and its blocks are the segment's."""
    segment, octets = cut_segment.segment, cut_segment.inside.octets()
    assert segment.index == sha256(octets).hexdigest()
    read = parse_index(octets, packets=segment.packets, ticks=segment.duration_ticks, length_bytes=segment.length_bytes)
    assert read == cut_segment.inside == index_of([content], read.key_pictures)


def indexes(stream: bytes, **how: object) -> list[tuple[KeyPicture, ...]]:
    """The key pictures of each segment."""
    found: list[tuple[KeyPicture, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "_check_index", lambda cut_segment, _: found.append(cut_segment.inside.key_pictures))
        cut(stream, **how)
    return found


def slice_of(kind: int, length_bytes: int = 20) -> bytes:
    """A packet in which a NAL unit of this type begins."""
    return packet(VIDEO_PID, b"\xaa" * 50 + bytes([0, 0, 1, 0x60 | kind]) + b"\xcc" * length_bytes)


def test_key_pictures_are_found_with_where_they_end_and_whether_anything_before_them_is_needed() -> None:
    refresh, recovery, message = slice_of(5), slice_of(1), slice_of(6)
    first = PAT + MAP + picture(0, access=True) + message + NULL + SOUND + refresh + REST + picture(SECOND // 2) + REST
    again = picture(SECOND, access=True) + SOUND + recovery + REST * 3 + picture(SECOND * 3 // 2)
    second = PAT + NULL + MAP + picture(2 * SECOND, access=True) + REST + picture(3 * SECOND)
    found = indexes(first + again + second)
    assert found == [
        (KeyPicture(2, 6, 0, idr=True), KeyPicture(10, 6, SECOND, idr=False)),
        (KeyPicture(3, 2, 0, idr=False),),
    ]
    assert found == indexes(first + again + second, chunks=[7])


def test_a_picture_whose_time_lies_outside_its_segment_is_left_out() -> None:
    first = group(0, 1) + picture(9 * SECOND, access=True) + REST
    assert indexes(first + group(2, 2), length_ms=5000) == [
        (KeyPicture(2, 2, 0, idr=False),),
        (KeyPicture(2, 2, 0, idr=False),),
    ]


def group(begin: int, seconds: int, *, filler: bytes = b"") -> bytes:
    """A group of pictures, one a second, behind PAT and PMT and what stands among them."""
    pictures = [picture((begin + n) * SECOND) + REST + SOUND + NULL for n in range(1, seconds)]
    return PAT + filler + MAP + filler + picture(begin * SECOND, access=True) + REST + b"".join(pictures)


def test_transitions_are_total_and_every_run_is_reached() -> None:
    assert set(NEXT_RUN) == {(run, unit) for run in Run for unit in PacketBeginning}
    reached = {Run.OPEN}
    for _ in Run:
        reached |= {after for (before, _), after in NEXT_RUN.items() if before in reached}
    assert reached == set(Run)


def test_cuts_at_the_first_access_point_after_the_target() -> None:
    groups = [group(0, 1), group(1, 1), group(2, 3), group(5, 1)]
    parts, cutter = cut(b"".join(groups))
    assert parts == [groups[0] + groups[1], groups[2], groups[3]]
    assert [segment.duration_ms for segment in cutter.segments][:2] == [2000, 3000]
    assert [segment.sha256 for segment in cutter.segments] == [sha256(part).hexdigest() for part in parts]


@pytest.mark.parametrize("filler", [NULL * 5, SERVICES, CLOCK_ONLY, SERVICES + NULL + CLOCK_ONLY])
def test_what_is_not_played_may_stand_among_the_three(filler: bytes) -> None:
    groups = [group(0, 2, filler=filler), group(2, 2, filler=filler)]
    parts, _ = cut(NULL + SERVICES + b"".join(groups))
    assert parts == [NULL + SERVICES + groups[0], groups[1]]


@pytest.mark.parametrize("filler", [REST, SOUND, picture(0)])
def test_what_is_played_breaks_the_row(filler: bytes) -> None:
    stream = group(0, 2) + group(2, 2, filler=filler)
    assert cut(stream)[0] == [stream]


def test_a_repeated_pat_begins_the_row_anew() -> None:
    first = group(0, 2) + PAT + MAP + NULL
    assert cut(first + group(2, 2))[0] == [first, group(2, 2)]


def test_time_stamps_turn_over() -> None:
    begin = TIME_STAMP_TURN // SECOND - 1
    _, cutter = cut(group(begin, 2) + group(begin + 2, 2) + group(begin + 4, 2))
    assert [segment.duration_ms for segment in cutter.segments] == [2000, 2000, 2000]


def test_holds_back_no_more_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutter_module, "_LONGEST_RUN_BYTES", 10 * TS_PACKET_BYTES)
    stream = group(0, 2) + group(2, 2, filler=NULL * 20)
    assert cut(stream, chunks=[TS_PACKET_BYTES])[0] == [stream]


@pytest.mark.parametrize(
    ("stream", "error", "offset_packets"),
    [
        (b"", NoRandomAccess, 0),
        (NULL * 3, NoRandomAccess, 3),
        (PAT + MAP, NoRandomAccess, 2),
        (picture(0, access=True) + group(0, 2), NoRandomAccess, 0),
        (PAT + picture(0, access=True), NoRandomAccess, 1),
        (PAT + MAP + REST + group(0, 2), NoRandomAccess, 2),
        (PAT + MAP + picture(0) + REST, NoRandomAccess, 2),
        (group(0, 1) + PAT[:100], TruncatedPacket, 4),
        (group(0, 1) + b"\x00" + PAT, LostSync, 4),
        (bytes(TS_PACKET_BYTES), LostSync, 0),
        (group(5, 2) + group(3, 2), TimeRunsBack, 10),
    ],
)
def test_refuses_with_the_place(stream: bytes, error: type[CutError], offset_packets: int) -> None:
    with pytest.raises(error) as caught:
        cut(stream)
    assert caught.value.offset_bytes == offset_packets * TS_PACKET_BYTES
    assert str(caught.value.offset_bytes) in str(caught.value)


def clocked(rate_bps: int) -> bytes:
    stream = PAT + MAP + picture(0, access=True, clock=clock_at(2 * TS_PACKET_BYTES, rate_bps))
    stream += NULL * 30
    return stream + picture(SECOND, clock=clock_at(len(stream), rate_bps))


def test_clock_references_must_follow_the_rate() -> None:
    assert cut(clocked(RATE_BPS))[0] == [clocked(RATE_BPS)]
    with pytest.raises(NotConstantRate) as caught:
        cut(clocked(RATE_BPS + 1000))
    assert caught.value.offset_bytes == 33 * TS_PACKET_BYTES


FILLERS = st.lists(st.sampled_from([NULL, SERVICES, CLOCK_ONLY]), max_size=4).map(b"".join)
PLAYED = st.lists(st.sampled_from([NULL, REST, SOUND, PAT + MAP + REST, CLOCK_ONLY, SERVICES]), max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    groups=st.lists(st.tuples(st.integers(1, 4000), FILLERS, PLAYED), min_size=1, max_size=8),
    target_ms=st.integers(1, 5000),
    first=st.integers(0, TIME_STAMP_TURN - 1),
    chunks=st.lists(st.integers(1, 700), min_size=1, max_size=5),
)
def test_segments_are_the_file_whatever_the_chunks(
    groups: list[tuple[int, bytes, list[bytes]]], target_ms: int, first: int, chunks: list[int]
) -> None:
    begins_ms = [0, *accumulate(length_ms for length_ms, _, _ in groups)]
    expected: list[bytes] = []
    expected_ms: list[int] = []
    for begin_ms, (_, filler, played) in zip(begins_ms, groups, strict=False):
        access = picture(first + begin_ms * 90, access=True)
        stream = PAT + filler + MAP + filler + access + b"".join(played) + REST
        if expected and begin_ms - expected_ms[-1] < target_ms:
            expected[-1] += stream
        else:
            expected.append(stream)
            expected_ms.append(begin_ms)
    whole = b"".join(expected)
    parts, cutter = cut(whole, target_ms=target_ms, chunks=chunks)
    assert parts == expected
    assert cutter.sha256 == sha256(whole).hexdigest()
    assert [segment.sha256 for segment in cutter.segments] == [sha256(part).hexdigest() for part in parts]
    assert [segment.length_bytes for segment in cutter.segments] == [len(part) for part in parts]
    begins = [0, *accumulate(segment.duration_ms for segment in cutter.segments)]
    assert begins[: len(expected_ms)] == expected_ms


@settings(max_examples=200, deadline=None)
@given(
    packets=st.lists(st.one_of(st.binary(min_size=187, max_size=187), st.just(PAT[1:]), st.just(MAP[1:])), max_size=20),
    chunk=st.integers(1, 500),
)
def test_any_packets_give_their_bytes_or_an_error(packets: list[bytes], chunk: int) -> None:
    stream = PAT + MAP + picture(0, access=True) + b"".join(b"\x47" + packet for packet in packets)
    try:
        given = b"".join(cut(stream, chunks=[chunk], target_ms=1)[0])
        end = len(stream)
    except CutError as error:
        given, end = stream, error.offset_bytes
    assert given == stream
    assert 0 <= end <= len(stream)
