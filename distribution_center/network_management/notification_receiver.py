"""Takes traps and informs at a port that is open to everybody, with bounds on what a stranger may cost.

What notifications say is not believed: their sender is polled at once, and asked itself. So it is no loss when a flood
of strangers keeps one from being read: the poll that is due anyway tells the same.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from random import Random

from media_network.address import Address
from media_network.os_trouble import about
from media_network.snmp.notification_inbox import MAX_MESSAGE_OCTETS, NotificationInbox, Received
from media_network.snmp.settings import UserSettings
from media_network.snmp.usm import EngineIdentity

logger = logging.getLogger(__name__)

_RECEIVE_BUFFER_OCTETS = 1 << 19
_BATCH = 16
"""Datagrams that are read before the loop's other work gets its turn: a millisecond at most."""
_REST_S = 0.01
"""After a full batch nothing is read for so long: a flood takes a tenth of the processor, not all that is left."""
_TELL_EVERY_S = 60.0


class NotificationReceiver:
    """Listens at an address until it is closed."""

    def __init__(
        self,
        address: Address,
        users: Iterable[UserSettings],
        identity: EngineIdentity,
        on_sender: Callable[[bytes, str], None],
        *,
        rng: Random,
    ) -> None:
        """`users` are believed; `on_sender` gets engine id and host of who sent something authentic.

        Raises OSError for an address in use.
        """
        self._loop = asyncio.get_running_loop()
        started = self._loop.time()
        self._inboxes = {user: NotificationInbox(user, identity, rng=rng, started=started) for user in users}
        self._on_sender = on_sender
        self._refusals = _Refusals()
        self._rest: asyncio.TimerHandle | None = None
        self._socket = _bound(address)
        self._loop.add_reader(self._socket, self._receive)
        self.taken = 0
        """Authentic notifications."""

    @property
    def refused(self) -> int:
        """Datagrams that were none, and got no report."""
        return self._refusals.all

    def know(self, engine_id: bytes, user: UserSettings) -> None:
        """Take traps of an engine from now on, which it sends as one of the users."""
        self._inboxes[user].know(engine_id)

    def close(self) -> None:
        """Listen no more."""
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _receive(self) -> None:
        for _ in range(_BATCH):
            try:
                octets, source = self._socket.recvfrom(MAX_MESSAGE_OCTETS + 1)
            except BlockingIOError:
                return
            except OSError:
                continue  # what the kernel has to say of an earlier answer
            self._take(octets, source)
        self._loop.remove_reader(self._socket)
        self._rest = self._loop.call_later(_REST_S, self._read_on)

    def _read_on(self) -> None:
        self._loop.add_reader(self._socket, self._receive)

    def _take(self, octets: bytes, source: tuple[str, int]) -> None:
        now = self._loop.time()
        received = self._open(octets, source[0], now)
        if received.reply is not None:
            try:
                self._socket.sendto(received.reply, source)
            except OSError as error:
                logger.debug("answer to %s not sent: %s", source[0], error)  # who sent an inform sends it again
        if received.engine_id:
            self.taken += 1
            self._on_sender(received.engine_id, source[0])
        elif received.reply is None:
            self._refusals.add(source[0], received.reason, now)

    def _open(self, octets: bytes, host: str, now: float) -> Received:
        """As one of the users takes it: several may have the same name, and other passwords."""
        first = None
        for inbox in self._inboxes.values():
            received = inbox.receive(octets, host, now)
            if received.engine_id:
                return received
            first = first or received
        return first or Received(reason="nobody is known")


class _Refusals:
    """What was not taken, told now and then and in one line."""

    def __init__(self) -> None:
        self.all = 0
        self._told = 0
        self._tell_from = 0.0

    def add(self, host: str, reason: str, now: float) -> None:
        self.all += 1
        if now < self._tell_from:
            return
        count, self._told, self._tell_from = self.all - self._told, self.all, now + _TELL_EVERY_S
        logger.info("%d datagrams were no notification that is believed; the last one of %s: %s", count, host, reason)


def _bound(address: Address) -> socket.socket:
    """Raises OSError."""
    sock = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
        with about(address):
            sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
