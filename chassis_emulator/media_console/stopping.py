"""Playing until the end, or until whoever watches has had enough."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_stopped(playing: Coroutine[Any, Any, None], stop: asyncio.Event | None) -> bool:
    """Await `playing` until `stop` is set. Returns whether it came to its own end; raises what it raises."""
    if stop is None:
        await playing
        return True
    tasks = asyncio.create_task(playing), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            return False
        await tasks[0]
        return True
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
