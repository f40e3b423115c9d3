"""A stream between the messages of its connection (RFC 2326, 10.12): it comes to two ports here, and goes on by TCP."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable

from blade_agent.main_board.rtsp.message import interleaved
from media_network.address import Address
from media_network.rtp import RTP_DATAGRAM_BYTES

WAITING_BYTES_MAX = 4 * 1024 * 1024
"""What a player may be behind; what comes then is left out, as on any wire that is full."""
_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
_PAIRS_TRIED = 64


class InterleavedStream:
    """Two ports of this blade, and what comes to them."""

    def __init__(self, source: Address, write: Callable[[bytes], None], waiting: Callable[[], int]) -> None:
        """`source` is where RTP comes from; `write` sends to the player, for whom `waiting` bytes have yet to leave."""
        self.address = source
        """Where the stream is to be sent."""
        self._source = source
        self._write = write
        self._waiting = waiting
        self._held: deque[bytes] | None = deque()
        self._held_bytes = 0
        self._transports: list[asyncio.DatagramTransport] = []

    async def open(self, host: str, channels: tuple[int, int]) -> None:
        """Take two ports of `host`. Raises OSError."""
        sockets = _pair_of_sockets(host)
        self.address = Address(*sockets[0].getsockname())
        loop = asyncio.get_running_loop()
        for sock, channel, host_port in zip(sockets, channels, (self._source.port, self._source.port + 1), strict=True):
            transport, _ = await loop.create_datagram_endpoint(
                lambda channel=channel, port=host_port: _Ear(  # type: ignore[misc]  # mypy infers no type for defaults
                    (self._source.host, port), lambda data: self._pass_on(channel, data)
                ),
                sock=sock,
            )
            self._transports.append(transport)

    def close(self) -> None:
        """Nothing more is passed on."""
        for transport in self._transports:
            transport.abort()

    def hold(self) -> None:
        """Keep what comes until the answer to PLAY has been said."""
        if self._held is None:
            self._held, self._held_bytes = deque(), 0

    def release(self) -> None:
        """Pass on what was kept, and what comes from now on."""
        held, self._held = self._held or (), None
        for frame in held:
            self._write(frame)

    def answer(self, octets: bytes) -> None:
        """A receiver's report came from the player: it goes where all reports go."""
        if self._transports:
            to = self._source._replace(port=self._source.port + 1)
            self._transports[-1].sendto(octets, to)

    def _pass_on(self, channel: int, data: bytes) -> None:
        frame = interleaved(channel, data)
        if self._held is not None:
            self._held_bytes += len(frame)
            if self._held_bytes <= WAITING_BYTES_MAX:
                self._held.append(frame)
        elif self._waiting() < WAITING_BYTES_MAX:
            self._write(frame)


class _Ear(asyncio.DatagramProtocol):
    """One of the ports: only the station is heard there."""

    def __init__(self, source: tuple[str, int], heard: Callable[[bytes], None]) -> None:
        self._source = source
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Called by the loop."""
        if addr[:2] == self._source and len(data) <= RTP_DATAGRAM_BYTES:
            self._heard(data)


def _pair_of_sockets(host: str) -> tuple[socket.socket, socket.socket]:
    """An even port and the one after it (RFC 3550, 11). Raises OSError."""
    for _ in range(_PAIRS_TRIED):
        first, second = _bound(host, 0), None
        try:
            port = first.getsockname()[1]
            if port % 2 == 0:
                second = _bound(host, port + 1)
        except OSError:
            second = None
        if second:
            return first, second
        first.close()
    raise OSError("no two ports are free that follow each other")


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
