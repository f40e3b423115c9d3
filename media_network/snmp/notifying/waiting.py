"""What receivers are still to be told: a queue with an end, filled by one thread and emptied by another."""

import asyncio
import contextlib
from collections import deque

from msgspec import Struct

from media_network.snmp.objects.notification import Notification
from media_network.snmp.settings import UserSettings
from media_network.snmp.targets import TargetSettings

_WAITING_MAX = 512
"""Notifications that wait. A receiver that is told more than this at once is told the newest."""


class Delivery(Struct):
    """What became of what a target was to be told."""

    sent: int = 0
    """Traps that left, informs that were acknowledged."""
    failed: int = 0
    """Informs without a receipt, and what could not leave."""
    dropped: int = 0
    """Too many were waiting."""


class Waiting(Struct, frozen=True):
    """A notification, and the sysUpTime at which it happened."""

    told: Notification
    ticks: int


class WaitingQueue:
    """What one target is still to be told. `add` is called by one thread, all else by the one that sends."""

    def __init__(self, target: TargetSettings, user: UserSettings | None) -> None:
        """Take the user by whose name the target is told; None: by its community."""
        self.target = target
        self.user = user
        self.delivery = Delivery()
        self._waiting: deque[Waiting] = deque()
        self._news: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def add(self, waiting: Waiting) -> None:
        """Take another one, perhaps in place of the oldest."""
        if len(self._waiting) >= _WAITING_MAX:
            with contextlib.suppress(IndexError):  # all of them have been taken meanwhile
                self._waiting.popleft()
                self.delivery.dropped += 1
        self._waiting.append(waiting)
        if (news := self._news) is not None:
            loop, event = news
            with contextlib.suppress(RuntimeError):  # its thread has ended, and the next one looks by itself
                loop.call_soon_threadsafe(event.set)

    async def take(self) -> Waiting:
        """Give the oldest, as soon as there is one."""
        event = asyncio.Event()
        self._news = asyncio.get_running_loop(), event
        while True:
            try:
                return self._waiting.popleft()
            except IndexError:
                await event.wait()
                event.clear()
