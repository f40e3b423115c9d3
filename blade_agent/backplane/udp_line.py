"""A UDP association as a line, one message a datagram, for backplanes that are a switched network."""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from media_network.address import Address
from media_network.holding import holding_name
from media_network.os_trouble import about

logger = logging.getLogger(__name__)

_RECEIVE_BUFFER_BYTES = 1 << 18
"""Room for a burst: the default buffer loses frames of a full chassis."""


class UdpLine:
    """A `Line` over UDP. It sends to its one peer, or, without one, to where the last datagram came from."""

    def __init__(self, transport: asyncio.DatagramTransport, datagrams: "_Datagrams") -> None:
        self._transport = transport
        self._datagrams = datagrams
        self.held = ExitStack()
        """What is given back with the line."""
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)

    @property
    def address(self) -> Address:
        """Where this end is bound."""
        host, port = self._transport.get_extra_info("sockname")[:2]
        return Address(host, port)

    def attach(self, receive: Callable[[bytes], None]) -> None:
        """Hand each datagram to `receive` from now on; what it writes meanwhile goes to that datagram's sender."""
        self._datagrams.receive = receive

    def write(self, data: bytes) -> None:
        """Send one datagram."""
        if self.usable and self._datagrams.peer is not None:
            self._transport.sendto(data, self._datagrams.peer.to)

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()
        self.held.close()

    @property
    def usable(self) -> bool:
        """Whether the socket is open."""
        return not self._transport.is_closing()


async def udp_line(peer: Address) -> UdpLine:
    """Make a line to one peer. It need not be there yet."""
    loop = asyncio.get_running_loop()
    remote = (peer.host, peer.port)
    with about(peer):
        return UdpLine(*await loop.create_datagram_endpoint(lambda: _Datagrams(_Peer(None)), remote_addr=remote))


async def managing_udp_line(peer: Address) -> UdpLine:
    """Make a line to one peer that one process of this machine manages: the peer itself answers whoever asks.

    Raises AlreadyHeld: another one has it.
    """
    with ExitStack() as held:
        held.enter_context(holding_name(f"line/{peer}", f"the line to {peer}"))
        line = await udp_line(peer)
        line.held = held.pop_all()
    return line


async def udp_listener(host: str, port: int) -> UdpLine:
    """Make a line that answers whoever asks.

    Raises OSError: the address is taken or not of this machine.
    """
    loop = asyncio.get_running_loop()
    with about(f"{host}:{port}"):
        return UdpLine(*await loop.create_datagram_endpoint(_Datagrams, local_addr=(host, port)))


class _Peer:
    """Where to send: None on a socket that has only one peer."""

    def __init__(self, to: tuple[str | Any, int] | None) -> None:
        self.to = to


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, peer: _Peer | None = None) -> None:
        self.peer = peer
        self._has_one_peer = peer is not None
        self.receive: Callable[[bytes], None] | None = None

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if not self._has_one_peer:
            self.peer = _Peer(addr)
        if self.receive is not None:
            self.receive(data)

    def error_received(self, exc: Exception) -> None:
        # A peer that is away is found out by whoever waits for its answer.
        logger.debug("datagram not delivered: %s", exc)
