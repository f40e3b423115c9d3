"""The bindings of requests: what is read in one step is what is read step by step."""

import random

import pytest

from media_network.snmp import ber
from media_network.snmp.pdu import PduType, read_names, read_pdu, write_pdu
from media_network.snmp.value import NULL_VALUE
from media_network.snmp.visible import binding


def names_in(bindings):
    """Read a request's names; None if they make no sense."""
    octets = write_pdu(PduType.GET, ber.integer(1), bindings)
    try:
        return read_names(read_pdu(octets, 0, len(octets)), 9)
    except ber.BerError:
        return None


def taken_apart(bindings):
    """The same by the functions that read one value."""
    names, at, end = [], 0, len(bindings)
    try:
        while at < end:
            tag, start, at = ber.read_header(bindings, at, end)
            kind, name, name_stop = ber.read_header(bindings, start, at)
            if (tag, kind) != (ber.SEQUENCE, ber.OBJECT_IDENTIFIER) or ber.read_header(bindings, name_stop, at)[
                2
            ] != at:
                return None
            names.append(bindings[name:name_stop])
    except ber.BerError:
        return None
    return names


@pytest.mark.parametrize("octets", range(300))
def test_a_name_of_any_length(octets):
    name = bytes(octets)
    one = binding(name, NULL_VALUE)
    assert names_in(one) == taken_apart(one) == [name]
    assert names_in(one + one) == [name, name]


def test_spoiled_bindings():
    rng = random.Random(1)
    good = [
        binding(bytes(size), value)
        for size in (0, 1, 9, 119, 120, 121, 122, 123, 200)
        for value in (NULL_VALUE, b"\2\1\7")
    ]
    readable = 0
    for _ in range(20_000):
        octets = bytearray(rng.choice(good))
        octets[rng.choice((0, 1, 2, 3, 4, 5, -1, -2, -3, rng.randrange(len(octets))))] = rng.randrange(256)
        names = names_in(bytes(octets))
        assert names == taken_apart(bytes(octets))
        readable += names is not None
    assert 1_000 < readable < 19_000
