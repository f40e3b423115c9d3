"""One connection of a server: what can be answered at once is, and everything else the framework reads and answers.

Whoever asks for the next segment waits for this and nothing else, thousands of times a second: the framework's way
from octets to a handler costs ten times what the answer does.

A request is looked at here only when the framework has nothing of the connection to itself: when it has answered all
that it was given, and that was whole requests without a body. From the first octet on that may be read in two ways
(half a head, a body, two requests at once) the connection is the framework's, to its end.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

from aiohttp import web

from media_network.http.at_once import AtOnce, FileAnswer
from media_network.http.gate import ConnectionGate
from media_network.http.request_head import RequestHead, read_head

KEEP_ALIVE_S = 75.0
"""So long a connection is kept over which nothing is asked."""
_COUNTED_BYTES = 1024 * 1024


class Answering:
    """What the connections of a server share."""

    def __init__(self, server: web.Server, at_once: AtOnce | None, gate: ConnectionGate) -> None:
        self.server = server
        self.at_once = at_once
        self.gate = gate
        self._of: dict[object, Connection] = {}
        """By the framework's half."""
        self._handle, server.request_handler = server.request_handler, self._answer

    def connection(self) -> "Connection":
        """A new one."""
        return Connection(self)

    def made(self, connection: "Connection", host: str) -> None:
        """It is open."""
        self._of[connection.framework] = connection
        self.gate.made(connection, host)

    def lost(self, connection: "Connection") -> None:
        """It is closed."""
        self._of.pop(connection.framework, None)
        self.gate.lost(connection)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """What the framework answers.

        An answer that ends in a ConnectionError has nobody left to take it, or must not be taken for the whole: the
        connection ends, and nothing is logged. aiohttp would log it with a traceback, one for every reader that leaves.
        """
        connection = self._of.get(request.protocol)
        if connection is None:  # it was lost before its request had its turn
            answer = await self._handle(request)
            return answer if request.transport is not None else web.Response()
        connection.begins()
        self.gate.busy(connection)
        try:
            return await _written(self._handle(request), request)
        except ConnectionError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # which reaches nobody
        finally:
            self.gate.idle(connection)
            connection.ends()


async def _written(answering: Awaitable[web.StreamResponse], request: web.BaseRequest) -> web.StreamResponse:
    """An answer, written to its end: the framework finds nothing left to do. Raises web.HTTPException, likewise."""
    try:
        answer = await answering
    except web.HTTPException as error:
        await _write(error, request)
        raise
    await _write(answer, request)
    return _Written(answer)


class _Written(web.StreamResponse):
    """Stands for an answer that has gone out: some kinds would go out again when the framework comes to them."""

    def __init__(self, answer: web.StreamResponse) -> None:
        super().__init__(status=answer.status)
        self._stays = answer.keep_alive

    @property
    def keep_alive(self) -> bool | None:
        """See `web.StreamResponse`."""
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to do."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to do."""


async def _write(answer: web.StreamResponse, request: web.BaseRequest) -> None:
    """Raises ConnectionError: who asked has left, which asyncio and the framework say by errors of other kinds."""
    try:
        await answer.prepare(request)
        await answer.write_eof()
    except (RuntimeError, AssertionError) as error:
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError(str(error)) from error
        raise


def _send_some(descriptor: int, answer: FileAnswer) -> None:
    """Give the kernel as much of a file as it takes. Raises BlockingIOError, when that is nothing; OSError."""
    answer.sent(os.sendfile(descriptor, answer.file.fileno(), answer.offset, answer.end - answer.offset))


async def _send_rest(transport: asyncio.Transport, answer: FileAnswer) -> None:
    """Nothing else is heard meanwhile: `loop.sendfile` pauses reading."""
    loop = asyncio.get_running_loop()
    try:
        while answer.offset < answer.end:
            # What has left is counted in parts: who leaves before the end has had the others.
            some = min(answer.end - answer.offset, _COUNTED_BYTES)
            answer.sent(await loop.sendfile(transport, answer.file, answer.offset, some))
    except (OSError, RuntimeError):  # RuntimeError: it has been closed meanwhile
        transport.abort()


