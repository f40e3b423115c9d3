"""Typed values: the syntaxes of SMIv2 (RFC 2578, 7.1), and how each is written and read.

| syntax | a reading is |
|---|---|
| INTEGER32, `enumerated(...)`, TRUTH_VALUE | int |
| GAUGE32 (also Unsigned32), COUNTER32, COUNTER64, TIME_TICKS (hundredths of a second) | int, not negative |
| OCTET_STRING and its kin | bytes |
| DISPLAY_STRING | str (written as UTF-8), or bytes |
| OBJECT_ID | tuple of int |
| IP_ADDRESS | 4 bytes |

A reading of None says that the instance has no value now; it is then skipped as if it were not there.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.ber import Oid

Reading: TypeAlias = int | bytes | str | Oid | None

INT32 = (-(2**31), 2**31 - 1)
_U32 = 2**32 - 1
_U64 = 2**64 - 1

NO_SUCH_OBJECT = b"\x80\x00"
NO_SUCH_INSTANCE = b"\x81\x00"
END_OF_MIB_VIEW = b"\x82\x00"
NULL_VALUE = b"\x05\x00"


class ErrorStatus(IntEnum):
    """Why a request was refused (RFC 3416, 3)."""

    NO_ERROR = 0
    TOO_BIG = 1
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_ENCODING = 9
    WRONG_VALUE = 10
    NO_CREATION = 11
    INCONSISTENT_VALUE = 12
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    UNDO_FAILED = 15
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17
    INCONSISTENT_NAME = 18


class ValueRefused(Exception):
    """A variable cannot be set to a value."""

    def __init__(self, status: ErrorStatus) -> None:
        super().__init__(status)
        self.status = status


class Syntax(Struct, frozen=True, kw_only=True):
    """How one type of value travels, and which values of it an object takes."""

    name: str
    tag: int
    encode: Callable[[Any], bytes]
    """From a reading to tag, length and content. Raises ValueError or TypeError for what the type cannot hold."""
    decode: Callable[[bytes], Any]
    """From content to what a reading would be. Raises BerError."""
    ranges: tuple[tuple[int, int], ...] = ()
    """Which numbers may be set; all that the type holds if empty."""
    sizes: tuple[tuple[int, int], ...] = ()
    """How many octets may be set; any if empty."""
    names: Mapping[str, int] | None = None
    """Names of the numbers of an enumeration."""

    def within(self, *ranges: tuple[int, int]) -> "Syntax":
        """Give the same type, limited to ranges: `INTEGER32.within((0, 100))`."""
        return msgspec.structs.replace(self, ranges=ranges)

    def sized(self, *sizes: tuple[int, int]) -> "Syntax":
        """Give the same type, limited to sizes: `OCTET_STRING.sized((0, 255))`."""
        return msgspec.structs.replace(self, sizes=sizes)

    def take(self, tag: int, content: bytes) -> Any:
        """Read a value that somebody sets. Raises Refused: wrongType, wrongEncoding, wrongLength or wrongValue."""
        if tag != self.tag:
            raise ValueRefused(ErrorStatus.WRONG_TYPE)
        if self.sizes and not any(low <= len(content) <= high for low, high in self.sizes):
            raise ValueRefused(ErrorStatus.WRONG_LENGTH)
        try:
            value = self.decode(content)
        except ber.BerError as error:
            raise ValueRefused(ErrorStatus.WRONG_ENCODING) from error
        if self.ranges and not any(low <= value <= high for low, high in self.ranges):
            raise ValueRefused(ErrorStatus.WRONG_VALUE)
        return value


def _integer32(number: int) -> bytes:
    if 0 <= number < 128:
        return _SMALL[number]
    if not INT32[0] <= number <= INT32[1]:
        raise ValueError(f"{number} does not fit an Integer32")
    return ber.integer(number)


_SMALL = tuple(bytes((ber.INTEGER, 1, number)) for number in range(128))


def _counting(name: str, tag: int, most: int, *, latched: bool = False) -> Syntax:
    """Make an unsigned type: one that starts again from 0, or one that stays at its most."""
    small = tuple(bytes((tag, 1, number)) for number in range(128))
    headers = tuple(bytes((tag, size)) for size in range(10))

    def encode(number: int) -> bytes:
        if 0 <= number < 128:
            return small[number]
        if number > most:
            number = most if latched else number & most
        elif number < 0:
            raise ValueError(f"{number} is no {name}")
        size = (number.bit_length() >> 3) + 1
        return headers[size] + number.to_bytes(size, "big")

    return Syntax(name=name, tag=tag, encode=encode, decode=lambda content: ber.unsigned(content, most))


_SHORT = tuple(ber.header(ber.OCTET_STRING, length) for length in range(0x80))


def _octets(value: bytes) -> bytes:
    size = len(value)
    return (_SHORT[size] if size < 0x80 else ber.header(ber.OCTET_STRING, size)) + value


def _text(value: str | bytes) -> bytes:
    octets = value.encode() if isinstance(value, str) else value
    size = len(octets)
    return (_SHORT[size] if size < 0x80 else ber.header(ber.OCTET_STRING, size)) + octets


def _displayed(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ber.BerError("text that is not UTF-8") from error


def _oid(value: Oid) -> bytes:
    return ber.tagged(ber.OBJECT_IDENTIFIER, ber.write_oid(value))


def _ip_address(value: bytes) -> bytes:
    if len(value) != 4:
        raise ValueError(f"{value!r} is no IPv4 address")
    return b"\x40\x04" + value


def _four_octets(content: bytes) -> bytes:
    if len(content) != 4:
        raise ber.BerError("an IpAddress has four octets")
    return content


INTEGER32 = Syntax(name="Integer32", tag=ber.INTEGER, encode=_integer32, decode=ber.signed)
OCTET_STRING = Syntax(name="OctetString", tag=ber.OCTET_STRING, encode=_octets, decode=bytes)
DISPLAY_STRING = Syntax(name="DisplayString", tag=ber.OCTET_STRING, encode=_text, decode=_displayed, sizes=((0, 255),))
OBJECT_ID = Syntax(name="ObjectIdentifier", tag=ber.OBJECT_IDENTIFIER, encode=_oid, decode=ber.read_oid)
IP_ADDRESS = Syntax(name="IpAddress", tag=0x40, encode=_ip_address, decode=_four_octets)
COUNTER32 = _counting("Counter32", 0x41, _U32)
GAUGE32 = _counting("Gauge32", 0x42, _U32, latched=True)
TIME_TICKS = _counting("TimeTicks", 0x43, _U32)
COUNTER64 = _counting("Counter64", 0x46, _U64)


def enumerated(**names: int) -> Syntax:
    """Make an enumeration: `enumerated(up=1, down=2)`."""
    values = tuple((number, number) for number in names.values())
    return msgspec.structs.replace(INTEGER32, name="Enumeration", ranges=values, names=names)


TRUTH_VALUE = enumerated(true=1, false=2)


def truth(value: object) -> int:
    """Give the TruthValue of something: 1 or 2."""
    return 1 if value else 2


def parse_oid(text: str) -> Oid:
    """Read `1.3.6.1`, with or without a dot in front. Raises ValueError."""
    parts = text.removeprefix(".").split(".")
    if not all(part.isascii() and part.isdecimal() and len(part) < 11 for part in parts):
        raise ValueError(f"{text[:40]!r} is no object identifier, such as 1.3.6.1.2.1")
    oid = tuple(map(int, parts))
    if any(not 0 <= number <= ber.MAX_SUB_IDENTIFIER for number in oid):
        raise ValueError(f"{text!r} is no object identifier")
    return oid


def string_index(text: str | bytes, *, implied: bool = False) -> Oid:
    """Give the sub-identifiers of a string in an INDEX clause: its length, unless it is IMPLIED, then its octets."""
    octets = text.encode() if isinstance(text, str) else text
    return tuple(octets) if implied else (len(octets), *octets)
