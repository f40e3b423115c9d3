"""Pulled programs: a playlist from the director, each segment redirected to an engine that holds it (claims 1, 18)."""

import asyncio
import logging
import math
import re
from collections import OrderedDict
from http import HTTPStatus
from itertools import islice

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord, WantedTurn
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.sessions.charge import Charge, playing_s
from blade_agent.main_board.director.sessions.session_id import new_session_id
from blade_agent.main_board.director.term import Term
from media_network.http.refusing import refusing
from media_network.messages.watching import SessionState
from media_network.packets import TICK_HZ, TS_PACKET_BYTES
from media_network.program import Program
from media_network.refusal import Reason, Refused
from media_network.segment_url import SEGMENT_NUMBER, segment_url

logger = logging.getLogger(__name__)

PLAYLIST_PATH = "/programs/{program}/playlist.m3u8"
SEGMENT_PATH = "/programs/{program}/{segment}.ts"

_SESSION_KEPT_S = 60.0
_SESSIONS_MAX = 100_000
_TOGETHER_S = 0.25
"""Players that began together ask within so long of each other: those that are about to ask count no more where they
are, those that have asked count where they came to."""
_REPEATED_MAX = 4
"""Of so many segments a player that asks again is sent where it was sent before."""
_ASSEMBLING_PAUSE_S = 0.05
_NUMBER = re.compile(SEGMENT_NUMBER)
_SESSION = re.compile(r"[0-9a-f]{24}")
# A player in a page of another origin needs this on the redirect as well as on what it leads to (Fetch, 3.2).
_FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*"}


class Redirection(Struct, frozen=True, kw_only=True):
    """A segment that a player was redirected for, and what that asks of the engine while it is played."""

    program: str
    segment: int
    charge: Charge


class PullSession(Struct, frozen=True, kw_only=True):
    """A player that follows a playlist."""

    seen_at: float
    console: str
    """Host of the player."""
    redirects: int = 1
    lately: tuple[Redirection, ...]
    """The last segments that it was redirected for, newest first: it may ask for one again."""

    @property
    def newest(self) -> Redirection:
        """The segment that it asked for last."""
        return self.lately[0]

    def charges(self, now: float) -> tuple[Charge, ...]:
        """It counts to the engine it was sent to last until it asks again, or is forgotten.

        What it has asked for ahead counts for as long as it is played: so much is fetched from those engines.
        """
        ahead = (earlier.charge for earlier in self.lately[1:] if earlier.charge.ends_at > now)
        return self.newest.charge, *(replace(charge, goes=True, keeps_room=False) for charge in ahead)


