"""What a person, through a command, orders of the distribution center."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId, Rate, Sentence, Sha256, StationText, Token
from media_network.messages.holdings import COPIES_MAX
from media_network.messages.verb import KIB, MIB, Caller, Done, Verb
from media_network.program_header import Milliseconds, StreamOrigin
from media_network.word import Word

INGESTS_SHOWN_MAX = 256
STATIONS_ORDERED_MAX = 10_000
STATIONS_TOLD_MAX = 16
PROGRAM_ROW_BYTES_MAX = 128 * KIB
"""A header's facts, 64 KiB at most, and stations, with a sentence for some of them."""


class Ingest(Struct, frozen=True, kw_only=True):
    """Bring a program from a file or URL to the home media station (claim 11)."""

    source: str
    """Absolute path on the center's machine, or a URL of one of its providers."""
    title: str | None = None
    """None: taken from the name of the source."""
    segment_ms: Annotated[int, Meta(ge=200, le=60_000)] = 2000
    """Length to aim at: segments begin where the film lets them."""
    longest_segment_ms: Annotated[int, Meta(ge=200, le=120_000)] | None = None
    """Groups of pictures up to this are copied. None: six times `segment_ms`, and at most what the center is set to."""
    ingest: Token | None = None
    """Its number, chosen by who orders it: said again, also to a center that has started anew, it is the same ingest;
    how it ended is kept until that is acknowledged. None: the center chooses."""


class IngestStage(Word):
    """Where an ingest is. `DONE`, `FAILED` and `CANCELLED` are final."""

    WAITING = "waiting"
    """For others, of which a few are carried out at once."""
    DOWNLOADING = "downloading"
    CONVERTING = "converting"
    STORING = "storing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A stage of a newer center: it is not over yet."""


class IngestProgress(Struct, frozen=True, kw_only=True):
    """How far an ingest is."""

    ingest: str
    stage: IngestStage
    fraction: Annotated[float, Meta(ge=0, le=1)]
    """Of the stage."""
    program: ProgramId | None = None
    """Known from the end of converting on."""
    error: str | None = None
    """One sentence, when the stage is `failed`; or why something stays of one that was cancelled."""
    remaining_s: Count | None = None
    """So long does the stage still take, as it went of late; None: nobody can say."""
    received_bytes: Count | None = None
    """Of its film, if that is downloaded."""
    length_bytes: Count | None = None
    """Of its film, if it is downloaded and its provider says so."""

    @property
    def is_over(self) -> bool:
        """Whether its stage is final."""
        return self.stage in (IngestStage.DONE, IngestStage.FAILED, IngestStage.CANCELLED)


class AskIngest(Struct, frozen=True):
    """Ask how far an ingest is."""

    ingest: str


class CancelIngest(Struct, frozen=True):
    """End an ingest; nothing of it stays."""

    ingest: str


class AcknowledgeIngest(Struct, frozen=True):
    """Who has chosen an ingest's number knows how it ended: it need not be kept any more."""

    ingest: Token


class TakeBackIngest(Struct, frozen=True):
    """Who has chosen an ingest's number takes it back: it ends, or is never begun, though the order may come later."""

    order: Ingest
    """As it was said, or would have been."""


class ListIngests(Struct, frozen=True):
    """Ask for the ingests of late, the oldest first, a page of them."""

    after: str | None = None
    """The last one of the page before: those that were ordered after it. None: from the oldest on."""


class IngestRow(Struct, frozen=True, kw_only=True):
    """An ingest, as it was ordered and as it is."""

    progress: IngestProgress
    source: str
    title: str | None
    """As ordered; None: taken from the name of the source."""
    begun_at_s: float
    """When it was ordered, in seconds since 1970."""


class Ingests(Struct, frozen=True):
    """A page of those that are not over, and the latest that are: `INGESTS_SHOWN_MAX` in all unless more are under
    way."""

    ingests: tuple[IngestRow, ...]
    more: bool = False
    """There are others, ordered after the last one."""


