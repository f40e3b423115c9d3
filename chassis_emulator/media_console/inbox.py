"""The port that the datagrams of a pushed stream come to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis_emulator.media_console.errors import OutputFailed
from chassis_emulator.media_console.reception import Output, Progress
from chassis_emulator.media_console.runs import Runs
from media_network.address import Address
from media_network.program_header import ProgramHeader
from media_network.segment_table import Segment

_RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
_SO_RCVBUFFORCE = 33
"""Linux, include/uapi/asm-generic/socket.h: beyond net.core.rmem_max, for those who may."""


class Inbox(asyncio.DatagramProtocol):
    """Where the datagrams arrive."""

    def __init__(self, output: Output, progress: Progress) -> None:
        self.address = Address("", 0)
        self.stream: Runs | None = None
        self.whole = asyncio.Event()
        """Set when all is here, or nothing more can be taken."""
        self.due = asyncio.Event()
        """Set then too, and when the director should be asked for the turn that has begun."""
        self.last_arrival_s = 0.0
        self._output = output
        self._progress = progress
        self._length_bytes = 0
        self.failure: OSError | OutputFailed | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether a segment has begun to come that has yet to be told."""
        return self.stream is not None and self.stream.is_ahead

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """See asyncio.DatagramProtocol."""
        self.address = Address(*transport.get_extra_info("sockname"))
        _widen(transport.get_extra_info("socket"))

    def expect(self, program: ProgramHeader, first: Segment) -> None:
        """From now on what arrives is this program."""
        self.stream = Runs(program)
        self.stream.tell(first)
        self._length_bytes = program.length_bytes

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See asyncio.DatagramProtocol."""
        if self.stream is None or self.whole.is_set() or not self.stream.feed(data, f"{addr[0]}:{addr[1]}"):
            return
        self.last_arrival_s = asyncio.get_running_loop().time()
        try:
            self._output.write(data)
        except (OSError, OutputFailed) as error:
            self.failure = error
        self._progress(self.stream.reached_bytes, self._length_bytes)
        self.look()

    def look(self) -> None:
        """See whether all is here, and whether the director should be asked: after what came, and what was told."""
        if self.stream is None:
            return
        if self.stream.is_whole or self.failure:
            self.whole.set()
        if self.whole.is_set() or self.stream.is_ahead:
            self.due.set()


def _widen(receiver: socket.socket) -> None:
    """Make room for a burst that arrives while this process does not run: the default holds a quarter of a second."""
    try:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
    except OSError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)


@asynccontextmanager
async def open_inbox(host: str, output: Output, progress: Progress) -> AsyncIterator[Inbox]:
    """A port of `host`, while the context is open. Raises OSError."""
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(lambda: Inbox(output, progress), local_addr=(host, 0))
    try:
        yield inbox
    finally:
        transport.close()
