"""What pysnmp sends through: a socket connected to each receiver, and next to nothing that comes back in.

The kernel drops what others send to a connected socket. It is read only while an inform waits for its answer, so many
datagrams at a time, and pysnmp decodes what `ExpectedAnswers` lets through: at most one for each that it sent.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from pysnmp.carrier.asyncio.base import AbstractAsyncioTransport
from pysnmp.carrier.asyncio.dgram import udp

from media_network.snmp.notifying.expected import ExpectedAnswers

logger = logging.getLogger(__name__)

_ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 -- compared with; no socket is opened
_RECEIVE_BUFFER_OCTETS = 1 << 16
_BATCH = 16
_REST_S = 0.05
"""After so many datagrams nothing is read for so long, whoever they came from."""


class GuardedTransport(AbstractAsyncioTransport):  # type: ignore[misc]
    """The transport of all receivers."""

    ADDRESS_TYPE = udp.UdpTransportAddress

    def __init__(self, host: str, wait_s: float) -> None:
        """Send from `host`, for receivers know an agent by the address it answers at; wait for an answer so long."""
        self._from = None if host in _ANY_HOST else (host, 0)
        self._wait_s = wait_s
        self._receivers: dict[tuple[str, int], _Receiver] = {}
        self.failure: OSError | None = None
        """Why the last message could not leave."""

    def send_message(self, outgoing: Any, address: Any) -> None:
        """See `AbstractTransport`. Raises nothing: pysnmp's timers, which repeat informs, would end."""
        to = (str(address[0]), int(address[1]))
        self.failure = None
        try:
            receiver = self._receivers.get(to)
            if receiver is None:
                receiver = self._receivers[to] = _Receiver(to, self._from, self._wait_s, self._take)
            receiver.send(bytes(outgoing))
        except OSError as error:
            self.failure = error

    def close_transport(self) -> None:
        """See `AbstractTransport`."""
        for receiver in self._receivers.values():
            receiver.close()
        self._receivers.clear()
        super().close_transport()

    def _take(self, address: tuple[str, int], octets: bytes) -> None:
        if self._callback_function is None:
            return
        try:
            self._callback_function(self, udp.UdpTransportAddress(address), octets)
        except Exception as error:  # noqa: BLE001 -- what pysnmp makes of a receiver's octets ends nothing of ours
            logger.debug("%s:%d answered what pysnmp cannot read: %s", *address, type(error).__name__)


class _Receiver:
    """A socket that is connected to one receiver."""

    def __init__(
        self,
        address: tuple[str, int],
        local: tuple[str, int] | None,
        wait_s: float,
        take: Callable[[tuple[str, int], bytes], None],
    ) -> None:
        """Raises OSError."""
        self._address = address
        self._take = take
        self._expected = ExpectedAnswers(wait_s)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)  # noqa: FBT003 - the standard library's signature
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
            if local is not None:
                self._socket.bind(local)
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise

    def send(self, octets: bytes) -> None:
        """Send, and read if it is to be answered. Raises OSError."""
        self._expected.sent(octets, self._loop.time())
        try:
            self._socket.send(octets)
        except ConnectionRefusedError:
            self._socket.send(octets)  # the kernel said what became of an earlier one, and sent nothing
        if self._timer is None:
            self._read_on()

    def close(self) -> None:
        """Send and hear nothing more."""
        self._stop_reading()
        self._socket.close()

    def _read_on(self) -> None:
        """Read until the last answer is due."""
        self._timer = None
        now = self._loop.time()
        until = self._expected.until(now)
        if until is None:
            self._loop.remove_reader(self._socket)
            return
        self._loop.add_reader(self._socket, self._receive)
        self._timer = self._loop.call_at(until, self._read_on)

    def _stop_reading(self) -> None:
        self._loop.remove_reader(self._socket)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _receive(self) -> None:
        for _ in range(_BATCH):
            now = self._loop.time()
            try:
                octets = self._socket.recv(self._expected.most_octets() + 1)
            except BlockingIOError:
                return
            except OSError:
                continue  # what the kernel has to say of an earlier one
            if self._expected.takes(octets, now):
                self._take(self._address, octets)
            if self._expected.until(now) is None:
                self._stop_reading()
                return
        self._stop_reading()
        self._timer = self._loop.call_later(_REST_S, self._read_on)
