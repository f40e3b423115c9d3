"""What a media director is told and asked: by the registry, other directors, its engines, and media consoles."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from media_network.messages.verb import Done, Verb
from media_network.program import Count, Program, ProgramId, Segment

# From the distribution center


class Obtain(Struct, frozen=True, kw_only=True):
    """Get a program to this station (claim 12). Said again until the registry knows it is all there."""

    program: Program
    source_station: str
    source_director: str
    """Address of whoever answers `LOCATE_SEGMENT` at the source."""
    copies: Annotated[int, Meta(ge=1, le=15)] = 2


class PublishProgram(Struct, frozen=True):
    """Start the service of a program (claim 11)."""

    program: Program


# From another director


class LocateSegment(Struct, frozen=True, kw_only=True):
    """Where in your station is this segment? (claim 12)."""

    program: ProgramId
    segment: Count


class SegmentLocation(Struct, frozen=True, kw_only=True):
    """The engine a copy can be fetched from, with the ticket it will ask for."""

    engine: str
    ticket: str


# From its engines


TICK_S = 0.04
"""Engines send their streams a tick at a time: what is due until the next one, no sooner and no faster."""


class StreamCursor(Struct, frozen=True, kw_only=True):
    """How far an engine has sent a stream: every packet before `packet` of `segment` has left."""

    session: str
    turn: Count
    segment: Count
    packet: Count
    reach: Count = 0
    """Until the next tick, nothing is sent from this packet on. May lie past the end of the segment. 0: not said."""
    tick_us: Count = 0
    """How long it is until the next tick."""


class TurnPhase(StrEnum):
    """Where a turn is at the engine that has it."""

    PRELOADED = "preloaded"
    """A console was redirected here for it, and has yet to ask."""
    SENDING = "sending"
    HANDING_OVER = "handing_over"
    """All of it has been sent; the next engine has been told to start, or is about to be."""
    STOPPED = "stopped"
    """It stopped short, and no director has heard of that yet."""


class RunningStream(Struct, frozen=True, kw_only=True):
    """All that an engine knows of a stream it has: enough for another director to go on with it."""

    cursor: StreamCursor
    phase: TurnPhase
    program: ProgramId
    console: str
    first_packet: Count
    """With which packet of the segment the turn began."""


class Enlist(Struct, frozen=True, kw_only=True):
    """An engine reports for duty with all it holds, and all it is at: its director may be a new one."""

    slot: Annotated[int, Meta(ge=1, le=32)]
    engine: str
    """Address of the engine."""
    boot: str
    """New at every start of the engine: a report of an earlier one is refused."""
    epoch: Count
    """Epoch of the director the engine was assigned to."""
    capacity_bps: Count
    inventory: dict[ProgramId, str]
    """Segments by program, as `segment_set` writes them."""
    streams: tuple[RunningStream, ...] = ()
    draining: bool = False
    """It takes nothing new: see `Report.draining`."""
    catalogue: str = ""
    """Digest of the program information that it keeps for its directors (`engine/catalogue`)."""


class Enlisted(Struct, frozen=True, kw_only=True):
    """What an engine needs to serve."""

    ticket_key: str
    """Hexadecimal; the key this director signs tickets with."""
    report_interval_ms: Annotated[int, Meta(ge=50, le=60_000)]
    lease_ms: Annotated[int, Meta(ge=100, le=600_000)]
    """How long after the last acknowledged report was sent the engine may go on streaming."""
    cursor_interval_ms: Count = 0
    """How often it reports while it streams; 0: as often as otherwise."""
    idle_interval_ms: Count = 0
    """How often it reports while there is nothing new to say; 0: as often as otherwise."""
    revoked: tuple[StreamCursor, ...] = ()
    """As in `Reported`."""
    clock_us: Count = 0
    """As in `Reported`."""


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
    free_bytes: Count = 0
    draining: bool = False
    """It takes no new turn, redirect, copy or preload as long as another engine can."""
    clock_us: Count = 0
    """The director's clock, as its last answer told it; 0: there was none."""
    since_us: Count = 0
    """How long ago that answer came: so this report was sent no earlier than at `clock_us` + `since_us`."""


class Reported(Struct, frozen=True):
    """What an engine learns when its report is heard."""

    revoked: tuple[StreamCursor, ...] = ()
    """Streams the director does not let go on: `session` and `turn` each."""
    clock_us: Count = 0
    """The director's own clock now, in microseconds; only to be said again to it."""
    alone: Count = 0
    """Segments that no other engine that stays holds; told to one that drains, and copied for it where they can be."""


class CopyResult(StrEnum):
    """How a fetch ended."""

    STORED = "stored"
    """The hash matched and the segment is durable."""
    SOURCE_LOST = "source_lost"
    """The source stopped answering, or does not have it."""
    HASH_MISMATCH = "hash_mismatch"
    NO_SPACE = "no_space"
    IO_ERROR = "io_error"


class CopyDone(Struct, frozen=True, kw_only=True):
    """An engine says how a copy ended (claims 12, 14, 20)."""

    engine: str
    boot: str
    program: ProgramId
    segment: Count
    result: CopyResult
    copied_bytes: Count
    detail: str = ""


