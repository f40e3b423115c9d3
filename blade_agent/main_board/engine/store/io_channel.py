"""One independent I/O channel of the segment store (claim 4): a folder, on a disk of its own where there are several.

Each channel has a thread and a queue for what reads, and another of each for what writes, so that a slow or dead disk
stalls nothing but itself, and a reader never waits for what is being made durable. A disk that does not answer a reader
within a second hangs: nothing is asked of it until it answers, and then it is tried again.
"""

import asyncio
import errno
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from blade_agent.main_board.engine.engine_figures import ChannelCounters
from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace
from media_network.callback import do_nothing
from media_network.cut import Cut
from media_network.files import DISK_FULL, Files
from media_network.status import ChannelState

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

_PROBE = ".probe"
_LOOK_S = 0.25
_HANG_S = 1.0
"""A disk that takes longer to read what is asked of it at once hangs: a lease is four times as long."""
_WRITE_HANG_S = 10.0
"""Making what was written durable takes its time on a card, and no stream waits for it."""
STOCK_S = 60.0
"""So long going through all that is on a disk may take."""
SILENT = "the disk does not answer"
BROKEN = frozenset({errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EUCLEAN})
"""What a disk says that can be used no more."""


class _Queue:
    """A thread of a channel, and those who wait for it: one after the other is served."""

    def __init__(self, name: str, hang_s: float) -> None:
        self.hang_s = hang_s
        self.executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.turn = asyncio.Lock()
        self.waiting = 0
        """Those who wait, or are served."""
        self.begun_s: float | None = None
        """Since when one is served, by the event loop's time."""
        self.stuck: asyncio.Future[Any] | None = None
        """What the thread is at that nobody waits for any more."""


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
        self.away = False
        """Whether it hangs, or has yet to be looked through since: nothing is held on it."""
        self.lost: Callable[[], None] = do_nothing
        """Called when nothing can be read from it any more."""
        self.hung = asyncio.Event()
        """Set when it begins to hang; whoever tries it again clears that."""
        self._reads = _Queue(f"{folder.name}-reads", _HANG_S)
        self._writes = _Queue(f"{folder.name}-writes", _WRITE_HANG_S)
        self._silence: asyncio.Future[None] | None = None
        """Done when reading hangs: then who writes need not wait either."""

    @property
    def state(self) -> ChannelState:
        """How it is, for whoever manages the blade."""
        if self.failure:
            return ChannelState.FAILED
        return ChannelState.HANGING if self.away or self._writes.stuck else ChannelState.WORKING

    @property
    def usable(self) -> bool:
        """Whether segments are held on it, and read from there."""
        return not self.away and self.failure is None

    @property
    def takes_writes(self) -> bool:
        """Whether segments may be received on it."""
        return self.usable and self._writes.stuck is None

    @property
    def waiting(self) -> int:
        """Those who wait for the disk, or are served by it."""
        return self._reads.waiting + self._writes.waiting

    @property
    def load(self) -> tuple[bool, int]:
        """How busy it is: the one with less takes the next segment."""
        begun_s = self._writes.begun_s
        overdue = begun_s is not None and asyncio.get_running_loop().time() - begun_s > _HANG_S
        return overdue, self.receptions + self._reads.waiting

    async def run(
        self, work: Callable[[*Arguments], Result], *arguments: *Arguments, within_s: float | None = None
    ) -> Result:
        """Do what reads, on the thread for that; `within_s`: how long it may take, if that is long.

        Raises NoSpace, FileNotFoundError, or ChannelFailed for any other trouble with the disk. Who is cancelled here
        waits until the disk is done, or hangs, so that no file is used behind its owner's back.
        """
        return await self._do(self._reads, within_s, work, *arguments)

    async def run_changing(
        self, work: Callable[[*Arguments], Result], *arguments: *Arguments, within_s: float | None = None
    ) -> Result:
        """The same for what changes what is on the disk, on the thread for that."""
        return await self._do(self._writes, within_s, work, *arguments)

    async def run_writing(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """The same for what makes files. A folder that has gone ends the channel, as an unplugged disk does.

        Raises NoSpace, ChannelFailed.
        """
        try:
            return await self.run_changing(work, *arguments)
        except FileNotFoundError:
            self.give_up("its folder has gone")
            raise ChannelFailed(self.folder, "its folder has gone") from None

    async def _do(
        self,
        queue: _Queue,
        within_s: float | None,
        work: Callable[[*Arguments], Result],
        *arguments: *Arguments,
    ) -> Result:
        queue.waiting += 1
        try:
            async with queue.turn:
                self._require(queue)
                future = asyncio.get_running_loop().run_in_executor(queue.executor, work, *arguments)
                if not await self._is_done(queue, future, queue.hang_s if within_s is None else within_s):
                    self._stick(queue, future)
                    raise ChannelFailed(self.folder, SILENT)
        finally:
            queue.waiting -= 1
        return await self._result(future)

    def _require(self, queue: _Queue) -> None:
        if self.failure:
            raise ChannelFailed(self.folder, self.failure)
        if queue.stuck or self._reads.stuck:
            raise ChannelFailed(self.folder, SILENT)

    async def _is_done(self, queue: _Queue, future: "asyncio.Future[Any]", within_s: float) -> bool:
        """Wait for what the thread is at; false: in vain."""
        queue.begun_s = asyncio.get_running_loop().time()
        try:
            await self._wait(queue, future, within_s)
        except asyncio.CancelledError:
            await self._wait(queue, future, within_s)
            if not future.done():
                self._stick(queue, future)
            raise
        finally:
            queue.begun_s = None
        return future.done()

    async def _wait(self, queue: _Queue, future: "asyncio.Future[Any]", within_s: float) -> None:
        """By looks, not by the time: who was held up itself has not waited for the disk meanwhile."""
        if self._silence is None:
            self._silence = asyncio.get_running_loop().create_future()
        either = [future] if queue is self._reads else [future, self._silence]
        for _ in range(ceil(within_s / _LOOK_S)):
            await asyncio.wait(either, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            if any(each.done() for each in either):
                return

    def _stick(self, queue: _Queue, future: "asyncio.Future[Any]") -> None:
        """Nobody waits any more for what the thread is at. What reads is lost with it; what only writes is not."""
        queue.stuck = future
        self.counters.hangs += not self.away
        logger.error("I/O channel %s hangs while it is to %s", self.folder, "read" if queue is self._reads else "write")
        future.add_done_callback(lambda ended: self._answered(queue, ended))
        self.hung.set()
        if queue is self._reads:
            self.away = True
            if self._silence:
                self._silence.set_result(None)
                self._silence = None
            self.lost()

    def _answered(self, queue: _Queue, ended: "asyncio.Future[Any]") -> None:
        queue.stuck = None
        if not ended.cancelled():
            ended.exception()  # it is nobody's any more
        logger.warning("I/O channel %s answers again", self.folder)

    async def answered(self) -> None:
        """Wait until it hangs no more: until its threads have done what they were at."""
        while stuck := [queue.stuck for queue in (self._reads, self._writes) if queue.stuck]:
            await asyncio.wait(stuck)
            await asyncio.sleep(0)

    async def _result(self, future: "asyncio.Future[Result]") -> Result:
        try:
            return future.result()
        except FileNotFoundError:
            raise
        except OSError as error:
            self.counters.failures += 1
            if error.errno in DISK_FULL:
                raise NoSpace(self.folder, None) from error
            cause = error.strerror or str(error)
            if error.errno in BROKEN and not await self.takes_a_probe():
                self.give_up(cause)
            raise ChannelFailed(self.folder, cause) from error

    async def takes_a_probe(self) -> bool:
        """Whether the disk works but for what it has just been asked: one bad sector is not the disk."""
        if self._writes.stuck:
            return True  # that is found out when it answers
        async with self._writes.turn:
            probing = asyncio.get_running_loop().run_in_executor(self._writes.executor, self._probe)
            await asyncio.wait([probing], timeout=_WRITE_HANG_S)
            if not probing.done():
                self._stick(self._writes, probing)
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
            self.lost()

    async def measure(self) -> None:
        """Find out how much space is left."""
        self.free_bytes = await self.run(self.files.free_bytes, self.folder)

    def close(self) -> None:
        """Let the threads go. Does not wait for a disk that hangs."""
        for queue in (self._reads, self._writes):
            queue.executor.shutdown(wait=False)
