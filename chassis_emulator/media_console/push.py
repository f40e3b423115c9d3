"""Playing by push: the stream comes by UDP, and each engine hands it over to the next (claims 16 and 17)."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import pairwise

from chassis_emulator.media_console.errors import NotAnswered, OutputFailed, PlayRefused
from chassis_emulator.media_console.reassembly import Reassembly
from chassis_emulator.media_console.reception import Progress, ReceivedSegment, Reception, Sink
from chassis_emulator.media_console.stopping import until_stopped
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.streaming import CEASE, PLAY, STREAM, Cease, Play, Redirect, Stream
from media_network.messages.watching import WATCHING, SessionState, SessionView, Watching
from media_network.program import Program
from media_network.refusal import Reason, Refused

QUIET_S = 1.0
"""Nothing that was under way arrives later than this after the session's end."""
STALL_S = 30.0
"""How long nothing may arrive, or, where another player receives, be heard of the director, before it is over."""

_ASK_S = 3.0
_CEASE_WITHIN_S = 5.0
_CEASE_PAUSE_S = 0.1
_REQUESTS_MAX = 3
_ASK_ANOTHER = frozenset({Reason.WRONG_ROLE, Reason.OVERDUE})
_RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
_SO_RCVBUFFORCE = 33
"""Linux, include/uapi/asm-generic/socket.h: beyond net.core.rmem_max, for those who may."""


async def play_push(
    director: Address,
    program: str,
    output: Sink,
    http: HttpClient,
    *,
    host: str = "127.0.0.1",
    to: Address | None = None,
    progress: Progress = do_nothing,
    stop: asyncio.Event | None = None,
) -> Reception:
    """Have a program sent to a port of `host`, or to another player at `to`, and keep the session alive until its end.

    Setting `stop` orders the stream to cease, and so does cancelling. Raises ConsoleError, and OSError of `output`.
    """
    async with _inbox(host, output, progress) as inbox:
        console = _PushConsole(http, director, inbox, to)
        try:
            stopped = not await until_stopped(console.play(program), stop)
        finally:
            await console.cease()
        return console.reception(program, stopped=stopped)


class _Inbox(asyncio.DatagramProtocol):
    """Where the datagrams arrive."""

    def __init__(self, output: Sink, progress: Progress) -> None:
        self.address = Address("", 0)
        self.stream: Reassembly | None = None
        self.whole = asyncio.Event()
        self.last_arrival_s = 0.0
        self._output = output
        self._progress = progress
        self._length_bytes = 0
        self.failure: OSError | OutputFailed | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.address = Address(*transport.get_extra_info("sockname"))
        _widen(transport.get_extra_info("socket"))

    def expect(self, program: Program) -> None:
        """From now on what arrives is this program."""
        self.stream = Reassembly(program)
        self._length_bytes = program.length_bytes

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.stream is None or self.whole.is_set() or not self.stream.feed(data, f"{addr[0]}:{addr[1]}"):
            return
        self.last_arrival_s = asyncio.get_running_loop().time()
        try:
            self._output.write(data)
        except (OSError, OutputFailed) as error:
            self.failure = error
        self._progress(self.stream.bytes, self._length_bytes)
        if self.stream.is_whole or self.failure:
            self.whole.set()


def _widen(receiver: socket.socket) -> None:
    """Make room for a burst that arrives while this process does not run: the default holds a quarter of a second."""
    try:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
    except OSError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)


@asynccontextmanager
async def _inbox(host: str, output: Sink, progress: Progress) -> AsyncIterator[_Inbox]:
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(lambda: _Inbox(output, progress), local_addr=(host, 0))
    try:
        yield inbox
    finally:
        transport.close()


