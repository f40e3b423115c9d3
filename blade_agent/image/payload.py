"""The octets of an image, chunk by chunk, as a file has them or packed by zstd: only what its manifest vouches for."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import zstandard

from blade_agent.image.manifest import CHUNK_BYTES, ImageManifest, runs_of

PACKED = ".zst"
_WINDOW_BYTES_MAX = 128 << 20
"""What unpacking may take of memory; zstd's own bound without `--ultra`."""


class PayloadRefused(Exception):
    """An image that is not what its manifest says; `str()` is a clause that says where."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def opened_payload(path: Path, manifest: ImageManifest) -> Iterator[Iterator[tuple[int, bytes]]]:
    """Open an image; gives the chunks that hold something, rising, each by its number, and each as it was signed.

    Raises OSError. The iterator raises PayloadRefused, which it does before it gives anything wrong, and OSError; it
    has seen the whole image when it ends.
    """
    with path.open("rb") as file:
        if path.name.endswith(PACKED):
            unpacking = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX)
            with unpacking.stream_reader(file, read_across_frames=True) as unpacked:
                yield _of_stream(unpacked, manifest)
        else:
            yield _of_plain(file, manifest)


def _of_plain(file: BinaryIO, manifest: ImageManifest) -> Iterator[tuple[int, bytes]]:
    if os.fstat(file.fileno()).st_size != manifest.size_bytes:
        raise PayloadRefused(f"it does not have {manifest.size_bytes} bytes")
    yield from _of_stream(file, manifest)


def _of_stream(source: _Readable, manifest: ImageManifest) -> Iterator[tuple[int, bytes]]:
    digests = manifest.digests
    for number in range(manifest.chunk_count):
        length = manifest.length_of(number)
        chunk = _read(source, length)
        if len(chunk) < length:
            raise PayloadRefused(f"it ends in chunk {number} of {manifest.chunk_count}")
        if number in digests:
            yield number, _signed(chunk, number, digests[number], manifest)
        elif chunk != bytes(length):
            # Nobody here writes it, but whoever copies the whole image would.
            raise PayloadRefused(f"chunk {number} of {manifest.chunk_count} holds something that was not signed")
    if _read(source, 1):
        raise PayloadRefused(f"it does not end after {manifest.size_bytes} bytes")


def _signed(chunk: bytes, number: int, digest: str, manifest: ImageManifest) -> bytes:
    if hashlib.sha256(chunk).hexdigest() != digest:
        raise PayloadRefused(f"chunk {number} of {manifest.chunk_count} is not what was signed")
    return chunk


def _read(source: _Readable, length: int) -> bytes:
    """So many octets, or those that are left."""
    parts, left = [], length
    try:
        while left and (part := source.read(left)):
            parts.append(part)
            left -= len(part)
    except zstandard.ZstdError as error:
        raise PayloadRefused("it cannot be unpacked") from error
    return b"".join(parts)


def describe(
    path: Path, *, profile: str, release: str, minimum: str, kind: Literal["disk", "system"] = "disk"
) -> ImageManifest:
    """Make the manifest of an image that is not packed: what its file system holds nothing of need not be written.

    Raises OSError, ValueError: what is said of it contradicts itself.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        numbers = dict.fromkeys(number for first, end in _data(file.fileno(), size) for number in _chunks(first, end))
        digests = {}
        for number in numbers:
            file.seek(number * CHUNK_BYTES)
            digests[number] = hashlib.sha256(_read(file, CHUNK_BYTES)).hexdigest()
    return ImageManifest(
        kind=kind, profile=profile, release=release, minimum=minimum, size_bytes=size, chunks=runs_of(digests)
    )


def _chunks(first: int, end: int) -> range:
    return range(first // CHUNK_BYTES, -(-end // CHUNK_BYTES))


def _data(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Where a file holds something: begins and ends, as lseek(2) says it."""
    at = 0
    while at < size:
        try:
            first = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return  # Nothing more.
        at = os.lseek(descriptor, first, os.SEEK_HOLE)
        yield first, at
