"""Playing by push: the stream comes by UDP, and each engine hands it over to the next (claims 16 and 17)."""

import asyncio
import contextlib
from hashlib import sha256
from itertools import pairwise

from chassis_emulator.media_console.director_voice import DirectorVoice, address_of
from chassis_emulator.media_console.errors import NotAnswered, PlayRefused
from chassis_emulator.media_console.inbox import Inbox, open_inbox
from chassis_emulator.media_console.reception import ConsoleReception, Output, Progress, ReceivedSegment
from chassis_emulator.media_console.remote import Remote
from chassis_emulator.media_console.runs import Runs
from chassis_emulator.media_console.stopping import until_stopped
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError, Unreachable
from media_network.messages.steering import (
    END_STREAM,
    PAUSE,
    RESUME,
    SCALE,
    SEEK,
    Bookmark,
    EndStream,
    Pause,
    Resume,
    Scale,
    Seek,
    SeekStyle,
    Steered,
)
from media_network.messages.streaming import CEASE, PLAY, STREAM, Cease, Play, Redirect, Stream
from media_network.messages.verb import Request, Verb
from media_network.messages.watching import WATCHING, Served, SessionState, StreamView, Watching
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
_STEER_WITHIN_S = 10.0
"""How long an order may take: a director may have to wait for the end of a lease, and then for an engine."""
_NOBODY_ANSWERS = Refused(Reason.OVERDUE, "the director does not answer")


async def play_push(
    director: Address,
    program: str,
    output: Output,
    http: HttpClient,
    *,
    host: str = "127.0.0.1",
    to: Address | None = None,
    token: str | None = None,
    progress: Progress = do_nothing,
    stop: asyncio.Event | None = None,
    remote: Remote | None = None,
) -> ConsoleReception:
    """Have a program sent to a port of `host`, or to another player at `to`, and keep the session alive until its end.

    Setting `stop` orders the stream to cease, and so does cancelling; `remote` pauses it and seeks in it meanwhile.
    Raises ConsoleError, and OSError of `output`.
    """
    remote = remote or Remote()
    async with open_inbox(host, output, progress) as inbox:
        console = _PushConsole(http, director, inbox, to, token)
        try:
            stopped = not await until_stopped(console.play(program, remote), stop)
        finally:
            remote.stream = None
            await console.cease()
        return console.reception(program, stopped=stopped)


