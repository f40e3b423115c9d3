"""Pulled programs: each segment of a playlist is redirected to an engine that holds it (claims 1, 18)."""

import asyncio
import logging
import re
from collections import OrderedDict
from http import HTTPStatus
from itertools import islice

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from blade_agent.main_board.director.admission import Admission
from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.main_board.director.doors.playlist_resource import NO_SESSION, is_session
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord, WantedTurn
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.sessions.charge import Charge, playing_s
from blade_agent.main_board.director.term import Term
from media_network.fields import ProgramId
from media_network.http.at_once import answer
from media_network.http.cross_origin import FROM_ANYWHERE
from media_network.http.refusing import refusing
from media_network.http.request_head import RequestHead
from media_network.messages.watching import SessionState
from media_network.packets import TS_PACKET_BYTES
from media_network.program import Program
from media_network.refusal import Reason, Refused
from media_network.segment_url import SEGMENT_NUMBER, segment_url

logger = logging.getLogger(__name__)

SEGMENT_PATH = "/programs/{program}/{segment}.ts"

_SESSION_KEPT_S = 60.0
_SESSIONS_MAX = 100_000
_TOGETHER_S = 0.25
"""Players that began together ask within so long of each other: those that are about to ask count no more where they
are, those that have asked count where they came to."""
_REPEATED_MAX = 4
"""Of so many segments a player that asks again is sent where it was sent before."""
_NUMBER = re.compile(SEGMENT_NUMBER)
_TARGET = re.compile(rf"/programs/([^/]+)/({SEGMENT_NUMBER})\.ts")
_NOT_KEPT = {"Cache-Control": "no-store"}


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

    def __init__(self, term: Term, choice: EngineChoice, library: Library, admission: Admission) -> None:
        self._term = term
        self._admission = admission
        self._choice = choice
        self._roster = choice.roster
        self._library = library
        self._sessions: OrderedDict[str, PullSession] = OrderedDict()
        """Those that have asked for nothing for longest come first."""

    async def segment(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/<number>.ts`: 302 to an engine that holds the segment, or receives it."""
        asked, number = request.match_info["program"], request.match_info["segment"]
        name, ticket = request.query.get("session", ""), request.query.get("ticket", "")
        if refused := await self._admission.refuse_ticket(ticket, name, asked):
            return refusing(refused)
        says_one = is_session(name)
        name = self._admission.known_as(name, ticket, asked, request.remote or "")
        program = await (self._library.get(asked) if self._watches(name, asked) else self._library.published(asked))
        if program is None:
            return refusing(self._library.why_not(asked))
        if not (_NUMBER.fullmatch(number) and int(number) < len(program.segments)):
            return refusing(Refused(Reason.NOT_HERE, "the program has no such segment"))
        if not says_one:
            return refusing(NO_SESSION)
        engine = self.redirect(name, program, int(number), request.remote or "")
        while isinstance(engine, Refused) and engine.reason is Reason.NO_ENGINE and await self._term.has_more_to_hear():
            engine = self.redirect(name, program, int(number), request.remote or "")
        if isinstance(engine, Refused) and engine.reason is Reason.NO_ENGINE:
            # Claim 14: another station may hold it.
            refused = await self._choice.bring(program, int(number))
            engine = refused or self.redirect(name, program, int(number), request.remote or "")
        for _ in range(len(self._roster)):  # who waited longer may have filled the engine that has received it
            if not (isinstance(engine, Refused) and engine.reason is Reason.AT_CAPACITY):
                break
            # Claim 19: a further engine may be about to receive it.
            refused = await self._choice.relieved(program, int(number))
            engine = refused or self.redirect(name, program, int(number), request.remote or "")
        if isinstance(engine, Refused):
            self._term.counters.refusals += 1
            return refusing(engine)
        location = self._location(engine, name, program, int(number))
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": location, **_NOT_KEPT})

    def segment_at_once(self, head: RequestHead) -> bytes | None:
        """The same where nobody is waited for; None: `segment` says why not, or waits."""
        found = _TARGET.fullmatch(head.path)
        if found is None:
            return None
        asked, number = found[1], int(found[2])
        name, ticket = head.query.get("session", ""), head.query.get("ticket", "")
        if not (is_session(name) and self._admission.lets_through(ticket, name, asked)):
            return None
        own = self._term.tickets.holder(ticket, asked) == name
        if not own:
            name = self._admission.known_as(name, ticket, asked, head.remote)
        watches = self._watches(name, asked)
        program = self._library.at_hand(asked) if watches else self._library.in_service_at_hand(asked)
        if program is None or number >= len(program.segments):
            return None
        engine = self.redirect(name, program, number, head.remote)
        if isinstance(engine, Refused):
            return None
        if not watches:
            self._library.played(asked)
        location = self._location(engine, name, program, number, ticket if own else "")
        return answer(HTTPStatus.FOUND, {"Location": location, **_NOT_KEPT, **FROM_ANYWHERE})

    def _location(self, engine: EngineRecord, name: str, program: Program, number: int, ticket: str = "") -> str:
        """Where a player is redirected to; `ticket` is the one that this director would sign, if it is known."""
        self._term.counters.redirects += 1
        return segment_url(engine.media, program.cut, number, ticket or self._term.tickets.sign(name, program.name))

    def _watches(self, name: str, program: ProgramId) -> bool:
        """Whether a session is one of this program: who is watching when its window ends sees it to its end."""
        session = self._sessions.get(name)
        return session is not None and session.newest.program == program

    def redirect(self, name: str, program: Program, number: int, console: str) -> EngineRecord | Refused:
        """The engine for the next segment of a session; one that asks again for a segment is answered the same.

        A session of an earlier director goes on here: the playlist outlives whoever wrote it.
        """
        if refused := self._library.refusal(program.name):
            return refused
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

    def watched(self, program: ProgramId) -> int:
        """Sessions of players that have asked for a segment of a program last."""
        return sum(session.newest.program == program for session in self._sessions.values())

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
    """Apart from streams: a player shows the name of its session, and a host stands for those that show none."""
    return f"pull {name}"


def _now() -> float:
    return asyncio.get_running_loop().time()