class Distribute(Struct, frozen=True, kw_only=True):
    """Bring a program to stations, and keep it there (claim 11: distribution parameters).

    The order stands until the program is withdrawn, or another order takes its place.
    """

    program: ProgramId
    stations: Annotated[tuple[StationText, ...], Meta(min_length=1, max_length=STATIONS_ORDERED_MAX)]
    copies: Annotated[int, Meta(ge=1, le=COPIES_MAX)] = 2
    """On how many engines of each station a segment shall be, or on all where a station has fewer."""
    rate_bps: Rate | None = None
    """What copying for it may take at each station; None: whatever there is."""


class Publish(Struct, frozen=True):
    """Start the service of a program at all stations (claim 11)."""

    program: ProgramId
    at_ms: Milliseconds | None = None
    """It is in service from then on, at every station by itself; None: from now on."""
    until_ms: Milliseconds | None = None
    """It is not in service from then on; None: as it is."""


class Withdraw(Struct, frozen=True):
    """Remove a program from everywhere; its name can be used again."""

    program: ProgramId


PROGRAMS_SHOWN_MAX = 100


class ProgramState(Word):
    """Life of a program (claim 11): docs/operations/center.md has the table."""

    ANNOUNCED = "announced"
    """Its metadata are known, and nothing of its film is here."""
    DOWNLOADING = "downloading"
    """Its film is fetched, and made into a program."""
    STORED = "stored"
    """It is a program, which the home media station is taking."""
    INACTIVE = "inactive"
    """The home media station holds it, and it is in service nowhere."""
    DISTRIBUTING = "distributing"
    """It is ordered to stations that do not hold all of it yet."""
    READY = "ready"
    """They hold it, and its time has not come."""
    PUBLISHED = "published"
    """In service: directors redirect consoles to it."""
    EXPIRING = "expiring"
    """Its window has ended: who is watching sees it to its end."""
    WITHDRAWN = "withdrawn"
    """It is no more; a station that is away may still hold something of it."""
    DELETED = "deleted"
    """Nobody holds anything of it."""
    UNKNOWN = "unknown"
    """A state of a newer party: not in service here."""


class ListPrograms(Struct, frozen=True, kw_only=True):
    """Ask for programs by name, a page of them."""

    after: str = ""
    """Those whose names come after this one."""
    search: Annotated[str, Meta(max_length=200)] = ""
    """Only those with this in their name or title, whatever the case."""
    state: ProgramState | None = None
    """Only those in this state; None: in any, but for `withdrawn` and `deleted`, which are programs no more."""
    station: StationText | None = None
    """Only those of which this station holds something."""
    limit: Annotated[int, Meta(ge=1, le=PROGRAMS_SHOWN_MAX)] = PROGRAMS_SHOWN_MAX
    only: Annotated[tuple[ProgramId, ...], Meta(max_length=PROGRAMS_SHOWN_MAX)] = ()
    """Of these alone, in their order, whatever else is asked; none: of all."""


class AskProgramRow(Struct, frozen=True):
    """Ask how a program is, and where."""

    program: ProgramId


