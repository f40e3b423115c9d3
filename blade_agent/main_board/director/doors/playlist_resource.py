"""The playlists of a program as resources: the first one opens a session, whose id is in every address after it."""

import logging
import re
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web

from blade_agent.main_board.director.admission import Admission, token_of
from blade_agent.main_board.director.doors import playlists
from blade_agent.main_board.director.doors.named_engines import NamedEngines
from blade_agent.main_board.director.holdings.attachments import Attachments
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.sessions.session_id import new_session_id
from blade_agent.main_board.director.term import Term
from media_network.fields import Sha256
from media_network.http.at_once import answer, packed
from media_network.http.coding import takes_gzip
from media_network.http.cross_origin import FROM_ANYWHERE
from media_network.http.refusing import refusing
from media_network.http.request_head import RequestHead
from media_network.program import Program
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

MEDIA_PATH = f"/programs/{{program}}/{playlists.MEDIA}"
KEY_PICTURES_PATH = f"/programs/{{program}}/{playlists.KEY_PICTURES}"
CONTENT_TYPE = "application/vnd.apple.mpegurl"
_FIELDS = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", "Vary": "Accept-Encoding"}
_MEDIA_TARGET = re.compile(rf"/programs/([^/]+)/{re.escape(playlists.MEDIA)}")
_SEGMENTS_AT_ONCE = 1000
"""A longer one is sent in pieces, and others have their turn between them."""
_TEXTS_KEPT = 64
_QUERY = b"\0"

_RATES_KEPT = 4096
_SESSION = re.compile(r"[0-9a-f]{24}")
NO_SESSION = Refused(Reason.UNKNOWN_SESSION, "the address carries no session; ask for the playlist")


def is_session(name: str) -> bool:
    """Whether it looks like the id of a session."""
    return _SESSION.fullmatch(name) is not None


