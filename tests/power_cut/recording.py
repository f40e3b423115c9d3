"""Records what this process does to files below a folder, in order.

Python's own file system calls are listened to where they leave Python: `os`, and the raw files below `open`. SQLite has
calls of its own: it is given a VFS that passes everything on to the one it has, and says what it passed on. That one
syncs a folder by itself when a journal or WAL that it has made is synced for the first time (UNIXFILE_DIRSYNC in
os_unix.c of SQLite), and when a name is removed with `syncDir`; so much of it is known here, and nothing else. Its
shared memory survives nothing, and is not recorded.
"""

import builtins
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from tests.power_cut.operations import (
    CutTo,
    MadeFile,
    MadeFolder,
    Operation,
    RemovedFile,
    RemovedFolder,
    Renamed,
    SyncedFile,
    SyncedFolder,
    Wrote,
)

_DELETED = " (deleted)"


class Word(NamedTuple):
    """Something that the writer has said, and how many operations had been done by then."""

    after: int
    fact: object
    acknowledged: bool
    """Else it has only begun."""


class Record:
    """What was done, and what was said of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.operations: list[Operation] = []
        self.words: list[Word] = []
        self.at_first: dict[Path, bytes | None] = {
            path: None if path.is_dir() else path.read_bytes() for path in sorted(root.rglob("*"))
        }
        """What was there before, and is durable: by path, None is a folder."""

    def begin(self, fact: object) -> None:
        """The writer is told to make something last."""
        self.words.append(Word(len(self.operations), fact, acknowledged=False))

    def acknowledge(self, fact: object) -> None:
        """The writer says that it does."""
        self.words.append(Word(len(self.operations), fact, acknowledged=True))

    def concerns(self, path: Path) -> bool:
        return path.is_relative_to(self.root)

    def add(self, operation: Operation) -> None:
        if self.concerns(operation.path):
            self.operations.append(operation)


@contextmanager
def recording(root: Path) -> Iterator[Record]:
    """Record what is done below a folder while the context lasts; what is there at its begin is durable."""
    record = Record(root)
    vfs = _Vfs(record)
    kept = {name: getattr(os, name) for name in _LISTENING}
    kept_open = io.open
    for name, listening in _LISTENING.items():
        setattr(os, name, listening(kept[name], record))
    io.open = builtins.open = _opening(kept_open, record)
    try:
        yield record
    finally:
        for name, call in kept.items():
            setattr(os, name, call)
        io.open = builtins.open = kept_open
        vfs.unregister()


def _path(given: object, dir_fd: int | None = None) -> Path:
    """The path of what a call was given: a name, or a descriptor."""
    if isinstance(given, int):
        return Path(os.readlink(f"/proc/self/fd/{given}").removesuffix(_DELETED))
    folder = _path(dir_fd) if dir_fd is not None else Path.cwd()
    return folder / os.fsdecode(given)


def _mkdir(call: Callable, record: Record) -> Callable:
    def mkdir(path, mode=0o777, *, dir_fd=None):
        call(path, mode, dir_fd=dir_fd)
        record.add(MadeFolder(_path(path, dir_fd)))

    return mkdir


def _renaming(call: Callable, record: Record) -> Callable:
    def rename(old, new, *, src_dir_fd=None, dst_dir_fd=None):
        call(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        record.add(Renamed(_path(old, src_dir_fd), _path(new, dst_dir_fd)))

    return rename


def _removing(kind: type[Operation]) -> Callable[[Callable, Record], Callable]:
    def listening(call: Callable, record: Record) -> Callable:
        def remove(path, *, dir_fd=None):
            found = _path(path, dir_fd)
            call(path, dir_fd=dir_fd)
            record.add(kind(found))

        return remove

    return listening


def _open_descriptor(call: Callable, record: Record) -> Callable:
    def open_descriptor(path, flags, mode=0o777, *, dir_fd=None):
        found = _path(path, dir_fd)
        new = not found.exists()
        cut = flags & os.O_TRUNC and not new
        descriptor = call(path, flags, mode, dir_fd=dir_fd)
        if new and flags & os.O_CREAT:
            record.add(MadeFile(found))
        elif cut:
            record.add(CutTo(found, 0))
        return descriptor

    return open_descriptor


def _write(call: Callable, record: Record) -> Callable:
    def write(descriptor, data):
        written = call(descriptor, data)
        with memoryview(data) as view:
            _note_written(record, descriptor, bytes(view[:written]))
        return written

    return write


def _note_written(record: Record, descriptor: int, data: bytes) -> None:
    path = _path(descriptor)
    if record.concerns(path):
        record.add(Wrote(path, os.lseek(descriptor, 0, os.SEEK_CUR) - len(data), data))


def _syncing(call: Callable, record: Record) -> Callable:
    def sync(descriptor):
        call(descriptor)
        path = _path(descriptor if isinstance(descriptor, int) else descriptor.fileno())
        record.add(SyncedFolder(path) if path.is_dir() else SyncedFile(path))

    return sync


def _ftruncate(call: Callable, record: Record) -> Callable:
    def ftruncate(descriptor, length):
        call(descriptor, length)
        record.add(CutTo(_path(descriptor), length))

    return ftruncate


_LISTENING = {
    "mkdir": _mkdir,
    "rename": _renaming,
    "replace": _renaming,
    "unlink": _removing(RemovedFile),
    "remove": _removing(RemovedFile),
    "rmdir": _removing(RemovedFolder),
    "open": _open_descriptor,
    "write": _write,
    "fsync": _syncing,
    "fdatasync": _syncing,
    "ftruncate": _ftruncate,
}


def _opening(call: Callable, record: Record) -> Callable:
    """`open`: what is below a file that can be written to says what is written."""

    class RawFile(io.FileIO):
        def write(self, data):
            written = super().write(data)
            with memoryview(data) as view:
                _note_written(record, self.fileno(), bytes(view.cast("B")[:written]))
            return written

        def truncate(self, size=None):
            length = super().truncate(size)
            record.add(CutTo(_path(self.fileno()), length))
            return length

    def open_file(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        writes = set(mode) & set("wax+")
        named = not isinstance(file, int)
        if not writes or not record.concerns(_path(file)):
            return call(file, mode, buffering, encoding, errors, newline, closefd, opener)
        new = named and not _path(file).exists()
        raw = RawFile(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if new:
            record.add(MadeFile(_path(file)))
        elif named and "w" in mode:
            record.add(CutTo(_path(file), 0))
        if buffering == 0:
            return raw
        binary = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return binary if "b" in mode else io.TextIOWrapper(binary, encoding, errors, newline)

    return open_file


class _Vfs(apsw.VFS):
    """The default VFS while it is registered."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.base = apsw.vfs_names()[0]
        super().__init__("recorded", self.base, makedefault=True)

    def xOpen(self, name, flags):  # noqa: N802 -- SQLite's name
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name) if name else None
        new = path is not None and not path.exists()
        file = _VfsFile(self, path, name, flags)
        if path is not None and new and path.exists():
            self.record.add(MadeFile(path))
            file.folder_due = bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))
        return file

    def xDelete(self, filename, syncdir):  # noqa: N802 -- SQLite's name
        super().xDelete(filename, syncdir)
        self.record.add(RemovedFile(Path(filename)))
        if syncdir:
            self.record.add(SyncedFolder(Path(filename).parent))


class _VfsFile(apsw.VFSFile):
    def __init__(self, vfs: _Vfs, path: Path | None, name: object, flags: list[int]) -> None:
        self.record = vfs.record
        self.path = path
        self.folder_due = False
        super().__init__(vfs.base, name, flags)

    def note(self, operation: Operation) -> None:
        if self.path is not None:
            self.record.add(operation)

    def xWrite(self, data, offset):  # noqa: N802 -- SQLite's name
        super().xWrite(data, offset)
        self.note(Wrote(self.path, offset, bytes(data)))

    def xTruncate(self, length):  # noqa: N802 -- SQLite's name
        super().xTruncate(length)
        self.note(CutTo(self.path, length))

    def xSync(self, flags):  # noqa: N802 -- SQLite's name
        super().xSync(flags)
        self.note(SyncedFile(self.path))
        if self.folder_due:
            self.note(SyncedFolder(self.path.parent))
            self.folder_due = False
