"""Playing by push: the stream comes by UDP, and each engine hands it over to the next (claims 16 and 17)."""

import asyncio
import contextlib
from hashlib import sha256
from itertools import pairwise

from chassis_emulator.media_console.errors import NotAnswered, PlayRefused, SentElsewhere
from chassis_emulator.media_console.inbox import Inbox, open_inbox
from chassis_emulator.media_console.reception import ConsoleReception, Output, Progress, ReceivedSegment
from chassis_emulator.media_console.stopping import until_stopped
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.streaming import CEASE, PLAY, STREAM, Cease, Play, Redirect, Stream
from media_network.messages.watching import (
    ASK_DIRECTOR,
    WATCHING,
    AskDirector,
    DirectorSeen,
    Served,
    SessionState,
    StreamView,
    Watching,
)
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused

QUIET_S = 1.0
"""Nothing that was under way arrives later than this after the session's end."""
STALL_S = 30.0
"""How long nothing may arrive, or, where another player receives, be heard of the director, before it is over."""

_ASK_S = 3.0
_ASK_AGAIN_S = 0.2
"""A turn is heard of from its engine by the director about when its first packet comes here."""
_CEASE_WITHIN_S = 5.0
_CEASE_PAUSE_S = 0.1
_REQUESTS_MAX = 3
_ASK_ANOTHER = frozenset({Reason.WRONG_ROLE, Reason.OVERDUE})


async def play_push(
    director: Address,
    program: str,
    output: Output,
    http: HttpClient,
    *,
    host: str = "127.0.0.1",
    to: Address | None = None,
    progress: Progress = do_nothing,
    stop: asyncio.Event | None = None,
) -> ConsoleReception:
    """Have a program sent to a port of `host`, or to another player at `to`, and keep the session alive until its end.

    Setting `stop` orders the stream to cease, and so does cancelling. Raises ConsoleError, and OSError of `output`.
    """
    async with open_inbox(host, output, progress) as inbox:
        console = _PushConsole(http, director, inbox, to)
        try:
            stopped = not await until_stopped(console.play(program), stop)
        finally:
            await console.cease()
        return console.reception(program, stopped=stopped)