class Playlists:
    """Answers for playlists."""

    def __init__(
        self,
        term: Term,
        library: Library,
        admission: Admission,
        attachments: Attachments,
        named: NamedEngines | None,
    ) -> None:
        """`named`: segments' addresses name their engines; None: all of them lead to the director."""
        self._term = term
        self._library = library
        self._admission = admission
        self._attachments = attachments
        self._named = named
        self._key_pictures_bps: OrderedDict[Sha256, int] = OrderedDict()
        """By the digest of the segment table: what is said at every beginning is not reckoned each time."""
        self._texts: OrderedDict[Sha256, bytes] = OrderedDict()
        """Playlists of segments, by the same; those that were asked for last come last."""

    async def multivariant(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/playlist.m3u8`: opens a session."""
        asked = request.match_info["program"]
        guest = await self._admission.admit(token_of(request), asked, request.host)
        if isinstance(guest, Refused):
            logger.info("player at %s is refused %s, %s: %s", request.remote, asked, guest.reason, guest)
            return refusing(guest)
        program = await self._library.published(asked)
        if program is None:
            return refusing(self._library.why_not(asked))
        bps = await self._bps_of_key_pictures(program)
        session = new_session_id(self._term.rng)
        self._admission.note(guest, session, program.name, push=False)
        query = self._query(session, program)
        return await _send(request, playlists.multivariant(program.header, query, bps))

    async def media(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/media.m3u8`: the segments, for a session."""
        session, program = await self._viewing(request)
        if isinstance(program, Refused):
            return refusing(program)
        beside = self._beside(request, session, program)
        if self._named is None:
            return await _send(request, playlists.media(program, beside))
        ticket, host = request.query.get("ticket", ""), request.remote or ""
        known_as = self._admission.known_as(session, ticket, program.name, host)
        return await _send(request, playlists.media(program, partial(self._named.address, program, known_as, beside)))

    def media_at_once(self, head: RequestHead) -> bytes | None:
        """The same where nobody is waited for, of a program that is not very long; None: `media` says more."""
        found = _MEDIA_TARGET.fullmatch(head.path)
        if found is None or self._named is not None:
            return None
        asked, session, ticket = found[1], head.query.get("session", ""), head.query.get("ticket", "")
        if not (is_session(session) and self._admission.lets_through(ticket, session, asked)):
            return None
        program = self._library.in_service_at_hand(asked)
        if program is None or len(program.segments) > _SEGMENTS_AT_ONCE:
            return None
        query = self._query_again(session, ticket, program)
        body = self._text_of(program).replace(_QUERY, query.encode("ascii"))
        fields = {**_FIELDS, **FROM_ANYWHERE}
        if takes_gzip(head.field(b"accept-encoding")):
            fields["Content-Encoding"], body = "gzip", packed(body)
        return answer(HTTPStatus.OK, fields, body)

    def _text_of(self, program: Program) -> bytes:
        """Its playlist of segments with `_QUERY` for what is said of a session."""
        table = program.header.table
        text = self._texts.pop(table, None) or b"".join(
            piece.encode("ascii") for piece in playlists.media(program, lambda number: f"{number}.ts?\0")
        )
        self._texts[table] = text
        if len(self._texts) > _TEXTS_KEPT:
            self._texts.popitem(last=False)
        return text

    async def key_pictures(self, request: web.Request) -> web.StreamResponse:
        """`GET /programs/<program>/key-pictures.m3u8`: pictures for fast forward, for a session."""
        session, program = await self._viewing(request)
        if isinstance(program, Refused):
            return refusing(program)
        pictures = await self._attachments.key_pictures(program)
        if not pictures:
            return refusing(Refused(Reason.NOT_HERE, "nobody who can be reached has its table of key pictures"))
        return await _send(request, playlists.key_pictures(program, pictures, self._beside(request, session, program)))

    async def _viewing(self, request: web.Request) -> tuple[str, Program | Refused]:
        """A session that has been let in before, and its program while that is in service."""
        session = request.query.get("session", "")
        return session, await self._admitted(request, session)

    async def _admitted(self, request: web.Request, session: str) -> Program | Refused:
        asked = request.match_info["program"]
        if refused := await self._admission.refuse_ticket(request.query.get("ticket", ""), session, asked):
            return refused
        program = await self._library.in_service(asked)
        if program is None:
            return self._library.why_not(asked)
        return program if is_session(session) else NO_SESSION

    async def _bps_of_key_pictures(self, program: Program) -> int | None:
        """What they take; None: they are not known."""
        known = self._key_pictures_bps.get(program.header.table)
        if known is not None:
            return known
        pictures = await self._attachments.key_pictures(program)
        if not pictures:
            return None
        bps = self._key_pictures_bps[program.header.table] = playlists.peak_bps(program, pictures)
        if len(self._key_pictures_bps) > _RATES_KEPT:
            self._key_pictures_bps.popitem(last=False)
        return bps

    def _query(self, session: str, program: Program) -> str:
        return f"session={session}{self._admission.ticket(session, program.name)}"

    def _beside(self, request: web.Request, session: str, program: Program) -> playlists.AddressOf:
        """Addresses beside the playlist's own. Nobody gets a ticket for a session that he has made up."""
        query = self._query_again(session, request.query.get("ticket", ""), program)
        return lambda number: f"{number}.ts?{query}"

    def _query_again(self, session: str, ticket: str, program: Program) -> str:
        if self._admission.has_opened(session, ticket, program.name):
            return self._query(session, program)
        return urlencode({"session": session, "ticket": ticket})


async def _send(request: web.Request, pieces: Iterator[str]) -> web.StreamResponse:
    """Send a playlist as it is written: of a long one no more than a piece is in memory."""
    response = web.StreamResponse(status=HTTPStatus.OK, headers=_FIELDS)
    is_asked_for, packed = request.method != "HEAD", takes_gzip(request.headers.get("Accept-Encoding", ""))
    if packed and is_asked_for:
        response.enable_compression(web.ContentCoding.gzip)
    elif packed:
        response.headers["Content-Encoding"] = (
            "gzip"  # aiohttp would end what has no body with a compressor's last bytes
        )
    await response.prepare(request)
    if is_asked_for:
        for piece in pieces:
            await response.write(piece.encode())
    await response.write_eof()
    return response
