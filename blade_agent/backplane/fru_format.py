"""What is written on a board, as its EEPROM holds it (IPMI FRU Information Storage Definition 1.0, rev. 1.3)."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from blade_agent.backplane.message import checksum

_VERSION: Final = 0x01
_HEADER_BYTES: Final = 8
_UNIT_BYTES: Final = 8
"""Areas begin and end at multiples of it."""
_ENGLISH: Final = 0x00
_RECORD_FORMAT: Final = 0x02
_DATE_UNSPECIFIED: Final = bytes(3)
_ASCII: Final = 0xC0
_END_OF_FIELDS: Final = b"\xc1"
_LONGEST_FIELD_BYTES: Final = 31
_PRODUCT_FIELDS: Final = ("manufacturer", "product", "part_number", "version", "serial_number", "asset_tag")
_BOARD_FIELDS: Final = ("manufacturer", "product", "serial_number", "part_number")
_PRODUCT_FIELDS_AT: Final = 3
_BOARD_FIELDS_AT: Final = 6
_AREA_OFFSETS: Final = {"chassis": 2, "board": 3, "product": 4}


class FruFacts(Struct, frozen=True, kw_only=True):
    """What is known of a field replaceable unit; what is not stays empty. At most 31 ASCII characters each."""

    manufacturer: str = ""
    product: str = ""
    part_number: str = ""
    version: str = ""
    serial_number: str = ""
    asset_tag: str = ""


def fru_image(facts: FruFacts, records: Sequence[bytes] = ()) -> bytes:
    """Write the facts as a board area and a product area behind a common header.

    Behind them go records of makers, each a type byte and its data (section 16 of the definition). Raises ValueError
    for one that is too long, or more than the header can point behind.
    """
    board = _area(
        bytes([_ENGLISH]) + _DATE_UNSPECIFIED,
        (facts.manufacturer, facts.product, facts.serial_number, facts.part_number, ""),
    )
    product = _area(
        bytes([_ENGLISH]),
        (
            facts.manufacturer,
            facts.product,
            facts.part_number,
            facts.version,
            facts.serial_number,
            facts.asset_tag,
            "",
        ),
    )
    board_at = _HEADER_BYTES // _UNIT_BYTES
    product_at = board_at + len(board) // _UNIT_BYTES
    records_at = product_at + len(product) // _UNIT_BYTES if records else 0
    header = bytes((_VERSION, 0, 0, board_at, product_at, records_at, 0))
    last = len(records) - 1
    area = b"".join(_record(octets, ends=index == last) for index, octets in enumerate(records))
    return _sealed(header) + board + product + area


def _record(octets: bytes, *, ends: bool) -> bytes:
    """Write a record: type, format and end bit, length, sum of the data, sum of the header."""
    kind, data = octets[0], octets[1:]
    head = bytes((kind, _RECORD_FORMAT | ends << 7, len(data), checksum(data)))
    return _sealed(head) + data


def read_fru(image: bytes) -> FruFacts:
    """Read what an inventory says: its product area, and where that says nothing its board area.

    Nothing of what it claims is trusted: an area whose checksum is wrong, or that ends early, says nothing.
    """
    product = dict(zip(_PRODUCT_FIELDS, _fields(image, "product", _PRODUCT_FIELDS_AT), strict=False))
    board = dict(zip(_BOARD_FIELDS, _fields(image, "board", _BOARD_FIELDS_AT), strict=False))
    return FruFacts(**{name: product.get(name) or board.get(name, "") for name in FruFacts.__struct_fields__})


def areas_are_whole(image: bytes) -> bool:
    """Tell whether the header, and the chassis, board and product areas that it names, have their checksums right."""
    header = image[:_HEADER_BYTES]
    if len(header) < _HEADER_BYTES or header[0] != _VERSION or checksum(header):
        return False
    starts = [header[offset] * _UNIT_BYTES for offset in _AREA_OFFSETS.values() if header[offset]]
    return all(_area_is_whole(image, start) for start in starts)


def _fields(image: bytes, name: str, first_at: int) -> list[str]:
    """Give the texts of an area in order (section 13 of the definition: a type and length byte before each)."""
    if len(image) < _HEADER_BYTES or image[0] != _VERSION or checksum(image[:_HEADER_BYTES]):
        return []
    start = image[_AREA_OFFSETS[name]] * _UNIT_BYTES
    if not start or not _area_is_whole(image, start):
        return []
    area = image[start : start + image[start + 1] * _UNIT_BYTES - 1]
    texts: list[str] = []
    at = first_at
    while at < len(area) and area[at] != _END_OF_FIELDS[0]:
        length_bytes = area[at] & ~_ASCII
        octets = area[at + 1 : at + 1 + length_bytes]
        if len(octets) < length_bytes:
            break
        texts.append(_TEXT_OF[area[at] & _ASCII](octets))
        at += 1 + length_bytes
    return texts


def _ascii(octets: bytes) -> str:
    text = octets.decode("latin-1").rstrip("\x00 ")
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)


def _packed_ascii(octets: bytes) -> str:
    """Four letters in three bytes, the first in the lowest bits."""
    bits, count = int.from_bytes(octets, "little"), len(octets) * 8 // 6
    return "".join(chr(0x20 + (bits >> 6 * place & 0x3F)) for place in range(count)).rstrip()


def _bcd(octets: bytes) -> str:
    return octets.hex().translate(str.maketrans("abcdef", " -.???")).rstrip()


_TEXT_OF: Final[dict[int, Callable[[bytes], str]]] = {0x00: bytes.hex, 0x40: _bcd, 0x80: _packed_ascii, _ASCII: _ascii}


def _area_is_whole(image: bytes, start: int) -> bool:
    if start + 2 > len(image):
        return False
    area = image[start : start + image[start + 1] * _UNIT_BYTES]
    return len(area) == image[start + 1] * _UNIT_BYTES > 0 and not checksum(area)


def _area(head: bytes, fields: tuple[str, ...]) -> bytes:
    octets = head + b"".join(map(_field, fields)) + _END_OF_FIELDS
    length_bytes = -(-(2 + len(octets) + 1) // _UNIT_BYTES) * _UNIT_BYTES
    body = bytes((_VERSION, length_bytes // _UNIT_BYTES)) + octets
    return _sealed(body.ljust(length_bytes - 1, b"\x00"))


def _field(text: str) -> bytes:
    """One character alone would read as the end of the fields: it is padded by a blank."""
    octets = text.encode("ascii", "replace")[:_LONGEST_FIELD_BYTES]
    if len(octets) == 1:
        octets += b" "
    return bytes([_ASCII | len(octets)]) + octets


def _sealed(octets: bytes) -> bytes:
    return octets + bytes([checksum(octets)])
