"""A blade's door for RTSP (RFC 2326): connections of players, and the streams of their sessions."""

import asyncio
import itertools
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

from blade_agent.main_board.rtsp.desk import (
    AskProgram,
    EndSession,
    PauseStream,
    PlayStream,
    RtspAnswer,
    RtspDesk,
    RtspOrder,
    RtspSession,
)
from blade_agent.main_board.rtsp.interleaving import WAITING_BYTES_MAX, InterleavedStream
from blade_agent.main_board.rtsp.message import (
    READ_BYTES,
    Interleaved,
    RtspReader,
    RtspRequest,
    RtspResponse,
    RtspStatus,
    Unreadable,
)
from blade_agent.main_board.rtsp.viewing import DirectorOfNow, Viewing
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.gate import ConnectionGate
from media_network.http.server import ACCEPTED_AT_ONCE
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

_SILENT_S = 75.0
"""A connection without a session over which nothing comes for so long is closed."""
UNREAD_BYTES_MAX = 64 * 1024
"""Of answers that a player has yet to take; streams beside."""
_UNACKNOWLEDGED_MS = 30_000
"""A player that takes nothing for so long has gone, whatever its connection says (TCP_USER_TIMEOUT)."""
_LOOK_EVERY_S = 1.0
_TRY_AGAIN_S = 1.0
_NO_PORTS = Refused(Reason.BUSY, "no ports are free")


