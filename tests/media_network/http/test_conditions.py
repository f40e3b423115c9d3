import pytest

from media_network.http.coding import takes_gzip
from media_network.http.conditions import entity_tag, is_known, range_counts

TAG = entity_tag("ab" * 32)


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        ("*", True),
        (f'"x", {TAG}', True),
        (f'"x,y",W/{TAG} , "z"', True),
        ("", False),
        ("ab" * 32, False),
        ('"x"', False),
        (TAG[:-2] + '"', False),
        (TAG.upper(), False),
        ("\ud800", False),
    ],
)
def test_whether_who_asks_has_it(if_none_match, known):
    assert is_known(if_none_match, TAG) is known


@pytest.mark.parametrize(
    ("if_range", "counts"),
    [
        (None, True),
        (TAG, True),
        (f" {TAG} ", True),
        (f"W/{TAG}", False),  # a weak tag says nothing of bytes
        ('"x"', False),
        ("", False),
        ("Wed, 21 Oct 2015 07:28:00 GMT", False),
    ],
)
def test_whether_a_range_is_of_what_is_here(if_range, counts):
    assert range_counts(if_range, TAG) is counts


@pytest.mark.parametrize(
    ("accept_encoding", "takes"),
    [
        ("gzip", True),
        ("x-gzip", True),
        ("GZIP;q=0.5", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("gzip ; q=0.001", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=nonsense", False),
        ("gzipped", False),
        (",".join(["br"] * 5000 + ["gzip"]), False),  # nobody reads that far
    ],
)
def test_whether_gzip_is_taken(accept_encoding, takes):
    assert takes_gzip(accept_encoding) is takes
