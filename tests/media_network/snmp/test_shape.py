"""Requests of a known shape get the answer that they get from an engine that sees the shape for the first time."""

import random

import pytest

from media_network.snmp import ber
from media_network.snmp.access import Level
from media_network.snmp.budget import Allowance
from media_network.snmp.counters import Counters
from media_network.snmp.engine import Limits
from media_network.snmp.message import read_header, read_parameters, write_scoped_pdu
from media_network.snmp.pdu import PduType
from media_network.snmp.value import DISPLAY_STRING
from tests.media_network.snmp.specimen import (
    ENTRY,
    IDENTITY,
    LEVEL,
    MESSAGE_ID,
    NAME,
    SCALARS,
    Manager,
    Specimen,
    community_message,
    request,
    set_request,
)

FREE = Limits(answered=Allowance(1e12, 1e12), reports=Allowance(1e9, 1e9))
WRITER = "read-write-SHA-256-AES"
PDUS = (
    request(PduType.GET, (*NAME, 0)),
    request(PduType.GET, (*NAME, 0), (*LEVEL, 0)),
    request(PduType.GET_NEXT, NAME),
    request(PduType.GET_BULK, SCALARS, first=0, second=20),
    request(PduType.GET_BULK, SCALARS, ENTRY, first=1, second=5),
    set_request(((*NAME, 0), DISPLAY_STRING.encode("there"))),
)


class Pair:
    """Two engines alike: one hears everything from one host, the other each message from a host it never heard."""

    def __init__(self):
        self.knowing, self.strict = Manager(Specimen(), limits=FREE), Manager(Specimen(), limits=FREE)
        self.knowing.now = self.strict.now = 3000.0
        self._heard = 0

    def send(self, octets):
        """Give what both answer, which has to be the same to the last octet, and counted alike."""
        self._heard += 1
        answer = self.knowing.send(octets)
        assert answer == self.strict.send(octets, source=f"host {self._heard}")
        for name in Counters.__slots__:
            assert getattr(self.knowing.counters, name) == getattr(self.strict.counters, name), name
        return answer


def spoiled(octets, rng):
    """Change octets, so that the length stays."""
    changed = bytearray(octets)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(changed))
        changed[at] = rng.choice((rng.randrange(256), changed[at] ^ 1, (changed[at] + 1) % 256, 0x80, 0xFF, 0))
    return bytes(changed)


def test_community_messages_with_octets_changed():
    pair, rng = Pair(), random.Random(1)
    messages = [community_message("writer", pdu) for pdu in PDUS]
    for _ in range(4_000):
        message = rng.choice(messages)
        assert pair.send(message) is not None
        pair.send(spoiled(message, rng))


@pytest.mark.parametrize("level", [Level.AUTH_NO_PRIV, Level.AUTH_PRIV])
def test_messages_of_a_user_with_octets_changed(level):
    pair, rng = Pair(), random.Random(2)
    user = WRITER if level == Level.AUTH_PRIV else "read-write-SHA-512-none"
    messages = [pair.knowing.message(user, pdu, level) for pdu in PDUS]
    for _ in range(1_000):
        message = rng.choice(messages)
        assert pair.send(message) is not None
        pair.send(spoiled(message, rng))


@pytest.mark.parametrize("level", [Level.AUTH_NO_PRIV, Level.AUTH_PRIV])
def test_authentic_messages_that_carry_nonsense(level):
    pair, rng = Pair(), random.Random(3)
    user = pair.knowing.users[WRITER if level == Level.AUTH_PRIV else "read-write-SHA-256-none"]
    security = pair.knowing.security(user)
    for _ in range(1_500):
        scoped = write_scoped_pdu(IDENTITY.engine_id, b"", rng.choice(PDUS))
        for carried in (scoped, spoiled(scoped, rng)):
            pair.send(security.seal(MESSAGE_ID, carried, user, level, pair.knowing.now))


def test_authentic_messages_with_octets_changed():
    pair, rng = Pair(), random.Random(4)
    user = pair.knowing.users[WRITER]
    good = pair.knowing.message(WRITER, PDUS[0])
    _, at, end = ber.read_header(good, 0, len(good))
    header = read_header(good, ber.read_integer(good, at, end)[1], end)
    parameters = read_parameters(good, header.parameters, header.data)

    def signed(octets):
        before, behind = octets[: parameters.code], octets[parameters.code_stop :]
        return before + user.signer.code(before, behind) + behind

    def with_octet(at, octet):
        return signed(good[:at] + bytes((octet,)) + good[at + 1 :])

    for _ in range(1_500):
        assert pair.send(good) is not None
        pair.send(signed(spoiled(good, rng)))
    for place in (header.id, parameters.time_at):
        # Another number, or time, and then a negative one, which makes no message at all.
        for octet, is_message in ((0x07, True), (0x7F, True), (0x80, False), (0xFF, False)):
            assert pair.send(good) is not None
            assert (pair.send(with_octet(place, octet)) is not None) is is_message


@pytest.mark.parametrize("offset_s", [0, 1, 149, 150, 151, 1_000, -150, -151])
def test_messages_of_another_time(offset_s):
    pair = Pair()
    late = pair.knowing.security(started=1000.0 + offset_s)
    assert pair.send(pair.knowing.message(WRITER, PDUS[0])) is not None
    assert pair.send(pair.knowing.message(WRITER, PDUS[0], security=late)) is not None
    assert pair.knowing.counters.not_in_time_windows == (abs(offset_s) > 150)


def test_what_is_known_is_the_shape_and_not_the_value():
    specimen = Specimen()
    manager = Manager(specimen)
    for name in ("here", "there", "elsewhere"):
        specimen.name = name
        for asked in (lambda pdu: manager.secure(WRITER, pdu), lambda pdu: manager.community("reader", pdu)):
            assert asked(PDUS[0])[2][0][2] == name.encode()


def test_each_of_two_managers_at_one_host_gets_the_answer_to_what_he_asked():
    manager = Manager()
    for _ in range(3):
        assert manager.community("reader", PDUS[0])[2][0][2] == b"here"
        assert manager.community("writer", PDUS[0])[2][0][2] == b"here"
        assert manager.community("of-blade-3", PDUS[0])[2][0][2] == b"blade 3"
        assert manager.community("reader", PDUS[-1])[0]
        assert manager.secure("read-only-SHA-256-AES", PDUS[-1])[0]
        assert manager.secure(WRITER, PDUS[0])[2][0][2] == b"here"
        assert manager.secure(WRITER, PDUS[0], context=b"blade3")[2][0][2] == b"blade 3"