class NextSegment(Struct, frozen=True, kw_only=True):
    """A streaming engine nears the end of its segment: what comes next, and where? (claim 16)."""

    session: str
    turn: Count
    segment: Count
    """The one being streamed."""
    packet: Count | None = None
    """To hand over within the segment, for the engine drains: the first packet that has not left yet."""
    failed: tuple[str, ...] = ()
    """Engines that were named for a next turn and certainly did not take it."""
    doubtful: str = ""
    """The engine whose answer to `START` is missing: it may have the stream, and the director has to find out."""


class HandOver(Struct, frozen=True, kw_only=True):
    """The next segment of a stream, and the engine that will send it."""

    turn: Count
    engine: str
    segment: Segment
    packet: Count = 0
    """It begins no earlier in the segment: `START` names the packet."""


class Next(Struct, frozen=True):
    """The hand-over to prepare, or none where the program ends."""

    hand_over: HandOver | None


class Assumed(Struct, frozen=True, kw_only=True):
    """An engine has assumed a stream (claim 16, last step)."""

    session: str
    turn: Count
    engine: str
    segment: Count
    packet: Count
    """The first one it sent."""


class StopCause(StrEnum):
    """Why a stream stopped."""

    END_OF_PROGRAM = "end_of_program"
    CEASED = "ceased"
    """The console ordered it (claim 17)."""
    LEASE_EXPIRED = "lease_expired"
    FAILED = "failed"


class Stopped(Struct, frozen=True, kw_only=True):
    """An engine has stopped a stream for good (claim 17)."""

    session: str
    turn: Count
    segment: Count
    packet: Count
    """The next one it would have sent."""
    cause: StopCause


# From media consoles


class Play(Struct, frozen=True, kw_only=True):
    """A console requests a program, to be pushed to it by UDP (claim 16, first step)."""

    program: ProgramId
    console: str
    """Where the datagrams shall go, `host:port`."""


class Redirect(Struct, frozen=True, kw_only=True):
    """The engine that holds the first segment, and what to show it."""

    session: str
    turn: Count
    engine: str
    ticket: str
    program: Program
    report_interval_ms: Annotated[int, Meta(ge=50, le=60_000)]
    """How often the console says that it is still there; after three silent intervals the session ends."""


class Watching(Struct, frozen=True, kw_only=True):
    """A console says that it is still there, and asks how its stream fares."""

    session: str


class SessionState(StrEnum):
    """Life of a session."""

    REDIRECTED = "redirected"
    """The console has been told an engine; nothing has been sent yet."""
    STREAMING = "streaming"
    RESUMING = "resuming"
    """The sending engine was lost; another is being found."""
    ENDED = "ended"


class Served(Struct, frozen=True, kw_only=True):
    """One turn of a stream."""

    turn: Count
    segment: Count
    packet: Count
    engine: str


class SessionView(Struct, frozen=True, kw_only=True):
    """A session as its director sees it."""

    session: str
    program: ProgramId
    state: SessionState
    engine: str
    """The one that streams, or streamed last."""
    served: tuple[Served, ...]
    """Every turn so far, in order."""


class ListSessions(Struct, frozen=True):
    """Ask which sessions there are."""


class Sessions(Struct, frozen=True):
    """The sessions of a station."""

    sessions: tuple[SessionView, ...]


class AskStation(Struct, frozen=True):
    """Ask for the station as its director sees it."""


class EngineView(Struct, frozen=True, kw_only=True):
    """An engine as its director sees it."""

    slot: int
    engine: str
    load_bps: Count
    capacity_bps: Count
    streams: Count
    segments: Count


class StationView(Struct, frozen=True, kw_only=True):
    """A station as its director sees it."""

    station: str
    epoch: Count
    engines: tuple[EngineView, ...]
    programs: dict[ProgramId, str]
    """Segments held by at least one live engine."""


OBTAIN = Verb("director/obtain", Obtain, Done, "The registry directs a seeking station to obtain a program (claim 12).")
PUBLISH_PROGRAM = Verb("director/publish", PublishProgram, Done, "Start the service of a program (claim 11).")
LOCATE_SEGMENT = Verb(
    "director/locate-segment", LocateSegment, SegmentLocation, "Where a segment is in the source station (claim 12)."
)
ENLIST = Verb("director/enlist", Enlist, Enlisted, "An engine reports for duty with its inventory.")
REPORT = Verb("director/report", Report, Reported, "An engine's load and the streams it sends.")
COPY_DONE = Verb("director/copy-done", CopyDone, Done, "An engine says how a copy ended (claims 12, 14, 20).")
NEXT_SEGMENT = Verb(
    "director/next-segment", NextSegment, Next, "A streaming engine asks for the next segment (claim 16)."
)
ASSUMED = Verb("director/assumed", Assumed, Done, "An engine has assumed a stream (claim 16).")
STOPPED = Verb("director/stopped", Stopped, Done, "An engine has stopped a stream (claim 17).")
PLAY = Verb("director/play", Play, Redirect, "A console requests a program and is redirected to an engine (claim 16).")
WATCHING = Verb("director/watching", Watching, SessionView, "A console is still there (claim 17).")
LIST_SESSIONS = Verb("director/sessions", ListSessions, Sessions, "The sessions of the station.")
ASK_STATION = Verb("director/station", AskStation, StationView, "The station as its director sees it.")
