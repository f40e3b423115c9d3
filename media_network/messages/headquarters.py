"""What a person, through a command, asks and orders of the headquarters of several distribution centers (claim 3)."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId, Sentence, Sha256, StationText, Token
from media_network.messages.content import IngestStage
from media_network.messages.verb import MIB, Caller, Verb
from media_network.program_header import Milliseconds
from media_network.word import Word

CENTERS_MAX = 256
ORDERS_SHOWN_MAX = 50
ENTRIES_SHOWN_MAX = 100
SAME_FILM_SHOWN_MAX = 16
SHARES_SHOWN_MAX = 1000

CenterName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$(?!\n)",
        description="at most 32 lower case letters, digits and inner hyphens",
    ),
]


class OrderDownload(Struct, frozen=True, kw_only=True):
    """Have the content managers of centers download a program, each to its home media station (claim 3)."""

    order: Token
    """Chosen by who orders: said again it is the same order."""
    source: Annotated[str, Meta(min_length=1, max_length=4096)]
    """A URL of a provider of each of these centers, or an absolute path on their machines."""
    centers: Annotated[tuple[CenterName, ...], Meta(min_length=1, max_length=CENTERS_MAX)]
    title: Annotated[str, Meta(max_length=200)] | None = None
    """None: taken from the name of the source."""
    segment_ms: Annotated[int, Meta(ge=200, le=60_000)] = 2000
    """Length to aim at: segments begin where the film lets them."""


class DownloadStage(Word):
    """Where a download that was ordered is. `DONE`, `FAILED` and `CANCELLED` are final."""

    ORDERED = "ordered"
    """Its center has not taken it yet: it is away, or cannot."""
    WAITING = IngestStage.WAITING.value
    DOWNLOADING = IngestStage.DOWNLOADING.value
    CONVERTING = IngestStage.CONVERTING.value
    STORING = IngestStage.STORING.value
    CANCELLING = "cancelling"
    """It was taken back here, and its center has not said yet that it is over."""
    DONE = IngestStage.DONE.value
    FAILED = IngestStage.FAILED.value
    CANCELLED = IngestStage.CANCELLED.value
    """By an operator, here or at its center."""
    UNKNOWN = "unknown"
    """A stage of a newer center: it is not over yet."""

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self in (DownloadStage.DONE, DownloadStage.FAILED, DownloadStage.CANCELLED)


class Download(Struct, frozen=True, kw_only=True):
    """An order, as one center carries it out."""

    center: CenterName
    ingest: Token
    """Its number at that center."""
    stage: DownloadStage
    fraction: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """Of the stage."""
    program: ProgramId | None = None
    """Known from the end of converting on."""
    obstacle: str | None = None
    """A sentence: why it failed, or what keeps the center from taking it."""


class DownloadOrder(Struct, frozen=True, kw_only=True):
    """An order and what has become of it."""

    number: Count
    """Of two, the later one has the higher."""
    order: Token
    source: str
    title: str | None
    ordered_at_ms: Milliseconds
    downloads: tuple[Download, ...]
    """One a center, in the order in which they were named."""

    @property
    def is_over(self) -> bool:
        """Whether each of its downloads has come to its end."""
        return all(each.stage.is_final for each in self.downloads)


class AskOrder(Struct, frozen=True):
    """Ask what has become of an order."""

    order: Token


class CancelOrder(Struct, frozen=True, kw_only=True):
    """Take an order back: what its centers have not brought to its end ends, and nothing of it stays."""

    order: Token
    centers: Annotated[tuple[CenterName, ...], Meta(max_length=CENTERS_MAX)] = ()
    """Only at these; none: at all of them."""


class ListOrders(Struct, frozen=True, kw_only=True):
    """Ask for orders, the latest first, a page of them."""

    before: Count | None = None
    """Those with a lower number than this."""
    limit: Annotated[int, Meta(ge=1, le=ORDERS_SHOWN_MAX)] = ORDERS_SHOWN_MAX


class DownloadOrders(Struct, frozen=True):
    """A page of orders."""

    orders: tuple[DownloadOrder, ...]
    more: bool = False
    """There are earlier ones."""


class EntryKey(Struct, frozen=True):
    """A program at a center: the same name at another center may be another program."""

    center: CenterName
    program: ProgramId


class ListEntries(Struct, frozen=True, kw_only=True):
    """Ask for the catalogue of all centers by program and center, a page of it."""

    after: EntryKey | None = None
    """Those after this one."""
    film: str = ""
    """Only the programs of this name, and those with this SHA-256."""
    search: Annotated[str, Meta(max_length=200)] = ""
    """Only those with this in their name or title, whatever the case."""
    center: CenterName | None = None
    limit: Annotated[int, Meta(ge=1, le=ENTRIES_SHOWN_MAX)] = ENTRIES_SHOWN_MAX


class CatalogueEntry(Struct, frozen=True, kw_only=True):
    """A program of a center, as that center told of it last."""

    center: CenterName
    program: ProgramId
    version: Count
    title: str
    sha256: Sha256
    segments: Count
    bytes: Count
    duration_ms: Count
    publish_at_ms: Milliseconds | None = None
    window_ends_ms: Milliseconds | None = None
    same_film: tuple[EntryKey, ...] = ()
    """Others with the same bytes, `SAME_FILM_SHOWN_MAX` at most."""


class CatalogueEntries(Struct, frozen=True):
    """A page of the catalogue."""

    entries: tuple[CatalogueEntry, ...]
    after: EntryKey | None = None
    """There may be others after this place, up to which was looked; None: there are none."""


class AskWhere(Struct, frozen=True, kw_only=True):
    """Ask where a program of a center is, a page of its stations by name."""

    center: CenterName
    program: ProgramId
    after: StationText = ""
    """Those whose names come after this one."""
    limit: Annotated[int, Meta(ge=1, le=SHARES_SHOWN_MAX)] = SHARES_SHOWN_MAX


class StationShare(Struct, frozen=True, kw_only=True):
    """How much of a program a station holds."""

    station: str
    segments: Count
    of: Count
    """So many the program has, as its center counts them."""


class Whereabouts(Struct, frozen=True, kw_only=True):
    """Where a program of a center is, as that center has told."""

    center: CenterName
    program: ProgramId
    stations: tuple[StationShare, ...]
    """Those that hold something of it."""
    age_ms: Count | None
    """So long ago all that had changed there was known; what has changed since may be. None: it never was."""
    obstacle: str | None = None
    """It is stale: a sentence, why nothing newer is known."""
    more: bool = False
    """There are further stations after the last one."""


class ListCenters(Struct, frozen=True):
    """Ask which centers there are, and how they are."""


class CenterRow(Struct, frozen=True, kw_only=True):
    """A center as the headquarters sees it."""

    center: CenterName
    address: str
    """`host:port` of its control port."""
    reachable: bool
    heard_ms: Count | None
    """Time since it was heard last; None: it never was."""
    newest: Count
    """Number of the newest change of its catalogue that is known here, with all before it."""
    programs: Count
    open_downloads: Count
    """Ordered, and not over."""
    obstacle: Sentence | None = None
    """Why it is not reachable."""


class Centers(Struct, frozen=True):
    """The centers, in the order of the settings."""

    centers: tuple[CenterRow, ...]


ORDER_DOWNLOAD = Verb(
    "headquarters/order",
    OrderDownload,
    DownloadOrder,
    "Order the content managers of centers to download a program (claim 3).",
    callers=(Caller.OPERATOR,),
    reply_bytes_max=MIB,  # 600 bytes a center, of 256
)
CANCEL_ORDER = Verb(
    "headquarters/cancel",
    CancelOrder,
    DownloadOrder,
    "Take an order back, at all of its centers or at some.",
    callers=(Caller.OPERATOR,),
    reply_bytes_max=MIB,  # as above
)
ASK_ORDER = Verb(
    "headquarters/ask-order",
    AskOrder,
    DownloadOrder,
    "What has become of an order.",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=MIB,  # as above
)
LIST_ORDERS = Verb(
    "headquarters/orders",
    ListOrders,
    DownloadOrders,
    "The orders, the latest first.",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=MIB,  # a page is cut where it is full
)
LIST_ENTRIES = Verb(
    "headquarters/programs",
    ListEntries,
    CatalogueEntries,
    "The catalogue of all centers (claim 3).",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=MIB,  # 2500 bytes an entry, of 100
)
ASK_WHERE = Verb(
    "headquarters/where",
    AskWhere,
    Whereabouts,
    "Where a program of a center is (claim 3).",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=MIB,  # a page is cut where it is full
)
LIST_CENTERS = Verb(
    "headquarters/centers",
    ListCenters,
    Centers,
    "The centers and how they are.",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=MIB,  # 500 bytes a center, of 256
)
