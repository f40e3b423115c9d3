"""Datagrams that nobody of ours would send."""

import random

from media_network.snmp import ber
from media_network.snmp.pdu import PduType, write_pdu

_NAME = ber.tagged(ber.SEQUENCE, ber.tagged(ber.OBJECT_IDENTIFIER, b"\x2b\x06\x01\x02\x01\x01\x03\x00") + b"\x05\x00")


def costly_datagram(octets: int, community: bytes = b"stranger", number: int = 7, kind: int = PduType.TRAP) -> bytes:
    """An SNMPv2c message of about so many octets, full of variables: dear to who decodes before he asks who it is."""
    bindings = _NAME * max((octets - 60) // len(_NAME), 1)
    pdu = write_pdu(kind, ber.integer(number), bindings)
    return ber.tagged(ber.SEQUENCE, ber.integer(1) + ber.tagged(ber.OCTET_STRING, community) + pdu)


def costly_user_datagram(octets: int, message_id: int) -> bytes:
    """An SNMPv3 message of about so many octets, unauthenticated, with a number."""
    bindings = _NAME * max((octets - 120) // len(_NAME), 1)
    pdu = write_pdu(PduType.REPORT, ber.integer(1), bindings)
    scoped = ber.tagged(
        ber.SEQUENCE, ber.tagged(ber.OCTET_STRING, b"\x80" * 9) + ber.tagged(ber.OCTET_STRING, b"") + pdu
    )
    security = ber.tagged(ber.OCTET_STRING, b"\x80" * 9) + ber.integer(1) + ber.integer(1)
    security = ber.tagged(ber.SEQUENCE, security + 3 * ber.tagged(ber.OCTET_STRING, b""))
    data = ber.integer(message_id) + ber.integer(65_507) + b"\x04\x01\x00" + ber.integer(3)
    return ber.tagged(
        ber.SEQUENCE,
        ber.integer(3) + ber.tagged(ber.SEQUENCE, data) + ber.tagged(ber.OCTET_STRING, security) + scoped,
    )


def discovery() -> bytes:
    """What a sender of informs begins with (RFC 3414, 4): who are you?"""
    scoped = ber.tagged(
        ber.SEQUENCE, 2 * ber.tagged(ber.OCTET_STRING, b"") + write_pdu(PduType.GET, ber.integer(1), b"")
    )
    security = ber.tagged(ber.OCTET_STRING, b"") + 2 * ber.integer(0) + 3 * ber.tagged(ber.OCTET_STRING, b"")
    data = ber.integer(77) + ber.integer(65_507) + b"\x04\x01\x04" + ber.integer(3)
    outside = ber.tagged(ber.OCTET_STRING, ber.tagged(ber.SEQUENCE, security))
    return ber.tagged(ber.SEQUENCE, ber.integer(3) + ber.tagged(ber.SEQUENCE, data) + outside + scoped)


_RNG = random.Random(11)
GARBAGE = (
    b"",
    b"\0",
    b"\x30",
    b"\x30\x80" * 2_000,
    b"\x30\x84\xff\xff\xff\xff",
    b"\xff" * 9_000,
    *(_RNG.randbytes(_RNG.randrange(1, 1_400)) for _ in range(20)),
    *(costly_datagram(300)[:cut] for cut in (5, 20, 60, 200)),
    costly_datagram(1_400),
    costly_user_datagram(1_400, 1),
)
