"""A held segment, open for reading."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from io import RawIOBase, UnsupportedOperation
from pathlib import Path
from typing import BinaryIO, Self, cast

from blade_agent.main_board.engine.store.errors import ChannelFailed
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.layout import Content, SegmentKey
from media_network.files import Files

_HASHED_BYTES = 1024 * 1024


class StoredSegment:
    """A held segment, open for reading. It stays whole while it is open, even if the store drops it."""

    def __init__(self, key: SegmentKey, length_bytes: int, channel: IoChannel, file: BinaryIO) -> None:
        self.key = key
        self.length_bytes = length_bytes
        self.channel = channel
        self.file = file
        self._reading = 0
        self._closed = False

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


async def read_parts(channel: IoChannel, parts: Sequence[tuple[StoredSegment, int, memoryview]]) -> list[bool]:
    """Fill several buffers from one channel in one go: it is the way to its threads that costs.

    A part is a segment, an offset and the buffer to fill from there. Returns for each whether it could be filled: a
    file may have become shorter than it was. Raises ChannelFailed.
    """
    with ExitStack() as held_open:
        for stored, _, _ in parts:
            held_open.enter_context(stored)
        lengths = await channel.run(_read_parts, [(stored.file, offset, buffer) for stored, offset, buffer in parts])
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


def _warm(file: BinaryIO, offset: int, length_bytes: int) -> None:
    try:
        descriptor = file.fileno()
    except UnsupportedOperation:
        return  # `loop.sendfile` reads what has no descriptor in a thread
    os.posix_fadvise(descriptor, offset, length_bytes, os.POSIX_FADV_WILLNEED)
    # The advice only starts the reading; the disk has done most of it when the last byte is there.
    os.pread(descriptor, 1, offset + length_bytes - 1)


def open_whole(files: Files, path: Path, content: Content) -> BinaryIO | None:
    """Open a segment's file; None if it is not as long as it has to be. Blocks; raises OSError."""
    file = files.read(path)
    if file.seek(0, os.SEEK_END) != content.length_bytes:
        file.close()
        return None
    return file


def is_intact(file: BinaryIO, content: Content) -> bool:
    """Whether a file's bytes are what they have to be: all of them are read. Blocks; raises OSError."""
    file.seek(0)
    digest = sha256()
    while data := file.read(_HASHED_BYTES):
        digest.update(data)
    return digest.digest() == content.digest
