"""What RTSP requests mean, and how they are answered (RFC 2326, 10 and A.1). Pure: requests and answers come in, with
the time; responses and orders go out.

A session is one player's claim on one program, from SETUP on. It lasts as long as anything is heard of its player.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple, TypeAlias

from blade_agent.main_board.rtsp.description import description_of
from blade_agent.main_board.rtsp.fields import (
    STREAM,
    Asked,
    BadField,
    NptRange,
    RtspTransport,
    UnknownUnit,
    asked_of,
    bearer,
    npt,
    range_of,
    scale_of,
    transport_of,
)
from blade_agent.main_board.rtsp.message import RtspRequest, RtspResponse, RtspStatus
from media_network.address import Address
from media_network.fields import ProgramId
from media_network.messages.streaming import Described
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused

TIMEOUT_S = 60
"""How long a player may be silent (12.37): by requests, by receiver reports, by the connection that it gets its stream
over."""
SESSIONS_MAX = 2048
SESSIONS_OF_A_HOST_MAX = 64
_TOKENS_MAX = 16
"""So many programs a player may be described over one connection whose tokens are kept for what follows."""

_METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN")
_SERVER = "media-station"


@dataclass(eq=False, kw_only=True)
class RtspSession:
    """A player's claim on a program."""

    name: str
    header: ProgramHeader
    token: str | None
    host: str
    connection: int
    """Over which it was set up, and its stream goes where it goes between messages."""
    base: str
    """Address of the program, as its player knows it."""
    transport: RtspTransport
    heard_at: float
    playing: bool = False
    begun: bool = False
    """It has played: its stream goes where it goes."""

    @property
    def program(self) -> ProgramId:
        """What is claimed."""
        return self.header.program


class AskProgram(NamedTuple):
    """Find out what there is to know of a program: `Described`."""

    request: RtspRequest
    asked: Asked
    connection: int
    host: str


class PlayStream(NamedTuple):
    """Have a stream begin, or go on: `Playing`."""

    session: RtspSession
    at_ms: int | None
    """None: where it is."""
    scale: float | None
    """None: at the program's own speed where it begins, and as it is where it goes on."""


class PauseStream(NamedTuple):
    """Have a stream stop, to go on later: `Halted`."""

    session: RtspSession


class EndSession(NamedTuple):
    """Have a stream end for good. It is over, whatever is answered."""

    session: RtspSession


RtspOrder: TypeAlias = AskProgram | PlayStream | PauseStream | EndSession


class Playing(NamedTuple):
    """A stream goes on."""

    begins_ms: int
    scale: int
    sequence: int
    """Of its next datagram."""
    timestamp: int


class Halted(NamedTuple):
    """A stream has stopped."""

    at_ms: int


RtspAnswer: TypeAlias = Described | Playing | Halted | Refused | None


