"""Octets in and out, with pyasn1 as the judge of what we write and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from media_network.snmp import ber

sub_identifiers = st.integers(0, 200) | st.integers(0, 2**32 - 1)
oids = st.tuples(st.integers(0, 1), st.integers(0, 39), st.lists(sub_identifiers, max_size=126)).map(
    lambda parts: (parts[0], parts[1], *parts[2])
) | st.tuples(st.just(2), st.integers(0, 2**32 - 81), st.lists(sub_identifiers, max_size=5)).map(
    lambda parts: (parts[0], parts[1], *parts[2])
)


@given(oids)
def test_object_identifiers_are_those_of_pyasn1_and_come_back(oid):
    content = ber.write_oid(oid)
    assert ber.tagged(ber.OBJECT_IDENTIFIER, content) == encoder.encode(univ.ObjectIdentifier(oid))
    assert ber.read_oid(content) == oid


@given(st.integers(-(2**63), 2**64))
def test_pyasn1_reads_our_integers_and_they_are_short(number):
    octets = ber.integer(number)
    assert int(decoder.decode(octets)[0]) == number
    # X.690, 8.3.2. (pyasn1 itself writes -128 in two octets.)
    assert len(octets) == 3 or int.from_bytes(octets[2:4], "big") >> 7 not in {0, 0x1FF}


@given(st.integers(-(2**31), 2**31 - 1), st.binary(max_size=3))
def test_integers_of_32_bits_come_back(number, rest):
    octets = ber.integer(number)
    assert ber.read_integer(octets + rest, 0, len(octets) + len(rest)) == (number, len(octets))


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_headers_are_as_short_as_they_can_be(length):
    octets = ber.header(ber.OCTET_STRING, length)
    assert octets == encoder.encode(univ.OctetString(bytes(length)))[: len(octets)]
    assert ber.read_header(octets + bytes(length), 0, len(octets) + length) == (4, len(octets), len(octets) + length)


@given(st.binary(max_size=12))
def test_what_we_read_pyasn1_reads_the_same(octets):
    try:
        number, stop = ber.read_integer(octets, 0, len(octets))
    except ber.BerError:
        return
    value, rest = decoder.decode(octets)
    assert (int(value), rest) == (number, octets[stop:])


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "30",
        "3080",  # indefinite
        "30800000",
        "308500000000000000",  # five octets of length
        "30ff" + "00" * 127,
        "3084ffffffff",  # 4 GiB
        "3084ffffffff00",
        "3082ffff00",
        "308100"[:4],
        "3003020105"[:8],
    ],
)
def test_lengths_that_are_not_there(octets):
    raw = bytes.fromhex(octets)
    with pytest.raises(ber.BerError):
        ber.read_header(raw, 0, len(raw))


def test_a_length_in_more_octets_than_needed_is_taken():
    assert ber.read_header(bytes.fromhex("30820001ff"), 0, 5) == (0x30, 4, 5)


@pytest.mark.parametrize(
    "content",
    [
        "80",
        "2b80",
        "2b8001",  # padded
        "2b9080808000",  # 2**32
        "2bffffffffffffff7f",
        "2b" + "01" * 128,  # 130 sub-identifiers
        "2b" + "ff" * 60_000 + "7f",
        "2b" + "01" * 60_000,
    ],
)
def test_object_identifiers_out_of_limits(content):
    with pytest.raises(ber.BerError):
        ber.read_oid(bytes.fromhex(content))


def test_the_longest_object_identifier():
    oid = (1, 3, *[2**32 - 1] * 126)
    assert ber.read_oid(ber.write_oid(oid)) == oid


@pytest.mark.parametrize("oid", [(1,), (), (3, 1), (1, 40), (1, 3, -1), (1, 3, 2**32), (1,) * 129])
def test_what_is_no_object_identifier_is_not_written(oid):
    with pytest.raises(ValueError, match="no"):
        ber.write_oid(oid)


@pytest.mark.parametrize("content", ["", "0000000000", "0100000000"])
def test_integers_of_more_than_32_bits(content):
    with pytest.raises(ber.BerError):
        ber.signed(bytes.fromhex(content))


@given(st.binary(max_size=700))
def test_noise_is_an_object_identifier_within_limits_or_an_error(content):
    try:
        oid = ber.read_oid(content)
    except ber.BerError:
        return
    assert 2 <= len(oid) <= 128
    assert max(oid) < 2**32
    assert not content or ber.write_oid(oid) == content
