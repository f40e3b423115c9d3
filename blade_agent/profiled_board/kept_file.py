"""Octets that survive a restart, in a file of the blade: written off the event loop, the latest only."""

import asyncio
import logging
from pathlib import Path

from media_network.durable_file import DurableFile
from media_network.files import Files

logger = logging.getLogger(__name__)


class KeptFile:
    """A `KeptOctets` that does not keep who writes waiting.

    `keep` returns before the octets are on the disk; they are a moment later, or `works` says that they are not.
    """

    def __init__(self, file: DurableFile[bytes], octets: bytes, failure: OSError | None) -> None:
        self._file = file
        self._octets = octets
        self._failure = failure
        self._waiting: bytes | None = None
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, files: Files, path: Path, *, rebuilt: str) -> "KeptFile":
        """Read what is there. What cannot be read is told by `read` and `works`; `rebuilt` is as in `DurableFile`."""
        file = DurableFile(path, bytes, rebuilt=rebuilt, files=files)
        try:
            found = await asyncio.get_running_loop().run_in_executor(None, file.read_and_restore, bytes)
        except OSError as error:
            return cls(file, b"", error)
        return cls(file, found.value or b"", None)

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
            self._writing = asyncio.get_running_loop().create_task(self._write(), name=f"keep {self._file.path.name}")

    async def settle(self) -> None:
        """Wait until the disk has what was given."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting is not None:
                octets, self._waiting = self._waiting, None
                try:
                    await loop.run_in_executor(None, self._file.keep, octets)
                    self._failure = None
                except OSError as error:
                    self._failure = error
                    logger.warning("%s is not kept: %s", self._file.path, error)
        finally:
            self._writing = None
