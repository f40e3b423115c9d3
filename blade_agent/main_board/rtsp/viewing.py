"""A player's stream, as its RTSP session has it from the station: the door is a console like others (claims 16, 17).

It speaks to whichever blade directs by now, so that the connection to the player outlives a director.
"""

import asyncio
import logging
from collections.abc import Callable

from blade_agent.main_board.rtsp.desk import Halted, Playing
from blade_agent.main_board.rtsp.play_time import lasts_ms, program_ms, sent_ms
from media_network.address import Address
from media_network.fields import ProgramId
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
    Steered,
)
from media_network.messages.streaming import (
    DESCRIBE,
    PLAY,
    STREAM,
    Describe,
    Described,
    Play,
    Redirect,
    Stream,
)
from media_network.messages.verb import Reply, Request, Verb
from media_network.messages.watching import WATCHING, SessionState, Watching
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

_ASK_S = 3.0
_WITHIN_S = 10.0
"""So long a player waits at most: a director may have to be appointed, or to wait for the end of a lease."""
_END_WITHIN_S = 3.0
_AGAIN_S = 0.2
_REQUESTS_MAX = 3
_LATER = frozenset({Reason.WRONG_ROLE, Reason.OVERDUE, Reason.NOT_READY})
"""Refusals that pass by themselves."""
_NOBODY_DIRECTS = Refused(Reason.OVERDUE, "nobody directs the station at present")
_NOTHING_PLAYS = Refused(Reason.UNKNOWN_SESSION, "the stream has ended")


