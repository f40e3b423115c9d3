"""All key pictures of a program, as one attachment (docs/protocols/program.md, "Attachments and renditions").

They are those of the indexes of its segments: who lists them need not gather these.
"""

from collections.abc import Iterable
from struct import Struct as Layout
from typing import NamedTuple

from media_network.program_header import ATTACHMENT_BYTES_MAX
from media_network.segment_index import KeyPicture
from media_network.segment_table import SegmentTable

MEDIA_TYPE = "application/octet-stream"
_ROW = Layout(">IIII")
ROWS_MAX = ATTACHMENT_BYTES_MAX // _ROW.size


class BadKeyPictures(ValueError):
    """These bytes are no key pictures of the program; the message says why."""


class ListedPicture(NamedTuple):
    """A picture that is decoded without others."""

    segment: int
    first_packet: int
    """Of the segment."""
    packets: int
    ticks: int
    """From the segment's beginning."""


def listed(segment: int, pictures: Iterable[KeyPicture]) -> list[ListedPicture]:
    """Those of a segment's index from which decoding goes on."""
    return [ListedPicture(segment, one.first_packet, one.packets, one.ticks) for one in pictures if one.idr]


def key_picture_octets(pictures: Iterable[ListedPicture]) -> bytes:
    """The attachment."""
    return b"".join(_ROW.pack(*one) for one in pictures)


def parse_key_pictures(octets: bytes, segments: SegmentTable) -> tuple[ListedPicture, ...]:
    """Read the attachment of a program with these segments. Raises `BadKeyPictures`."""
    if not octets or len(octets) % _ROW.size or len(octets) > ATTACHMENT_BYTES_MAX:
        raise BadKeyPictures(f"{len(octets)} bytes are no rows")
    found = tuple(ListedPicture(*row) for row in _ROW.iter_unpack(octets))
    at = (0, -1, -1)
    for one in found:
        if one.segment >= len(segments) or (one.segment, one.first_packet, one.ticks) <= at:
            raise BadKeyPictures("they are not in order, or of a segment that is not there")
        if not 0 < one.packets <= segments.packets(one.segment) - one.first_packet:
            raise BadKeyPictures("one of them lies outside its segment")
        if one.ticks >= segments.ticks(one.segment):
            raise BadKeyPictures("one of them is shown after its segment has ended")
        at = (one.segment, one.first_packet, one.ticks)
    return found
