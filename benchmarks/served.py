"""A server in a process of its own, so that only its CPU is counted."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.figure import cpu_s
from media_network.address import Address

Server = Callable[["Control"], Coroutine[Any, Any, None]]
"""A module's function that serves, and calls `report` with where it does; `report` returns when it shall end."""


class Control:
    """The server's end of its conversation with who measures it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def report(self, bound: Address) -> None:
        """Say where we serve; then, whenever asked, what CPU it took since the last time; return at the end."""
        self._pipe.send(bound)
        before_s = cpu_s()
        while await asyncio.to_thread(self._pipe.recv) == "cost":
            self._pipe.send(cpu_s() - before_s)
            before_s = cpu_s()


class Served:
    """A server that runs."""

    def __init__(self, pipe: Connection, address: Address, pid: int) -> None:
        self._pipe = pipe
        self.pid = pid
        self.address = address

    async def cost_s(self) -> float:
        """CPU it took since the last time."""
        self._pipe.send("cost")
        spent_s: float = await asyncio.to_thread(self._pipe.recv)
        return spent_s


@asynccontextmanager
async def served(server: Server) -> AsyncIterator[Served]:
    """A server that runs while the context is open."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=run, args=(server, theirs))
    process.start()
    theirs.close()
    try:
        yield Served(ours, await asyncio.to_thread(ours.recv), process.pid or 0)
    finally:
        ours.send("end")
        await asyncio.to_thread(process.join)


def run(server: Server, pipe: Connection) -> None:
    """The life of the process."""
    asyncio.run(server(Control(pipe)))
