"""Group commit: writes that come while a transaction is being made durable share the next one."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

import apsw

from distribution_center.registry.repository import Verdict

Write: TypeAlias = Callable[[apsw.Connection], Verdict]
"""Part of a transaction. One that is refused has written nothing."""

Result: TypeAlias = Verdict | apsw.Error | OverflowError


class GroupCommit:
    """Queues writes on the event loop and commits them in order, one transaction at a time.

    The connection is used by one executor call at a time and by nobody else.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._queue: list[tuple[Write, asyncio.Future[Verdict]]] = []
        self._commits: asyncio.Task[None] | None = None

    async def write(self, write: Write) -> Verdict:
        """Answers when the write is durable. Raises `apsw.Error` or `OverflowError` if it could not be made."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Verdict] = loop.create_future()
        self._queue.append((write, done))
        if self._commits is None:
            self._commits = loop.create_task(self._commit_all())
        return await done

    async def drain(self) -> None:
        """Wait until everything queued is durable."""
        if self._commits is not None:
            await self._commits

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        batch: list[tuple[Write, asyncio.Future[Verdict]]] = []
        try:
            while self._queue:
                batch, self._queue = self._queue, []
                results = await loop.run_in_executor(None, self._commit, [write for write, _ in batch])
                for (_, done), result in zip(batch, results, strict=True):
                    _settle(done, result)
        finally:  # cancelled: nobody must wait for ever
            for _, done in (*batch, *self._queue):
                done.cancel()
            self._queue.clear()
            self._commits = None

    def _commit(self, writes: list[Write]) -> list[Result]:
        """One transaction; a write that fails is undone by itself, a commit that fails undoes them all."""
        results: list[Result] = []
        try:
            with self._connection:
                results.extend(map(self._apply, writes))
        except apsw.Error as error:
            return [error] * len(writes)
        return results

    def _apply(self, write: Write) -> Result:
        result: Result
        try:
            with self._connection:  # nested: a savepoint
                result = write(self._connection)
        except (apsw.Error, OverflowError) as error:  # a number that is too large for a column is its writer's fault
            result = error
        return result


def _settle(done: asyncio.Future[Verdict], result: Result) -> None:
    """Answer who waits, unless they have gone: the write stands either way."""
    if done.cancelled():
        return
    if isinstance(result, Verdict):
        done.set_result(result)
    else:
        done.set_exception(result)
