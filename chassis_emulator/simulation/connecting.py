"""How a simulated stream comes about: somebody listens, somebody tries."""

import asyncio
import errno
import random
import socket
from collections.abc import Sequence
from contextvars import copy_context
from typing import Self

from chassis_emulator.simulation.addresses import Addresses, Listener
from chassis_emulator.simulation.hosts import Boot, Endpoint, Host
from chassis_emulator.simulation.links import Links
from chassis_emulator.simulation.pipe import ItemKind, Pipe
from chassis_emulator.simulation.sockets import SimulatedSocket, os_error
from chassis_emulator.simulation.streams import SimulatedStream
from chassis_emulator.simulation.trace import name

SYN_RETRIES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Waits between the tries of a connection that nobody answers: net.ipv4.tcp_syn_retries of Linux is 6."""

UNREACHABLE_AFTER_S = 3.0
"""When ARP gives up on a host of the same network."""


class Server(asyncio.AbstractServer):
    """What `create_server` returns. asyncio's documentation of `Server` says what each method does."""

    def __init__(self, loop: asyncio.AbstractEventLoop, addresses: Addresses, listeners: Sequence[Listener]) -> None:
        self._loop = loop
        self._addresses = addresses
        self._listeners = list(listeners)
        self._closed: asyncio.Future[None] = loop.create_future()

    async def __aenter__(self) -> Self:
        return self

    @property
    def sockets(self) -> tuple[SimulatedSocket, ...]:
        """Where it listens."""
        return tuple(SimulatedSocket(socket.SOCK_STREAM, listener.endpoint) for listener in self._listeners)

    def close(self) -> None:
        """Listen no more. Streams that are open stay so."""
        for listener in self._listeners:
            self._addresses.unlisten(listener)
        self._listeners.clear()
        if not self._closed.done():
            self._closed.set_result(None)

    async def wait_closed(self) -> None:
        """It is closed at once."""

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._loop

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

    def __init__(self, links: Links, addresses: Addresses, boot: Boot, source: Endpoint, remote: Endpoint) -> None:
        self._links = links
        self._addresses = addresses
        self._boot = boot
        self._source = source
        self._remote = remote
        self._context = copy_context()
        self._rng = random.Random(links.rng.getrandbits(64))
        self._answer: asyncio.Future[None] = links.loop.create_future()
        self._stream: SimulatedStream | None = None
        self._tries = 0

    async def outcome(self) -> SimulatedStream:
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
        links, here = self._links, self._boot.host
        host = self._addresses.host_at(self._remote, here)
        if host is None or not host.answers:
            links.at(links.now_s + UNREACHABLE_AFTER_S, self._fail, errno.EHOSTUNREACH)
            return
        latency_s = links.conditions(here, host).stream_latency(self._rng)
        links.at(links.now_s + latency_s, self._knock, host)

    def _knock(self, host: Host) -> None:
        """The first packet would be there now."""
        links, here = self._links, self._boot.host
        if self._is_over():
            return
        if links.is_cut(here, host) or links.is_cut(host, here) or not host.answers:
            self._try_again()
            return
        listener = self._addresses.listener_at(self._remote, here)
        links.trace("connect" if listener else "refuse", name(self._source), name(self._remote))
        if listener:
            self._open(listener)
        else:
            latency_s = links.conditions(host, here).latency(self._rng)
            links.at(links.now_s + latency_s, self._fail, errno.ECONNREFUSED)

    def _try_again(self) -> None:
        if self._tries == len(SYN_RETRIES_S):
            self._fail(errno.ETIMEDOUT)
            return
        self._links.at(self._links.now_s + SYN_RETRIES_S[self._tries], self._retry)
        self._tries += 1

    def _retry(self) -> None:
        if not self._is_over():
            self._try()

    def _open(self, listener: Listener) -> None:
        client = SimulatedStream(self._links, self._boot, self._context, self._source, self._remote)
        server = SimulatedStream(self._links, listener.boot, listener.context.copy(), self._remote, self._source)
        client.out = server.incoming = Pipe(self._links, client, server, random.Random(self._rng.getrandbits(64)))
        server.out = client.incoming = Pipe(self._links, server, client, random.Random(self._rng.getrandbits(64)))
        client.established = self._answer
        self._stream = client
        server.out.send(ItemKind.ESTABLISHED)
        server.run(lambda: server.begin(listener.protocol_factory()))

    def _fail(self, number: int) -> None:
        if not self._is_over():
            self._answer.set_exception(os_error(number))
