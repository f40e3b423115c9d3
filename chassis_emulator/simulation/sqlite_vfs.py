"""SQLite on a simulated disk: what it reads, writes and syncs is the disk's, with its time, faults and power cuts.

One process has a file at a time, as on a blade: locks do nothing. There is no shared memory, so no WAL beside
exclusive locking (SQLite's documentation, "The OS interface layer").
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import apsw

from chassis_emulator.durability.content import FileContent

_Answer = TypeVar("_Answer")

_SECTOR_BYTES = 4096
_JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class DiskUnder(Protocol):
    """The disk, as SQLite uses it. Every call raises OSError."""

    def content(self, path: Path) -> FileContent:
        """What a file holds. Raises FileNotFoundError."""

    def make_file(self, path: Path) -> FileContent:
        """The same; makes an empty one if there is none."""

    def part(self, file: FileContent, offset: int, length_bytes: int) -> bytes:
        """Some bytes of a file, fewer at its end."""

    def write_to(self, file: FileContent, data: bytes, path: Path, offset: int) -> None:
        """Write somewhere."""

    def truncate(self, file: FileContent, length_bytes: int, path: Path) -> None:
        """Cut it off."""

    def sync(self, file: FileContent, path: Path) -> None:
        """Make it durable."""

    def sync_folder(self, folder: Path) -> None:
        """Make its names durable."""

    def remove(self, path: Path) -> None:
        """Remove a file."""


class SimulatedVfs(apsw.VFS):
    """The files of one disk."""

    def __init__(self, name: str, disk: DiskUnder) -> None:
        super().__init__(name, "")
        self.name = name
        self._disk = disk

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "_File":  # type: ignore[override]  # noqa: N802 -- SQLite's name, and any object with a file's methods will do
        """Open a file; makes it, if that is asked for."""
        if name is None:
            raise apsw.exception_for(apsw.SQLITE_CANTOPEN)  # temporary files have no name: there are none here
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        try:
            content, made = self._disk.content(path), False
        except FileNotFoundError:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.exception_for(apsw.SQLITE_CANTOPEN) from None
            content, made = _asked(lambda: self._disk.make_file(path)), True
        except OSError as error:
            raise _sqlite_error(error) from error
        flags[1] = flags[0]
        return _File(self._disk, content, path, folder_due=made and bool(flags[0] & _JOURNALS))

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802 -- as above
        """Remove a file."""
        path = Path(filename)
        try:
            self._disk.remove(path)
            if syncdir:
                self._disk.sync_folder(path.parent)
        except FileNotFoundError:
            raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT) from None
        except OSError as error:
            raise _sqlite_error(error) from error

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: ARG002, N802 -- as above
        """Whether a file is there."""
        try:
            self._disk.content(Path(pathname))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _sqlite_error(error) from error
        return True

    def excepthook(self, etype: object, evalue: object, etraceback: object) -> bool:  # noqa: ARG002 -- apsw's names
        """What SQLite cannot report at the moment it finds out by the result of the call."""
        return True

    def xFullPathname(self, name: str) -> str:  # noqa: N802 -- as above
        """Paths are whole."""
        return name


class _File:
    """An open file."""

    def __init__(self, disk: DiskUnder, content: FileContent, path: Path, *, folder_due: bool) -> None:
        self._disk = disk
        self._content = content
        self._path = path
        self._folder_due = folder_due
        """SQLite syncs the folder of a journal that it has made when it syncs that for the first time."""

    def excepthook(self, etype: object, evalue: object, etraceback: object) -> None:
        """As above."""

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 -- as above
        return _asked(lambda: self._disk.part(self._content, offset, amount))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- as above
        _asked(lambda: self._disk.write_to(self._content, bytes(data), self._path, offset))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 -- as above
        _asked(lambda: self._disk.truncate(self._content, newsize, self._path))

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 -- as above
        _asked(lambda: self._disk.sync(self._content, self._path))
        if self._folder_due:
            _asked(lambda: self._disk.sync_folder(self._path.parent))
            self._folder_due = False

    def xFileSize(self) -> int:  # noqa: N802 -- as above
        return len(self._content.now)

    def xLock(self, level: int) -> None:  # noqa: N802 -- as above
        """Nobody else has it."""

    def xUnlock(self, level: int) -> None:  # noqa: N802 -- as above
        """Nobody else has it."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802 -- as above
        return False

    def xSectorSize(self) -> int:  # noqa: N802 -- as above
        return _SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:  # noqa: N802 -- as above
        """Nothing is promised of how writes get to the disk."""
        return 0

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: ARG002, N802 -- as above
        return False

    def xClose(self) -> None:  # noqa: N802 -- as above
        """Nothing is kept open."""


def _asked(call: Callable[[], _Answer]) -> _Answer:
    try:
        return call()
    except OSError as error:
        raise _sqlite_error(error) from error


def _sqlite_error(error: OSError) -> Exception:
    return apsw.exception_for(apsw.SQLITE_FULL if error.errno == errno.ENOSPC else apsw.SQLITE_IOERR)
