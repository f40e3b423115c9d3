"""What is known of the inside of a segment (docs/protocols/program.md, "Index"): blocks, so that its beginning can be
believed before the rest is there; key pictures, for fast forward.
"""

import hashlib
from collections.abc import Iterable, Sequence
from struct import Struct as Layout
from typing import NamedTuple

from media_network.packets import TS_PACKET_BYTES

BLOCK_BYTES = 256 * 1024
"""What is verified at once."""

KEY_PICTURES_MAX = 65_536
"""Of a segment; what is past them is left out."""

_MAGIC, _LAYOUT = b"MSIX", 1
_HEAD = Layout(">4sHHII")
_KEY_PICTURE = Layout(">IIII")
_DIGEST_BYTES = 32
_IDR = 1


class BadIndex(ValueError):
    """These bytes are no index of the segment; the message says why."""


class KeyPicture(NamedTuple):
    """A picture that is decoded without others."""

    first_packet: int
    """Of the segment."""
    packets: int
    ticks: int
    """From the segment's beginning."""
    idr: bool
    """Nothing after it refers to what was before it: decoding goes on from here."""


class SegmentIndex(NamedTuple):
    """The index of one segment."""

    blocks: tuple[bytes, ...]
    """SHA-256 of each block; the last one may be short."""
    key_pictures: tuple[KeyPicture, ...]

    def octets(self) -> bytes:
        """As it is named, kept and sent: shorter than `index_bytes_max` says, if it is of one segment."""
        head = _HEAD.pack(_MAGIC, _LAYOUT, _KEY_PICTURE.size, len(self.blocks), len(self.key_pictures))
        pictures = (
            _KEY_PICTURE.pack(one.first_packet, one.packets, one.ticks, _IDR if one.idr else 0)
            for one in self.key_pictures
        )
        return b"".join((head, *self.blocks, *pictures))


def parse_index(octets: bytes, *, packets: int, ticks: int, length_bytes: int) -> SegmentIndex:
    """Read the index of a segment of that length. Raises `BadIndex`."""
    if len(octets) < _HEAD.size:
        raise BadIndex("it is shorter than its head")
    magic, layout, picture_bytes, blocks, pictures = _HEAD.unpack_from(octets)
    if (magic, layout, picture_bytes) != (_MAGIC, _LAYOUT, _KEY_PICTURE.size):
        raise BadIndex("it is no index, or one of a newer layout")
    if blocks != blocks_of(length_bytes):
        raise BadIndex(f"a segment of {length_bytes} bytes has no {blocks} blocks")
    if pictures > KEY_PICTURES_MAX or len(octets) != _HEAD.size + blocks * _DIGEST_BYTES + pictures * picture_bytes:
        raise BadIndex(f"{blocks} blocks and {pictures} key pictures do not take {len(octets)} bytes")
    pictures_at = _HEAD.size + blocks * _DIGEST_BYTES
    digests = [octets[at : at + _DIGEST_BYTES] for at in range(_HEAD.size, pictures_at, _DIGEST_BYTES)]
    rows = _KEY_PICTURE.iter_unpack(octets[pictures_at:])
    found = tuple(KeyPicture(first, count, at, bool(flags & _IDR)) for first, count, at, flags in rows)
    _check_order(found, packets, ticks)
    return SegmentIndex(tuple(digests), found)


def blocks_of(length_bytes: int) -> int:
    """How many blocks a segment has."""
    return -(-length_bytes // BLOCK_BYTES)


class BlockDigests:
    """The digests of the blocks of a segment that comes in pieces of any length."""

    def __init__(self) -> None:
        self.whole: list[bytes] = []
        """Of the blocks that are complete."""
        self._current = hashlib.sha256()
        self._room = BLOCK_BYTES

    def update(self, piece: bytes | memoryview) -> None:
        """Take in what comes next."""
        view = memoryview(piece)
        while view:
            taken, view = view[: self._room], view[self._room :]
            self._current.update(taken)
            self._room -= len(taken)
            if not self._room:
                self.whole.append(self._current.digest())
                self._current, self._room = hashlib.sha256(), BLOCK_BYTES

    def digests(self) -> tuple[bytes, ...]:
        """Of all there was."""
        begun = self._room < BLOCK_BYTES
        return (*self.whole, self._current.digest()) if begun else tuple(self.whole)


def index_of(pieces: Iterable[bytes], key_pictures: Sequence[KeyPicture]) -> SegmentIndex:
    """The index of a segment that is at hand."""
    blocks = BlockDigests()
    for piece in pieces:
        blocks.update(piece)
    return SegmentIndex(blocks.digests(), tuple(key_pictures))


def _check_order(pictures: Sequence[KeyPicture], packets: int, ticks: int) -> None:
    packet = 0
    for one in pictures:
        if one.first_packet < packet or not one.packets or one.first_packet + one.packets > packets:
            raise BadIndex("its key pictures are not in order, or lie outside the segment")
        if one.ticks >= ticks:
            raise BadIndex("a key picture is shown after the segment has ended")
        packet = one.first_packet + 1


def index_bytes_max(length_bytes: int) -> int:
    """Length of the longest index that a segment of that length can have."""
    pictures = min(KEY_PICTURES_MAX, length_bytes // TS_PACKET_BYTES)
    return _HEAD.size + blocks_of(length_bytes) * _DIGEST_BYTES + pictures * _KEY_PICTURE.size
