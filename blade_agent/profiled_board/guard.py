"""The board's own watchdog: fed for as long as the blade is well, so that the board is reset when it is not."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from blade_agent.hardware.reading import KnownReading
from blade_agent.hardware.watchdog import WatchdogDevice, WatchdogReading, read_watchdog

_FEEDS_A_TIMEOUT: Final = 3
_TIMEOUT_IF_UNKNOWN_S: Final = 9.0

logger = logging.getLogger(__name__)


async def guard(root: Path, identity: str, is_well: Callable[[], bool]) -> None:
    """Run the watchdog until cancelled, which stops it. A board without it, or where it is in use, goes without."""
    loop = asyncio.get_running_loop()
    try:
        watchdog = await loop.run_in_executor(None, WatchdogDevice, root, identity)
    except OSError as error:
        logger.info("the board runs without its watchdog: %s", error)
        return
    cancelled = False
    with watchdog:
        interval_s = _interval_s(await loop.run_in_executor(None, read_watchdog, root, identity))
        try:
            await _feed(watchdog, interval_s, is_well)
        except asyncio.CancelledError:
            cancelled = True  # the block is left as if all were well, so that the watchdog stops
    if cancelled:
        raise asyncio.CancelledError


async def _feed(watchdog: WatchdogDevice, interval_s: float, is_well: Callable[[], bool]) -> None:
    """Feed without a detour over a thread: a pool that is full would reset a board that is well."""
    while True:
        if is_well():
            try:
                watchdog.feed()
            except OSError as error:
                logger.warning("the board's watchdog cannot be fed: %s", error)
        await asyncio.sleep(interval_s)


def _interval_s(reading: WatchdogReading) -> float:
    timeout_s = reading.timeout_s.value if isinstance(reading.timeout_s, KnownReading) else _TIMEOUT_IF_UNKNOWN_S
    return max(1.0, timeout_s) / _FEEDS_A_TIMEOUT
