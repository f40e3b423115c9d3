"""Who may be redirected: a console shows a token, which is checked against its streaming request (claim 25), and the
cache of subscriber management is asked, where the station has one (claim 6).

That is before the redirect. What follows (segments, turns) goes by tickets, so that nobody is asked again.
"""

from typing import NamedTuple
from urllib.parse import quote

from aiohttp import web

from blade_agent.main_board.director.term import Term
from media_network.fields import ProgramId
from media_network.messages.authentication import TOKEN_PARAMETER
from media_network.messages.billing import AdmissionGround, ViewingRecord
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms
from media_network.tokens.verifier import StreamingRequest, TokenVerifier, Viewer

PLAYLIST_PATH = "/programs/{program}/playlist.m3u8"
_BEARER = "bearer "
_NOT_HEARD_YET = Refused(Reason.OVERDUE, "the authentication server has not told its keys yet")
_NO_TICKET = Refused(Reason.BAD_TICKET, "the address carries no ticket that is good here; ask for the playlist")


class Guest(NamedTuple):
    """Who has been let in."""

    subscriber: str = ""
    """As the token names them; empty where none is asked for."""
    ground: AdmissionGround | None = None
    """What subscriber management has to do with it; None: it has not been asked."""


_ANYBODY = Guest()


class Admission:
    """Lets viewers in; everybody, where the station's settings name no authentication server."""

    def __init__(self, term: Term) -> None:
        self._term = term
        self._issuer = term.duty.issuer
        self._accounts = term.duty.accounts
        self._verifier = None
        if self._issuer:
            settings, station = self._issuer.settings, term.duty.station
            self._verifier = TokenVerifier(
                issuer=settings.issuer, audience=(settings.audience, station), skew_s=settings.skew_s
            )

    async def admit(self, token: str | None, program: ProgramId, asked_at: str = "") -> Guest | Refused:
        """Let a console in that asks for a program, by a token, or say what there is against it.

        `asked_at` is the authority that a player has asked at (`Host`).
        """
        guest = await self._admit(token, StreamingRequest(program, lambda: self._addresses(program, asked_at)))
        if isinstance(guest, Refused):
            self._term.counters.refusals += 1
        return guest

    async def _admit(self, token: str | None, request: StreamingRequest) -> Guest | Refused:
        if self._issuer is None:
            return _ANYBODY
        viewer = self._look(token, request)
        if _has_unknown_key(viewer) and await self._issuer.look_again():
            viewer = self._look(token, request)
        if _has_unknown_key(viewer) and not len(self._issuer.keys):
            return _NOT_HEARD_YET
        if isinstance(viewer, Refused):
            return viewer
        if self._accounts is None:
            return Guest(viewer.subscriber)
        ground = await self._accounts.admit(viewer.subscriber, request.program)
        return ground if isinstance(ground, Refused) else Guest(viewer.subscriber, ground)

    def note(self, guest: Guest, session: str, program: ProgramId, *, push: bool) -> None:
        """A session has been opened for somebody who was let in: billing hears of it (claim 6)."""
        if self._accounts and guest.ground:
            duty = self._term.duty
            self._accounts.note_viewing(
                ViewingRecord(
                    session=session,
                    epoch=duty.epoch,
                    subscriber=guest.subscriber,
                    program=program,
                    station=duty.station,
                    at_ms=now_ms(),
                    ground=guest.ground,
                    push=push,
                )
            )

    async def refuse_ticket(self, ticket: str, session: str, program: ProgramId) -> Refused | None:
        """What there is against a player that comes for a segment, by the ticket of its playlist.

        The playlist may be of a director before this one, whose key its engines tell.
        """
        if self._issuer is None:
            return None
        while not self._term.has_signed(ticket, session, program):
            if not await self._term.has_more_to_hear():
                self._term.counters.refusals += 1
                return _NO_TICKET
        return None

    def lets_through(self, ticket: str, session: str, program: ProgramId) -> bool:
        """Whether `refuse_ticket` has nothing against a player, as far as it need not wait to know."""
        return self._issuer is None or self._term.has_signed(ticket, session, program)

    def has_opened(self, session: str, ticket: str, program: ProgramId) -> bool:
        """Whether a session that a player shows was opened by a director; else anybody may have made its id up."""
        return self._term.has_signed(ticket, session, program)

    def known_as(self, session: str, ticket: str, program: ProgramId, host: str) -> str:
        """What a player counts as: its session, or where it asks from."""
        return session if self.has_opened(session, ticket, program) else f"at {host}"

    def ticket(self, session: str, program: ProgramId) -> str:
        """What the addresses of a playlist carry behind the session, to show that a director has opened it."""
        return f"&ticket={quote(self._term.tickets.sign(session, program), safe='')}"

    def _look(self, token: str | None, request: StreamingRequest) -> Viewer | Refused:
        if self._issuer is None or self._verifier is None:
            raise RuntimeError("a station that asks for no tokens looks at none")
        if self._verifier.keys is not self._issuer.keys:
            self._verifier.keys = self._issuer.keys
        return self._verifier.check(token, request, self._issuer.now())

    def _addresses(self, program: ProgramId, asked_at: str) -> list[str]:
        """What the playlist may be called."""
        duty, path = self._term.duty, PLAYLIST_PATH.format(program=program)
        return [f"http://{at}{path}" for at in (asked_at, duty.service, duty.media) if at]


def _has_unknown_key(answer: Viewer | Refused) -> bool:
    return isinstance(answer, Refused) and answer.reason is Reason.UNKNOWN_KEY


def token_of(request: web.Request) -> str | None:
    """The token that a player shows: in the address (RFC 9246), or as `Authorization: Bearer` (RFC 6750)."""
    token: str | None = request.query.get(TOKEN_PARAMETER)
    header: str = request.headers.get("Authorization", "")
    if token is None and header[: len(_BEARER)].lower() == _BEARER:
        return header[len(_BEARER) :].strip()
    return token
