"""The part of BER (X.690) that SNMP uses: definite lengths, tags of one octet, and a limit on everything.

The reading functions take the buffer, where to start and where the enclosing value ends, and never look beyond.
"""

from functools import lru_cache
from typing import TypeAlias

Oid: TypeAlias = tuple[int, ...]

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30

MAX_SUB_IDENTIFIERS = 128
MAX_SUB_IDENTIFIER = 0xFFFFFFFF
_MAX_OID_OCTETS = 5 * MAX_SUB_IDENTIFIERS
_MAX_LENGTH_OCTETS = 4


class BerError(ValueError):
    """Octets that are not BER as SNMP writes it."""


def read_header(octets: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Give tag, start and stop of the value at `at`. Raises BerError if it does not lie within `end`."""
    if at + 2 > end:
        raise BerError("cut short")
    length = octets[at + 1]
    start = at + 2
    if length >= 0x80:
        count = length & 0x7F
        if not 0 < count <= _MAX_LENGTH_OCTETS:
            raise BerError("indefinite or overlong length")
        start += count
        if start > end:
            raise BerError("cut short")
        length = int.from_bytes(octets[start - count : start], "big")
    stop = start + length
    if stop > end:
        raise BerError("longer than what encloses it")
    return octets[at], start, stop


def read_expected(octets: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Give start and stop of a value that has to have this tag."""
    # The usual case in one step: a length of one octet.
    if at + 2 <= end and octets[at] == tag:
        length = octets[at + 1]
        stop = at + 2 + length
        if length < 0x80 and stop <= end:
            return at + 2, stop
    found, start, stop = read_header(octets, at, end)
    if found != tag:
        raise BerError(f"tag {found:#04x} where {tag:#04x} has to be")
    return start, stop


def read_fields(octets: bytes, at: int, end: int, tags: bytes) -> list[int]:
    """Give start and stop of each of several values, which have these tags and fill `octets[at:end]`."""
    places = []
    for tag in tags:
        if at + 2 <= end and octets[at] == tag and (length := octets[at + 1]) < 0x80 and at + 2 + length <= end:
            places.append(at + 2)
            at += 2 + length
        else:
            start, at = read_expected(octets, at, end, tag)
            places.append(start)
        places.append(at)
    if at != end:
        raise BerError("something behind what there has to be")
    return places


def read_integer(octets: bytes, at: int, end: int) -> tuple[int, int]:
    """Give an INTEGER of 32 bits and where it stops."""
    # The usual case in one step: a small number.
    if at + 3 <= end and octets[at] == INTEGER and octets[at + 1] == 1 and octets[at + 2] < 0x80:
        return octets[at + 2], at + 3
    start, stop = read_expected(octets, at, end, INTEGER)
    return signed(octets[start:stop]), stop


def signed(content: bytes) -> int:
    """Read the content of an Integer32."""
    if not 0 < len(content) <= 4:
        raise BerError("an integer of more than 32 bits, or of none")
    return int.from_bytes(content, "big", signed=True)


def unsigned(content: bytes, most: int) -> int:
    """Read the content of an unsigned integer from 0 to `most`."""
    if not 0 < len(content) <= 9:
        raise BerError("an integer of no or too many octets")
    number = int.from_bytes(content, "big", signed=True)
    if not 0 <= number <= most:
        raise BerError("an unsigned integer out of range")
    return number


def read_sub_identifiers(content: bytes) -> Oid:
    """Read sub-identifiers in base 128, the first two not taken apart."""
    if len(content) > _MAX_OID_OCTETS:
        raise BerError("an object identifier of too many octets")
    if not content or content[-1] >= 0x80:
        raise BerError("an object identifier is cut short")
    numbers = []
    number = 0
    for octet in content:
        if octet == 0x80 and not number:
            raise BerError("a padded sub-identifier")
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            if number > MAX_SUB_IDENTIFIER:
                raise BerError("a sub-identifier of more than 32 bits")
            numbers.append(number)
            number = 0
        elif number > MAX_SUB_IDENTIFIER:
            raise BerError("a sub-identifier of more than 32 bits")
    if len(numbers) > MAX_SUB_IDENTIFIERS:
        raise BerError("an object identifier of too many sub-identifiers")
    return tuple(numbers)


def read_oid(content: bytes) -> Oid:
    """Read the content of an OBJECT IDENTIFIER; `(0, 0)` if it is empty, as some managers write it."""
    if not content:
        return (0, 0)
    first, *rest = read_sub_identifiers(content)
    if len(rest) + 2 > MAX_SUB_IDENTIFIERS:
        raise BerError("an object identifier of too many sub-identifiers")
    if first >= 80:
        return (2, first - 80, *rest)
    return (first // 40, first % 40, *rest)


def write_sub_identifiers(numbers: Oid) -> bytes:
    """Write sub-identifiers in base 128."""
    try:
        # The usual case: every number below 128.
        octets = bytes(numbers)
        if octets.isascii():
            return octets
    except ValueError:
        pass
    return b"".join(map(_sub_identifier, numbers))


def write_oid(oid: Oid) -> bytes:
    """Write the content of an OBJECT IDENTIFIER of two or more sub-identifiers. Raises ValueError."""
    if not 2 <= len(oid) <= MAX_SUB_IDENTIFIERS or oid[0] > 2 or (oid[0] < 2 and oid[1] >= 40):
        raise ValueError(f"{oid} is no object identifier")
    return write_sub_identifiers((oid[0] * 40 + oid[1], *oid[2:]))


def header(tag: int, length: int) -> bytes:
    """Write a tag and a length, as short as it can be."""
    if length < 0x80:
        return _SHORT_HEADERS[tag][length]
    if length < 0x100:
        return bytes((tag, 0x81, length))
    if length < 0x10000:
        return bytes((tag, 0x82, length >> 8, length & 0xFF))
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big")


def tagged(tag: int, content: bytes) -> bytes:
    """Write a value: tag, length, content."""
    return header(tag, len(content)) + content


def integer(number: int, tag: int = INTEGER) -> bytes:
    """Write an integer of any size, two's complement."""
    if 0 <= number < 0x80:
        return bytes((tag, 1, number))
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return _SHORT_HEADERS[tag][size] + number.to_bytes(size, "big", signed=True)


@lru_cache(maxsize=1024)
def _sub_identifier(number: int) -> bytes:
    if not 0 <= number <= MAX_SUB_IDENTIFIER:
        raise ValueError(f"{number} is no sub-identifier")
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(0x80 | number & 0x7F)
    return bytes(reversed(octets))


class _ShortHeaders(dict[int, tuple[bytes, ...]]):
    """Headers of lengths below 128, by tag; made when a tag is first written."""

    def __missing__(self, tag: int) -> tuple[bytes, ...]:
        made = self[tag] = tuple(bytes((tag, length)) for length in range(0x80))
        return made


_SHORT_HEADERS = _ShortHeaders()
