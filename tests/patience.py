"""Waiting for what others bring about: other processes, or other tasks of this one.

Patience is for what never comes. It says nothing of how fast a machine has to be, and a test that passes does not use
it up: where a time matters, the test measures it.
"""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.01
_TICK_S = 0.01
Seen = TypeVar("Seen")


def wait_until(
    look: Callable[[], Seen],
    holds: Callable[[Seen], object] = bool,
    *,
    why: Callable[[], object] = str,
    process: subprocess.Popen | None = None,
    every_s: float = _LOOK_EVERY_S,
) -> Seen:
    """Look until what is seen is as wanted; gives it. A look that is work for who is waited for is made less often.

    `why` tells what there is to tell when it does not come, and a `process` that it comes from must not end before.
    """
    give_up_at = time.monotonic() + PATIENCE_S
    while not holds(seen := look()):
        assert process is None or process.poll() is None, (f"ended with {process.returncode}", why())
        assert time.monotonic() < give_up_at, (seen, why())
        time.sleep(every_s)
    return seen


async def until(
    look: Callable[[], Seen], holds: Callable[[Seen], object] = bool, *, why: Callable[[], object] = str
) -> Seen:
    """The same, while the other tasks of this event loop go on."""
    give_up_at = asyncio.get_running_loop().time() + PATIENCE_S
    while not holds(seen := look()):
        assert asyncio.get_running_loop().time() < give_up_at, (seen, why())
        await asyncio.sleep(_LOOK_EVERY_S)
    return seen


@dataclass
class Bystander:
    """Somebody on the same event loop who wants to act at every tick: what keeps him waiting is the machine's doing."""

    late_s: float = 0.0
    """How late he was, all in all."""

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + _TICK_S
            await asyncio.sleep(_TICK_S)
            self.late_s += loop.time() - due_s


@asynccontextmanager
async def bystander() -> AsyncIterator[Bystander]:
    """Somebody who looks on while the context lasts."""
    other = Bystander()
    watching = asyncio.create_task(other.watch())
    try:
        yield other
    finally:
        watching.cancel()