class RtspDoor:
    """All connections and sessions of a blade."""

    def __init__(
        self, own: Address, source: Address, director: DirectorOfNow, gate: ConnectionGate, desk: RtspDesk
    ) -> None:
        """`own` is where players speak to it; `source` is where RTP comes from, whichever engine sends."""
        self.own = own
        self.source = source
        self.director = director
        self.gate = gate
        self.desk = desk
        self.connections: dict[int, _Connection] = {}
        self._numbers = itertools.count(1)
        self._viewings: dict[str, Viewing] = {}
        self._interleaved: dict[str, InterleavedStream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()
        """Two connections may order the same session to play."""

    @property
    def carried(self) -> int:
        """Sessions that are lost to their players if this blade goes."""
        return sum(
            session.playing and session.connection in self.connections for session in self.desk.sessions.values()
        )

    @asynccontextmanager
    async def listening(self, address: Address) -> AsyncIterator[None]:
        """Take connections at an address, too, while the context is open. One that cannot be had is tried for again."""
        keeping = asyncio.create_task(self._keep_listening(address), name=f"rtsp {address}")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def look_round(self) -> None:
        """End the sessions whose players have been silent, say for the others that somebody is there; for ever."""
        watched_at: dict[str, float] = {}
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = asyncio.get_running_loop().time()
            for session in self.desk.over(now):
                logger.info("rtsp session %s of %s: nothing has been heard for long", session.name, session.host)
                self._beside(self.end(session))
            for name, viewing in list(self._viewings.items()):
                if now - watched_at.get(name, 0.0) >= viewing.report_interval_s - _LOOK_EVERY_S / 2:
                    watched_at[name] = now
                    self._beside(self._watch(name, viewing))
            watched_at = {name: at for name, at in watched_at.items() if name in self._viewings}

    async def close(self) -> None:
        """End all sessions: the blade has another part to play, or none."""
        await asyncio.gather(*(self.end(session) for session in tuple(self.desk.sessions.values())))
        for connection in tuple(self.connections.values()):
            connection.force_close()
        for task in self._tasks:
            task.cancel()

    async def carry_out(self, order: RtspOrder) -> RtspAnswer:
        """Do what a player wants, and give what came of it."""
        match order:
            case AskProgram(asked=asked):
                return await self.director.describe(asked.program, asked.token, str(self.own))
            case PlayStream(session=session, at_ms=at_ms, scale=scale):
                try:
                    viewing = await self._viewing(session)
                except OSError:
                    return _NO_PORTS
                stream = self._interleaved.get(session.name)
                if stream:
                    stream.hold()
                try:
                    return await viewing.play(at_ms, scale)
                except BaseException:
                    if stream:
                        stream.release()  # nobody will be answered
                    raise
            case PauseStream(session=session):
                viewing = await self._viewing(session)
                return await viewing.pause()
            case EndSession(session=session):
                await self.end(session)
        return None

    async def end(self, session: RtspSession) -> None:
        """A session is over."""
        self.desk.end(session)
        if stream := self._interleaved.pop(session.name, None):
            stream.close()
        if viewing := self._viewings.pop(session.name, None):
            await viewing.end()

    def answered(self, order: RtspOrder) -> None:
        """The player has been told what came of an order: its stream may follow."""
        if isinstance(order, PlayStream) and (stream := self._interleaved.get(order.session.name)):
            stream.release()

    def lose(self, connection: "_Connection") -> None:
        """A connection is closed, and with it the sessions whose streams went over it."""
        self.connections.pop(connection.number, None)
        self.gate.lost(connection)
        for session in self.desk.lost(connection.number):
            self._beside(self.end(session))

    def hear_interleaved(self, connection: "_Connection", heard: Interleaved, now: float) -> None:
        """What a player says between its messages: reports of the stream that it gets there."""
        for session in self.desk.of_connection(connection.number):
            if heard.channel in session.transport.channels:
                self.desk.heard(session.name, now)
                if stream := self._interleaved.get(session.name):
                    stream.answer(heard.data)

    def has_sessions(self, connection: "_Connection") -> bool:
        """Whether a session was set up over a connection that is not over."""
        return bool(self.desk.of_connection(connection.number))

    async def _viewing(self, session: RtspSession) -> Viewing:
        """The stream of a session. Raises OSError where there are no ports for it."""
        async with self._opening:
            return self._viewings.get(session.name) or await self._open_viewing(session)

    async def _open_viewing(self, session: RtspSession) -> Viewing:
        console = Address(session.transport.destination or session.host, 0)
        if session.transport.ports:
            console = console._replace(port=session.transport.ports[0])
        else:
            connection = self.connections.get(session.connection)
            if connection is None:
                raise OSError("the connection is closed")
            stream = InterleavedStream(self.source, connection.write, connection.waiting_bytes)
            try:
                await stream.open(self.own.host, session.transport.channels)
            except BaseException:
                stream.close()
                raise
            if session.name not in self.desk.sessions:
                stream.close()
                raise OSError("the session is over")
            self._interleaved[session.name] = stream
            console = stream.address
        viewing = self._viewings[session.name] = Viewing(self.director, session.header, session.token, console)
        return viewing

    async def _watch(self, name: str, viewing: Viewing) -> None:
        heard_s = await viewing.watch()
        now = asyncio.get_running_loop().time()
        if heard_s is not None:
            self.desk.heard(name, now - heard_s)
        session = self.desk.sessions.get(name)
        if session and viewing.ended:
            session.playing = False
        elif session and session.transport.ports is None:
            # Its stream goes over the connection: as long as that takes it, somebody is there.
            self.desk.heard(name, now)

    def _beside(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_listening(self, address: Address) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                server = await loop.create_server(
                    lambda: _Connection(self, next(self._numbers)), *address, backlog=ACCEPTED_AT_ONCE
                )
                async with server:
                    await asyncio.Event().wait()
            except OSError as error:
                logger.warning("players are not heard by RTSP at %s: %s", address, error.strerror or error)
            await asyncio.sleep(_TRY_AGAIN_S)


class _Connection(asyncio.BufferedProtocol):
    """One connection of a player: one request after the other."""

    def __init__(self, door: RtspDoor, number: int) -> None:
        self.number = number
        self._door = door
        self._reader = RtspReader()
        self._buffer = bytearray(READ_BYTES)
        self._host = ""
        self._transport: asyncio.Transport | None = None
        self._heard: list[RtspRequest | Unreadable] = []
        self._unread_max = UNREAD_BYTES_MAX
        """More from the first session on: what was sent of its stream may outlast it."""
        self._answering: asyncio.Task[None] | None = None
        self._silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._host = str(transport.get_extra_info("peername")[0])
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
        self._door.connections[self.number] = self
        self._door.gate.made(self, self._host)
        self._await_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        del exc
        if self._silence:
            self._silence.cancel()
        if self._answering:
            self._answering.cancel()
        self._door.lose(self)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Called by the loop."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the loop. Reading goes on when what came has been answered."""
        now = asyncio.get_running_loop().time()
        for heard in self._reader.feed(bytes(memoryview(self._buffer)[:nbytes])):
            if isinstance(heard, Interleaved):
                self._door.hear_interleaved(self, heard, now)
            else:
                self._heard.append(heard)
        if self._heard and self._answering is None and self._transport:
            self._transport.pause_reading()
            self._door.gate.busy(self)
            self._answering = asyncio.get_running_loop().create_task(self._answer_all(), name=f"rtsp {self._host}")
        self._await_more()

    def force_close(self) -> None:
        """There are too many: this one goes."""
        if self._transport:
            self._transport.abort()

    def write(self, octets: bytes) -> None:
        """Send to the player."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(octets)

    def waiting_bytes(self) -> int:
        """What has yet to leave."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    async def _answer_all(self) -> None:
        while self._heard:
            heard = self._heard.pop(0)
            if isinstance(heard, Unreadable):
                self.write(RtspResponse(status=heard.status).octets(None))
                if self._transport:
                    self._transport.close()
                return
            try:
                await self._answer(heard)
            except Exception:
                logger.exception("a request of %s by RTSP", self._host)
                self.write(RtspResponse(status=RtspStatus.INTERNAL_SERVER_ERROR).octets(heard.number))
            # A stream that is not taken is left out; answers are not, so who takes none has too many.
            if self._door.has_sessions(self):
                self._unread_max = UNREAD_BYTES_MAX + WAITING_BYTES_MAX
            if self.waiting_bytes() > self._unread_max:
                self.force_close()
                return
        self._answering = None
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()
        if not self._door.has_sessions(self):
            self._door.gate.idle(self)

    async def _answer(self, request: RtspRequest) -> None:
        loop, desk = asyncio.get_running_loop(), self._door.desk
        step = desk.hear(self.number, self._host, request, loop.time())
        if isinstance(step, RtspResponse):
            self.write(step.octets(request.number))
            return
        answer = await self._door.carry_out(step)
        self.write(desk.answer(step, answer, loop.time()).octets(request.number))
        self._door.answered(step)

    def _await_more(self) -> None:
        if self._silence:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(_SILENT_S, self._fall_silent)

    def _fall_silent(self) -> None:
        if self._door.has_sessions(self) or self._answering:
            self._await_more()
        elif self._transport:
            self._transport.close()


@asynccontextmanager
async def open_rtsp_door(
    own: Address,
    source: Address,
    where: Callable[[], Address | None],
    gate: ConnectionGate,
    rng: random.Random,
    *,
    elsewhere: bool = False,
) -> AsyncIterator[RtspDoor]:
    """Hear players by RTSP at `own` while the context is open; `where` gives who directs (`DirectorOfNow`)."""
    async with HttpClient(rng, own.host) as http:
        desk = RtspDesk(str(own), source, rng, elsewhere=elsewhere)
        door = RtspDoor(own, source, DirectorOfNow(http, where), gate, desk)
        looking = asyncio.create_task(door.look_round(), name="rtsp sessions")
        try:
            async with door.listening(own):
                yield door
        finally:
            looking.cancel()
            await door.close()
