"""Simulated streams: ordered, reliable, with flow control, half-close and reset, as TCP's."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any

from chassis_emulator.simulation.hosts import Boot, Death, Endpoint
from chassis_emulator.simulation.links import Links
from chassis_emulator.simulation.pipe import CHUNK_BYTES, WINDOW_BYTES, ItemKind, Pipe
from chassis_emulator.simulation.sockets import SimulatedSocket, os_error
from chassis_emulator.simulation.trace import name


class SimulatedStream(asyncio.Transport):
    """One end of a connection. asyncio's documentation of `Transport` says what each method does."""

    out: Pipe
    """To the peer."""
    incoming: Pipe
    """From the peer."""

    def __init__(self, links: Links, boot: Boot, context: Context, local: Endpoint, remote: Endpoint) -> None:
        super().__init__(
            {
                "sockname": local,
                "peername": remote,
                "socket": SimulatedSocket(socket.SOCK_STREAM, local, remote),
            }
        )
        self.boot = boot
        self.name = name(local)
        self.established: asyncio.Future[None] | None = None
        self._links = links
        self._context = context
        self._protocol: asyncio.BaseProtocol | None = None
        self._unsent = bytearray()
        self._low_bytes, self._high_bytes = 16 * 1024, 64 * 1024
        self._wants_drain: list[asyncio.Future[None]] = []
        self._protocol_paused = False
        self._reading = False
        self._closing = False
        self._lost = False
        self._end_asked = False
        self._end_sent = False
        boot.sockets[self] = None

    def __repr__(self) -> str:
        return f"<stream {self.name} > {name(self.get_extra_info('peername'))}>"

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Give it to its protocol, in the context of its host."""
        self._protocol = protocol
        protocol.connection_made(self)
        self.resume_reading()

    def run(self, callback: Callable[..., None], *args: Any) -> None:
        """Call something of its host's, from the wire."""
        self.boot.call(self._context, callback, *args)

    # What the pipes call

    def takes(self) -> bool:
        """Whether what arrives can be handed over now."""
        return self._reading or self.is_gone() or self.established is not None

    def is_gone(self) -> bool:
        """Whether nobody is there to hear what arrives."""
        return self._closing or self._lost or not self.boot.alive

    def receive(self, kind: ItemKind, content: bytes) -> None:
        """Something arrived."""
        self.run(self._receive, kind, content)

    def _receive(self, kind: ItemKind, content: bytes) -> None:
        if kind is ItemKind.DATA and isinstance(self._protocol, asyncio.Protocol):
            self._protocol.data_received(content)
        elif kind is ItemKind.END and isinstance(self._protocol, asyncio.Protocol):
            if not self._protocol.eof_received():
                self.close()
        elif kind is ItemKind.RESET:
            self.lose(os_error(errno.ECONNRESET))
        elif kind is ItemKind.ESTABLISHED and self.established:
            established, self.established = self.established, None
            if established.cancelled():
                self.abort()
            else:
                established.set_result(None)

    def make_room(self) -> None:
        """The peer took something."""
        if self._unsent and not self._lost and self.boot.alive:
            self.run(self._send_unsent)

    def lose(self, error: OSError | None) -> None:
        """The connection is over: the protocol hears of it soon."""
        if self._lost or not self.boot.alive:
            return
        self._lost = True
        self._unsent.clear()
        self._reading = False
        for waiter in self._take_drain_waiters():
            waiter.set_exception(error or ConnectionResetError(errno.ECONNRESET, "the connection was closed"))
        self._links.loop.call_soon(self._say_lost, error, context=self._context)

    def _say_lost(self, error: OSError | None) -> None:
        self.boot.sockets.pop(self, None)
        if self.established and not self.established.done():
            self.established.set_exception(error or os_error(errno.ECONNABORTED))
        if self._protocol is not None:
            self._protocol.connection_lost(error)

    def die(self, death: Death) -> None:
        """The boot is over. A kernel that lives on ends the connection, politely or not."""
        self._unsent.clear()
        if death is Death.KILLED and not self._lost and not self._end_sent:
            self.out.send(self._links.rng.choice((ItemKind.END, ItemKind.RESET)))

    # What programs call: writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or keep until there is room."""
        if self._end_asked:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self.is_gone() or not data:
            return
        if not self._unsent and len(data) <= CHUNK_BYTES and self.out.unread_bytes < WINDOW_BYTES:
            self.out.send(ItemKind.DATA, bytes(data))
            return
        self._unsent += data
        self._send_unsent()
        if len(self._unsent) > self._high_bytes and not self._protocol_paused and self._protocol is not None:
            self._protocol_paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send all of them."""
        self.write(b"".join(list_of_data))

    def _send_unsent(self) -> None:
        while self._unsent and self.out.unread_bytes < WINDOW_BYTES:
            chunk = bytes(memoryview(self._unsent)[:CHUNK_BYTES])
            del self._unsent[:CHUNK_BYTES]
            self.out.send(ItemKind.DATA, chunk)
        if not self._unsent:
            self._end_when_asked()
        if len(self._unsent) <= self._low_bytes:
            for waiter in self._take_drain_waiters():
                waiter.set_result(None)
            if self._protocol_paused and self._protocol is not None:
                self._protocol_paused = False
                self._protocol.resume_writing()

    def _end_when_asked(self) -> None:
        if (self._end_asked or self._closing) and not self._end_sent:
            self._end_sent = True
            self.out.send(ItemKind.END)
        if self._closing:
            self.lose(None)

    def write_eof(self) -> None:
        """Close this direction when all is sent."""
        self._end_asked = True
        if not self._unsent and not self.is_gone():
            self._end_when_asked()

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    async def drained(self) -> None:
        """Wait until there is room to write. Raises ConnectionError when the connection is over."""
        if self.is_gone():
            raise os_error(errno.ECONNRESET)
        if len(self._unsent) > self._low_bytes:
            waiter: asyncio.Future[None] = self._links.loop.create_future()
            self._wants_drain.append(waiter)
            await waiter

    def _take_drain_waiters(self) -> list[asyncio.Future[None]]:
        waiters, self._wants_drain = self._wants_drain, []
        return [waiter for waiter in waiters if not waiter.done()]

    def get_write_buffer_size(self) -> int:
        """Bytes not yet on the way."""
        return len(self._unsent)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Low and high water, in bytes."""
        return self._low_bytes, self._high_bytes

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set low and high water, in bytes."""
        if high is None:
            high = 64 * 1024 if low is None else 4 * low
        self._low_bytes, self._high_bytes = high // 4 if low is None else low, high

    # What programs call: reading and closing

    def pause_reading(self) -> None:
        """Leave what arrives in the window."""
        self._reading = False

    def resume_reading(self) -> None:
        """Take what arrives."""
        if not self._reading and not self.is_gone():
            self._reading = True
            self.incoming.go_on()

    def is_reading(self) -> bool:
        """Whether it takes what arrives."""
        return self._reading

    def close(self) -> None:
        """Send what is unsent, then end the connection."""
        if self.is_gone():
            return
        self._closing = True
        self._reading = False
        self.incoming.go_on()  # what comes now is answered by a reset
        if not self._unsent:
            self._end_when_asked()

    def abort(self) -> None:
        """End the connection now."""
        if self._lost or not self.boot.alive:
            return
        self._closing = True
        self.out.send(ItemKind.RESET)
        self.lose(None)

    def is_closing(self) -> bool:
        """Whether it is, or is over."""
        return self._closing or self._lost

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Whom to tell."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """Who is told."""
        return self._protocol
