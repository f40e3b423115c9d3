"""How a program is deleted at a station, and what keeps it there (claims 23 and 24)."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.cut import Cut
from media_network.fields import Count, ProgramId, Sha256
from media_network.messages.holdings import SegmentNumbers
from media_network.messages.obtaining import ObtainStanding
from media_network.messages.verb import KIB, MIB, Caller, Done, Verb
from media_network.program_header import HEADER_BYTES_MAX, Milliseconds, ProgramHeader
from media_network.word import Word

DELETIONS_SHOWN_MAX = 100


class DeleteProgram(Struct, frozen=True, kw_only=True):
    """Delete a program at a station, as soon as that may be. The wish stands until it is done, or denied."""

    program: ProgramId
    station: str


class DeletionStage(Word):
    """How far a deletion is."""

    WAITING = "waiting"
    """Something is in the way, and may pass."""
    MOVING = "moving"
    """The program is copied to another station first."""
    DELETING = "deleting"
    """The station has leave, and has not said yet that it is done."""
    DONE = "done"
    DENIED = "denied"
    UNKNOWN = "unknown"
    """A stage of a newer center: it is not over yet."""


class DeletionRow(Struct, frozen=True, kw_only=True):
    """A deletion, and what is in its way."""

    program: ProgramId
    station: str
    stage: DeletionStage
    evicts: bool = False
    """The station wants it itself, for room."""
    destination: str | None = None
    """The station to which the program is moved first."""
    reason: str | None = None
    """For a person: why it waits, or is denied."""
    asked_at_ms: Milliseconds = 0
    """When it was asked for last."""


class AskDeletion(Struct, frozen=True, kw_only=True):
    """How far is the deletion of a program at a station?"""

    program: ProgramId
    station: str


class DismissDeletion(Struct, frozen=True, kw_only=True):
    """A deletion that was denied need not be shown any more. What is there stays there."""

    program: ProgramId
    station: str


class ListDeletions(Struct, frozen=True, kw_only=True):
    """Ask for the deletions that are not carried out, a page of them."""

    after: tuple[Count, str] | None = None
    """What the page before has said of its end; None: from the beginning."""


class Deletions(Struct, frozen=True, kw_only=True):
    """A page of deletions."""

    deletions: tuple[DeletionRow, ...]
    end: tuple[Count, str] | None = None
    """Where the next page begins; None: this one goes to the end."""


class DeleteHere(Struct, frozen=True, kw_only=True):
    """An operator wishes that this station deletes a program. Said again until it is done."""

    program: ProgramId
    table: Sha256


class DeletionStanding(Struct, frozen=True, kw_only=True):
    """What a director does about it."""

    gone: bool = False
    """The station holds nothing of it."""
    waits: str | None = None
    """For a person: what is in the way at the station."""


class RequestDeletion(Struct, frozen=True, kw_only=True):
    """May this station delete a program? (claim 23). No session and no copy of the station needs it meanwhile."""

    station: str
    epoch: Count
    generation: Count
    """Of the full report that the registry goes by: leave ends with the next one."""
    program: ProgramId
    table: Sha256


class DeletionVerdict(Word):
    """What the registry says to a deletion."""

    GRANTED = "granted"
    HELD = "held"
    """Not now."""
    DENIED = "denied"
    UNKNOWN = "unknown"
    """A verdict of a newer registry: not granted."""


class DeletionAnswer(Struct, frozen=True, kw_only=True):
    """The registry's answer."""

    verdict: DeletionVerdict
    reason: str
    """For a person."""
    ask_again_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 0
    """When it is held: it may be granted after so long."""
    begin_within_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    """When it is granted: who has not begun so long after asking asks again."""


class DeleteSegments(Struct, frozen=True, kw_only=True):
    """Delete what you hold of a program (claim 23: an internal deletion message). Answered when that is durable."""

    epoch: Count
    program: ProgramId
    table: Sha256
    segments: SegmentNumbers | None = None
    """Only these: others keep as many copies of them as were ordered. None: all of it."""
    before_us: Count | None = None
    """Who has not begun when the director's clock (`Reported.clock_us`) shows this does not: what others said to hold
    they said a moment ago. None: there is time."""