class ProgramRow(Struct, frozen=True, kw_only=True):
    """A program, at how many stations it is, and how much of it some of them hold: `content/places` has all."""

    program: ProgramId
    title: str
    state: ProgramState
    sha256: Sha256 | None
    """None: it was withdrawn by an earlier release, which has not kept it."""
    segments: Count
    bytes: Count
    duration_ms: Count
    stations: dict[str, Count]
    """Segments present, by station: the home station, those with orders that are not carried out, those that hold
    least of it; `STATIONS_TOLD_MAX` of them at most. Of what is withdrawn: some of those that may still hold it."""
    holding: Count
    """Stations that hold some of it."""
    whole: Count
    """Stations that hold all of it."""
    to_be_carried_out: tuple[str, ...] = ()
    """The first stations, by name, whose orders are not carried out, or not any more: copies are being made, or
    something is in the way."""
    obstacles: dict[str, str] = {}
    """By station: a sentence on what is in the way of its order; as many stations at most."""
    film_bytes: Count | None = None
    """Length of the film that it was made of."""
    streams: tuple[StreamOrigin, ...] = ()
    """What was copied of the film, and what was encoded and why."""
    warnings: tuple[Sentence, ...] = ()
    """In what else than its coding it differs from the film."""
    publish_at_ms: Milliseconds | None = None
    """It is in service from then on; None: that is not decided yet."""
    window_ends_ms: Milliseconds | None = None
    """It is not in service from then on; None: it stays."""
    rate_bps: Rate | None = None
    """Of its transport stream."""
    picture: Sha256 | None = None
    """Digest of the picture that is attached to it; None: there is none."""


class Programs(Struct, frozen=True):
    """A page of programs: as many as were asked for, or as fit into a message."""

    programs: tuple[ProgramRow, ...]
    more: bool = False
    """There are others after the last one."""


INGEST = Verb(
    "content/ingest",
    Ingest,
    IngestProgress,
    "Order the content engine to fetch a program (claims 3, 11).",
    callers=(Caller.OPERATOR, Caller.HEADQUARTERS),
)
ASK_INGEST = Verb(
    "content/ask-ingest",
    AskIngest,
    IngestProgress,
    "How far an ingest is.",
    callers=(Caller.OPERATOR, Caller.HEADQUARTERS),
    reads=True,
)
LIST_INGESTS = Verb(
    "content/ingests",
    ListIngests,
    Ingests,
    "The ingests of late.",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=MIB,  # a page is cut where it is full
)
ACKNOWLEDGE_INGEST = Verb(
    "content/acknowledge-ingest",
    AcknowledgeIngest,
    Done,
    "How an ingest ended is known to who ordered it under a number of its own (claim 3).",
    callers=(Caller.HEADQUARTERS,),
)
TAKE_BACK_INGEST = Verb(
    "content/take-back-ingest",
    TakeBackIngest,
    IngestProgress,
    "End an ingest that was ordered under a number of the orderer's, or see that it never begins (claim 3).",
    callers=(Caller.HEADQUARTERS,),
)
CANCEL_INGEST = Verb(
    "content/cancel-ingest",
    CancelIngest,
    IngestProgress,
    "End an ingest; nothing of it stays.",
    callers=(Caller.OPERATOR,),
)
DISTRIBUTE = Verb(
    "content/distribute",
    Distribute,
    ProgramRow,
    "Order the distribution of a program (claim 12).",
    callers=(Caller.OPERATOR,),
    request_bytes_max=MIB,  # 67 bytes a station, of 10 000
    reply_bytes_max=PROGRAM_ROW_BYTES_MAX,
)
PUBLISH = Verb(
    "content/publish",
    Publish,
    ProgramRow,
    "Publish a program to all stations (claim 11).",
    callers=(Caller.OPERATOR,),
    reply_bytes_max=PROGRAM_ROW_BYTES_MAX,
)
WITHDRAW = Verb(
    "content/withdraw",
    Withdraw,
    Done,
    "Remove a program from everywhere (claim 23).",
    callers=(Caller.OPERATOR,),
)
LIST_PROGRAMS = Verb(
    "content/programs",
    ListPrograms,
    Programs,
    "Programs and where they are.",
    callers=(Caller.OPERATOR, Caller.CONSOLE),
    reads=True,
    reply_bytes_max=MIB,  # a page is cut where it is full
)
ASK_PROGRAM_ROW = Verb(
    "content/ask-program",
    AskProgramRow,
    ProgramRow,
    "How a program is, and where.",
    callers=(Caller.OPERATOR, Caller.CONSOLE),
    reads=True,
    reply_bytes_max=PROGRAM_ROW_BYTES_MAX,
)
