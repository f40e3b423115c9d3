"""What the segment store, and all that keeps small files, ask of a disk.

Every call blocks and belongs in an executor; all of them raise OSError. Durability is POSIX's: what a file holds
survives a power cut from `GrowingFile.sync` on, a name (made, renamed or removed) from `sync_folder` of its folder on.
A simulated disk that loses everything else at a power cut stands in for `DiskFiles` under the very same store.
"""

import errno
import os
import stat
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Protocol

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the kernel says when a disk, a quota or a file can take no more."""


class GrowingFile(Protocol):
    """A file open for writing at its end."""

    def write(self, data: bytes) -> None:
        """Append all of `data`."""

    def sync(self) -> None:
        """Make what the file holds survive a power cut."""

    def close(self) -> None:
        """Let go of it; a second time does nothing."""


class Files(Protocol):
    """The part of a file system that the segment store needs. Used from several threads at once."""

    @property
    def sqlite_vfs(self) -> str | None:
        """Under which name SQLite opens these files; None: as it opens any."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those above it, so that they survive a power cut; does nothing if it is there."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder survive a power cut."""

    def list_folder(self, folder: Path) -> list[str]:
        """Names in a folder, sorted."""

    def length_bytes(self, path: Path) -> int | None:
        """Length of a file; None of what is none: a folder, a link, a socket."""

    def free_bytes(self, folder: Path) -> int:
        """Space left on the disk that holds a folder."""

    def append(self, path: Path) -> GrowingFile:
        """Open a file for writing at its end; makes an empty one if there is none."""

    def read(self, path: Path) -> BinaryIO:
        """Open a file, unbuffered, for `seek`, `read` and `loop.sendfile`. It stays readable when it is removed."""

    def rename(self, old: Path, new: Path) -> None:
        """Give a file a new name on the same disk, in place of one that had it."""

    def remove(self, path: Path) -> None:
        """Remove a file."""


class _DiskFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def _open(self) -> int:
        if self._descriptor is None:
            raise ValueError("the file is closed")
        return self._descriptor

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._open, rest) :]

    def sync(self) -> None:
        os.fsync(self._open)

    def close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


class DiskFiles:
    """The file system of this machine."""

    @property
    def sqlite_vfs(self) -> str | None:
        """See `Files`."""
        return None

    def make_folder(self, folder: Path) -> None:
        """See `Files`."""
        make_durable_folder(folder)

    def sync_folder(self, folder: Path) -> None:
        """See `Files`."""
        _sync_folder(folder)

    def list_folder(self, folder: Path) -> list[str]:
        """See `Files`."""
        return sorted(os.listdir(folder))

    def length_bytes(self, path: Path) -> int | None:
        """See `Files`."""
        found = path.lstat()
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def free_bytes(self, folder: Path) -> int:
        """See `Files`."""
        space = os.statvfs(folder)
        return space.f_bavail * space.f_frsize

    def append(self, path: Path) -> GrowingFile:
        """See `Files`."""
        return _DiskFile(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644))

    def read(self, path: Path) -> BinaryIO:
        """See `Files`."""
        return path.open("rb", buffering=0)

    def rename(self, old: Path, new: Path) -> None:
        """See `Files`."""
        old.rename(new)

    def remove(self, path: Path) -> None:
        """See `Files`."""
        path.unlink()


def make_durable_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder with `mode`, and those above it; what is made survives a power cut. Raises OSError."""
    missing = list(takewhile(lambda above: not above.exists(), (folder, *folder.parents)))
    folder.mkdir(mode, parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