class DeletionDone(Struct, frozen=True, kw_only=True):
    """All engines of the station have deleted a program (claim 23: confirming the deletion)."""

    station: str
    epoch: Count
    generation: Count
    program: ProgramId
    table: Sha256


class MoveProgram(Struct, frozen=True, kw_only=True):
    """Copy a program to this station before another deletes it (claim 24). Said again until it is all there."""

    header: ProgramHeader
    parts: str
    """Media address where the segment table is."""
    leaving_station: str
    """The station that is requesting the deletion."""
    leaving_director: str
    """Address of its director."""


class AskSurplus(Struct, frozen=True, kw_only=True):
    """What does this station hold beyond what was ordered there?"""

    station: str
    after: str = ""
    """`SurplusPage.until` of the page before; empty: from the beginning."""


class SurplusRow(Struct, frozen=True, kw_only=True):
    """A program that nobody ordered to the station, or of which it has more copies than were ordered."""

    program: ProgramId
    table: Sha256
    ordered: Count = 0
    """Copies of each segment; 0: there is no order."""
    elsewhere: Count = 0
    """How many other stations hold some of it; of very many a few are counted."""

    @property
    def cut(self) -> Cut:
        """Whose segments they are."""
        return Cut(self.program, self.table)


class SurplusPage(Struct, frozen=True, kw_only=True):
    """A page: of so many programs that the station holds those that are surplus, be it none."""

    programs: tuple[SurplusRow, ...]
    until: str | None = None
    """The last program that was looked at; None: there are no more."""


DELETE_PROGRAM = Verb(
    "content/delete",
    DeleteProgram,
    DeletionRow,
    "Delete a program at a station, as soon as it may be (claim 23).",
    callers=(Caller.OPERATOR,),
)
ASK_DELETION = Verb(
    "content/ask-deletion",
    AskDeletion,
    DeletionRow,
    "How far the deletion of a program at a station is.",
    callers=(Caller.OPERATOR,),
    reads=True,
)
DISMISS_DELETION = Verb(
    "content/dismiss-deletion",
    DismissDeletion,
    Done,
    "Strike a denied deletion off the list.",
    callers=(Caller.OPERATOR,),
)
LIST_DELETIONS = Verb(
    "content/deletions",
    ListDeletions,
    Deletions,
    "Deletions that are not carried out, and why.",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=MIB,  # a page of a hundred
)
DELETE_HERE = Verb(
    "director/delete",
    DeleteHere,
    DeletionStanding,
    "An operator wishes that a station deletes a program (claim 23).",
    callers=(Caller.CENTER,),
)
REQUEST_DELETION = Verb(
    "registry/request-deletion",
    RequestDeletion,
    DeletionAnswer,
    "A director requests the deletion of a program (claim 23).",
    callers=(Caller.DIRECTOR,),
)
DELETE_SEGMENTS = Verb(
    "engine/delete",
    DeleteSegments,
    Done,
    "The internal deletion message to an engine that holds segments of a program (claim 23).",
    callers=(Caller.DIRECTOR,),
    request_bytes_max=MIB,  # the longest set of segments takes a sixth of it
)
DELETION_DONE = Verb(
    "registry/deletion-done",
    DeletionDone,
    Done,
    "A director confirms a deletion: the locations are updated (claim 23).",
    callers=(Caller.DIRECTOR,),
)
MOVE_PROGRAM = Verb(
    "director/move",
    MoveProgram,
    ObtainStanding,
    "The registry directs a station with surplus storage to copy a program from one that requests its deletion "
    "(claim 24).",
    callers=(Caller.CENTER,),
    request_bytes_max=HEADER_BYTES_MAX + KIB,
)
ASK_SURPLUS = Verb(
    "registry/surplus",
    AskSurplus,
    SurplusPage,
    "What a station holds beyond what was ordered there: it may do without when it lacks room.",
    callers=(Caller.DIRECTOR,),
    reads=True,
    reply_bytes_max=MIB,  # a page of a hundred
)
