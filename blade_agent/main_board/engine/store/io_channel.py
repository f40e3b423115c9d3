"""One independent I/O channel of the segment store (claim 4): a folder, on a disk of its own where there are several.

Each channel has threads of its own, so that a slow or dead disk stalls nothing but itself.
"""

import asyncio
import errno
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from blade_agent.main_board.engine.engine_figures import ChannelCounters
from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace
from media_network.cut import Cut
from media_network.files import DISK_FULL, Files

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

_THREADS = 2
_PROBE = ".probe"
_HANG_S = 30.0
"""A disk that takes longer is given up."""
BROKEN = frozenset({errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EUCLEAN})
"""What a disk says that can be used no more."""


class IoChannel:
    """A folder with its threads, its counters and its fate."""

    def __init__(self, files: Files, folder: Path) -> None:
        self.files = files
        self.folder = folder
        self.counters = ChannelCounters()
        self.free_bytes = 0
        """As last measured."""
        self.receptions = 0
        """Segments being written now."""
        self.cuts: set[Cut] = set()
        """Those whose folder is durable."""
        self.failure: str | None = None
        """Why the channel is given up until the next start, once it is."""
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"channel-{folder.name}")

    async def run(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Do blocking work on the channel's threads.

        Raises NoSpace, FileNotFoundError, or ChannelFailed for any other trouble with the disk. Who is cancelled here
        waits until the disk is done (or given up), so that no file is used behind its owner's back.
        """
        if self.failure:
            raise ChannelFailed(self.folder, self.failure)
        future = asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)
        try:
            await asyncio.wait([future], timeout=_HANG_S)
        except asyncio.CancelledError:
            await asyncio.wait([future], timeout=_HANG_S)
            raise
        if not future.done():
            self.give_up("the disk does not answer")
            raise ChannelFailed(self.folder, "the disk does not answer")
        try:
            return future.result()
        except FileNotFoundError:
            raise
        except OSError as error:
            self.counters.failures += 1
            if error.errno in DISK_FULL:
                raise NoSpace(self.folder, None) from error
            cause = error.strerror or str(error)
            if error.errno in BROKEN and not await self._takes_writes():
                self.give_up(cause)
            raise ChannelFailed(self.folder, cause) from error

    async def run_writing(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """The same for what makes files. A folder that has gone ends the channel, as an unplugged disk does.

        Raises NoSpace, ChannelFailed.
        """
        try:
            return await self.run(work, *arguments)
        except FileNotFoundError:
            self.give_up("its folder has gone")
            raise ChannelFailed(self.folder, "its folder has gone") from None

    async def _takes_writes(self) -> bool:
        """Whether the disk works but for what it has just been asked: one bad sector is not the disk."""
        probing = asyncio.get_running_loop().run_in_executor(self._executor, self._probe)
        await asyncio.wait([probing], timeout=_HANG_S)
        return probing.done() and probing.exception() is None

    def _probe(self) -> None:
        probe = self.folder / _PROBE
        file = self.files.append(probe)
        try:
            file.write(b"written to see whether the disk works\n")
            file.sync()
        finally:
            file.close()
            with suppress(FileNotFoundError):
                self.files.remove(probe)

    def give_up(self, cause: str) -> None:
        """Use the disk no more until the next start; what was held on it is lost until then."""
        if not self.failure:
            self.failure = cause
            logger.error("I/O channel %s is given up: %s", self.folder, cause)

    async def measure(self) -> None:
        """Find out how much space is left."""
        self.free_bytes = await self.run(self.files.free_bytes, self.folder)

    def close(self) -> None:
        """Let the threads go. Does not wait for a disk that hangs."""
        self._executor.shutdown(wait=False)
