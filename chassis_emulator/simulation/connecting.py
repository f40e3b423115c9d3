"""How a simulated stream comes about: somebody listens, somebody tries."""

import asyncio
import errno
import random
import socket
from collections.abc import Sequence
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Self

from chassis_emulator.simulation.hosts import Boot, Endpoint, Host
from chassis_emulator.simulation.loop import ProtocolFactory
from chassis_emulator.simulation.pipe import Kind, Pipe, os_error
from chassis_emulator.simulation.sockets import SimulatedSocket
from chassis_emulator.simulation.streams import Stream
from chassis_emulator.simulation.trace import name

if TYPE_CHECKING:
    from chassis_emulator.simulation.network import Network

SYN_RETRIES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Waits between the tries of a connection that nobody answers: net.ipv4.tcp_syn_retries of Linux is 6."""

UNREACHABLE_AFTER_S = 3.0
"""When ARP gives up on a host of the same network."""


class Listener:
    """A listening socket of a host."""

    def __init__(self, protocol_factory: ProtocolFactory, boot: Boot, context: Context, endpoint: Endpoint) -> None:
        self.boot = boot
        self.context = context
        self.endpoint = endpoint
        self._protocol_factory = protocol_factory

    def accept(self, stream: Stream) -> None:
        """Give a new stream its protocol."""
        stream.begin(self._protocol_factory())


class Server(asyncio.AbstractServer):
    """What `create_server` returns. asyncio's documentation of `Server` says what each method does."""

    def __init__(self, network: "Network", listeners: Sequence[Listener]) -> None:
        self._network = network
        self._listeners = list(listeners)
        self._closed: asyncio.Future[None] = network.loop.create_future()

    async def __aenter__(self) -> Self:
        return self

    @property
    def sockets(self) -> tuple[SimulatedSocket, ...]:
        """Where it listens."""
        return tuple(SimulatedSocket(socket.SOCK_STREAM, listener.endpoint) for listener in self._listeners)

    def close(self) -> None:
        """Listen no more. Streams that are open stay so."""
        for listener in self._listeners:
            self._network.unlisten(listener)
        self._listeners.clear()
        if not self._closed.done():
            self._closed.set_result(None)

    async def wait_closed(self) -> None:
        """It is closed at once."""

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._network.loop

    def is_serving(self) -> bool:
        """Whether it listens."""
        return bool(self._listeners)

    async def start_serving(self) -> None:
        """It does from the beginning."""

    async def serve_forever(self) -> None:
        """Wait until it is closed; cancelled, close it."""
        try:
            await asyncio.shield(self._closed)
        finally:
            self.close()


class Attempt:
    """Somebody tries to open a stream."""

    def __init__(self, network: "Network", boot: Boot, source: Endpoint, remote: Endpoint) -> None:
        self._network = network
        self._boot = boot
        self._source = source
        self._remote = remote
        self._context = copy_context()
        self._rng = random.Random(network.rng.getrandbits(64))
        self._answer: asyncio.Future[None] = network.loop.create_future()
        self._stream: Stream | None = None
        self._tries = 0

    async def outcome(self) -> Stream:
        """Try, and return the stream. Raises OSError as `connect` does."""
        self._try()
        try:
            await self._answer
        except asyncio.CancelledError:
            if self._stream:
                self._stream.abort()
            raise
        if self._stream is None:
            raise os_error(errno.ECONNABORTED)
        return self._stream

    def _is_over(self) -> bool:
        return self._stream is not None or self._answer.done() or not self._boot.alive

    def _try(self) -> None:
        network, here = self._network, self._boot.host
        host = network.host_at(self._remote, here)
        if host is None or not host.answers:
            network.at(network.now_s + UNREACHABLE_AFTER_S, self._fail, errno.EHOSTUNREACH)
            return
        latency_s = network.conditions(here, host).stream_latency(self._rng)
        network.at(network.now_s + latency_s, self._knock, host)

    def _knock(self, host: Host) -> None:
        """The first packet would be there now."""
        network, here = self._network, self._boot.host
        if self._is_over():
            return
        if network.is_cut(here, host) or network.is_cut(host, here) or not host.answers:
            self._try_again()
            return
        listener = network.listener_at(self._remote, here)
        network.trace("connect" if listener else "refuse", name(self._source), name(self._remote))
        if listener:
            self._open(listener)
        else:
            latency_s = network.conditions(host, here).latency(self._rng)
            network.at(network.now_s + latency_s, self._fail, errno.ECONNREFUSED)

    def _try_again(self) -> None:
        if self._tries == len(SYN_RETRIES_S):
            self._fail(errno.ETIMEDOUT)
            return
        self._network.at(self._network.now_s + SYN_RETRIES_S[self._tries], self._retry)
        self._tries += 1

    def _retry(self) -> None:
        if not self._is_over():
            self._try()

    def _open(self, listener: Listener) -> None:
        network = self._network
        client = Stream(network, self._boot, self._context, self._source, self._remote)
        server = Stream(network, listener.boot, listener.context.copy(), self._remote, self._source)
        client.out = server.incoming = Pipe(network, client, server, random.Random(self._rng.getrandbits(64)))
        server.out = client.incoming = Pipe(network, server, client, random.Random(self._rng.getrandbits(64)))
        client.established = self._answer
        self._stream = client
        server.out.send(Kind.ESTABLISHED)
        server.run(listener.accept, server)

    def _fail(self, number: int) -> None:
        if not self._is_over():
            self._answer.set_exception(os_error(number))
