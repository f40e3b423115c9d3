"""An engine on duty: what it tells its director of itself and of its streams, again and again."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId, Sha256
from media_network.messages.holdings import Holdings
from media_network.messages.streaming import Interval, StreamCursor
from media_network.messages.verb import MIB, STREAMS_BYTES_MAX, Caller, Done, Verb
from media_network.rtp import RECEPTIONS_MAX, Reception, RtpPlace
from media_network.trick import Trick
from media_network.word import Word


class TurnPhase(Word):
    """Where a turn is at the engine that has it."""

    PRELOADED = "preloaded"
    """A console was redirected here for it, and has yet to ask."""
    SENDING = "sending"
    HANDING_OVER = "handing_over"
    """All of it has been sent; the next engine has been told to start, or is about to be."""
    STOPPED = "stopped"
    """It stopped short, and no director has heard of that yet."""
    UNKNOWN = "unknown"
    """A phase of a newer engine: it may be sending, or another by now, as when it is handing over."""


class RunningStream(Struct, frozen=True, kw_only=True):
    """All that an engine knows of a stream it has: enough for another director to go on with it."""

    cursor: StreamCursor
    phase: TurnPhase
    program: ProgramId
    table: Sha256
    """Of the cut that it is a stream of."""
    console: str
    first_packet: Count
    """With which packet of the segment the turn began."""
    trick: Trick | None = None
    """As in `Preload`."""
    rtp: RtpPlace | None = None
    """As in `Preload`."""


class Enlist(Struct, frozen=True, kw_only=True):
    """An engine reports for duty with what it holds, and all it is at: its director may be a new one."""

    slot: Annotated[int, Meta(ge=1, le=32)]
    engine: str
    """Address of the engine."""
    media: str
    """Its media address."""
    rtsp: str | None = None
    """Where players speak RTSP to it; None: nowhere."""
    boot: str
    """New at every start of the engine: a report of an earlier one is refused."""
    epoch: Count
    """Epoch of the director the engine was assigned to."""
    capacity_bps: Count
    holdings: Holdings
    """The first page of what it holds; the director asks on (`engine/holdings`)."""
    streams: tuple[RunningStream, ...] = ()
    draining: bool = False
    """It takes nothing new: see `Report.draining`."""
    heard: Count = 0
    """It knows all changes of the catalogue up to this number (`engine/changes`)."""
    newest: Count = 0
    """Number of the newest change that it knows."""
    ticket_keys: Annotated[tuple[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")], ...], Meta(max_length=4)] = ()
    """Hexadecimal; those it takes tickets of. What a director before this one has promised to viewers holds."""


class StationHosts(Struct, frozen=True, kw_only=True):
    """The hosts of a station's blades, as its chassis manager sees them: others are no engines."""

    version: Count
    """Grows with each change in a director's term."""
    hosts: tuple[str, ...]


class Enlisted(Struct, frozen=True, kw_only=True):
    """What an engine needs to serve."""

    ticket_key: str
    """Hexadecimal; the key this director signs tickets with."""
    media: str
    """Media address of the director: players that ask an engine for a playlist are sent there."""
    report_interval_ms: Interval
    lease_ms: Annotated[int, Meta(ge=100, le=600_000)]
    """How long after the last acknowledged report was sent the engine may go on streaming."""
    cursor_interval_ms: Interval | None = None
    """How often it reports while it streams; None: as often as otherwise."""
    idle_interval_ms: Interval | None = None
    """How often it reports while there is nothing new to say; None: as often as otherwise."""
    revoked: tuple[StreamCursor, ...] = ()
    """As in `Reported`."""
    blades: StationHosts | None = None
    """Whom to hear as engines of the station; None: the director does not say."""
    clock_us: Count | None = None
    """As in `Reported`."""
    token_keys: Annotated[str, Meta(max_length=4096)] = ""
    """A JWKS (RFC 7517) of what this director signs engine tokens with (claims 26, 27); empty: it issues none."""


class Report(Struct, frozen=True, kw_only=True):
    """An engine's load and the streams it sends; renews its enlistment and the leases of its streams."""

    engine: str
    boot: str
    epoch: Count
    streams: tuple[StreamCursor, ...] = ()
    push_bps: Count = 0
    """What the streams send at present."""
    pull_bps: Count = 0
    """What consoles and other engines fetched, over the last interval."""
    free_bytes: Count | None = None
    """Room for segments; 0: full, None: not known yet."""
    stored_bytes: Count | None = None
    """What segments take there; None: not known."""
    draining: bool = False
    """It takes no new turn, redirect, copy or preload as long as another engine can."""
    received: Annotated[tuple[Reception, ...], Meta(max_length=RECEPTIONS_MAX)] = ()
    """What consoles have said of RTP streams, to whichever blade that came."""
    clock_us: Count | None = None
    """The director's clock, as its last answer told it; None: there was none."""
    blades: Count | None = None
    """The version of `StationHosts` that the engine knows of this director; None: it knows none."""
    since_us: Count | None = None
    """How long ago that answer came: so this report was sent no earlier than at `clock_us` + `since_us`."""


class Reported(Struct, frozen=True):
    """What an engine learns when its report is heard."""

    revoked: tuple[StreamCursor, ...] = ()
    """Streams the director does not let go on: `session` and `turn` each."""
    clock_us: Count | None = None
    """The director's own clock now, in microseconds; only to be said again to it. None: not said."""
    blades: StationHosts | None = None
    """None: as the engine knows them."""
    alone: Count = 0
    """Segments that no other engine that stays holds; told to one that drains, and copied for it where they can be."""


class Attend(Struct, frozen=True, kw_only=True):
    """Be on the line: not answered before the engine leaves its duty.

    So the connection breaks at the moment at which its process dies, and the director need not wait for a report.
    """

    epoch: Count
    boot: str


ENLIST = Verb(
    "director/enlist",
    Enlist,
    Enlisted,
    "An engine reports for duty with what it holds, and all it is at.",
    callers=(Caller.ENGINE,),
    request_bytes_max=4 * MIB,
    reply_bytes_max=STREAMS_BYTES_MAX,
)

REPORT = Verb(
    "director/report",
    Report,
    Reported,
    "An engine's load and the streams it sends.",
    callers=(Caller.ENGINE,),
    request_bytes_max=STREAMS_BYTES_MAX,
    reply_bytes_max=STREAMS_BYTES_MAX,
)

ATTEND = Verb(
    "engine/attend",
    Attend,
    Done,
    "The director stays on the line with an engine.",
    callers=(Caller.DIRECTOR,),
    reads=True,
)
