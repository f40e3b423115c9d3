"""An image onto a disk: written by its map, synced, read back and compared, and what is not right written again.

The first chunk, with the partition table, comes last: before anything else is written it is made empty, and it is
written when all the rest was read back as it should be. So a disk that was cut off in between boots nothing, rather
than half of one system and half of another. What is read back comes from the disk: all of it, after all of it was
written, so that a card with less room than it says, which puts one chunk over another, is found out.
"""

import errno
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from msgspec import Struct

from blade_agent.image.manifest import ImageManifest
from media_network.os_trouble import in_words

ROUNDS = 3
"""How often a chunk is written before it is given up."""
_SHOWN_MAX = 5
_HOPELESS = {
    **dict.fromkeys((errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM), "it is gone"),
    **dict.fromkeys((errno.ENOSPC, errno.EFBIG, errno.EDQUOT), "it has no room for the image"),
    **dict.fromkeys((errno.EROFS, errno.EPERM, errno.EACCES), "it is write-protected"),
}


class Disk(Protocol):
    """What is written. Every method blocks, and raises OSError."""

    def write(self, offset: int, octets: bytes) -> None:
        """Write all of these."""

    def read(self, offset: int, length: int) -> bytes:
        """Read so many, or those that are there."""

    def sync(self) -> None:
        """Have everything on the disk, and nothing in memory: what is read after it comes from there."""


Chunks = Callable[[], AbstractContextManager[Iterator[tuple[int, bytes]]]]
"""Opens the image anew; see `opened_payload`."""


class NotWritten(Exception):
    """A disk that does not hold what was written to it; `str()` is a clause that says so."""


class Written(Struct, frozen=True):
    """What was done."""

    written_bytes: int
    """Those of chunks that were written again among them."""
    again: tuple[int, ...]
    """Chunks that had to be written again."""


class ImageWriter:
    """Writes one image onto one disk."""

    def __init__(
        self,
        disk: Disk,
        manifest: ImageManifest,
        chunks: Chunks,
        *,
        wrote: Callable[[int], None],
        read: Callable[[int], None],
    ) -> None:
        """Take what is told of the octets that were written, and of those that were read back."""
        self._disk = disk
        self._manifest = manifest
        self._chunks = chunks
        self._wrote = wrote
        self._read = read
        self._written_bytes = 0
        self._again: set[int] = set()

    def run(self) -> Written:
        """Do it. Raises NotWritten, PayloadRefused, OSError: the image cannot be read."""
        first = range(1)
        rest = [number for number in self._manifest.digests if number not in first]
        self._make_empty()
        self._bring(rest)
        self._is_still_empty()
        self._bring([number for number in self._manifest.digests if number in first])
        return Written(self._written_bytes, tuple(sorted(self._again)))

    def _make_empty(self) -> None:
        try:
            with _hopeful():
                self._disk.write(0, bytes(self._manifest.length_of(0)))
                self._disk.sync()
        except OSError as error:
            raise NotWritten(f"nothing can be written to it: {in_words(error)}") from error

    def _is_still_empty(self) -> None:
        """What has been written elsewhere has not come to the begin: that is where a disk goes on that has no more."""
        length = self._manifest.length_of(0)
        try:
            with _hopeful():
                begin = self._disk.read(0, length)
        except OSError as error:
            raise NotWritten(f"its begin cannot be read: {in_words(error)}") from error
        if begin != bytes(length):
            raise NotWritten("what is written to it comes to other places: it is smaller than it says, or broken")

    def _bring(self, numbers: Collection[int]) -> None:
        """Write these chunks until all of them are read back as they should be."""
        left = set(numbers)
        for round_ in range(ROUNDS):
            if not left:
                return
            if round_:
                self._again |= left
            failed = self._write(left)
            left = failed | set(self._wrong(number for number in numbers if number not in failed))
        if left:
            raise NotWritten(f"it does not keep {_shown(left)} of {self._manifest.chunk_count}, after {ROUNDS} times")

    def _write(self, numbers: Collection[int]) -> set[int]:
        """Write chunks, and give those that the disk did not take."""
        failed = set()
        with self._chunks() as chunks:
            for number, octets in chunks:
                if number not in numbers:
                    continue
                try:
                    with _hopeful():
                        self._disk.write(number * self._manifest.chunk_bytes, octets)
                except OSError:
                    failed.add(number)
                    continue
                self._written_bytes += len(octets)
                self._wrote(len(octets))
        try:
            with _hopeful():
                self._disk.sync()
        except OSError:
            return set(numbers)  # Nobody knows which ones it was.
        return failed

    def _wrong(self, numbers: Iterable[int]) -> Iterator[int]:
        """Those chunks that are not read back as they should be."""
        digests = self._manifest.digests
        for number in numbers:
            length = self._manifest.length_of(number)
            try:
                with _hopeful():
                    octets = self._disk.read(number * self._manifest.chunk_bytes, length)
            except OSError:
                yield number
                continue
            self._read(length)
            if len(octets) < length or hashlib.sha256(octets).hexdigest() != digests[number]:
                yield number


def _shown(numbers: Collection[int]) -> str:
    some = ", ".join(map(str, sorted(numbers)[:_SHOWN_MAX]))
    return f"{'chunk' if len(numbers) == 1 else 'chunks'} {some}{' and more' if len(numbers) > _SHOWN_MAX else ''}"


@contextmanager
def _hopeful() -> Iterator[None]:
    """Let through what may go better the next time. Raises NotWritten for what will not; OSError."""
    try:
        yield
    except OSError as error:
        if reason := _HOPELESS.get(error.errno or 0):
            raise NotWritten(reason) from error
        raise
