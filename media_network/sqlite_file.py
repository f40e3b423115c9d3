"""SQLite files that are opened only whole: a damaged one is set aside, and said in one line of the log."""

import errno
import logging
import os
from pathlib import Path

import apsw

from media_network.durable_file import set_aside

logger = logging.getLogger(__name__)

_BESIDE = ("-wal", "-shm")
"""What SQLite has beside a file in WAL mode."""
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


def sqlite_in_words(error: apsw.Error) -> str:
    """What SQLite found, in words for a person."""
    number = getattr(error, "extendedresult", 0)
    return next((words for kind, words in _IN_WORDS.items() if isinstance(error, kind)), f"it fails ({number})")


def set_damaged_aside(path: Path, rebuilt: str, *, expected: bool) -> bool:
    """Set a SQLite file aside that is damaged; tell whether what it held is lost.

    `expected`: there has been one, so that it is a loss too if there is none, or an empty one. `rebuilt` is for the
    log: what is done now. It reads the whole file. Raises OSError: it cannot be set aside.
    """
    damage = _damage(path)
    if damage is None or (damage == "" and not expected):
        return False
    if damage == "":
        logger.warning("%s is missing or empty: %s", path, rebuilt)
        return True
    aside = set_aside(path)
    for suffix in _BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(aside + suffix))
    logger.warning("%s is damaged (%s), and set aside as %s: %s", path, damage, aside, rebuilt)
    return True


def _damage(path: Path) -> str | None:
    """Why a file cannot be used: None if it can, empty if there is nothing in it."""
    try:
        if path.is_file() and not path.stat().st_size:
            return ""
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        found = _quick_check(path)
        # What was cut off a page SQLite reads as zeros.
        if found == "ok" and path.stat().st_size % _page_bytes(path):
            found = "it is cut short"
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"it cannot be opened: {os.strerror(error.errno or errno.EIO).lower()}"
    except (apsw.CorruptError, apsw.NotADBError, apsw.CantOpenError) as error:
        return sqlite_in_words(error)
    return None if found == "ok" else found.splitlines()[0]


def _page_bytes(path: Path) -> int:
    """How long a page is (SQLite's file format, 1.3.2)."""
    with path.open("rb") as file:
        file.seek(16)
        size = int.from_bytes(file.read(2), "big")
    return 65_536 if size == 1 else max(size, 1)


def _quick_check(path: Path) -> str:
    """Raises apsw.Error."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        ((found,),) = connection.execute("PRAGMA quick_check(1)")
        return str(found)
    finally:
        connection.close()
