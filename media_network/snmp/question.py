"""What a manager asks, and the variables it is answered (RFC 3416): names as encoded, values as Python has them.

An answer is held against its question: a GET gives the names that were asked, in their order, a GETBULK no more than
was asked for.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.ber import Oid
from media_network.snmp.pdu import Pdu, PduType, write_pdu
from media_network.snmp.value import NULL_VALUE, ErrorStatus
from media_network.snmp.visible import binding

Value: TypeAlias = int | bytes | Oid
Variable: TypeAlias = tuple[bytes, Value | None]
"""Content of the name's OBJECT IDENTIFIER, and the value; None where there is none."""

_KNOWN_NAMES = 4096


class Question(Struct, frozen=True, kw_only=True):
    """A GET, or a GETBULK of so many repetitions of every name."""

    names: Sequence[bytes]
    """Contents of OBJECT IDENTIFIERs."""
    repetitions: int = 0
    """0: a GET."""
    context: bytes = b""

    def pdu(self, number: int) -> bytes:
        """Write it, with its request id."""
        bindings = b"".join([_asked(name) for name in self.names])
        kind = PduType.GET_BULK if self.repetitions else PduType.GET
        return write_pdu(kind, ber.integer(number), bindings, 0, self.repetitions)


class QuestionRefused(Exception):
    """The agent answers this question with an error status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        try:
            return ErrorStatus(self.status).name.lower().replace("_", " ")
        except ValueError:
            return f"error status {self.status}"


def read_answer(pdu: Pdu, question: Question) -> list[Variable]:
    """Give the variables of a response. Raises BerError if they are not what was asked, QuestionRefused."""
    if pdu.non_repeaters:
        raise QuestionRefused(pdu.non_repeaters)
    variables = read_variables(pdu, len(question.names) * max(1, question.repetitions))
    if not question.repetitions and [name for name, _ in variables] != list(question.names):
        raise ber.BerError("other names than those that were asked")
    return variables


def read_variables(pdu: Pdu, most: int) -> list[Variable]:
    """Give the bindings of a response or a report. Raises BerError."""
    octets, at, end = pdu.octets, pdu.start, pdu.stop
    variables: list[Variable] = []
    while at < end:
        at, stop = ber.read_expected(octets, at, end, ber.SEQUENCE)
        name, name_stop = ber.read_expected(octets, at, stop, ber.OBJECT_IDENTIFIER)
        tag, value, at = ber.read_header(octets, name_stop, stop)
        read = _READ.get(tag)
        if at != stop or read is None or len(variables) == most:
            raise ber.BerError("something behind a value, a value of no known type, or too many bindings")
        variables.append((octets[name:name_stop], read(octets[value:stop])))
    return variables


@lru_cache(maxsize=_KNOWN_NAMES)
def written(oid: Oid) -> bytes:
    """The content of a name that is asked again and again."""
    return ber.write_oid(oid)


@lru_cache(maxsize=_KNOWN_NAMES)
def index_of(content: bytes) -> Oid:
    """The sub-identifiers behind a column's name. Raises BerError."""
    return ber.read_sub_identifiers(content) if content else ()


@lru_cache(maxsize=_KNOWN_NAMES)
def _asked(name: bytes) -> bytes:
    return binding(name, NULL_VALUE)


def _up_to(most: int) -> Callable[[bytes], Value]:
    return lambda content: ber.unsigned(content, most)


def _nothing(content: bytes) -> None:
    if content:
        raise ber.BerError("an exception with something in it")


def _four_octets(content: bytes) -> bytes:
    if len(content) != 4:
        raise ber.BerError("an IpAddress has four octets")
    return content


_U32, _U64 = _up_to(2**32 - 1), _up_to(2**64 - 1)
_READ: dict[int, Callable[[bytes], Value | None]] = {
    ber.INTEGER: ber.signed,
    ber.OCTET_STRING: bytes,
    ber.NULL: _nothing,
    ber.OBJECT_IDENTIFIER: ber.read_oid,
    0x40: _four_octets,
    0x41: _U32,
    0x42: _U32,
    0x43: _U32,
    0x44: bytes,
    0x46: _U64,
    0x80: _nothing,
    0x81: _nothing,
    0x82: _nothing,
}
"""By tag: those of SMIv2 (RFC 2578, 7.1), then noSuchObject, noSuchInstance and endOfMibView."""