class _PushConsole:
    """One session, from its request to its end."""

    def __init__(self, http: HttpClient, director: Address, inbox: Inbox, to: Address | None) -> None:
        self._http = http
        self._director = director
        self._inbox = inbox
        self._to = to
        self._redirect: Redirect | None = None
        self._view: StreamView | None = None
        self._known_turn: int | None = None
        """The newest one that was told."""
        self._elsewhere: list[ReceivedSegment] = []
        """What another player received, turn by turn."""
        self._ended = False
        self._unknown = False
        """The last director that answered knows no such session. It may yet: a new one hears of it from the sender."""

    async def play(self, program: str) -> None:
        await self._watch(await self._request(program))
        if self._inbox.failure:
            raise self._inbox.failure

    async def _request(self, program: str) -> Redirect:
        """Request the program, and the first segment from the engine the director redirects to."""
        for _ in range(_REQUESTS_MAX):
            redirect = self._redirect = await self._play(program)
            self._inbox.expect(redirect.program, redirect.first)
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
            answer = await self._http.ask(_address(redirect.engine), STREAM, message, deadline_s=_ASK_S)
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
            kind = SentElsewhere if answer.reason is Reason.NOT_ALLOWED else PlayRefused
            raise kind(self._director, program, str(answer))
        return answer

    async def _watch(self, redirect: Redirect) -> None:
        """Say that somebody watches, until the whole program is here or the stream is over.

        It is said every report interval, and when the turn of a segment has begun that has yet to be told.
        """
        loop = asyncio.get_running_loop()
        heard_s = self._inbox.last_arrival_s = loop.time()
        interval_s = redirect.report_interval_ms / 1000
        while not self._inbox.whole.is_set():
            await self._wait(min(interval_s, QUIET_S))
            if self._inbox.whole.is_set():
                break
            if not self._ended and await self._say_watching(redirect.session, max(interval_s, QUIET_S)):
                heard_s = loop.time()
            if self._over:
                over_at_s = max(heard_s, self._inbox.last_arrival_s) + QUIET_S
            else:
                silent_since_s = heard_s if self._to else self._inbox.last_arrival_s
                over_at_s = silent_since_s + STALL_S
            if loop.time() > over_at_s:
                return
        if not self._inbox.failure:
            await self._hear_the_rest(redirect.session)
            self._ended = True

    @property
    def _over(self) -> bool:
        """Whether nobody will send any more, as far as has been said."""
        return self._ended or self._unknown

    async def _wait(self, interval_s: float) -> None:
        """Wait until it is time to say something: what was asked for in vain a moment ago is not asked for at once."""
        if self._inbox.is_ahead and not self._ended:
            await _set_within(self._inbox.whole, min(interval_s, _ASK_AGAIN_S))
        else:
            self._inbox.due.clear()
            await _set_within(self._inbox.due, interval_s)

    async def _hear_the_rest(self, session: str) -> None:
        """The last bytes may have come before the last turns were told."""
        over_at_s = asyncio.get_running_loop().time() + QUIET_S
        while self._inbox.is_ahead and not self._ended and asyncio.get_running_loop().time() < over_at_s:
            await self._say_watching(session, QUIET_S)
            if self._inbox.is_ahead:
                await asyncio.sleep(_ASK_AGAIN_S)

    async def _say_watching(self, session: str, deadline_s: float) -> bool:
        """Ask how the session fares, and hear of its turns; False if nobody answered who knows."""
        while True:
            answer = await self._ask_director(session, deadline_s)
            if answer is None:
                return False
            self._unknown = isinstance(answer, Refused) and answer.reason is Reason.UNKNOWN_SESSION
            if isinstance(answer, Refused):
                return not self._unknown
            self._view = answer
            self._ended = answer.state is SessionState.ENDED
            new = [one for one in answer.served if one.turn > (self._known_turn or 0)]
            self._learn(new)
            if not (new and answer.more):
                return True

    def _learn(self, served: list[Served]) -> None:
        for one in served:
            self._known_turn = one.turn
            if self._to:
                received = ReceivedSegment(number=one.segment.number, engine=one.engine, bytes=0, sha256="")
                self._elsewhere.append(received)
            elif self._inbox.stream:
                self._inbox.stream.tell(one.segment)

    async def _ask_director(self, session: str, deadline_s: float) -> StreamView | Refused | None:
        """Ask the director; if it is lost, the next one, which the engine that streams knows; None: nobody answers."""
        message = Watching(session=session, known_turn=self._known_turn)
        with contextlib.suppress(NetworkError):
            answer = await self._http.ask(self._director, WATCHING, message, deadline_s=deadline_s)
            if not isinstance(answer, Refused) or answer.reason not in _ASK_ANOTHER:
                return answer
        if await self._find_director(deadline_s):
            with contextlib.suppress(NetworkError):
                answer = await self._http.ask(self._director, WATCHING, message, deadline_s=deadline_s)
                return None if isinstance(answer, Refused) and answer.reason in _ASK_ANOTHER else answer
        return None

    async def _find_director(self, deadline_s: float) -> bool:
        """Ask the engine that streams who directs now; whether it is another than before."""
        engine = (self._view and self._view.engine) or (self._redirect and self._redirect.engine)
        if not engine:
            return False
        try:
            answer = await self._http.ask(_address(engine), ASK_DIRECTOR, AskDirector(), deadline_s=deadline_s)
        except NetworkError:
            return False
        if not isinstance(answer, DirectorSeen) or answer.media is None:
            return False
        before, self._director = self._director, _address(answer.media)
        return self._director != before

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
            if self._over:
                return
            turn = max(redirect.turn, self._known_turn or 0)
            engine = _address((self._view and self._view.engine) or redirect.engine)
            await self._http.tell(engine, CEASE, Cease(session=redirect.session, turn=turn), deadline_s=1.0)
            if not answered:
                return
            await asyncio.sleep(_CEASE_PAUSE_S)

    def reception(self, program: str, *, stopped: bool) -> ConsoleReception:
        """What came, after the end."""
        stream, redirect = self._inbox.stream, self._redirect
        if stream is None or redirect is None:
            return ConsoleReception(program=program, sha256=sha256().hexdigest(), bytes=0, segments=(), stopped=stopped)
        if self._to:
            return self._received_elsewhere(redirect.program, stopped=stopped)
        stream.finish(stopped=stopped)
        return ConsoleReception(
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

    def _received_elsewhere(self, program: ProgramHeader, *, stopped: bool) -> ConsoleReception:
        """Another player has the bytes; who sent what, the director knows."""
        return ConsoleReception(
            program=program.program,
            sha256="",
            bytes=0,
            segments=tuple(self._elsewhere),
            hand_overs=sum(one.engine != other.engine for one, other in pairwise(self._elsewhere)),
            expected_sha256=program.sha256,
            expected_bytes=program.length_bytes,
            stopped=stopped,
        )


def _address(text: str) -> Address:
    """An address as a director or an engine gave it. Raises PlayRefused if it is none."""
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
