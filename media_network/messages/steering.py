"""What a console wants of a stream that is pushed to it: that it pauses, goes on here, elsewhere or faster, or ends
(claims 17 and 21).

Each is shown the ticket of the redirect, or one that a director before signed. Said twice, it has one effect.
"""

from msgspec import Struct

from media_network.fields import Count, ProgramId, Sha256
from media_network.messages.verb import Caller, Done, Verb
from media_network.messages.watching import ProgramPoint, SessionState
from media_network.rtp import RtpPlace
from media_network.word import Word

PAUSE_S, PAUSE_S_MAX = 3600, 604_800
"""How long a stream may be paused where a station's settings say nothing, and what they may say: an hour, a week."""


class SeekStyle(Word):
    """Which random access point is meant, where there is none at the very moment; after RFC 7826, 18.47."""

    PRIOR = "prior"
    """The last one before it."""
    NEXT = "next"
    """The first one after it; the last of the program where none follows."""
    UNKNOWN = "unknown"
    """A style of a newer console: the point before is as good as any."""


class Pause(Struct, frozen=True, kw_only=True):
    """Send nothing more until the console says so; the answer comes when nothing more is sent."""

    session: str
    ticket: str


class Bookmark(Struct, frozen=True, kw_only=True):
    """All that another director has to know of a paused stream: no engine could tell it."""

    program: ProgramId
    table: Sha256
    """Of the cut that it is a stream of."""
    console: str
    """Where the datagrams go, `host:port`."""
    known_turn: Count
    """The newest turn that the console was told."""
    place: ProgramPoint
    """Where it goes on."""
    left: ProgramPoint | None = None
    """Where it stopped, if its console had it go on elsewhere since."""
    rtp: RtpPlace | None = None
    """As `Steered` told; None: it is no RTP stream."""


class Resume(Struct, frozen=True, kw_only=True):
    """Go on with the very packet that would have come next."""

    session: str
    ticket: str
    bookmark: Bookmark | None = None
    """For a director that does not know the session."""


class Seek(Struct, frozen=True, kw_only=True):
    """Go on at another moment of the program. A stream that is paused stays so, and goes on there when it does."""

    session: str
    ticket: str
    to_ms: Count
    """From the beginning of the program."""
    style: SeekStyle = SeekStyle.PRIOR
    bookmark: Bookmark | None = None
    """As in `Resume`."""


class Scale(Struct, frozen=True, kw_only=True):
    """Go on so many times as fast, or backwards, with key pictures alone (RFC 2326, 12.34); after a pause, too."""

    session: str
    ticket: str
    scale: float
    """A speed that there is not stands for the next one that there is; the answer says which is used."""


class EndStream(Struct, frozen=True, kw_only=True):
    """The console wants no more, wherever the stream is: a paused one is at no engine that could be told."""

    session: str
    ticket: str


class Steered(Struct, frozen=True, kw_only=True):
    """How a stream stands when what its console wanted has had its effect."""

    state: SessionState
    place: ProgramPoint | None
    """With what it goes on, or went on; None where the program has ended."""
    scale: int = 1
    """The speed that is used."""
    rtp: RtpPlace | None = None
    """The place in the RTP stream of what comes next, or went on there; None: it is none."""


PAUSE = Verb(
    "director/pause",
    Pause,
    Steered,
    "A console pauses its stream: no engine has it until it goes on (claim 17).",
    callers=(Caller.CONSOLE,),
)

RESUME = Verb(
    "director/resume",
    Resume,
    Steered,
    "A console has its paused stream go on where it stopped (claim 17).",
    callers=(Caller.CONSOLE,),
)

SEEK = Verb(
    "director/seek",
    Seek,
    Steered,
    "A console has its stream go on elsewhere in the program.",
    callers=(Caller.CONSOLE,),
)

SCALE = Verb(
    "director/scale",
    Scale,
    Steered,
    "A console has its stream go fast forward, backwards, or at its own speed (claim 21).",
    callers=(Caller.CONSOLE,),
)

END_STREAM = Verb(
    "director/end-stream",
    EndStream,
    Done,
    "A console wants no more of its stream, which may be paused (claim 17).",
    callers=(Caller.CONSOLE,),
)
