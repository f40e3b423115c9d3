"""The file of a media asset management: one writer, and what is returned from is durable; questions are beside it."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw

from distribution_center.headquarters.tables import STEPS, TABLES, VERSION
from media_network.os_trouble import in_words
from media_network.sqlite_file import set_damaged_aside, sqlite_in_words

_Result = TypeVar("_Result")

_BUSY_TIMEOUT_MS = 5000
_BEGIN_ANEW = "the catalogue is fetched again from the centers, and orders that were not over have to be given again"


class HeadquartersStoreError(Exception):
    """The file cannot be used, or does not take what it should."""


class HeadquartersStore:
    """Work is done in threads: what writes one piece at a time, each in a transaction of its own, and what only asks on
    a connection of its own, which sees what was returned from and keeps nobody from writing.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file; a damaged one is set aside. Raises HeadquartersStoreError."""
        self._path = path
        self._writing, self._asking = threading.Lock(), threading.Lock()
        try:
            set_damaged_aside(path, _BEGIN_ANEW, expected=False)
            self.writer = _opened(path)
            self.reader = _opened_to_read(path)
        except apsw.Error as error:
            raise HeadquartersStoreError(f"{path}: {sqlite_in_words(error)}") from error
        except OSError as error:
            raise HeadquartersStoreError(f"{path}: {in_words(error)}") from error

    def close(self) -> None:
        """Let go of the file, when whoever is still at it has finished."""
        with self._asking:
            self.reader.close()
        with self._writing:
            self.writer.close()

    async def write(self, work: Callable[[apsw.Connection], _Result]) -> _Result:
        """Do it in a transaction; durable on return. Raises HeadquartersStoreError, and then nothing of it was done."""
        return await self._in_thread(self._writing, self.writer, work)

    async def read(self, work: Callable[[apsw.Connection], _Result]) -> _Result:
        """Ask, all of it at one moment. Raises HeadquartersStoreError."""
        return await self._in_thread(self._asking, self.reader, work)

    async def _in_thread(
        self, lock: threading.Lock, connection: apsw.Connection, work: Callable[[apsw.Connection], _Result]
    ) -> _Result:
        def do() -> _Result:
            with lock:
                try:
                    with connection:
                        result = work(connection)
                except apsw.Error as error:
                    raise HeadquartersStoreError(f"{self._path}: {sqlite_in_words(error)}") from error
            return result

        return await asyncio.get_running_loop().run_in_executor(None, do)


def _opened(path: Path) -> apsw.Connection:
    """The one that writes; the tables are this release's. Raises apsw.Error, HeadquartersStoreError."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        with connection:
            _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _opened_to_read(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    return connection


def _bring_up_to_date(connection: apsw.Connection, path: Path) -> None:
    version = connection.pragma("user_version")
    if version == VERSION:
        return
    if version == 0:
        connection.execute(TABLES)
    elif version in STEPS:
        for number in range(version, VERSION):
            connection.execute(STEPS[number])
    else:
        reason = f"{path} has version {version} and this release {VERSION}: run the release that wrote it"
        raise HeadquartersStoreError(reason)
    connection.pragma("user_version", VERSION)
