"""Pulled programs: a playlist from the director, each segment redirected to an engine that holds it (claims 1, 18)."""

import asyncio
import math
import re
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice

from aiohttp import web

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.sessions.session_id import new_session_id
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.http.refusing import refusing
from media_network.messages.watching import SessionState
from media_network.program import Program
from media_network.refusal import Reason, Refused
from media_network.segment_url import SEGMENT_NUMBER, segment_url

PLAYLIST_PATH = "/programs/{program}/playlist.m3u8"
SEGMENT_PATH = "/programs/{program}/{segment}.ts"

_SESSION_KEPT_S = 60.0
_SESSIONS_MAX = 100_000
_ASSEMBLING_PAUSE_S = 0.05
_NUMBER = re.compile(SEGMENT_NUMBER)
_SESSION = re.compile(r"[0-9a-f]{24}")
# A player in a page of another origin needs this on the redirect as well as on what it leads to (Fetch, 3.2).
_FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, kw_only=True)
class PullSession:
    """A player that follows a playlist; it counts to the engine it was last redirected to."""

    engine: Address
    rate_bps: int
    seen_at: float
    program: str
    console: str
    """Host of the player."""
    segment: int
    """That it asked for last."""
    redirects: int = 1


class Pulls:
    """The pull sessions of a station."""

    def __init__(self, term: Term, choice: EngineChoice, catalogue: Catalogue) -> None:
        self._term = term
        self._choice = choice
        self._roster = choice.roster
        self._catalogue = catalogue
        self._sessions: OrderedDict[str, PullSession] = OrderedDict()
        """Those that have asked for nothing for longest come first."""

    async def playlist(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/playlist.m3u8`: opens a session; its id is in every segment's address."""
        program = self._catalogue.published(request.match_info["program"])
        if program is None:
            return _refuse(Refused(Reason.NOT_PUBLISHED, "no such program is in service here"))
        session = new_session_id(self._term.rng)
        return web.Response(
            text=_playlist(program, session),
            content_type="application/vnd.apple.mpegurl",
            headers={**_FROM_ANYWHERE, "Cache-Control": "no-store"},
        )

    async def segment(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/<number>.ts`: 302 to the least loaded engine that holds the segment."""
        program = self._catalogue.published(request.match_info["program"])
        number = request.match_info["segment"]
        name = request.query.get("session", "")
        if program is None or not (_NUMBER.fullmatch(number) and int(number) < len(program.segments)):
            return _refuse(Refused(Reason.NOT_PUBLISHED, "no such segment is in service here"))
        if not _SESSION.fullmatch(name):
            return _refuse(Refused(Reason.UNKNOWN_SESSION, "the address carries no session; ask for the playlist"))
        # A session of an earlier director goes on here: the playlist outlives whoever wrote it.
        session = self._sessions.get(name)
        # It still counts to the engine it was sent to last, so that its segments come from engine after engine.
        carrying = (session.engine,) if session else ()
        engine = self._choice.choose(program, int(number), carrying=carrying)
        while isinstance(engine, Refused) and engine.reason is Reason.NO_ENGINE and self._term.is_assembling(_now()):
            await asyncio.sleep(_ASSEMBLING_PAUSE_S)
            engine = self._choice.choose(program, int(number), carrying=carrying)
        if isinstance(engine, Refused):
            self._term.counters.refusals += 1
            return _refuse(engine)
        self._term.counters.redirects += 1
        redirected = PullSession(
            engine=engine.address,
            rate_bps=program.rate_bps,
            seen_at=_now(),
            program=program.program,
            console=request.remote or "",
            segment=int(number),
            redirects=session.redirects + 1 if session else 1,
        )
        self._move(name, redirected)
        ticket = self._term.tickets.sign(name, program.program)
        location = segment_url(engine.media, program.program, int(number), ticket)
        headers = {**_FROM_ANYWHERE, "Location": location, "Cache-Control": "no-store"}
        return web.Response(status=HTTPStatus.FOUND, headers=headers)

    def __len__(self) -> int:
        return len(self._sessions)

    def expire(self) -> None:
        """Forget players that have not asked for a segment for a minute, and the oldest ones if there are too many."""
        now = _now()
        while self._sessions:
            oldest = next(iter(self._sessions))
            if len(self._sessions) <= _SESSIONS_MAX and now - self._sessions[oldest].seen_at <= _SESSION_KEPT_S:
                break
            self._leave(oldest)

    def figures(self, most: int) -> tuple[SessionFigures, ...]:
        """So many of them, those that asked for a segment last: who shows them must not be held up by thousands."""
        latest = islice(reversed(self._sessions.items()), most)
        return tuple(self._figures(name, session) for name, session in latest)

    def _figures(self, name: str, session: PullSession) -> SessionFigures:
        engine = self._roster.get(session.engine)
        return SessionFigures(
            session=name,
            push=False,
            state=SessionState.REDIRECTED.value,
            program=session.program,
            console=session.console,
            engine_slot=engine.slot if engine else 0,
            segment=session.segment,
            turns=session.redirects,
        )

    def _move(self, name: str, session: PullSession) -> None:
        self._leave(name)
        self._sessions[name] = session
        self._roster.promise(session.engine, session.rate_bps)

    def _leave(self, name: str) -> None:
        if session := self._sessions.pop(name, None):
            self._roster.promise(session.engine, -session.rate_bps)


def _playlist(program: Program, session: str) -> str:
    """A media playlist (RFC 8216) of the whole program."""
    longest_s = math.ceil(max(segment.duration_ms for segment in program.segments) / 1000)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{longest_s}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    for segment in program.segments:
        lines += [f"#EXTINF:{segment.duration_ms / 1000:.3f},", f"{segment.number}.ts?session={session}"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _refuse(refused: Refused) -> web.Response:
    return refusing(refused, _FROM_ANYWHERE)


def _now() -> float:
    return asyncio.get_running_loop().time()
