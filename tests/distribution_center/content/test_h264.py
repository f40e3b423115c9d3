"""Where decoding can begin in H.264, in both forms in which its units are set apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution_center.content.h264 import SLICE_OF_IDR, closes_group, unit_types

SLICE, IDR, RECOVERY, SEQUENCE, PICTURE = b"\x41ab", b"\x65ab", b"\x06\x06\x01", b"\x67ab", b"\x68ab"
LENGTHS_OF_4, LENGTHS_OF_2 = b"\x01\x4d\x40\x1f\xff\xe1", b"\x01\x4d\x40\x1f\xfd\xe1"


def with_start_codes(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def with_lengths(size: int, *units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)


@pytest.mark.parametrize(
    ("unit", "extradata", "closes"),
    [
        (with_start_codes(SEQUENCE, PICTURE, IDR), None, True),
        (with_start_codes(SEQUENCE, PICTURE, IDR), with_start_codes(SEQUENCE, PICTURE), True),
        (with_start_codes(IDR), with_start_codes(SEQUENCE, PICTURE), False),
        (with_start_codes(SEQUENCE, PICTURE, RECOVERY, SLICE), None, False),
        (with_lengths(4, IDR), LENGTHS_OF_4, True),
        (with_lengths(2, RECOVERY, IDR), LENGTHS_OF_2, True),
        (with_lengths(4, RECOVERY, SLICE), LENGTHS_OF_4, False),
        (b"", LENGTHS_OF_4, False),
        (b"", None, False),
    ],
)
def test_closes_group(unit: bytes, extradata: bytes | None, closes: bool) -> None:
    assert closes_group(unit, extradata) is closes


def test_types() -> None:
    assert unit_types(with_start_codes(SEQUENCE, PICTURE, IDR), None) == {7, 8, SLICE_OF_IDR}
    assert unit_types(with_lengths(4, RECOVERY, SLICE), LENGTHS_OF_4) == {6, 1}


@given(unit=st.binary(max_size=200), extradata=st.none() | st.binary(max_size=8) | st.just(LENGTHS_OF_4))
def test_any_bytes_are_read(unit: bytes, extradata: bytes | None) -> None:
    assert all(0 <= kind < 32 for kind in unit_types(unit, extradata))