class _PushConsole:
    """One session, from its request to its end."""

    def __init__(self, http: HttpClient, director: Address, inbox: _Inbox, to: Address | None) -> None:
        self._http = http
        self._director = director
        self._inbox = inbox
        self._to = to
        self._redirect: Redirect | None = None
        self._view: SessionView | None = None
        self._ended = False

    async def play(self, program: str) -> None:
        await self._watch(await self._request(program))
        if self._inbox.failure:
            raise self._inbox.failure

    async def _request(self, program: str) -> Redirect:
        """Request the program, and the first segment from the engine the director redirects to."""
        for _ in range(_REQUESTS_MAX):
            redirect = self._redirect = await self._play(program)
            self._inbox.expect(redirect.program)
            refused = await self._stream(redirect)
            if refused is None:
                return redirect
            # It will certainly not stream: nothing is left to be ceased, and another session may begin.
            self._redirect = None
        raise PlayRefused(redirect.engine, "to stream", str(refused))

    async def _stream(self, redirect: Redirect) -> Refused | None:
        """Request the stream; None if it comes, or may come."""
        message = Stream(session=redirect.session, turn=redirect.turn, ticket=redirect.ticket)
        try:
            answer = await self._http.ask(_engine(redirect.engine), STREAM, message, deadline_s=_ASK_S)
        except Unreachable as error:
            return None if error.received else Refused(Reason.NOT_HERE, error.cause)
        except NetworkError:
            return None
        return answer if isinstance(answer, Refused) and not answer.perhaps_done else None

    async def _play(self, program: str) -> Redirect:
        message = Play(program=program, console=str(self._to or self._inbox.address))
        try:
            answer = await self._http.ask(self._director, PLAY, message, deadline_s=_ASK_S)
        except Unreachable as error:
            raise NotAnswered("director", self._director, error.cause) from error
        except NetworkError as error:
            raise NotAnswered("director", self._director, str(error)) from error
        if isinstance(answer, Refused):
            raise PlayRefused(self._director, program, str(answer))
        return answer

    async def _watch(self, redirect: Redirect) -> None:
        """Say every report interval that somebody watches, until the whole program is here or the stream is over."""
        loop = asyncio.get_running_loop()
        heard_s = self._inbox.last_arrival_s = loop.time()
        interval_s = redirect.report_interval_ms / 1000
        while not await _set_within(self._inbox.whole, min(interval_s, QUIET_S)):
            if not self._ended and await self._say_watching(redirect.session, max(interval_s, QUIET_S)):
                heard_s = loop.time()
            if not self._ended:
                silent_since_s = heard_s if self._to else self._inbox.last_arrival_s
                over_at_s = silent_since_s + STALL_S
            else:
                over_at_s = max(heard_s, self._inbox.last_arrival_s) + QUIET_S
            if loop.time() > over_at_s:
                return
        self._ended = not self._inbox.failure

    async def _say_watching(self, session: str, deadline_s: float) -> bool:
        """Ask how the session fares; False if nobody answered who knows."""
        answer = await self._ask_director(session, deadline_s)
        if answer is None:
            return False
        if isinstance(answer, SessionView):
            self._view = answer
            self._ended = answer.state is SessionState.ENDED
        else:
            self._ended = answer.reason is Reason.UNKNOWN_SESSION
        return True

    async def _ask_director(self, session: str, deadline_s: float) -> SessionView | Refused | None:
        """Ask the director; if it is lost, the engine that streams, which knows the next one."""
        engine = (self._view and self._view.engine) or (self._redirect and self._redirect.engine)
        for party in (self._director, *((_engine(engine),) if engine else ())):
            try:
                answer = await self._http.ask(party, WATCHING, Watching(session=session), deadline_s=deadline_s)
            except NetworkError:
                continue
            if not isinstance(answer, Refused) or answer.reason not in _ASK_ANOTHER:
                return answer
        return None

    async def cease(self) -> None:
        """Order the engine that streams to cease, wherever a hand-over has brought the stream meanwhile (claim 17)."""
        if self._redirect is None or self._ended:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CEASE_WITHIN_S):
                await self._cease_until_ended(self._redirect)

    async def _cease_until_ended(self, redirect: Redirect) -> None:
        while True:
            answered = await self._say_watching(redirect.session, 1.0)
            if self._ended:
                return
            served = self._view.served if self._view else ()
            turn = max(redirect.turn, *(one.turn for one in served)) if served else redirect.turn
            engine = _engine((self._view and self._view.engine) or redirect.engine)
            await self._http.tell(engine, CEASE, Cease(session=redirect.session, turn=turn), deadline_s=1.0)
            if not answered:
                return
            await asyncio.sleep(_CEASE_PAUSE_S)

    def reception(self, program: str, *, stopped: bool) -> Reception:
        """What came, after the end."""
        stream, redirect = self._inbox.stream, self._redirect
        if stream is None or redirect is None:
            return Reception(program=program, sha256=sha256().hexdigest(), bytes=0, segments=(), stopped=stopped)
        if self._to:
            return self._elsewhere(redirect.program, stopped=stopped)
        stream.finish(stopped=stopped)
        return Reception(
            program=program,
            sha256=stream.sha256,
            bytes=stream.bytes,
            segments=tuple(stream.segments),
            hand_overs=stream.hand_overs,
            expected_sha256=redirect.program.sha256,
            expected_bytes=redirect.program.length_bytes,
            strays=stream.strays,
            stopped=stopped,
            intact=None if stopped else stream.sha256 == redirect.program.sha256,
        )

    def _elsewhere(self, program: Program, *, stopped: bool) -> Reception:
        """Another player has the bytes; who sent what, the director knows."""
        served = self._view.served if self._view else ()
        engines = [one.engine for one in served]
        return Reception(
            program=program.program,
            sha256="",
            bytes=0,
            segments=tuple(
                ReceivedSegment(number=one.segment, engine=one.engine, bytes=0, sha256="") for one in served
            ),
            hand_overs=sum(one != other for one, other in pairwise(engines)),
            expected_sha256=program.sha256,
            expected_bytes=program.length_bytes,
            stopped=stopped,
        )


def _engine(text: str) -> Address:
    """An engine's address as a director gave it. Raises PlayRefused if it is none."""
    try:
        return Address.parse(text)
    except ValueError as error:
        raise PlayRefused("The director", "a redirect", str(error)) from error


async def _set_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Whether `event` is set within the time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()