class DirectorOfNow:
    """Asks whichever blade directs, until somebody answers."""

    def __init__(self, http: HttpClient, where: Callable[[], Address | None]) -> None:
        """`where` gives the media address of the director, as far as this blade knows it."""
        self.http = http
        self._where = where

    async def ask(
        self, verb: Verb[Request, Reply], message: Request, *, within_s: float = _WITHIN_S
    ) -> Reply | Refused:
        """The answer; a refusal where there is none in time."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while True:
            answer = await self.ask_once(verb, message, deadline_s=max(_AGAIN_S, min(until_s - loop.time(), _WITHIN_S)))
            if not (isinstance(answer, Refused) and answer.reason in _LATER) or loop.time() + _AGAIN_S > until_s:
                return answer
            await asyncio.sleep(_AGAIN_S)

    async def ask_once(
        self, verb: Verb[Request, Reply], message: Request, *, deadline_s: float = _ASK_S
    ) -> Reply | Refused:
        """The answer to one attempt: for who asks again soon anyway."""
        director = self._where()
        if director is None:
            return _NOBODY_DIRECTS
        try:
            return await self.http.ask(director, verb, message, deadline_s=deadline_s)
        except NetworkError as error:
            logger.info("%s", error)
            return _NOBODY_DIRECTS

    async def describe(self, program: ProgramId, token: str | None, rtsp: str) -> Described | Refused:
        """What there is to know of a program that a player has asked about at `rtsp`."""
        return await self.ask(DESCRIBE, Describe(program=program, token=token, rtsp=rtsp))


class Viewing:
    """One player's stream, from one PLAY to its end; then there may be another."""

    def __init__(self, director: DirectorOfNow, header: ProgramHeader, token: str | None, console: Address) -> None:
        self._director = director
        self._header = header
        self._token = token
        self._console = console
        self._redirect: Redirect | None = None
        self._known_turn = 0
        self._paused: Steered | None = None
        self.ended = True
        """Whether nothing is sent, and nothing will be, but for another PLAY."""
        self._order = asyncio.Lock()
        """One order after the other is carried out, whatever connections they come over."""
        self._over = False
        """Whether nobody may begin it any more."""

    @property
    def report_interval_s(self) -> float:
        """How often it is to be said that somebody is there."""
        return self._redirect.report_interval_ms / 1000 if self._redirect else 1.0

    async def play(self, at_ms: int | None, scale: float | None) -> Playing | Refused:
        """Begin, or go on; elsewhere, or at another speed."""
        async with self._order:
            return _NOTHING_PLAYS if self._over else await self._play(at_ms, scale)

    async def _play(self, at_ms: int | None, scale: float | None) -> Playing | Refused:
        if self._redirect is None or self.ended:
            begun = await self._begin(program_ms(self._header, at_ms or 0))
            if isinstance(begun, Refused) or scale in (None, 1):
                return begun
            going = self._going(await self._steer(SCALE, self._scale(scale)))
            if isinstance(going, Refused):
                await self._end()  # nobody knows that it was begun
            return going
        answer: Steered | Refused | None = None
        if at_ms is not None:
            answer = await self._steer(SEEK, self._seek(program_ms(self._header, at_ms)))
        if isinstance(answer, Refused):
            return answer
        if scale is not None:
            return self._going(await self._steer(SCALE, self._scale(scale)))
        if answer is None or answer.state is SessionState.PAUSED:
            answer = await self._steer(RESUME, self._resume())
        return self._going(answer)

    async def pause(self) -> Halted | Refused:
        """Stop, to go on later."""
        async with self._order:
            return await self._pause()

    async def _pause(self) -> Halted | Refused:
        if self._redirect is None:
            return _NOTHING_PLAYS
        header, end = self._header, Halted(lasts_ms(self._header))
        if self.ended:
            return end
        message = Pause(session=self._redirect.session, ticket=self._redirect.ticket)
        answer = await self._steer(PAUSE, message)
        if isinstance(answer, Refused):
            # Players that have come to the end say so, too.
            return end if self.ended else answer
        return Halted(sent_ms(header, answer.place.packets)) if answer.place else end

    async def end(self) -> None:
        """Nobody wants it any more. What is being begun is, and ended then."""
        self._over = True
        async with self._order:
            await self._end()

    async def _end(self) -> None:
        """A director that does not hear it notices that nobody watches."""
        if self._redirect and not self.ended:
            self.ended = True
            order = EndStream(session=self._redirect.session, ticket=self._redirect.ticket)
            await self._director.ask(END_STREAM, order, within_s=_END_WITHIN_S)

    async def watch(self) -> float | None:
        """Say that somebody is there; how long ago the receiver itself has spoken to the station, in seconds."""
        if self._redirect is None or self.ended:
            return None
        session = self._redirect.session
        message = Watching(session=session, known_turn=self._known_turn or None)
        answer = await self._director.ask_once(WATCHING, message)
        if self._redirect.session != session:
            return None
        if isinstance(answer, Refused):
            # Where it is paused its console alone knows of it.
            self.ended = answer.reason is Reason.UNKNOWN_SESSION and self._paused is None
            return None
        self.ended = answer.state is SessionState.ENDED
        if answer.served:
            self._known_turn = answer.served[-1].turn
        return None if answer.receiver_ms is None else answer.receiver_ms / 1000

    # The parts of it

    async def _begin(self, at_ms: int) -> Playing | Refused:
        refused: Refused = _NOBODY_DIRECTS
        for _ in range(_REQUESTS_MAX):
            message = Play(
                program=self._header.program, console=str(self._console), token=self._token, rtp=True, at_ms=at_ms
            )
            answer = await self._director.ask(PLAY, message)
            if isinstance(answer, Refused) or answer.rtp is None:
                return answer if isinstance(answer, Refused) else Refused(Reason.UNABLE, "it is no RTP stream")
            if taken := await self._stream(answer):
                refused = taken
                continue
            self._redirect, self.ended, self._paused, self._known_turn = answer, False, None, answer.turn
            sequence, timestamp = answer.rtp.sequence_of(0), answer.rtp.timestamp_of(0, answer.program.rate_bps)
            begins_ms = sent_ms(answer.program, answer.before)
            return Playing(begins_ms, 1, sequence, timestamp)
        return refused

    async def _stream(self, redirect: Redirect) -> Refused | None:
        """Request the stream from its engine; None: it comes, or may come."""
        message = Stream(session=redirect.session, turn=redirect.turn, ticket=redirect.ticket)
        try:
            engine = Address.parse(redirect.engine)
            answer = await self._director.http.ask(engine, STREAM, message, deadline_s=_ASK_S)
        except ValueError as error:
            return Refused(Reason.NO_ENGINE, str(error))
        except Unreachable as error:
            return None if error.received else Refused(Reason.NO_ENGINE, str(error))
        except NetworkError:
            return None
        return answer if isinstance(answer, Refused) and not answer.perhaps_done else None

    async def _steer(self, verb: Verb[Request, Steered], order: Request) -> Steered | Refused:
        answer = await self._director.ask(verb, order)
        if isinstance(answer, Steered):
            self._paused = answer if answer.state is SessionState.PAUSED else None
            self.ended = answer.state is SessionState.ENDED
        elif answer.reason is Reason.UNKNOWN_SESSION:
            self.ended = True
        return answer

    def _going(self, answer: Steered | Refused) -> Playing | Refused:
        if isinstance(answer, Refused):
            return answer
        redirect, place, rtp = self._redirect, answer.place, answer.rtp
        if redirect is None or place is None or rtp is None:
            return _NOTHING_PLAYS
        header = redirect.program
        sequence, timestamp = rtp.sequence_of(0), rtp.timestamp_of(0, header.rate_bps)
        return Playing(sent_ms(header, place.packets), answer.scale, sequence, timestamp)

    def _scale(self, scale: float) -> Scale:
        session, ticket = self._claim()
        return Scale(session=session, ticket=ticket, scale=scale)

    def _seek(self, at_ms: int) -> Seek:
        session, ticket = self._claim()
        return Seek(session=session, ticket=ticket, to_ms=at_ms, bookmark=self._bookmark())

    def _resume(self) -> Resume:
        session, ticket = self._claim()
        return Resume(session=session, ticket=ticket, bookmark=self._bookmark())

    def _claim(self) -> tuple[str, str]:
        return (self._redirect.session, self._redirect.ticket) if self._redirect else ("", "")

    def _bookmark(self) -> Bookmark | None:
        """For a director that has never heard of it: nobody else knows where it is paused."""
        if self._paused is None or self._paused.place is None or self._redirect is None:
            return None
        return Bookmark(
            program=self._header.program,
            table=self._redirect.program.table,
            console=str(self._console),
            known_turn=self._known_turn,
            place=self._paused.place,
            rtp=self._paused.rtp,
        )
