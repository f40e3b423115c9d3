"""Protocol data units (RFC 3416, 3), and the variable bindings in them."""

from enum import IntEnum

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.value import NULL_VALUE, ErrorStatus


class PduType(IntEnum):
    """Tags of the PDUs."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GET_BULK = 0xA5
    INFORM = 0xA6
    TRAP = 0xA7
    REPORT = 0xA8


READING = frozenset({PduType.GET, PduType.GET_NEXT, PduType.GET_BULK})


class Pdu(Struct, gc=False):
    """A request. Its bindings lie between `start` and `stop` in `octets`, and have not been looked at."""

    kind: int
    request_id: bytes
    """Tag, length and content, to be given back as they came."""
    non_repeaters: int
    """Or error status."""
    max_repetitions: int
    """Or error index."""
    octets: bytes
    start: int
    stop: int
    at: int
    """Start of the request id, with its tag."""


_FIELDS = bytes((ber.INTEGER, ber.INTEGER, ber.INTEGER, ber.SEQUENCE))


def read_pdu(octets: bytes, at: int, end: int) -> Pdu:
    """Read all but the bindings; the PDU has to fill `octets[at:end]`. Raises BerError."""
    kind, start, stop = ber.read_header(octets, at, end)
    if stop != end:
        raise ber.BerError("something behind the PDU")
    id_start, after_id, once, once_stop, most, most_stop, first, _ = ber.read_fields(octets, start, end, _FIELDS)
    if not 0 < after_id - id_start <= 4:
        raise ber.BerError("a request id of more than 32 bits, or of none")
    non_repeaters, max_repetitions = ber.signed(octets[once:once_stop]), ber.signed(octets[most:most_stop])
    return Pdu(kind, octets[start:after_id], non_repeaters, max_repetitions, octets, first, stop, start)


_ONE_NAME = tuple(
    bytes((ber.SEQUENCE, max(size - 2, 0), ber.OBJECT_IDENTIFIER, size - 6 if size >= 6 else 0xFF))
    for size in range(0x82)
)
"""How one binding without a value begins, by its length; 0xFF is the length of none."""


def read_names(pdu: Pdu, most: int) -> list[bytes]:
    """Give the names of the bindings: contents of OBJECT IDENTIFIERs, not taken apart. Raises BerError."""
    octets, at, end = pdu.octets, pdu.start, pdu.stop
    # The usual case in one step: one short name, and no value.
    if end - at < len(_ONE_NAME) and octets.startswith(_ONE_NAME[end - at], at) and octets[end - 2 : end] == NULL_VALUE:
        return [octets[at + 4 : end - 2]]
    names = []
    while at < end:
        start, stop = ber.read_expected(octets, at, end, ber.SEQUENCE)
        name_start, name_stop = ber.read_expected(octets, start, stop, ber.OBJECT_IDENTIFIER)
        if ber.read_header(octets, name_stop, stop)[2] != stop:
            raise ber.BerError("something behind a value")
        names.append(octets[name_start:name_stop])
        at = stop
    if len(names) > most:
        raise ber.BerError("too many bindings")
    return names


def name_of(binding: bytes) -> bytes:
    """Give the name of an encoded binding."""
    _, start, end = ber.read_header(binding, 0, len(binding))
    start, stop = ber.read_expected(binding, start, end, ber.OBJECT_IDENTIFIER)
    return binding[start:stop]


class Binding(Struct, frozen=True):
    """A variable and the value it is to be set to."""

    oid: ber.Oid
    tag: int
    content: bytes


def read_bindings(pdu: Pdu, most: int) -> list[Binding]:
    """Give the bindings with their values. Raises BerError."""
    octets, at, end = pdu.octets, pdu.start, pdu.stop
    bindings: list[Binding] = []
    while at < end:
        start, stop = ber.read_expected(octets, at, end, ber.SEQUENCE)
        name_start, name_stop = ber.read_expected(octets, start, stop, ber.OBJECT_IDENTIFIER)
        tag, value_start, value_stop = ber.read_header(octets, name_stop, stop)
        if value_stop != stop or len(bindings) == most:
            raise ber.BerError("something behind a value, or too many bindings")
        oid = ber.read_oid(octets[name_start:name_stop])
        bindings.append(Binding(oid, tag, octets[value_start:value_stop]))
        at = stop
    return bindings


_NO_ERROR = ber.integer(0) * 2


def write_pdu(
    kind: int, request_id: bytes, bindings: bytes, status: int = ErrorStatus.NO_ERROR, index: int = 0
) -> bytes:
    """Write a PDU out of its encoded bindings, one behind the other."""
    outcome = ber.integer(status) + ber.integer(index) if status or index else _NO_ERROR
    body = request_id + outcome + ber.header(ber.SEQUENCE, len(bindings)) + bindings
    return ber.header(kind, len(body)) + body