class RtspDesk:
    """All sessions of a blade's door."""

    def __init__(self, own: str, source: Address, rng: random.Random, *, elsewhere: bool = False) -> None:
        """`own` is `host:port` of the door, `source` where RTP comes from; `elsewhere`: streams may go to other hosts
        than those that ask."""
        self.sessions: dict[str, RtspSession] = {}
        self._of_connection: dict[int, dict[str, RtspSession]] = {}
        """The same, by the connection that each was set up over: what comes there may be a stranger's, and much."""
        self._own = own
        self._source = source
        self._rng = rng
        self._elsewhere = elsewhere
        self._tokens: dict[int, dict[ProgramId, str]] = {}
        """Those that were shown over each connection: what follows does not repeat them."""

    def hear(self, connection: int, host: str, request: RtspRequest, now: float) -> RtspResponse | RtspOrder:
        """Take a request of a player at `host`; give its answer, or what is to be done before: `answer` it then."""
        if request.number is None:
            return _plain(RtspStatus.BAD_REQUEST)
        if required := request.headers.get("require"):
            return RtspResponse(status=RtspStatus.OPTION_NOT_SUPPORTED, headers={"Unsupported": required[:200]})
        session = self._session_of(request, host)
        if session:
            session.heard_at = now
        if handler := self._HANDLERS.get(request.method):
            return handler(self, request, session, connection, host)
        return _plain(RtspStatus.NOT_IMPLEMENTED, {"Public": ", ".join(_METHODS)})

    def answer(self, order: RtspOrder, answer: RtspAnswer, now: float) -> RtspResponse:
        """What the player is told when an order has been carried out."""
        if isinstance(order, EndSession):
            self.end(order.session)
            return _of_session(order.session)
        if isinstance(answer, Refused):
            return refusing(answer)
        return self._done(order, answer, now)

    def _done(self, order: RtspOrder, answer: RtspAnswer, now: float) -> RtspResponse:
        match order, answer:
            case AskProgram(request=request), Described() if request.method == "DESCRIBE":
                return self._describe(order, answer)
            case AskProgram(), Described() as described:
                return self._set_up(order, described.program, now)
            case PlayStream(session), Playing() as playing:
                session.playing = session.begun = True
                return _of_session(session, _played(session, playing))
            case PauseStream(session), Halted(at_ms):
                session.playing = False
                return _of_session(session, {"Range": npt(at_ms)})
        return _plain(RtspStatus.INTERNAL_SERVER_ERROR)

    def of_connection(self, connection: int) -> tuple[RtspSession, ...]:
        """The sessions that were set up over a connection."""
        return tuple(self._of_connection.get(connection, {}).values())

    def end(self, session: RtspSession) -> None:
        """A session is over."""
        self.sessions.pop(session.name, None)
        self._leave(session)

    def _leave(self, session: RtspSession) -> None:
        """It is its connection's no more."""
        of_connection = self._of_connection.get(session.connection, {})
        of_connection.pop(session.name, None)
        if not of_connection:
            self._of_connection.pop(session.connection, None)

    def heard(self, name: str, now: float) -> None:
        """Something else than a request was heard of the player of a session."""
        if session := self.sessions.get(name):
            session.heard_at = max(session.heard_at, now)

    def over(self, now: float) -> list[RtspSession]:
        """The sessions whose players have been silent for too long."""
        return [session for session in self.sessions.values() if now - session.heard_at > TIMEOUT_S]

    def lost(self, connection: int) -> list[RtspSession]:
        """A connection is closed; gives the sessions that end with it, for their streams went over it."""
        self._tokens.pop(connection, None)
        return [session for session in self.of_connection(connection) if session.transport.ports is None]

    def _session_of(self, request: RtspRequest, host: str) -> RtspSession | None:
        session = self.sessions.get(request.headers.get("session", "").partition(";")[0].strip())
        return session if session and session.host == host else None

    # What the methods mean

    def _options(self, _: RtspRequest, session: RtspSession | None, _connection: int, _host: str) -> RtspResponse:
        headers = {"Public": ", ".join(_METHODS), "Server": _SERVER}
        return _of_session(session, headers) if session else _plain(RtspStatus.OK, headers)

    def _ask(
        self, request: RtspRequest, session: RtspSession | None, connection: int, host: str
    ) -> RtspResponse | RtspOrder:
        """DESCRIBE and SETUP: is there such a program, and may the player have it?"""
        asked = asked_of(request.uri)
        if asked is None:
            return _plain(RtspStatus.NOT_FOUND)
        if request.method == "SETUP":
            if session and session.playing:
                return _plain(RtspStatus.METHOD_NOT_VALID_IN_THIS_STATE)
            if refused := self._refuse_transport(request, host):
                return refused
        tokens = self._tokens.setdefault(connection, {})
        shown = asked.token or bearer(request.headers.get("authorization", "")) or tokens.get(asked.program)
        if shown and (asked.program in tokens or len(tokens) < _TOKENS_MAX):
            tokens[asked.program] = shown
        return AskProgram(request, Asked(asked.program, shown), connection, host)

    def _refuse_transport(self, request: RtspRequest, host: str) -> RtspResponse | None:
        transport = transport_of(request.headers.get("transport", ""))
        if transport is None:
            return _plain(RtspStatus.UNSUPPORTED_TRANSPORT)
        if transport.destination not in (None, host) and not self._elsewhere:
            return _plain(RtspStatus.FORBIDDEN)
        return None

    def _play(
        self, request: RtspRequest, session: RtspSession | None, _connection: int, _host: str
    ) -> RtspResponse | RtspOrder:
        if session is None:
            return _plain(RtspStatus.SESSION_NOT_FOUND)
        scale = None
        wanted = NptRange(None, None)
        try:
            if text := request.headers.get("range"):
                wanted = range_of(text)
            if text := request.headers.get("scale"):
                scale = scale_of(text)
        except BadField:
            return _plain(RtspStatus.BAD_REQUEST)
        except UnknownUnit:
            return _plain(RtspStatus.NOT_IMPLEMENTED)
        if wanted.begins_ms is not None and wanted.ends_ms is not None and wanted.ends_ms <= wanted.begins_ms:
            return _plain(RtspStatus.INVALID_RANGE)
        return PlayStream(session, wanted.begins_ms, scale)

    def _pause(
        self, _: RtspRequest, session: RtspSession | None, _connection: int, _host: str
    ) -> RtspResponse | RtspOrder:
        if session is None:
            return _plain(RtspStatus.SESSION_NOT_FOUND)
        return PauseStream(session) if session.playing else _of_session(session)

    def _tell_parameter(
        self, request: RtspRequest, session: RtspSession | None, _connection: int, _host: str
    ) -> RtspResponse:
        """Without a parameter it says that somebody is there (10.8); there are none."""
        if request.body.strip():
            return _plain(RtspStatus.PARAMETER_NOT_UNDERSTOOD)
        if session is None and "session" in request.headers:
            return _plain(RtspStatus.SESSION_NOT_FOUND)
        return _of_session(session) if session else _plain(RtspStatus.OK)

    def _tear_down(
        self, _: RtspRequest, session: RtspSession | None, _connection: int, _host: str
    ) -> RtspResponse | RtspOrder:
        return EndSession(session) if session else _plain(RtspStatus.SESSION_NOT_FOUND)

    # How they are answered

    def _describe(self, order: AskProgram, described: Described) -> RtspResponse:
        program = order.asked.program
        if described.rtsp and described.rtsp != self._own:
            query = order.request.uri.partition("?")[2]
            location = f"rtsp://{described.rtsp}/programs/{program}" + (f"?{query}" if query else "")
            return _plain(RtspStatus.MOVED_TEMPORARILY, {"Location": location})
        headers = {
            "Content-Type": "application/sdp",
            "Content-Base": f"rtsp://{self._own}/programs/{program}/",
            "Server": _SERVER,
        }
        body = description_of(described.program, self._own.partition(":")[0])
        return RtspResponse(status=RtspStatus.OK, headers=headers, body=body)

    def _set_up(self, order: AskProgram, header: ProgramHeader, now: float) -> RtspResponse:
        transport = transport_of(order.request.headers.get("transport", ""))
        if transport is None:
            return _plain(RtspStatus.UNSUPPORTED_TRANSPORT)
        session = self._session_of(order.request, order.host)
        if session and session.program != order.asked.program:
            return _plain(RtspStatus.METHOD_NOT_VALID_IN_THIS_STATE)
        if session is None:
            of_host = sum(other.host == order.host for other in self.sessions.values())
            if len(self.sessions) >= SESSIONS_MAX or of_host >= SESSIONS_OF_A_HOST_MAX:
                return _plain(RtspStatus.NOT_ENOUGH_BANDWIDTH)
            session = RtspSession(
                name=f"{self._rng.getrandbits(96):024x}",
                header=header,
                token=order.asked.token,
                host=order.host,
                connection=order.connection,
                base=f"rtsp://{self._own}/programs/{order.asked.program}/",
                transport=transport,
                heard_at=now,
            )
            self.sessions[session.name] = session
        if session.begun and session.transport != transport:
            return _plain(RtspStatus.METHOD_NOT_VALID_IN_THIS_STATE)
        self._leave(session)
        session.transport, session.connection = transport, order.connection
        self._of_connection.setdefault(order.connection, {})[session.name] = session
        return _of_session(session, {"Transport": self._agreed(transport)})

    def _agreed(self, transport: RtspTransport) -> str:
        if transport.ports is None:
            return "RTP/AVP/TCP;unicast;interleaved={}-{}".format(*transport.channels)
        destination = f";destination={transport.destination}" if transport.destination else ""
        whence = f";source={self._source.host};server_port={self._source.port}-{self._source.port + 1}"
        return "RTP/AVP;unicast;client_port={}-{}".format(*transport.ports) + destination + whence

    _HANDLERS: ClassVar[Mapping[str, Callable[..., RtspResponse | RtspOrder]]] = MappingProxyType(
        {
            "OPTIONS": _options,
            "DESCRIBE": _ask,
            "SETUP": _ask,
            "PLAY": _play,
            "PAUSE": _pause,
            "GET_PARAMETER": _tell_parameter,
            "TEARDOWN": _tear_down,
        }
    )


