"""What a media engine is told: by its director, by the engine that streams before it, and by media consoles.

Segments themselves are resources, not messages: `GET /segments/<program>/<number>.ts?ticket=...`, with Range.
"""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.messages.director import StopCause, StreamCursor
from media_network.messages.verb import Done, Verb
from media_network.program import Count, Program, ProgramId, Segment


class Fetch(Struct, frozen=True, kw_only=True):
    """Copy a segment from the engine at `source` (claim 12). Answered at once; `COPY_DONE` says how it ended."""

    epoch: Count
    program: ProgramId
    segment: Segment
    source: str
    ticket: str


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
    segment: Segment
    rate_bps: Annotated[int, Meta(gt=0)]
    console: str
    """Where the datagrams shall go, `host:port`."""
    packet: Count = 0
    """It will begin about here."""


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


class Attend(Struct, frozen=True, kw_only=True):
    """Be on the line: not answered before the engine leaves its duty.

    So the connection breaks at the moment at which its process dies, and the director need not wait for a report.
    """

    epoch: Count
    boot: str


class AskCatalogue(Struct, frozen=True):
    """Ask which program information an engine keeps."""


class KeptCatalogue(Struct, frozen=True):
    """What an engine keeps, for a director that has lost its own and finds the center away."""

    programs: dict[ProgramId, str]
    """Digest of the program information, by program."""


class AskProgram(Struct, frozen=True):
    """Ask for the program information that an engine keeps."""

    program: ProgramId


class KeepProgram(Struct, frozen=True, kw_only=True):
    """Keep program information, durably: this engine's blade may be the next director's."""

    epoch: Count
    program: Program


FETCH = Verb("engine/fetch", Fetch, Done, "The director directs an engine to fetch a segment (claims 12, 14, 19).")
STREAM = Verb("engine/stream", Stream, Done, "A console requests its first segment from an engine (claim 16).")
PRELOAD = Verb("engine/preload", Preload, Ready, "An engine is notified to preload the next segment (claim 16).")
START = Verb("engine/start", Start, Done, "The next engine is directed to start streaming (claim 16).")
CEASE = Verb("engine/cease", Cease, Ceased, "A console, or the director, orders a stream to cease (claim 17).")
ATTEND = Verb("engine/attend", Attend, Done, "The director stays on the line with an engine.")
ASK_CATALOGUE = Verb("engine/catalogue", AskCatalogue, KeptCatalogue, "The program information that an engine keeps.")
ASK_PROGRAM = Verb("engine/program", AskProgram, Program, "Program information that an engine keeps.")
KEEP_PROGRAM = Verb("engine/keep-program", KeepProgram, Done, "An engine keeps program information for its directors.")
