"""A pushed stream, from a console's request through turn after turn to its end (claims 16 and 17).

Pulled segments are resources, not messages: see `media_network.segment_url`.
"""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId, Rate, Sha256, TokenText
from media_network.messages.verb import KIB, Caller, Done, Verb
from media_network.program_header import HEADER_BYTES_MAX, ProgramHeader
from media_network.rtp import RtpPlace
from media_network.segment_table import Segment
from media_network.trick import Trick
from media_network.word import Word

Interval = Annotated[int, Meta(ge=50, le=60_000)]
"""How often something is said, in milliseconds."""


class StreamCursor(Struct, frozen=True, kw_only=True):
    """How far an engine has sent a stream: every packet before `packet` of `segment` has left."""

    session: str
    turn: Count
    segment: Count
    packet: Count
    reach: Count | None = None
    """Until the next tick, nothing is sent from this packet on. May lie past the end of the segment. None: not said."""
    tick_us: Count | None = None
    """How long it is until the next tick; None: not said."""


class Play(Struct, frozen=True, kw_only=True):
    """A console requests a program, to be pushed to it by UDP (claim 16, first step)."""

    program: ProgramId
    console: str
    """Where the datagrams shall go, `host:port`."""
    token: TokenText | None = None
    """Of the authentication server, where the station asks for one (claim 25)."""
    rtp: bool = False
    """As RTP, from the service address of the station; else each datagram is packets of the program and no more."""
    at_ms: Count = 0
    """Where in the program it begins: at the last random access point before, or there."""


class Describe(Struct, frozen=True, kw_only=True):
    """A blade, or a console, asks about a program before it has it sent: by RTSP, a player's first request."""

    program: ProgramId
    token: TokenText | None = None
    """As in `Play`."""
    rtsp: str | None = None
    """Where the player has asked, `host:port`; None: not by RTSP."""


class Described(Struct, frozen=True, kw_only=True):
    """A program that the console may have."""

    program: ProgramHeader
    rtsp: str | None = None
    """The blade that a player should ask by RTSP from now on, `host:port`; None: none, or where it has asked."""


class Redirect(Struct, frozen=True, kw_only=True):
    """The engine that holds the first segment, and what to show it."""

    session: str
    turn: Count
    engine: str
    """Its media address."""
    ticket: str
    program: ProgramHeader
    first: Segment
    """With which the stream begins; the others are described as their turns come (`WATCHING`)."""
    before: Count = 0
    """Packets of the program that lie before it."""
    rtp: RtpPlace | None = None
    """The place of that segment in the RTP stream; None: it is none."""
    report_interval_ms: Interval
    """How often the console says that it is still there; after three silent intervals the session ends."""


class Stream(Struct, frozen=True, kw_only=True):
    """A console, redirected here, requests its first segment (claim 16)."""

    session: str
    turn: Count
    ticket: str


class Preload(Struct, frozen=True, kw_only=True):
    """Get ready to stream this segment: you are next, or first (claim 16)."""

    epoch: Count
    session: str
    turn: Count
    program: ProgramId
    table: Sha256
    """Of the cut that the segment belongs to."""
    segment: Segment
    rate_bps: Rate
    console: str
    """Where the datagrams shall go, `host:port`."""
    packet: Count = 0
    """It will begin about here."""
    redirected: bool = False
    """The console is redirected here, and will ask for it itself."""
    trick: Trick | None = None
    """At which speed it goes; None: the segment as it is."""
    rtp: RtpPlace | None = None
    """Where the turn stands in its RTP stream; None: it is none."""

    @property
    def packets(self) -> int:
        """How many packets the turn has."""
        return self.trick.packets if self.trick else self.segment.packets


class Ready(Struct, frozen=True, kw_only=True):
    """Preloaded. After `valid_ms` it lapses: a start that comes later is refused."""

    valid_ms: Annotated[int, Meta(gt=0)]


class Start(Struct, frozen=True, kw_only=True):
    """Assume the stream with this very packet: the one before it has been sent (claim 16)."""

    epoch: Count
    session: str
    turn: Count
    packet: Count
    """Of the preloaded segment."""
    due_in_us: Count = 0
    """When the packet is due, counted from the arrival of this message."""


class Underrun(Struct, frozen=True, kw_only=True):
    """A stream is going to be faster than the segment that it is read from arrives (claim 21)."""

    packet: Count
    """Of the segment; the first one that will not be here when it is due."""
    in_ms: Count
    """How long it is until then."""


class NextSegment(Struct, frozen=True, kw_only=True):
    """A streaming engine nears the end of its segment: what comes next, and where? (claim 16)."""

    session: str
    turn: Count
    segment: Count
    """The one being streamed."""
    packet: Count | None = None
    """The first one that has not left yet, to hand over within the segment; None: to hand over at its end."""
    underrun: Underrun | None = None
    """What is foreseen: whoever goes on has to have the whole segment (claim 21). None: nothing."""
    failed: tuple[str, ...] = ()
    """Engines that were named for a next turn and certainly did not take it."""
    doubtful: str | None = None
    """The engine whose answer to `START` is missing: it may have the stream, and the director has to find out."""
    number: Count = 0
    """Counts the questions of this turn: of one that comes late nothing follows any more."""