_STATUSES: Mapping[Reason, RtspStatus] = MappingProxyType(
    {
        Reason.BAD_MESSAGE: RtspStatus.BAD_REQUEST,
        Reason.UNKNOWN_PROGRAM: RtspStatus.NOT_FOUND,
        Reason.NOT_PUBLISHED: RtspStatus.FORBIDDEN,
        Reason.NOT_ALLOWED: RtspStatus.FORBIDDEN,
        Reason.BAD_TICKET: RtspStatus.FORBIDDEN,
        Reason.WRONG_PROGRAM: RtspStatus.FORBIDDEN,
        Reason.WRONG_STATION: RtspStatus.FORBIDDEN,
        Reason.NOT_ENTITLED: RtspStatus.FORBIDDEN,
        Reason.NO_TOKEN: RtspStatus.UNAUTHORIZED,
        Reason.MALFORMED: RtspStatus.UNAUTHORIZED,
        Reason.BAD_ALGORITHM: RtspStatus.UNAUTHORIZED,
        Reason.UNKNOWN_KEY: RtspStatus.UNAUTHORIZED,
        Reason.WRONG_KEY: RtspStatus.UNAUTHORIZED,
        Reason.WRONG_ISSUER: RtspStatus.UNAUTHORIZED,
        Reason.EXPIRED: RtspStatus.UNAUTHORIZED,
        Reason.NOT_YET_VALID: RtspStatus.UNAUTHORIZED,
        Reason.NO_SUCH_RANGE: RtspStatus.INVALID_RANGE,
        Reason.AT_CAPACITY: RtspStatus.NOT_ENOUGH_BANDWIDTH,
        Reason.UNKNOWN_SESSION: RtspStatus.SESSION_NOT_FOUND,
        Reason.UNABLE: RtspStatus.UNSUPPORTED_TRANSPORT,
    }
)


def refusing(refused: Refused) -> RtspResponse:
    """A refusal, as a player hears it. What is not named here may pass: the player may ask again."""
    status = _STATUSES.get(refused.reason, RtspStatus.SERVICE_UNAVAILABLE)
    headers = {"WWW-Authenticate": "Bearer"} if status is RtspStatus.UNAUTHORIZED else {}
    if status is RtspStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": "1"}
    return RtspResponse(status=status, headers=headers)


def _plain(status: RtspStatus, headers: Mapping[str, str] | None = None) -> RtspResponse:
    return RtspResponse(status=status, headers=headers or {})


def _of_session(session: RtspSession, headers: Mapping[str, str] | None = None) -> RtspResponse:
    named = {"Session": f"{session.name};timeout={TIMEOUT_S}"}
    return RtspResponse(status=RtspStatus.OK, headers={**named, **(headers or {})})


def _played(session: RtspSession, playing: Playing) -> Mapping[str, str]:
    about = f"url={session.base}{STREAM};seq={playing.sequence};rtptime={playing.timestamp}"
    headers = {"Range": npt(playing.begins_ms), "RTP-Info": about}
    return {**headers, "Scale": f"{playing.scale}.0"}