class _PushConsole:
    """One session, from its request to its end."""

    def __init__(
        self, http: HttpClient, director: Address, inbox: Inbox, to: Address | None, token: str | None
    ) -> None:
        self._http = http
        self._token = token
        self._director = DirectorVoice(http, director)
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
        self._order = asyncio.Lock()
        """One order after the other is carried out."""
        self.is_paused = False
        self.scale = 1
        """See `Steerable`."""
        self._bookmark: Bookmark | None = None
        """Where it is paused."""

    async def play(self, program: str, remote: Remote) -> None:
        redirect = await self._request(program)
        remote.stream = self
        await self._watch(redirect)
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
        raise PlayRefused(redirect.engine, "to stream", str(refused), refused.reason if refused else None)

    async def _stream(self, redirect: Redirect) -> Refused | None:
        """Request the stream; None if it comes, or may come."""
        message = Stream(session=redirect.session, turn=redirect.turn, ticket=redirect.ticket)
        try:
            answer = await self._http.ask(address_of(redirect.engine), STREAM, message, deadline_s=_ASK_S)
        except Unreachable as error:
            return None if error.received else Refused(Reason.NOT_HERE, error.cause)
        except NetworkError:
            return None
        return answer if isinstance(answer, Refused) and not answer.perhaps_done else None

    async def _play(self, program: str) -> Redirect:
        director = self._director.director
        message = Play(program=program, console=str(self._to or self._inbox.address), token=self._token)
        try:
            answer = await self._http.ask(director, PLAY, message, deadline_s=_ASK_S)
        except Unreachable as error:
            raise NotAnswered("director", director, error.cause) from error
        except NetworkError as error:
            raise NotAnswered("director", director, str(error)) from error
        if isinstance(answer, Refused):
            raise PlayRefused(director, program, str(answer), answer.reason)
        self._director.engine = answer.engine
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
            if self.is_paused:
                # Nothing is to come: what counts is that a director knows of it.
                self._inbox.last_arrival_s = max(self._inbox.last_arrival_s, heard_s)
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
        return self._ended or (self._unknown and self._bookmark is None)

    async def _wait(self, interval_s: float) -> None:
        """Wait until it is time to say something: what was asked for in vain a moment ago is not asked for at once."""
        if self._inbox.is_ahead and not (self._ended or self.is_paused):
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
            message = Watching(session=session, known_turn=self._known_turn)
            answer = await self._director.ask(WATCHING, message, deadline_s)
            if answer is None:
                return False
            self._unknown = isinstance(answer, Refused) and answer.reason is Reason.UNKNOWN_SESSION
            if isinstance(answer, Refused):
                return not self._unknown or self._bookmark is not None
            self._view = answer
            self._director.engine = answer.engine or self._director.engine
            self._ended = answer.state is SessionState.ENDED
            self.is_paused = answer.state is SessionState.PAUSED
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
                if one.jump:
                    self._inbox.stream.jump(one.jump, one.trick)
                self._inbox.stream.tell(one.segment, one.trick, one.packet)
                self.scale = one.trick.scale if one.trick else 1
        self._inbox.look()

    # What is ordered meanwhile

    async def pause(self) -> Steered | Refused:
        """See `Steerable`."""
        return await self._steer(PAUSE, Pause(session=self._session, ticket=self._ticket))

    async def resume(self) -> Steered | Refused:
        """See `Steerable`."""
        order = Resume(session=self._session, ticket=self._ticket, bookmark=self._bookmark)
        return await self._steer(RESUME, order)

    async def seek(self, to_ms: int, style: SeekStyle) -> Steered | Refused:
        """See `Steerable`."""
        order = Seek(session=self._session, ticket=self._ticket, to_ms=to_ms, style=style, bookmark=self._bookmark)
        return await self._steer(SEEK, order)

    async def go(self, scale: float) -> Steered | Refused:
        """See `Steerable`."""
        return await self._steer(SCALE, Scale(session=self._session, ticket=self._ticket, scale=scale))

    async def _steer(self, verb: Verb[Request, Steered], order: Request) -> Steered | Refused:
        """Give an order, and hear at once what came of it: the turn after a jump says where the run before ended."""
        async with self._order:
            stream = self._inbox.stream
            if stream and verb is not PAUSE:
                stream.hold()
            answer = await self._director.ask(verb, order, _STEER_WITHIN_S)
            await self._say_watching(self._session, QUIET_S)
            if stream:
                stream.release()
            if isinstance(answer, Steered):
                self._mark_place(answer)
            self._inbox.look()
            return answer or _NOBODY_ANSWERS

    def _mark_place(self, steered: Steered) -> None:
        """Where the stream is paused, a console has to know by itself: its director may be replaced meanwhile."""
        self.is_paused = steered.state is SessionState.PAUSED
        before, redirect = self._bookmark, self._redirect
        if not self.is_paused or steered.place is None or redirect is None:
            self._bookmark = None
            return
        left = before.left if before else None
        if before and before.place != steered.place:
            left = left or before.place
        self._bookmark = Bookmark(
            program=redirect.program.program,
            table=redirect.program.table,
            console=str(self.address),
            known_turn=max(self._known_turn or 0, redirect.turn),
            place=steered.place,
            left=left,
        )

    @property
    def address(self) -> Address:
        """See `Steerable`."""
        return self._to or self._inbox.address

    @property
    def position_ms(self) -> int:
        """See `Steerable`."""
        stream, redirect = self._inbox.stream, self._redirect
        return stream.reached_bytes * 8000 // redirect.program.rate_bps if stream and redirect else 0

    @property
    def duration_ms(self) -> int:
        """See `Steerable`."""
        return self._redirect.program.duration_ms if self._redirect else 0

    @property
    def _session(self) -> str:
        return self._redirect.session if self._redirect else ""

    @property
    def _ticket(self) -> str:
        return self._redirect.ticket if self._redirect else ""

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
            await self._order_to_cease(redirect)
            if not answered:
                return
            await asyncio.sleep(_CEASE_PAUSE_S)

    async def _order_to_cease(self, redirect: Redirect) -> None:
        if self._view and self._view.state in (SessionState.PAUSED, SessionState.RESUMING):
            # There is no engine that could be told.
            order = EndStream(session=redirect.session, ticket=redirect.ticket)
            await self._director.ask(END_STREAM, order, 1.0)
            return
        turn = max(redirect.turn, self._known_turn or 0)
        engine = address_of((self._view and self._view.engine) or redirect.engine)
        await self._http.tell(engine, CEASE, Cease(session=redirect.session, turn=turn), deadline_s=1.0)

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
            segments=stream.segments,
            hand_overs=stream.hand_overs,
            jumps=stream.jumps,
            expected_sha256=redirect.program.sha256,
            expected_bytes=redirect.program.length_bytes,
            strays=stream.strays,
            stopped=stopped,
            intact=None if stopped else self._is_intact(stream, redirect.program),
        )

    @staticmethod
    def _is_intact(stream: Runs, program: ProgramHeader) -> bool | None:
        """Who has seeked has not the program, but may have segments that are none of it."""
        if not stream.jumps:
            return stream.sha256 == program.sha256
        return False if any(segment.intact is False for segment in stream.segments) else None

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


async def _set_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Whether `event` is set within the time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()
