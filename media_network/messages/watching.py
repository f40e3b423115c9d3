"""How sessions and a station fare: asked by media consoles, and by whoever looks after the network."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId
from media_network.messages.verb import MIB, SHORT_BYTES_MAX, Caller, Verb
from media_network.segment_table import Segment
from media_network.trick import Trick
from media_network.word import Word

TURNS_TOLD_MAX = 32
"""So many turns a console is told at once."""


class SessionState(Word):
    """Life of a session."""

    REDIRECTED = "redirected"
    """The console has been told an engine; nothing has been sent yet."""
    STREAMING = "streaming"
    RESUMING = "resuming"
    """Nobody sends, for the sending engine was lost or made to stop; another is being found."""
    PAUSED = "paused"
    """Its console wants it so: no engine has the stream until it says that it goes on."""
    ENDED = "ended"
    UNKNOWN = "unknown"
    """A state of a newer director: it has not ended."""


class Watching(Struct, frozen=True, kw_only=True):
    """A console says that it is still there, and asks how its stream fares."""

    session: str
    known_turn: Count | None = None
    """The newest turn that it has been told; None: it has yet to be told one."""


class ProgramPoint(Struct, frozen=True, kw_only=True):
    """A place in a program: between two packets."""

    segment: Count
    """As many as there are: the end."""
    packet: Count
    """Of the segment; the first one after it."""
    packets: Count
    """Of the program, that lie before it."""
    at_ms: Count
    """When it is played, from the beginning of the program."""


class Jump(Struct, frozen=True, kw_only=True):
    """A console had its stream go on elsewhere in the program."""

    left: ProgramPoint
    """Where it stopped."""
    begins: ProgramPoint
    """Where it went on."""


class Served(Struct, frozen=True, kw_only=True):
    """One turn of a stream."""

    turn: Count
    segment: Segment
    packet: Count
    """Of the segment; the first one that was sent."""
    engine: str
    jump: Jump | None = None
    """None: it went on where the stream was."""
    trick: Trick | None = None
    """At which speed; None: the segment as it is."""


class StreamView(Struct, frozen=True, kw_only=True):
    """A stream as its console is told of it."""

    session: str
    state: SessionState
    engine: str | None
    """The one that streams, or streamed last; None: there was none."""
    served: tuple[Served, ...]
    """The turns after the one that the console knows, in order: the first `TURNS_TOLD_MAX` of them."""
    more: bool = False
    """Whether there are more: the console asks again at once."""
    missing: Count = 0
    """Turns between the one that the console knows and these that the director has not kept."""
    receiver_ms: Count | None = None
    """How long ago the receiver of an RTP stream has spoken; None: it has not, or it is no RTP stream."""


class AskDirector(Struct, frozen=True):
    """A console that has lost the director asks the engine that streams to it who directs now."""


class DirectorSeen(Struct, frozen=True, kw_only=True):
    """The director that an engine is enlisted with."""

    media: str | None
    """Its media address; None: none at present."""


class PresentTurn(Struct, frozen=True, kw_only=True):
    """The newest turn of a session, and where it began."""

    turn: Count
    segment: Count
    packet: Count


class SessionView(Struct, frozen=True, kw_only=True):
    """A session as its director sees it."""

    session: str
    program: ProgramId
    state: SessionState
    engine: str | None
    """Media address of the one that streams, or streamed last; None: there was none."""
    present: PresentTurn | None
    """None: nothing has been sent yet."""
    turns: Count
    """How many there have been."""


SESSIONS_SHOWN_MAX = 1000


class ListSessions(Struct, frozen=True, kw_only=True):
    """Ask for sessions in the order of their ids, a page of them."""

    after: str = ""
    """Those whose ids come after this one."""
    limit: Annotated[int, Meta(ge=1, le=SESSIONS_SHOWN_MAX)] = SESSIONS_SHOWN_MAX


class Sessions(Struct, frozen=True):
    """A page of the sessions of a station, the ended ones of the last minute included."""

    sessions: tuple[SessionView, ...]
    more: bool = False
    """There are others after the last one."""


class AskStation(Struct, frozen=True):
    """Ask for the station as its director sees it."""


class EngineView(Struct, frozen=True, kw_only=True):
    """An engine as its director sees it."""

    slot: int
    engine: str
    media: str
    """Its media address."""
    load_bps: Count
    capacity_bps: Count
    streams: Count
    segments: Count


class StationView(Struct, frozen=True, kw_only=True):
    """A station as its director sees it."""

    station: str
    epoch: Count
    engines: tuple[EngineView, ...]


WATCHING = Verb(
    "director/watching",
    Watching,
    StreamView,
    "A console is still there, and hears of the turns since (claim 17).",
    callers=(Caller.CONSOLE,),
    reads=True,
    reply_bytes_max=2 * SHORT_BYTES_MAX,  # every turn may be a jump
)

ASK_DIRECTOR = Verb(
    "engine/director",
    AskDirector,
    DirectorSeen,
    "A console that has lost the director asks an engine who directs now (claim 17).",
    callers=(Caller.CONSOLE,),
    reads=True,
)

LIST_SESSIONS = Verb(
    "director/sessions",
    ListSessions,
    Sessions,
    "The sessions of the station.",
    callers=(Caller.ANYBODY,),
    reads=True,
    reply_bytes_max=MIB,  # a page is 400 kB at most
)

ASK_STATION = Verb(
    "director/station",
    AskStation,
    StationView,
    "The station as its director sees it.",
    callers=(Caller.ANYBODY,),
    reads=True,
)
