"""What is written on a board, as its EEPROM holds it (IPMI FRU Information Storage Definition 1.0, rev. 1.3)."""

from typing import Final

from msgspec import Struct

from blade_agent.backplane.message import checksum

_VERSION: Final = 0x01
_HEADER_BYTES: Final = 8
_UNIT_BYTES: Final = 8
"""Areas begin and end at multiples of it."""
_ENGLISH: Final = 0x00
_DATE_UNSPECIFIED: Final = bytes(3)
_ASCII: Final = 0xC0
_END_OF_FIELDS: Final = b"\xc1"
_LONGEST_FIELD_BYTES: Final = 31
_AREA_OFFSETS: Final = {"chassis": 2, "board": 3, "product": 4}


class FruFacts(Struct, frozen=True, kw_only=True):
    """What is known of a field replaceable unit; what is not stays empty. At most 31 ASCII characters each."""

    manufacturer: str = ""
    product: str = ""
    part_number: str = ""
    version: str = ""
    serial_number: str = ""
    asset_tag: str = ""


def fru_image(facts: FruFacts) -> bytes:
    """Write the facts as a board area and a product area behind a common header."""
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
    header = bytes((_VERSION, 0, 0, board_at, board_at + len(board) // _UNIT_BYTES, 0, 0))
    return _sealed(header) + board + product


def areas_are_whole(image: bytes) -> bool:
    """Tell whether the header, and the chassis, board and product areas that it names, have their checksums right."""
    header = image[:_HEADER_BYTES]
    if len(header) < _HEADER_BYTES or header[0] != _VERSION or checksum(header):
        return False
    starts = [header[offset] * _UNIT_BYTES for offset in _AREA_OFFSETS.values() if header[offset]]
    return all(_area_is_whole(image, start) for start in starts)


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
