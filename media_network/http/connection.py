"""One connection of a server: what can be answered at once is, and everything else the framework reads and answers.

Whoever asks for the next segment waits for this and nothing else, thousands of times a second: the framework's way
from octets to a handler costs ten times what the answer does.

A request is looked at here only when the framework has nothing of the connection to itself: when it has answered all
that it was given, and that was whole requests without a body. From the first octet on that may be read in two ways
(half a head, a body, two requests at once) the connection is the framework's, to its end.
"""

import asyncio
from collections.abc import Awaitable

from aiohttp import web

from media_network.http.at_once import AtOnce
from media_network.http.gate import ConnectionGate
from media_network.http.request_head import RequestHead, read_head

KEEP_ALIVE_S = 75.0
"""So long a connection is kept over which nothing is asked."""


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
        if connection is None:
            return await self._handle(request)
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
    return answer


async def _write(answer: web.StreamResponse, request: web.BaseRequest) -> None:
    await answer.prepare(request)
    await answer.write_eof()


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
        self._full = False
        """Whether what is written waits for the reader."""
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None

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
        self._full = True
        self.framework.pause_writing()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._full = False
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
        if at_once is None or transport is None or transport.is_closing() or self._full:
            return False
        answer = at_once(head)
        if answer is None:
            return False
        self._answering.gate.busy(self)
        transport.write(answer)
        self._answering.gate.idle(self)
        return True

    def _look_again(self, in_s: float) -> None:
        self._watch = asyncio.get_running_loop().call_later(in_s, self._look)

    def _look(self) -> None:
        left_s = self._heard_at + KEEP_ALIVE_S - asyncio.get_running_loop().time()
        if self._under_way or left_s > 0:
            self._look_again(left_s if left_s > 0 else KEEP_ALIVE_S)
        else:
            self.framework.force_close()
