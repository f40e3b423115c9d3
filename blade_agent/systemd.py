"""What systemd is told of what it has started: that it works, and that it still does (sd_notify(3))."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

logger = logging.getLogger(__name__)

_ABSTRACT = "@"


@asynccontextmanager
async def told_to_systemd(
    begun: asyncio.Event, is_well: Callable[[], bool] = lambda: True, environment: Mapping[str, str] = os.environ
) -> AsyncIterator[None]:
    """Tell it, once the service has `begun`, while the context is open; that it still works only while it `is_well`.

    Under anything but a unit of `Type=notify` this does nothing.
    """
    path = environment.get("NOTIFY_SOCKET", "")
    if not path:
        yield
        return
    task = asyncio.get_running_loop().create_task(
        _tell(path, begun, is_well, _interval_s(environment)), name="tell systemd"
    )
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _tell(path: str, begun: asyncio.Event, is_well: Callable[[], bool], interval_s: float | None) -> None:
    await begun.wait()
    _send(path, "READY=1")
    while interval_s is not None:
        await asyncio.sleep(interval_s)
        if is_well():
            _send(path, "WATCHDOG=1")


def _interval_s(environment: Mapping[str, str]) -> float | None:
    """A third of the time after which systemd gives the service up; None where it waits for ever."""
    wanted = environment.get("WATCHDOG_USEC", "")
    return int(wanted) / 3e6 if wanted.isdigit() and int(wanted) else None


def _send(path: str, words: str) -> None:
    address = f"\0{path[1:]}" if path.startswith(_ABSTRACT) else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.setblocking(False)  # noqa: FBT003 -- the name is the library's
        try:
            connection.sendto(words.encode(), address)
        except OSError as error:
            logger.warning("systemd is not told %s: %s", words, error)