@contextmanager
def _head_joined(transport: asyncio.Transport) -> Iterator[int | None]:
    """The descriptor of a connection, over which a head waits for what comes after it (tcp(7), TCP_CORK); None: it has
    none. Raises OSError."""
    to: socket.socket | None = transport.get_extra_info("socket")
    if to is None or to.fileno() < 0:
        yield None
        return
    to.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    try:
        yield to.fileno()
    finally:
        if to.fileno() >= 0:
            to.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


class Connection(asyncio.Protocol):
    """What asyncio tells of it, told on to the framework but for what is answered at once."""

    def __init__(self, answering: Answering) -> None:
        self.framework = answering.server()
        self._answering = answering
        self._transport: asyncio.Transport | None = None
        self._host = ""
        self._free = answering.at_once is not None
        """Whether the framework has nothing of it to itself."""
        self._comes_back = False
        """Whether it will have nothing once it has answered what it was given last."""
        self._under_way = 0
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("HTTP is spoken over streams")
        self._transport = transport
        self._host = (transport.get_extra_info("peername") or ("",))[0]
        self.framework.connection_made(transport)
        self._answering.made(self, self._host)
        self._heard_at = asyncio.get_running_loop().time()
        self._look_again(KEEP_ALIVE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if self._watch:
            self._watch.cancel()
        if self._sending:
            self._sending.cancel()
        self.framework.connection_lost(exc)
        self._answering.lost(self)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._heard_at = asyncio.get_running_loop().time()
        if not self._free:
            self._comes_back = False
            self.framework.data_received(data)
            return
        head = read_head(data, self._host)
        if head is None or not self._answers_at_once(head):
            self._free, self._comes_back = False, head is not None
            self.framework.data_received(data)

    def eof_received(self) -> bool | None:
        """See `asyncio.Protocol`."""
        self.framework.eof_received()
        return None

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.framework.pause_writing()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.framework.resume_writing()

    def force_close(self) -> None:
        """See `gate.Closable`."""
        self.framework.force_close()

    def begins(self) -> None:
        """The framework answers something."""
        self._under_way += 1

    def ends(self) -> None:
        """It has written the answer."""
        self._under_way -= 1
        self._heard_at = asyncio.get_running_loop().time()
        self._free = self._comes_back

    def _answers_at_once(self, head: RequestHead) -> bool:
        at_once, transport = self._answering.at_once, self._transport
        if at_once is None or transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return False
        answer = at_once(head)
        if answer is None:
            return False
        self._answering.gate.busy(self)
        if isinstance(answer, bytes):
            transport.write(answer)
        elif not self._send(transport, answer):
            return True
        self._answering.gate.idle(self)
        return True

    def _send(self, transport: asyncio.Transport, answer: FileAnswer) -> bool:
        """Send a part of a file as far as the reader takes it at once, and see to the rest; whether that is nothing."""
        try:
            with _head_joined(transport) as descriptor:
                transport.write(answer.head)
                if descriptor is not None and not transport.get_write_buffer_size():
                    _send_some(descriptor, answer)
        except (BlockingIOError, InterruptedError):
            pass  # It will take more when it has read some.
        except OSError:
            answer.over()
            transport.abort()
            return True
        if answer.offset >= answer.end:
            answer.over()
            return True
        self._free, self._comes_back = False, True
        self._under_way += 1
        self._sending = asyncio.get_running_loop().create_task(_send_rest(transport, answer), name="send a file")
        # A task that is cancelled before its first step never comes to a `finally` of its own.
        self._sending.add_done_callback(lambda _: self._sent(answer))
        return False

    def _sent(self, answer: FileAnswer) -> None:
        answer.over()
        self._answering.gate.idle(self)
        self.ends()

    def _look_again(self, in_s: float) -> None:
        self._watch = asyncio.get_running_loop().call_later(in_s, self._look)

    def _look(self) -> None:
        left_s = self._heard_at + KEEP_ALIVE_S - asyncio.get_running_loop().time()
        if self._under_way or left_s > 0:
            self._look_again(left_s if left_s > 0 else KEEP_ALIVE_S)
        else:
            self.framework.force_close()
