"""A disk, or a file in place of one, open for an image to be written to it. Every call blocks, and raises OSError."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FLUSH = 0x1261
"""BLKFLSBUF of linux/fs.h: what is in memory of a disk is forgotten."""


class OpenDisk:
    """See `Disk` in `writing.py`."""

    def __init__(self, descriptor: int, *, block: bool) -> None:
        self._descriptor = descriptor
        self._block = block

    @property
    def path(self) -> Path:
        """Of what is open, whatever its name stands for by now (proc(5))."""
        return Path(f"/proc/self/fd/{self._descriptor}")

    def write(self, offset: int, octets: bytes) -> None:
        """See `Disk`."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        rest = memoryview(octets)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def read(self, offset: int, length: int) -> bytes:
        """See `Disk`."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        parts, left = [], length
        while left and (part := os.read(self._descriptor, left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def size_bytes(self) -> int:
        """How much it holds."""
        return os.lseek(self._descriptor, 0, os.SEEK_END)

    def sync(self) -> None:
        """See `Disk`."""
        os.fsync(self._descriptor)
        if self._block:
            fcntl.ioctl(self._descriptor, _FLUSH, 0)
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def opened_disk(path: Path, size_bytes: int, *, block: bool) -> Iterator[OpenDisk]:
    """Open a disk for nobody else, or make a file of that size, in place of what it held. Raises OSError."""
    # O_EXCL without O_CREAT: a disk that is mounted, or somebody else's in that way, is refused (open(2)).
    flags = os.O_EXCL if block else os.O_CREAT | os.O_TRUNC
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o644)
    try:
        if not block:
            os.ftruncate(descriptor, size_bytes)
        yield OpenDisk(descriptor, block=block)
    finally:
        os.close(descriptor)
