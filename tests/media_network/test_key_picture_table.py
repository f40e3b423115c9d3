import random
from itertools import pairwise

import pytest

from media_network.key_picture_table import (
    BadKeyPictures,
    ListedPicture,
    key_picture_octets,
    listed,
    parse_key_pictures,
)
from media_network.segment_index import KeyPicture
from media_network.segment_table import SegmentTable
from tests.programs import empty_segments

SEGMENTS = SegmentTable.of(empty_segments(4, packets=100))
PICTURES = (
    ListedPicture(0, 3, 20, 0),
    ListedPicture(0, 60, 40, 90_000),
    ListedPicture(2, 2, 10, 0),
    ListedPicture(3, 99, 1, 179_999),
)


def test_there_and_back():
    assert parse_key_pictures(key_picture_octets(PICTURES), SEGMENTS) == PICTURES


def test_those_of_an_index_from_which_decoding_goes_on():
    index = [KeyPicture(3, 20, 0, True), KeyPicture(40, 5, 45_000, False), KeyPicture(60, 40, 90_000, True)]
    assert tuple(listed(0, index)) == PICTURES[:2]


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ((4, 0, 1, 0),),
        ((0, 0, 0, 0),),
        ((0, 99, 2, 0),),
        ((0, 100, 1, 0),),
        ((0, 2**32 - 1, 1, 0),),
        ((0, 0, 1, 180_000),),
        ((1, 0, 1, 0), (0, 0, 1, 0)),
        ((0, 5, 1, 0), (0, 5, 1, 0)),
        ((0, 5, 1, 9), (0, 4, 1, 10)),
    ],
)
def test_what_is_none(rows):
    with pytest.raises(BadKeyPictures):
        parse_key_pictures(key_picture_octets(ListedPicture(*row) for row in rows), SEGMENTS)


def test_hostile_octets_are_pictures_in_order_or_an_error():
    rng = random.Random(11)
    good = bytearray(key_picture_octets(PICTURES))
    taken = 0
    for _ in range(2000):
        octets = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        octets = octets[: rng.choice([len(octets), rng.randrange(len(octets) + 1)])]
        try:
            found = parse_key_pictures(bytes(octets), SEGMENTS)
        except BadKeyPictures:
            continue
        taken += 1
        assert all(
            (one.segment, one.first_packet) < (other.segment, other.first_packet) for one, other in pairwise(found)
        )
        assert all(one.first_packet + one.packets <= SEGMENTS.packets(one.segment) for one in found)
    assert taken
