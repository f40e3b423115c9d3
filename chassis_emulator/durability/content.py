"""What a file holds, and which of it a power cut cannot take."""

from typing import NamedTuple

from chassis_emulator.durability.fate import Fate

BLOCK_BYTES = 4096
"""Blocks, as they lie in a file, get to the disk each by itself."""


class _Write(NamedTuple):
    offset: int
    data: bytes


class FileContent:
    """Bytes as whoever reads them sees them, and what has been done to them since the last sync."""

    def __init__(self) -> None:
        self.now = bytearray()
        """As they are read."""
        self._durable = bytearray()
        self._since_sync: list[_Write | int] = []
        """Writes, and lengths that the file was cut to."""

    @property
    def is_durable(self) -> bool:
        """Whether a power cut would change nothing."""
        return not self._since_sync

    def append(self, data: bytes) -> None:
        """Write at the end."""
        self.write(len(self.now), data)

    def write(self, offset: int, data: bytes) -> None:
        """Write somewhere; between the end and there are zeros."""
        _put(self.now, offset, data)
        self._since_sync.append(_Write(offset, bytes(data)))

    def truncate(self, length_bytes: int) -> None:
        """Cut it off, or lengthen it by zeros."""
        _resize(self.now, length_bytes)
        self._since_sync.append(length_bytes)

    def sync(self) -> None:
        """Make it durable."""
        for done in self._since_sync:
            if isinstance(done, int):
                _resize(self._durable, done)
            else:
                _put(self._durable, done.offset, done.data)
        self._since_sync = []

    def rot(self, offset: int, bit: int) -> None:
        """Change a bit where it lies."""
        for bytes_there in (self.now, self._durable):
            if offset < len(bytes_there):
                bytes_there[offset] ^= 1 << bit

    def lose_power(self, fate: Fate) -> None:
        """Be what is left."""
        left = self._durable
        longest = len(left)
        for done in self._since_sync:
            if isinstance(done, _Write):
                longest = max(longest, done.offset + len(done.data))
                _put_in_part(left, done, fate)
            elif fate.keeps_change():
                _resize(left, done)
                longest = done
        if self._since_sync and longest > len(left):
            _resize(left, fate.length_bytes(len(left), longest))
        self.now = bytearray(left)
        self._since_sync = []


def _resize(content: bytearray, length_bytes: int) -> None:
    del content[length_bytes:]
    content += bytes(length_bytes - len(content))


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if offset > len(content):
        _resize(content, offset)
    content[offset : offset + len(data)] = data


def _put_in_part(content: bytearray, write: _Write, fate: Fate) -> None:
    """Let each block of a write get to the disk, or not, or in part."""
    end = write.offset + len(write.data)
    start = write.offset
    while start < end:
        block_end = min(end, start - start % BLOCK_BYTES + BLOCK_BYTES)
        written = fate.written_bytes(block_end - start)
        if written:
            _put(content, start, write.data[start - write.offset : start - write.offset + written])
        start = block_end
