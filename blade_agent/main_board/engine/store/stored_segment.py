"""A held segment, open for reading."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from io import RawIOBase, UnsupportedOperation
from math import inf
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self, cast

from blade_agent.main_board.engine.store.errors import ChannelFailed
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.layout import Content, SegmentKey
from media_network.files import Files
from media_network.segment_index import BLOCK_BYTES

_HASHED_BYTES = 1024 * 1024
_GO_BYTES = 4 * 1024 * 1024


class Filling(NamedTuple):
    """How fast a segment comes in that is verified block by block. Times are the event loop's, in seconds."""

    length_bytes: int
    verified_bytes: int
    began_at: float
    began_bytes: int
    """What there was then."""
    bytes_s: float
    """What has come a second since; 0: nothing yet."""

    def here_at(self, byte: int, now_s: float) -> float:
        """When all before this byte will be verified, if it goes on like that."""
        if byte <= self.verified_bytes:
            return now_s
        if not self.bytes_s:
            return inf
        needed = min(-(-byte // BLOCK_BYTES) * BLOCK_BYTES, self.length_bytes)
        expected_at = self.began_at + (needed - self.began_bytes) / self.bytes_s
        # What is overdue may be as late again.
        return expected_at + 2 * max(0.0, now_s - expected_at)

    def blocks_to_come(self, packet_bytes: int) -> list[tuple[int, int]]:
        """Of each block that is not verified: the packet of the segment with which it begins, and its last byte."""
        begins = range(self.verified_bytes, self.length_bytes, BLOCK_BYTES)
        return [(begin // packet_bytes, min(begin + BLOCK_BYTES, self.length_bytes)) for begin in begins]


class StoredSegment:
    """A held segment, open for reading. It stays whole while it is open, even if the store drops it."""

    def __init__(self, key: SegmentKey, content: Content, channel: IoChannel, file: BinaryIO) -> None:
        self.key = key
        self.content = content
        """What it is to be: its length and digest."""
        self.length_bytes = content.length_bytes
        self.channel = channel
        self.file = file
        self._reading = 0
        self._closed = False

    @property
    def readable_bytes(self) -> int:
        """How much of it may be read at this moment: all, of one that is held."""
        return self.length_bytes

    @property
    def broken(self) -> bool:
        """Whether no more of it becomes readable than is."""
        return False

    @property
    def filling(self) -> Filling | None:
        """How it comes in; None: it is all here."""
        return None

    @property
    def descriptor(self) -> int | None:
        """Of its file; None: it has none, or what it has is not all of it yet."""
        try:
            return None if self.filling else self.file.fileno()
        except UnsupportedOperation:
            return None

    async def past(self, _offset: int) -> int:
        """How far it may be read, as soon as that is past an offset. Raises StoreError if it never will be."""
        return self.length_bytes

    async def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer with a part. Raises ChannelFailed, also when the file has become shorter than it was."""
        (whole,) = await read_parts(self.channel, [(self, offset, buffer)])
        if not whole:
            raise ChannelFailed(self.channel.folder, f"{self.key} is truncated")

    async def warm(self, offset: int, length_bytes: int) -> None:
        """Bring a part into memory, for `loop.sendfile`. Raises ChannelFailed."""
        with self:
            await self.channel.run(_warm, self.file, offset, length_bytes)

    def close(self) -> None:
        """Let go of the file, as soon as nobody reads it."""
        self._closed = True
        self._close_if_unused()

    def __enter__(self) -> Self:
        self._reading += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._reading -= 1
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._closed and not self._reading:
            self.file.close()


_Part = tuple[StoredSegment, int, memoryview]


async def read_parts(channel: IoChannel, parts: Sequence[_Part]) -> list[bool]:
    """Fill several buffers from one channel in one go: it is the way to its threads that costs.

    A part is a segment, an offset and the buffer to fill from there. Returns for each whether it could be filled: a
    file may have become shorter than it was. Raises ChannelFailed.
    """
    with ExitStack() as held_open:
        for stored, _, _ in parts:
            held_open.enter_context(stored)
        lengths: list[int] = []
        for some in _in_goes(parts):
            lengths += await channel.run(
                _read_parts, [(stored.file, offset, buffer) for stored, offset, buffer in some]
            )
    whole = [length == len(buffer) for (_, _, buffer), length in zip(parts, lengths, strict=True)]
    channel.counters.reads += len(parts)
    channel.counters.read_bytes += sum(lengths)
    channel.counters.failures += whole.count(False)
    return whole


def _read_parts(parts: Sequence[tuple[BinaryIO, int, memoryview]]) -> list[int]:
    lengths = []
    for file, offset, buffer in parts:
        file.seek(offset)
        lengths.append(cast("RawIOBase", file).readinto(buffer) or 0)
    return lengths


def _in_goes(parts: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    """So much at a time that a disk that works has read it long before it would count as one that hangs."""
    begin, bytes_of_go = 0, 0
    for number, (_, _, buffer) in enumerate(parts):
        if bytes_of_go and bytes_of_go + len(buffer) > _GO_BYTES:
            yield parts[begin:number]
            begin, bytes_of_go = number, 0
        bytes_of_go += len(buffer)
    yield parts[begin:]


def _warm(file: BinaryIO, offset: int, length_bytes: int) -> None:
    try:
        os.posix_fadvise(file.fileno(), offset, length_bytes, os.POSIX_FADV_WILLNEED)
    except UnsupportedOperation:
        return  # `loop.sendfile` reads what has no descriptor in a thread
    # The advice only starts the reading; the disk has done most of it when the last byte is there.
    file.seek(offset + length_bytes - 1)
    file.read(1)


def open_whole(files: Files, path: Path, content: Content) -> BinaryIO | None:
    """Open a segment's file; None if it is not as long as it has to be. Blocks; raises OSError."""
    file = files.read(path)
    if file.seek(0, os.SEEK_END) != content.length_bytes:
        file.close()
        return None
    return file


async def is_intact(channel: IoChannel, file: BinaryIO, content: Content) -> bool:
    """Whether a file's bytes are what they have to be: all of them are read, and streams need not wait for that.

    Raises ChannelFailed.
    """
    digest, offset = hashlib.sha256(), 0
    while read_bytes := await channel.run(_hash_part, file, offset, digest):
        offset += read_bytes
    return digest.digest() == content.digest


def _hash_part(file: BinaryIO, offset: int, digest: "hashlib._Hash") -> int:
    file.seek(offset)
    data = file.read(_HASHED_BYTES)
    digest.update(data)
    return len(data)
