"""How a program gets to a station: who has a segment, and fetching it from there (claims 12 to 14, 19, 20)."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId, Rate, Sha256, TokenText
from media_network.messages.holdings import COPIES_MAX
from media_network.messages.verb import KIB, Caller, Done, Verb
from media_network.program_header import HEADER_BYTES_MAX, ProgramHeader
from media_network.segment_table import SEGMENTS_MAX, Segment, table_bytes
from media_network.word import Word


class Obtain(Struct, frozen=True, kw_only=True):
    """Get a program to this station (claim 12). Said again until the registry knows it is all there."""

    header: ProgramHeader
    parts: str
    """Media address where the segment table is."""
    source_station: str
    source_director: str
    """Address of whoever answers `LOCATE_SEGMENT` at the source."""
    copies: Annotated[int, Meta(ge=1, le=COPIES_MAX)] = 2
    rate_bps: Rate | None = None
    """What the copies that this makes may take together, on average; None: whatever there is."""


class Obstacle(Word):
    """What is in the way of a program that a station is to obtain."""

    NO_SPACE = "no_space"
    """No engine has room for what is missing."""
    NO_ENGINE = "no_engine"
    """No engine is in service."""
    SOURCE_LOST = "source_lost"
    """The source does not say where it is, or does not give it."""
    NOT_STORED = "not_stored"
    """The engines tried, and could not."""
    UNKNOWN = "unknown"


class ObtainStanding(Struct, frozen=True, kw_only=True):
    """The order is being carried out; what was in the way of it so far, so that whoever ordered can say it."""

    obstacle: Obstacle | None = None
    needs_bytes: Count = 0
    """Of the segments that no engine of the station holds."""
    free_bytes: Count = 0
    """The largest room that one engine has."""
    detail: str | None = None
    """For a person."""


class LocateSegment(Struct, frozen=True, kw_only=True):
    """Where in your station is this segment? (claim 12)."""

    program: ProgramId
    table: Sha256
    segment: Count


class SegmentLocation(Struct, frozen=True, kw_only=True):
    """Where a copy can be fetched, with the ticket that is asked for there."""

    media: str
    """Media address of the engine that has it."""
    ticket: str
    control: str = ""
    """Address of that engine, where it gives the copy over TLS for an engine token; empty: it asks for none, and gives
    it at its media address."""


class RequestEngineToken(Struct, frozen=True, kw_only=True):
    """An engine of this station is to copy that from one of yours: supply the token that it shows (claims 26, 27)."""

    program: ProgramId
    table: Sha256
    segment: Count
    certificate: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]
    """By which the receiving engine shows who it is: its SHA-256 in base64url (`x5t#S256`, RFC 8705)."""


class EngineToken(Struct, frozen=True):
    """The second security token of claims 26 and 27."""

    token: TokenText


class Fetch(Struct, frozen=True, kw_only=True):
    """Copy a segment from the engine at `source` (claim 12). Answered at once; `COPY_DONE` says how it ended."""

    epoch: Count
    program: ProgramId
    segment: Segment
    table: Sha256
    """Digest of the program's segment table: who holds any of a program has that, too."""
    table_bytes: Annotated[int, Meta(gt=0, le=table_bytes(SEGMENTS_MAX))]
    parts: str
    """Media address where the table is."""
    source: str
    """Media address of the engine that has the segment."""
    ticket: str
    control: str = ""
    """Address of that engine, where the segment is fetched over TLS; empty: it is fetched at `source`."""
    token: TokenText = ""
    """What is shown there, beside the ticket, with each request for the copy (claims 26, 27)."""
    on_demand: bool = False
    """Somebody waits for it (claim 14): it waits for no other copy, and is given out as it arrives."""


class CopyResult(Word):
    """How a fetch ended."""

    STORED = "stored"
    """The hash matched and the segment is durable."""
    SOURCE_LOST = "source_lost"
    """The source stopped answering, or does not have it."""
    HASH_MISMATCH = "hash_mismatch"
    NO_SPACE = "no_space"
    IO_ERROR = "io_error"
    GIVEN_UP = "given_up"
    """Its program was withdrawn, is another now, or is being deleted at this engine."""
    UNKNOWN = "unknown"
    """A result of a newer engine: not stored, as far as is known."""


class CopyDone(Struct, frozen=True, kw_only=True):
    """An engine says how a copy ended (claims 12, 14, 20)."""

    engine: str
    boot: str
    program: ProgramId
    table: Sha256
    segment: Count
    result: CopyResult
    copied_bytes: Count
    detail: str | None = None
    """For a person: why it failed."""


OBTAIN = Verb(
    "director/obtain",
    Obtain,
    ObtainStanding,
    "The registry directs a seeking station to obtain a program (claim 12).",
    callers=(Caller.CENTER,),
    request_bytes_max=HEADER_BYTES_MAX + KIB,
)

LOCATE_SEGMENT = Verb(
    "director/locate-segment",
    LocateSegment,
    SegmentLocation,
    "Where a segment is in the source station (claim 12).",
    callers=(Caller.DIRECTOR,),
    reads=True,
)

REQUEST_ENGINE_TOKEN = Verb(
    "director/engine-token",
    RequestEngineToken,
    EngineToken,
    "A seeking director requests the token that an authenticated engine of its copies with (claims 26, 27).",
    callers=(Caller.DIRECTOR,),
    reads=True,
)

FETCH = Verb(
    "engine/fetch",
    Fetch,
    Done,
    "The director directs an engine to fetch a segment (claims 12, 14, 19).",
    callers=(Caller.DIRECTOR,),
)

COPY_DONE = Verb(
    "director/copy-done",
    CopyDone,
    Done,
    "An engine says how a copy ended (claims 12, 14, 20).",
    callers=(Caller.ENGINE,),
)
