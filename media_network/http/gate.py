"""How many connections a server has at once, and whose goes when there are more than it may have.

Without a bound a process runs out of descriptors: then it can open no segment and answer nobody, least of all those who
were there first. Who is silent goes before who is being answered, and of those the ones of whoever has the most.
"""

import asyncio
import logging
import os
import resource
from collections import OrderedDict, defaultdict
from collections.abc import Hashable
from typing import Protocol

logger = logging.getLogger(__name__)

CONNECTIONS_MAX = 8192
_CONNECTIONS_MIN = 16
_RESERVED = 160
"""Descriptors for what is opened beside the connections: files, those of segments that stay open (`kept_open.py`), and
connections to others."""
_DESCRIPTORS_A_CONNECTION = 2
"""Itself, and the segment that is sent over it."""


class Closable(Protocol, Hashable):
    """A connection."""

    def force_close(self) -> None:
        """Close it; what is said over it is lost."""


class ConnectionGate:
    """Keeps the count."""

    def __init__(self, connections_max: int) -> None:
        self.connections_max = connections_max
        self.shed = 0
        """Connections that were closed because there were too many."""
        self._host_of: dict[Closable, str] = {}
        self._silent: defaultdict[str, OrderedDict[Closable, None]] = defaultdict(OrderedDict)
        """By host those over which nothing is being answered, the longest first."""
        self._said = False

    def __len__(self) -> int:
        return len(self._host_of)

    def made(self, connection: Closable, host: str) -> None:
        """There is another. One goes for it when there are too many, perhaps itself."""
        self._host_of[connection] = host
        self._silent[host][connection] = None
        if len(self._host_of) > self.connections_max:
            self._shed_one()
        elif len(self._host_of) < self.connections_max // 2:
            self._said = False

    def lost(self, connection: Closable) -> None:
        """It is closed."""
        if (host := self._host_of.pop(connection, None)) is not None:
            self._unlist(connection, host)

    def busy(self, connection: Closable) -> None:
        """Something is asked over it."""
        if (host := self._host_of.get(connection)) is not None:
            self._unlist(connection, host)

    def idle(self, connection: Closable) -> None:
        """What was asked over it is answered."""
        if (host := self._host_of.get(connection)) is not None:
            self._silent[host][connection] = None

    def _shed_one(self) -> None:
        if not self._silent:
            return
        host = max(self._silent, key=lambda host: len(self._silent[host]))
        connection = next(iter(self._silent[host]))
        self.lost(connection)
        self.shed += 1
        # Not at once: it may be just being made.
        asyncio.get_running_loop().call_soon(connection.force_close)
        if not self._said:
            self._said = True
            logger.warning(
                "more than %d connections: those that are silent are closed, first of %s", self.connections_max, host
            )

    def _unlist(self, connection: Closable, host: str) -> None:
        silent = self._silent.get(host)
        if silent is not None:
            silent.pop(connection, None)
            if not silent:
                del self._silent[host]


def connections_bearable() -> int:
    """How many connections the descriptors that are left to this process allow."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    left = limit - len(os.listdir("/proc/self/fd")) - _RESERVED
    return min(CONNECTIONS_MAX, max(_CONNECTIONS_MIN, left // _DESCRIPTORS_A_CONNECTION))