class Exchange(Struct, frozen=True, kw_only=True):
    """A stream that goes the other way when one is swapped: its engine has no room for both (claim 22)."""

    session: str
    turn: Count
    """The one that is being sent there."""
    next_turn: Count
    """The one in which the engine that swaps goes on with it."""


class HandOver(Struct, frozen=True, kw_only=True):
    """The next segment of a stream, and the engine that will send it."""

    turn: Count
    engine: str
    segment: Segment
    packet: Count = 0
    """It begins no earlier in the segment: `START` names the packet."""
    exchange: Exchange | None = None
    """What that engine gives for it; None: it has room."""
    trick: Trick | None = None
    """As in `Preload`."""
    rtp: RtpPlace | None = None
    """As in `Preload`."""


class Next(Struct, frozen=True):
    """The hand-over to prepare, or none where the program ends."""

    hand_over: HandOver | None


class Swap(Struct, frozen=True, kw_only=True):
    """Get ready to stream this in my place, for you have the whole segment (claim 21). `START` follows, or nothing."""

    engine: str
    """Address of the engine that asks."""
    preload: Preload
    """The stream, and the console that it goes to."""
    exchange: Exchange | None = None
    """What is to be given for it, as soon as this stream begins there (claim 22)."""


class Swapped(Struct, frozen=True, kw_only=True):
    """Preloaded, as `Ready` says."""

    valid_ms: Annotated[int, Meta(gt=0)]
    returned: Preload | None = None
    """The stream that is given for it, and its console: whoever asked gets ready for it before it says `START`."""


class Assumed(Struct, frozen=True, kw_only=True):
    """An engine has assumed a stream (claim 16, last step)."""

    session: str
    turn: Count
    engine: str
    segment: Count
    packet: Count
    """The first one it sent."""


class StopCause(Word):
    """Why a stream stopped."""

    END_OF_PROGRAM = "end_of_program"
    CEASED = "ceased"
    """The console ordered it (claim 17)."""
    LEASE_EXPIRED = "lease_expired"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """A cause of a newer party: the stream has ended, so that nobody resumes it beside somebody else."""


class Stopped(Struct, frozen=True, kw_only=True):
    """An engine has stopped a stream for good (claim 17)."""

    session: str
    turn: Count
    segment: Count
    packet: Count
    """The next one it would have sent."""
    cause: StopCause


class Cease(Struct, frozen=True, kw_only=True):
    """Send nothing more of this session in any turn up to `turn`, now or later."""

    session: str
    turn: Count
    cause: StopCause = StopCause.CEASED
    epoch: Count | None = None
    """Of the director that orders it: one that has been replaced is refused. A console says none."""


class Ceased(Struct, frozen=True):
    """Where the stream stood, or None if this engine, since its boot, never sent any of it."""

    boot: str
    cursor: StreamCursor | None


PLAY = Verb(
    "director/play",
    Play,
    Redirect,
    "A console requests a program and is redirected to an engine (claim 16).",
    callers=(Caller.CONSOLE,),
    reply_bytes_max=HEADER_BYTES_MAX + KIB,
)

DESCRIBE = Verb(
    "director/describe",
    Describe,
    Described,
    "A console asks about a program, and which blade answers it by RTSP.",
    callers=(Caller.CONSOLE,),
    reads=True,
    reply_bytes_max=HEADER_BYTES_MAX + KIB,
)

STREAM = Verb(
    "engine/stream",
    Stream,
    Done,
    "A console requests its first segment from an engine (claim 16).",
    callers=(Caller.CONSOLE,),
)

PRELOAD = Verb(
    "engine/preload",
    Preload,
    Ready,
    "An engine is notified to preload the next segment (claim 16).",
    callers=(Caller.DIRECTOR, Caller.ENGINE),
)

START = Verb(
    "engine/start",
    Start,
    Done,
    "The next engine is directed to start streaming (claim 16).",
    callers=(Caller.DIRECTOR, Caller.ENGINE),
)

SWAP = Verb(
    "engine/swap",
    Swap,
    Swapped,
    "An engine that foresees an underrun asks one that has the whole segment to take its place (claims 21, 22).",
    callers=(Caller.ENGINE,),
)

NEXT_SEGMENT = Verb(
    "director/next-segment",
    NextSegment,
    Next,
    "A streaming engine asks for the next segment (claim 16).",
    callers=(Caller.ENGINE,),
)

ASSUMED = Verb(
    "director/assumed", Assumed, Done, "An engine has assumed a stream (claim 16).", callers=(Caller.ENGINE,)
)

STOPPED = Verb(
    "director/stopped", Stopped, Done, "An engine has stopped a stream (claim 17).", callers=(Caller.ENGINE,)
)

CEASE = Verb(
    "engine/cease",
    Cease,
    Ceased,
    "A console, or the director, orders a stream to cease (claim 17).",
    callers=(Caller.CONSOLE, Caller.DIRECTOR),
)
