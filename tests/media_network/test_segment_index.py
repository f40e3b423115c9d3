"""The index of a segment: its bytes, and what is refused."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_network.packets import TS_PACKET_BYTES
from media_network.segment_index import (
    BLOCK_BYTES,
    BadIndex,
    BlockDigests,
    KeyPicture,
    SegmentIndex,
    blocks_of,
    index_bytes_max,
    index_of,
    parse_index,
)

GOLDEN = "4d534958" + "0001" + "0010" + "00000002" + "00000002"
FIRST = "00000002" + "00000028" + "00000000" + "00000001"
SECOND = "000001f4" + "0000000a" + "0001c138" + "00000000"
PACKETS, TICKS = 1500, 180_000
LENGTH_BYTES = PACKETS * TS_PACKET_BYTES
CONTENT = bytes(range(188)) * PACKETS


def read(octets: bytes) -> SegmentIndex:
    return parse_index(octets, packets=PACKETS, ticks=TICKS, length_bytes=LENGTH_BYTES)


def whole() -> SegmentIndex:
    return index_of([CONTENT], [KeyPicture(2, 40, 0, idr=True), KeyPicture(500, 10, 115_000, idr=False)])


def test_its_bytes_are_those_of_the_document() -> None:
    blocks = sha256(CONTENT[:BLOCK_BYTES]).hexdigest() + sha256(CONTENT[BLOCK_BYTES:]).hexdigest()
    assert whole().octets().hex() == GOLDEN + blocks + FIRST + SECOND
    assert read(whole().octets()) == whole()


@st.composite
def some_index(draw: st.DrawFn) -> SegmentIndex:
    firsts = sorted(draw(st.sets(st.integers(0, PACKETS - 1), max_size=20)))
    pictures = [
        KeyPicture(
            first, draw(st.integers(1, PACKETS - first)), draw(st.integers(0, TICKS - 1)), idr=draw(st.booleans())
        )
        for first in firsts
    ]
    return SegmentIndex(tuple(draw(st.binary(min_size=32, max_size=32)) for _ in range(2)), tuple(pictures))


@given(some_index())
def test_what_was_written_is_read(index: SegmentIndex) -> None:
    octets = index.octets()
    assert read(octets) == index
    assert len(octets) <= index_bytes_max(LENGTH_BYTES)


@given(some_index(), st.data())
def test_whatever_comes_is_read_or_refused(index: SegmentIndex, data: st.DataObject) -> None:
    octets = bytearray(index.octets())
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= 1 << data.draw(st.integers(0, 7))
    cut = bytes(octets[: data.draw(st.one_of(st.just(len(octets)), st.integers(0, len(octets))))])
    try:
        found = read(cut)
    except BadIndex:
        return
    assert len(found.blocks) == blocks_of(LENGTH_BYTES)
    packet = -1
    for one in found.key_pictures:
        assert packet < one.first_packet < one.first_packet + one.packets <= PACKETS
        assert 0 <= one.ticks < TICKS
        packet = one.first_packet


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"MSTB" + whole().octets()[4:],
        whole().octets() + b"\0",
        whole().octets()[:-1],
        whole()._replace(blocks=whole().blocks[:1]).octets(),
        whole()._replace(key_pictures=(KeyPicture(0, 1501, 0, idr=True),)).octets(),
        whole()._replace(key_pictures=(KeyPicture(1, 0, 0, idr=True),)).octets(),
        whole()._replace(key_pictures=(KeyPicture(1, 1, TICKS, idr=True),)).octets(),
        whole()._replace(key_pictures=(KeyPicture(1, 1, 0, idr=True),) * 2).octets(),
    ],
)
def test_what_is_no_index_of_the_segment_is_refused(octets: bytes) -> None:
    with pytest.raises(BadIndex):
        read(octets)


@given(st.lists(st.integers(0, BLOCK_BYTES), max_size=6))
def test_blocks_are_the_same_in_whatever_pieces_they_come(lengths: list[int]) -> None:
    digests, begin = BlockDigests(), 0
    for length in lengths:
        digests.update(CONTENT[begin : begin + length])
        begin += length
    content = CONTENT[:begin]
    expected = [sha256(content[at : at + BLOCK_BYTES]).digest() for at in range(0, len(content), BLOCK_BYTES)]
    assert list(digests.digests()) == expected
