"""Simulated datagrams: lost, doubled, overtaken, as UDP's."""

import asyncio
import errno
import random
import socket
from contextvars import copy_context
from typing import Any

from chassis_emulator.simulation.addresses import Addresses
from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.hosts import Boot, Death, Endpoint
from chassis_emulator.simulation.links import Links
from chassis_emulator.simulation.sockets import SimulatedSocket, os_error
from chassis_emulator.simulation.trace import name

PAYLOAD_BYTES_MAX = 65507
SEGMENTS_MAX = 64
"""Most datagrams that one call may be cut into: UDP_MAX_SEGMENTS of Linux, net/ipv4."""

_HEADER_BYTES = 42
_OVERTAKEN_BY_S = (0.001, 0.02)

Datagram = bytes


class DatagramSocket(asyncio.DatagramTransport):
    """A datagram socket. asyncio's documentation of `DatagramTransport` says what each method does."""

    def __init__(
        self,
        links: Links,
        addresses: Addresses,
        boot: Boot,
        protocol: asyncio.DatagramProtocol,
        *,
        local: Endpoint,
        remote: Endpoint | None,
    ) -> None:
        self._socket = SimulatedSocket(socket.SOCK_DGRAM, local, remote)
        super().__init__({"sockname": local, "peername": remote, "socket": self._socket})
        self.boot = boot
        self.local = local
        self._links = links
        self._addresses = addresses
        self._context = copy_context()
        self._protocol = protocol
        self._remote = remote
        self._rng = random.Random(links.rng.getrandbits(64))
        self._closed = False
        self._last_arrival_s = 0.0
        boot.sockets[self] = None

    def __repr__(self) -> str:
        return f"<datagrams at {name(self.local)}>"

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Send to `addr`, or to whom the socket is connected."""
        target: Endpoint | None = addr or self._remote
        if target is None or (self._remote and target != self._remote):
            raise ValueError(f"Invalid address: must be None or {self._remote}")
        if self._closed or not self.boot.alive:
            return
        datagrams = self._cut(bytes(data))
        if datagrams:
            self._send(datagrams, (target[0], target[1]))
        else:
            self._protocol.error_received(os_error(errno.EMSGSIZE))

    def _cut(self, data: bytes) -> list[Datagram]:
        """As the kernel cuts with UDP_SEGMENT. Nothing when it would refuse."""
        size = self._socket.segment_bytes
        if len(data) > PAYLOAD_BYTES_MAX or (size and len(data) > size * SEGMENTS_MAX):
            return []
        if not size or len(data) <= size:
            return [data]
        return [data[start : start + size] for start in range(0, len(data), size)]

    def _send(self, datagrams: list[Datagram], target: Endpoint) -> None:
        links = self._links
        sink = self._addresses.host_at(target, self.boot.host)
        if sink is None:
            return
        for tap in links.taps:
            tap(self.local, target, datagrams)
        conditions = links.conditions(self.boot.host, sink)
        size_bytes = sum(map(len, datagrams)) + _HEADER_BYTES * len(datagrams)
        arrival_s = links.departure(self.boot.host, sink, size_bytes) + conditions.latency(self._rng)
        arrival_s = self._last_arrival_s = max(arrival_s, self._last_arrival_s)
        in_order = self._draw_fates(datagrams, target, conditions, arrival_s)
        if in_order:
            links.at(arrival_s, self._arrive, in_order, target)

    def _draw_fates(
        self, datagrams: list[Datagram], target: Endpoint, conditions: Conditions, arrival_s: float
    ) -> list[Datagram]:
        """Lose, double and delay some; return those that arrive in order and together."""
        if not (conditions.loss or conditions.duplication or conditions.reordering):
            return datagrams
        rng = self._rng
        in_order = []
        for datagram in datagrams:
            if rng.random() < conditions.loss:
                self._note_lost(datagram, target)
                continue
            if rng.random() < conditions.duplication:
                self._links.at(arrival_s + rng.uniform(*_OVERTAKEN_BY_S), self._arrive, [datagram], target)
            if rng.random() < conditions.reordering:
                self._links.at(arrival_s + rng.uniform(*_OVERTAKEN_BY_S), self._arrive, [datagram], target)
            else:
                in_order.append(datagram)
        return in_order

    def _note_lost(self, datagram: Datagram, target: Endpoint) -> None:
        self._links.trace("lost", name(self.local), name(target), datagram)

    def _arrive(self, datagrams: list[Datagram], target: Endpoint) -> None:
        links, addresses = self._links, self._addresses
        host = addresses.host_at(target, self.boot.host)
        sink = addresses.receiver_at(target, self.boot.host)
        if host is None or host.boot is None or links.is_cut(self.boot.host, host):
            for datagram in datagrams:
                self._note_lost(datagram, target)
        elif sink:
            sink.receive(datagrams, self.local)
        elif self._remote and not links.is_cut(host, self.boot.host):
            # ICMP port unreachable, which Linux reports to connected sockets only
            links.at(links.now_s + links.conditions(host, self.boot.host).latency(self._rng), self._be_refused)

    def receive(self, datagrams: list[Datagram], source: Endpoint) -> None:
        """Datagrams arrived from `source`."""
        if self._remote in (None, source):
            self.boot.call(self._context, self._receive, datagrams, source)

    def _receive(self, datagrams: list[Datagram], source: Endpoint) -> None:
        what = "datagram" if len(datagrams) == 1 else f"{len(datagrams)} datagrams"
        self._links.trace(what, name(source), name(self.local), b"".join(datagrams))
        for datagram in datagrams:
            if self._closed or not self.boot.alive:
                return
            self._protocol.datagram_received(datagram, source)

    def _be_refused(self) -> None:
        if not self._closed and self.boot.alive:
            self._context.run(self._protocol.error_received, os_error(errno.ECONNREFUSED))

    def die(self, death: Death) -> None:  # noqa: ARG002 -- a datagram socket tells nobody, however it ends
        """The boot is over: what was sent arrives, nothing else happens."""
        self._closed = True

    def close(self) -> None:
        """Stop receiving. The protocol hears of it soon."""
        if not self._closed and self.boot.alive:
            self._closed = True
            self.boot.sockets.pop(self, None)
            self._addresses.unbind(self)
            self._links.loop.call_soon(self._protocol.connection_lost, None, context=self._context)

    abort = close

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closed

    def get_write_buffer_size(self) -> int:
        """Nothing waits: what is sent is on its way."""
        return 0

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Whom to tell."""
        if isinstance(protocol, asyncio.DatagramProtocol):
            self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self._protocol
