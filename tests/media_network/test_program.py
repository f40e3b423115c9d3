"""A program in parts: what its header may say, and what its segment table is."""

import hashlib
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from media_network.packets import datagrams_of
from media_network.program import joined
from media_network.program_header import ProgramHeader
from media_network.segment_table import BadTable, Before, Segment, SegmentTable, table_bytes
from tests.programs import empty_segments, program_with

# docs/protocols/program.md: a head of 16 bytes, and a row of 96 for each segment, by hand.
GOLDEN = bytes.fromhex(
    "4d535442 0001 0060 00000002 00000000"
    "0000000000000000 0000000000000000 00000000 00000008 0001d4c0 00000000" + "aa" * 32 + "00" * 32 +
    "0000000000000008 000000000001d4c0 00000002 00000007 0000ea60 00000000" + "bb" * 32 + "cc" * 32
)  # fmt: skip
SEGMENTS = [
    Segment(number=0, length_bytes=8 * 188, duration_ticks=120_000, sha256="aa" * 32),
    Segment(number=1, length_bytes=7 * 188, duration_ticks=60_000, sha256="bb" * 32, index="cc" * 32),
]


def table_of(packets, ticks=90_000):
    return SegmentTable.of(
        Segment(number=number, length_bytes=count * 188, duration_ticks=ticks, sha256=f"{number:064x}")
        for number, count in enumerate(packets)
    )


def test_a_table_is_laid_out_as_the_document_says():
    table = SegmentTable.of(SEGMENTS)
    assert table.octets == GOLDEN
    assert table.sha256 == hashlib.sha256(GOLDEN).hexdigest()
    assert len(GOLDEN) == table_bytes(2)
    assert list(SegmentTable(GOLDEN)) == SEGMENTS
    assert (table.length_bytes, table.duration_ticks) == (15 * 188, 180_000)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_what_lies_before_a_segment_is_the_sum_of_what_does(packets, data):
    table = table_of(packets)
    number = data.draw(st.integers(0, len(packets)))
    before = packets[:number]
    assert [table.packets(each) for each in range(len(packets))] == packets
    assert table.before(number) == Before(sum(before), 90_000 * number, sum(map(datagrams_of, before)))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_advance_counts_packets_of_the_whole_program(packets, data):
    table = table_of(packets)
    places = [(segment, packet) for segment, count in enumerate(packets) for packet in range(count)]
    begin = data.draw(st.integers(0, len(places) - 1))
    by = data.draw(st.integers(0, len(places) + 3))
    expected = places[begin + by] if begin + by < len(places) else None
    assert table.advance(*places[begin], by) == expected
    assert table.advance(len(packets) + by, 0, 0) is None


def test_a_table_is_a_sequence():
    table = SegmentTable.of(SEGMENTS)
    assert (len(table), table[0], table[-1], table[0:1]) == (2, SEGMENTS[0], SEGMENTS[1], SEGMENTS[:1])
    for number in (2, -3):
        with pytest.raises(IndexError):
            table[number]


@given(st.data())
def test_of_a_table_with_a_byte_changed_only_digests_and_unseen_sums_may_differ(data):
    place = data.draw(st.integers(0, len(GOLDEN) - 1))
    octets = bytearray(GOLDEN)
    octets[place] ^= data.draw(st.integers(1, 255))
    try:
        found = SegmentTable(bytes(octets))
    except BadTable:
        return
    # What is left are digests, and the length of the last segment, which no row after it repeats.
    in_row = (place - 16) % 96
    assert in_row >= 32 or (place >= 16 + 96 and 20 <= in_row < 28)
    assert found.octets != GOLDEN


@given(st.binary(max_size=300))
def test_what_is_no_table_is_refused(octets):
    with pytest.raises(BadTable):
        SegmentTable(octets)


@pytest.mark.parametrize("rows", [0, 1, 3, 1_000_001, 2**32 - 1])
def test_a_table_of_another_length_than_it_says_is_refused(rows):
    with pytest.raises(BadTable):
        SegmentTable(GOLDEN[:8] + struct.pack(">I", rows) + GOLDEN[12:])


def test_segments_out_of_order_make_no_table():
    with pytest.raises(BadTable, match="stands at 0"):
        SegmentTable.of(SEGMENTS[::-1])
    with pytest.raises(BadTable):
        SegmentTable.of([])


def test_a_header_and_its_table_are_a_program():
    film = program_with(SEGMENTS)
    assert joined(film.header, film.segments.octets) == film
    assert (film.header.segments, film.header.duration_ms, film.header.peak_bps) == (2, 2000, 15_792)


@pytest.mark.parametrize(
    ("facts", "octets"),
    [
        ({}, table_of([1]).octets),
        ({}, GOLDEN + bytes(96)),
        ({"segments": 3}, GOLDEN),
        ({"length_bytes": 16 * 188}, GOLDEN),
        ({"duration_ticks": 1}, GOLDEN),
    ],
)
def test_a_table_that_is_not_its_headers_is_refused(facts, octets):
    with pytest.raises(BadTable):
        joined(replace(program_with(SEGMENTS).header, **facts), octets)


@pytest.mark.parametrize(
    ("publish_at_ms", "window_ends_ms", "when"),
    [(None, None, ()), (2, None, (2, 3, 4)), (2, 4, (2, 3)), (None, 4, ()), (4, 2, ())],
)
def test_in_service_is_from_its_time_to_the_end_of_its_window(publish_at_ms, window_ends_ms, when):
    header = program_with(SEGMENTS, publish_at_ms=publish_at_ms, window_ends_ms=window_ends_ms).header
    assert tuple(now for now in range(5) if header.is_in_service(now)) == when


@pytest.mark.parametrize(
    "wrong",
    [{"program": "../etc"}, {"program": "film\n"}, {"program": "Film"}, {"program": ""}, {"program": "a" * 65},
     {"sha256": "0"}, {"sha256": "0" * 64 + "\n"}, {"rate_bps": 0}, {"segments": 0}, {"segments": 1_000_001},
     {"title": "t" * 201}, {"length_bytes": 100}, {"table": "x"}, {"tracks": [{"kind": "audio", "codec": "c" * 41}]},
     {"publish_at_ms": -1}, {"warnings": ["w"] * 17}, {"attachments": [{}]}],
)  # fmt: skip
def test_what_is_not_a_header(wrong):
    good = msgspec.to_builtins(program_with(empty_segments(2)).header)
    assert msgspec.convert(good, ProgramHeader) == program_with(empty_segments(2)).header
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(good | wrong, ProgramHeader)
