"""What a media engine is told: by its director, by the engine that streams before it, and by media consoles.

Segments themselves are resources, not messages: `GET /segments/<program>/<number>.ts?ticket=...`, with Range.
"""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.messages.director import StopCause, StreamCursor
from media_network.messages.verb import Done, Verb
from media_network.program import Count, ProgramId, Segment


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


class Ceased(Struct, frozen=True):
    """Where the stream stood, or None if this engine, since its boot, never sent any of it."""

    boot: str
    cursor: StreamCursor | None


FETCH = Verb("engine/fetch", Fetch, Done, "The director directs an engine to fetch a segment (claims 12, 14, 19).")
STREAM = Verb("engine/stream", Stream, Done, "A console requests its first segment from an engine (claim 16).")
PRELOAD = Verb("engine/preload", Preload, Ready, "An engine is notified to preload the next segment (claim 16).")
START = Verb("engine/start", Start, Done, "The next engine is directed to start streaming (claim 16).")
CEASE = Verb("engine/cease", Cease, Ceased, "A console, or the director, orders a stream to cease (claim 17).")
