import pytest

from media_network.http.ranges import asked_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("Bytes= 10-19 ", (10, 20)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)),
        # There is no such byte.
        ("bytes=-0", (100, 100)),
        ("bytes=100-", (100, 100)),
        ("bytes=1000-2000", (100, 100)),
        # These mean nothing, or more than is answered.
        ("", None),
        ("bytes", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-3", None),
        ("bytes=a-b", None),
        ("bytes=1", None),
        ("bytes=0-1,3-4", None),
        ("bytes=--1", None),
        ("bytes=\u0661-", None),
        ("bytes=" + "9" * 19 + "-", None),
        ("lines=0-1", None),
    ],
)
def test_which_bytes_are_wanted(header, part):
    assert asked_range(header, 100) == part
