"""SQLite files that are opened only whole: a damaged one is set aside, and said in one line of the log."""

import errno
import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from media_network.durable_file import set_aside
from media_network.files import DiskFiles, Files

logger = logging.getLogger(__name__)

_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite has beside a file."""
_BUSY_TIMEOUT_MS = 2000


_IN_WORDS: dict[type[apsw.Error], str] = {
    apsw.FullError: "its disk is full",
    apsw.CantOpenError: "it cannot be opened",
    apsw.ReadOnlyError: "it may not be written",
    apsw.PermissionsError: "it may not be used",
    apsw.IOError: "its disk does not take or give what it should",
    apsw.BusyError: "another process has it",
    apsw.LockedError: "another process has it",
    apsw.NotADBError: "it is no database",
    apsw.CorruptError: "it is damaged",
    apsw.NoMemError: "there is no memory left",
}
_NUMBERS: dict[type[apsw.Error], int] = {
    apsw.FullError: errno.ENOSPC,
    apsw.CantOpenError: errno.EACCES,
    apsw.ReadOnlyError: errno.EROFS,
    apsw.PermissionsError: errno.EACCES,
    apsw.BusyError: errno.EBUSY,
    apsw.LockedError: errno.EBUSY,
    apsw.NoMemError: errno.ENOMEM,
}


def sqlite_in_words(error: apsw.Error) -> str:
    """What SQLite found, in words for a person."""
    error = _first(error)
    number = getattr(error, "extendedresult", 0)
    return next((words for kind, words in _IN_WORDS.items() if isinstance(error, kind)), f"it fails ({number})")


def os_error_of(error: apsw.Error, path: Path) -> OSError:
    """What SQLite found, for those who deal with disks."""
    first = _first(error)
    number = next((number for kind, number in _NUMBERS.items() if isinstance(first, kind)), errno.EIO)
    return OSError(number, sqlite_in_words(error), str(path))


def _first(error: apsw.Error) -> apsw.Error:
    """What came first: where SQLite has undone a transaction by itself, apsw cannot once more, and says that."""
    while isinstance(error.__context__, apsw.Error):
        error = error.__context__
    return error


@contextmanager
def opened_to_write(files: Files, path: Path, prepare: Callable[[apsw.Connection], None]) -> Iterator[apsw.Connection]:
    """A file that is open only while it is used, in a transaction that a power cut does not undo once it is over.

    `prepare` makes the tables. Blocks. Raises OSError, and then nothing was changed; its cause is SQLite's.
    """
    try:
        connection = apsw.Connection(str(path), vfs=files.sqlite_vfs)
        try:
            connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            connection.pragma("synchronous", "extra")  # a journal whose removal is lost would undo what was kept
            connection.execute("BEGIN")
            prepare(connection)
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()  # which undoes what is not committed
    except apsw.Error as error:
        raise os_error_of(error, path) from error


def is_filled(files: Files, path: Path) -> bool:
    """Whether there is a file with something in it. Raises OSError."""
    try:
        return bool(files.length_bytes(path))
    except FileNotFoundError:
        return False


def set_unreadable_aside(files: Files, path: Path, error: OSError, rebuilt: str) -> None:
    """Set a file aside in which SQLite found damage while it was read: it is `error`'s cause.

    `rebuilt` is for the log: what is done now. Raises `error` again if it is of another kind, or OSError.
    """
    if not isinstance(error.__cause__, apsw.SQLError | apsw.CorruptError):
        raise error
    aside = set_aside(path, files)
    logger.warning("%s is damaged (%s), and set aside as %s: %s", path, error.strerror, aside, rebuilt)


def set_damaged_aside(
    path: Path,
    rebuilt: str,
    *,
    expected: bool,
    versions: Collection[int] | None = None,
    with_indexes: bool = False,
    files: Files | None = None,
) -> bool:
    """Set a SQLite file aside that is damaged; tell whether what it held is lost.

    `expected`: there has been one, so that it is a loss too if there is none, or an empty one. `rebuilt` is for the
    log: what is done now. `versions`: the `user_version` has to be one of these. It reads the whole file, and compares
    indexes with their tables if told to, which takes longer. Raises OSError: it cannot be set aside.
    """
    files = files or DiskFiles()
    damage = _damage(path, versions, files, "integrity_check" if with_indexes else "quick_check")
    if damage is None or (damage == "" and not expected):
        return False
    if damage == "":
        logger.warning("%s is missing or empty: %s", path, rebuilt)
        return True
    aside = set_aside(path, files)
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            files.rename(path.with_name(path.name + suffix), path.with_name(aside + suffix))
    logger.warning("%s cannot be used (%s), and is set aside as %s: %s", path, damage, aside, rebuilt)
    return True


def _damage(path: Path, versions: Collection[int] | None, files: Files, check: str) -> str | None:
    """Why a file cannot be used: None if it can, empty if there is nothing in it."""
    try:
        if files.length_bytes(path) == 0:
            return ""
        files.append(path).close()  # which tells whether it may be written
        found = _check(path, versions, files, check)
        # What was cut off a page SQLite reads as zeros.
        if found == "ok" and (files.length_bytes(path) or 0) % _page_bytes(path, files):
            found = "it is cut short"
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"it cannot be opened: {os.strerror(error.errno or errno.EIO).lower()}"
    except (apsw.CorruptError, apsw.NotADBError, apsw.CantOpenError) as error:
        return sqlite_in_words(error)
    return None if found == "ok" else found.splitlines()[0]


def _page_bytes(path: Path, files: Files) -> int:
    """How long a page is (SQLite's file format, 1.3.2)."""
    with files.read(path) as file:
        file.seek(16)
        size = int.from_bytes(file.read(2), "big")
    return 65_536 if size == 1 else max(size, 1)


def _check(path: Path, versions: Collection[int] | None, files: Files, check: str) -> str:
    """Raises apsw.Error."""
    connection = apsw.Connection(str(path), vfs=files.sqlite_vfs)
    try:
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        ((found,),) = connection.execute(f"PRAGMA {check}(1)")
        version = connection.pragma("user_version")
        if found == "ok" and versions is not None and version not in versions:
            return f"another release has made it, as version {version}"
        return str(found)
    finally:
        connection.close()