class Pulls:
    """The pull sessions of a station."""

    def __init__(self, term: Term, choice: EngineChoice, library: Library) -> None:
        self._term = term
        self._choice = choice
        self._roster = choice.roster
        self._library = library
        self._sessions: OrderedDict[str, PullSession] = OrderedDict()
        """Those that have asked for nothing for longest come first."""

    async def playlist(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/playlist.m3u8`: opens a session; its id is in every segment's address."""
        program = await self._library.published(request.match_info["program"])
        if program is None:
            return _refuse(self._not_there(request.match_info["program"], "program"))
        session = new_session_id(self._term.rng)
        return web.Response(
            text=_playlist(program, session),
            content_type="application/vnd.apple.mpegurl",
            headers={**_FROM_ANYWHERE, "Cache-Control": "no-store"},
        )

    async def segment(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/<number>.ts`: 302 to an engine that holds the segment."""
        asked, number = request.match_info["program"], request.match_info["segment"]
        name = request.query.get("session", "")
        # Who is watching when its window ends sees it to its end.
        program = await (self._library.get(asked) if name in self._sessions else self._library.published(asked))
        if program is None or not (_NUMBER.fullmatch(number) and int(number) < len(program.segments)):
            return _refuse(self._not_there(asked, "segment"))
        if not _SESSION.fullmatch(name):
            return _refuse(Refused(Reason.UNKNOWN_SESSION, "the address carries no session; ask for the playlist"))
        engine = self.redirect(name, program, int(number), request.remote or "")
        while isinstance(engine, Refused) and engine.reason is Reason.NO_ENGINE and self._term.is_assembling(_now()):
            await asyncio.sleep(_ASSEMBLING_PAUSE_S)
            engine = self.redirect(name, program, int(number), request.remote or "")
        if isinstance(engine, Refused):
            self._term.counters.refusals += 1
            return _refuse(engine)
        self._term.counters.redirects += 1
        ticket = self._term.tickets.sign(name, program.name)
        location = segment_url(engine.media, program.cut, int(number), ticket)
        headers = {**_FROM_ANYWHERE, "Location": location, "Cache-Control": "no-store"}
        return web.Response(status=HTTPStatus.FOUND, headers=headers)

    def _not_there(self, program: str, what: str) -> Refused:
        if self._library.is_in_service(program) and not self._library.at_hand(program):
            return Refused(Reason.NOT_HERE, "nobody who can be reached has its segment table")
        return Refused(Reason.NOT_PUBLISHED, f"no such {what} is in service here")

    def redirect(self, name: str, program: Program, number: int, console: str) -> EngineRecord | Refused:
        """The engine for the next segment of a session; one that asks again for a segment is answered the same.

        A session of an earlier director goes on here: the playlist outlives whoever wrote it.
        """
        now, session = _now(), self._sessions.get(name)
        lasts_s = playing_s(program, number)
        ends_at = now + lasts_s
        engine = self._asked_again(session, program, number) if session else None
        if engine is None:
            wanted = WantedTurn(
                session=_charged_as(name),
                rate_bps=program.rate_bps,
                begins_at=now + min(_TOGETHER_S, lasts_s / 4),
                ends_at=ends_at,
                now=now,
            )
            chosen = self._choice.choose(program, number, wanted)
            if isinstance(chosen, Refused):
                return chosen
            engine = chosen
        charge = Charge(
            engine=engine.address,
            rate_bps=program.rate_bps,
            begins_at=now,
            ends_at=ends_at,
            goes=number + 1 == len(program.segments),
        )
        given = Redirection(program=program.name, segment=number, charge=charge)
        earlier = session.lately if session else ()
        others = (each for each in earlier if (each.program, each.segment) != (given.program, number))
        self._move(
            name,
            PullSession(
                seen_at=now,
                console=console,
                redirects=session.redirects + 1 if session else 1,
                lately=(given, *islice(others, _REPEATED_MAX - 1)),
            ),
        )
        if session is None:
            logger.info("player at %s fetches %s, session %s: first segment %d", console, program.name, name, number)
        self._roster.fetching.gave(engine.address, program.segments.packets(number) * TS_PACKET_BYTES, now)
        return engine

    def _asked_again(self, session: PullSession, program: Program, number: int) -> EngineRecord | None:
        """The engine that a player was sent to for a segment lately, if it still is there and holds it."""
        asked = (program.name, number)
        given = next((each.charge.engine for each in session.lately if (each.program, each.segment) == asked), None)
        if given is None or given not in self._choice.holders.engines_with(program.cut, number):
            return None
        engine = self._roster.get(given)
        return engine if engine and not engine.silent and not engine.draining else None

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
        newest = session.newest
        engine = self._roster.get(newest.charge.engine)
        return SessionFigures(
            session=name,
            push=False,
            state=SessionState.REDIRECTED.value,
            program=newest.program,
            console=session.console,
            engine_slot=engine.slot if engine else 0,
            segment=newest.segment,
            turns=session.redirects,
        )

    def _move(self, name: str, session: PullSession) -> None:
        self._sessions[name] = session
        self._sessions.move_to_end(name)
        self._roster.charges.put(_charged_as(name), session.charges(session.seen_at))

    def _leave(self, name: str) -> None:
        if session := self._sessions.pop(name, None):
            logger.info("player at %s has left, session %s: %d segments", session.console, name, session.redirects)
            self._roster.charges.put(_charged_as(name), ())


def _charged_as(name: str) -> str:
    """A player says the name of its session itself, and must not say that of a stream."""
    return f"pull {name}"


def _playlist(program: Program, session: str) -> str:
    """A media playlist (RFC 8216) of the whole program."""
    longest_s = math.ceil(max(segment.duration_ticks for segment in program.segments) / TICK_HZ)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{longest_s}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    for segment in program.segments:
        lines += [f"#EXTINF:{segment.duration_ticks / TICK_HZ:.5f},", f"{segment.number}.ts?session={session}"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _refuse(refused: Refused) -> web.Response:
    return refusing(refused, _FROM_ANYWHERE)


def _now() -> float:
    return asyncio.get_running_loop().time()
