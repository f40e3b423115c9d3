"""Group commit: writes that come while a transaction is being made durable share the next one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from distribution_center.registry.repository import RepositoryError, Verdict
from distribution_center.registry.statements import Write

Result: TypeAlias = Verdict | RepositoryError | OverflowError
Commit: TypeAlias = Callable[[list[Write]], Awaitable[list[Result]]]
"""Carries writes out in one transaction, and answers when it is durable. A write that fails takes no other with it."""


class GroupCommit:
    """Queues writes on the event loop and commits them in order, one transaction at a time.

    `commit` is awaited by one task at a time.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._queue: list[tuple[Write, asyncio.Future[Verdict]]] = []
        self._commits: asyncio.Task[None] | None = None

    async def write(self, write: Write) -> Verdict:
        """Answers when the write is durable. Raises `RepositoryError` or `OverflowError` if it could not be made."""
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
        batch: list[tuple[Write, asyncio.Future[Verdict]]] = []
        try:
            while self._queue:
                batch, self._queue = self._queue, []
                results = await self._commit([write for write, _ in batch])
                for (_, done), result in zip(batch, results, strict=True):
                    _settle(done, result)
        finally:  # cancelled: nobody must wait for ever
            for _, done in (*batch, *self._queue):
                done.cancel()
            self._queue.clear()
            self._commits = None


def _settle(done: asyncio.Future[Verdict], result: Result) -> None:
    """Answer who waits, unless they have gone: the write stands either way."""
    if done.cancelled():
        return
    if isinstance(result, Verdict):
        done.set_result(result)
    else:
        done.set_exception(result)
