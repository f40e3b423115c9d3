"""The socket that media leaves by: batches of datagrams, cut up by the kernel (UDP segmentation offload) if it can."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from media_network.deaf_socket import drop_all_that_comes
from media_network.packets import DATAGRAM_BYTES, PACKETS_PER_DATAGRAM

logger = logging.getLogger(__name__)

BATCH_PACKETS = 40 * PACKETS_PER_DATAGRAM
"""Most that one call sends; the kernel takes up to 49 full datagrams (65507 bytes)."""

_SEND_BUFFER_BYTES = 8 * 1024 * 1024
_DRAIN_POLL_S = 0.005
_SOL_UDP = 17
_UDP_SEGMENT = 103  # linux/udp.h


class PushSocket(asyncio.DatagramProtocol):
    """Sends to any console from one address."""

    def __init__(self, datagram_bytes: int = DATAGRAM_BYTES) -> None:
        self._datagram_bytes = datagram_bytes
        self.errors = 0
        self.offload = False
        """Whether the kernel cuts batches."""
        self._transport: asyncio.DatagramTransport | None = None
        self._kernel_socket: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.DatagramTransport", transport)
        self._kernel_socket = transport.get_extra_info("socket")
        if self._kernel_socket is not None:
            self._kernel_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            self._be_deaf(self._kernel_socket)
            self.set_offload(on=True)

    def error_received(self, exc: Exception) -> None:
        """Called by the loop when the kernel refused to send: what it was is lost, as on any wire."""
        self.errors += 1
        # A network card without checksum offload refuses batches only when they are sent.
        if self.offload and isinstance(exc, OSError) and exc.errno in (errno.EIO, errno.EINVAL, errno.EMSGSIZE):
            logger.warning("no segmentation offload on this network: %s", exc)
            self.set_offload(on=False)

    @staticmethod
    def _be_deaf(kernel_socket: socket.socket) -> None:
        """Nobody has anything to say here, and a flood must not take the time of those who stream."""
        try:
            drop_all_that_comes(kernel_socket)
        except OSError as error:
            logger.info("what strangers send to the port of the streams has to be read and dropped: %s", error)

    @property
    def idle(self) -> bool:
        """Whether all that was sent has left us; nothing is to be sent before."""
        return self._transport is None or self._transport.get_write_buffer_size() == 0  # type: ignore[attr-defined]  # asyncio documents it for all that write

    def send(self, batch: memoryview | bytes, console: tuple[str, int]) -> None:
        """Send a batch as datagrams of the length that the socket was opened for, the last perhaps shorter."""
        if self._transport is None:
            return
        if self.offload:
            self._transport.sendto(batch, console)
            return
        for offset in range(0, len(batch), self._datagram_bytes):
            self._transport.sendto(batch[offset : offset + self._datagram_bytes], console)

    async def drain(self) -> None:
        """Wait until all that was sent has left us."""
        while not self.idle:  # noqa: ASYNC110 -- a datagram transport does not say when its buffer is empty
            await asyncio.sleep(_DRAIN_POLL_S)

    def set_offload(self, *, on: bool) -> None:
        """Let the kernel cut batches, if it can; or stop it."""
        self.offload = False
        if self._kernel_socket is None:
            return
        try:
            self._kernel_socket.setsockopt(_SOL_UDP, _UDP_SEGMENT, self._datagram_bytes if on else 0)
            self.offload = on
        except OSError as error:
            logger.info("no UDP segmentation offload: %s", error)


@asynccontextmanager
async def open_push_socket(host: str) -> AsyncIterator[PushSocket]:
    """A socket on `host` while the context is open. Raises OSError."""
    loop = asyncio.get_running_loop()
    transport, push_socket = await loop.create_datagram_endpoint(PushSocket, local_addr=(host, 0))
    try:
        yield push_socket
    finally:
        transport.abort()
