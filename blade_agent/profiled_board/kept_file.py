"""Octets that survive a restart, in a file of the blade: written off the event loop, the latest only."""

import asyncio
import logging
from pathlib import Path

from blade_agent.files import Files

logger = logging.getLogger(__name__)


class KeptFile:
    """A `KeptOctets` that does not keep who writes waiting.

    `keep` returns before the octets are on the disk; they are a moment later, or `works` says that they are not.
    """

    def __init__(self, files: Files, path: Path, octets: bytes, failure: OSError | None) -> None:
        self._files = files
        self._path = path
        self._octets = octets
        self._failure = failure
        self._waiting: bytes | None = None
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, files: Files, path: Path) -> "KeptFile":
        """Read what is there. What cannot be read is told by `read` and `works`."""
        try:
            octets = await asyncio.get_running_loop().run_in_executor(None, _read, files, path)
        except OSError as error:
            return cls(files, path, b"", error)
        return cls(files, path, octets, None)

    @property
    def works(self) -> bool:
        """Whether the file could be read, or since then written."""
        return self._failure is None

    def read(self) -> bytes:
        """See `KeptOctets`: what was there when it was opened, or was given since."""
        if self._failure is not None:
            raise self._failure
        return self._octets

    def keep(self, octets: bytes) -> None:
        """See `KeptOctets`, but that nobody waits for the disk."""
        self._octets = self._waiting = octets
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(), name=f"keep {self._path.name}")

    async def settle(self) -> None:
        """Wait until the disk has what was given."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting is not None:
                octets, self._waiting = self._waiting, None
                try:
                    await loop.run_in_executor(None, _replace, self._files, self._path, octets)
                    self._failure = None
                except OSError as error:
                    self._failure = error
                    logger.warning("%s is not kept: %s", self._path, error)
        finally:
            self._writing = None


def _read(files: Files, path: Path) -> bytes:
    try:
        with files.read(path) as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _replace(files: Files, path: Path, octets: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    if temporary.name in files.list_folder(path.parent):
        files.remove(temporary)
    file = files.append(temporary)
    try:
        file.write(octets)
        file.sync()
    finally:
        file.close()
    files.rename(temporary, path)
    files.sync_folder(path.parent)
