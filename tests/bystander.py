"""How long a machine keeps anybody waiting, whoever he is: what a promise in seconds is not to be blamed for.

async with bystander() as other:
    ...
assert took_s < promised_s + other.late_s
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

TICK_S = 0.01


@dataclass
class Bystander:
    """Somebody on the same event loop who wants to act at every tick."""

    late_s: float = 0.0
    """How late he was, all in all."""

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
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
