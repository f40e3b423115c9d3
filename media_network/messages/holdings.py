"""What somebody holds, page by page, in the order of cuts: an engine to its director, a director to whoever asks."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.messages.verb import MIB, Caller, Verb
from media_network.segment_set import TEXT_LENGTH_MAX

COPIES_MAX = 15
"""At how many engines a segment is counted to be."""

SegmentNumbers = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]
"""As `segment_set` writes them."""


class Holding(Struct, frozen=True, kw_only=True):
    """Segments of a cut."""

    program: ProgramId
    table: Sha256
    segments: SegmentNumbers
    again: Annotated[tuple[SegmentNumbers, ...], Meta(max_length=COPIES_MAX - 1)] = ()
    """Of a station: those of them that at least two of its engines hold, at least three, and so on."""

    @property
    def cut(self) -> Cut:
        """Whose segments they are."""
        return Cut(self.program, self.table)


class AskHoldings(Struct, frozen=True, kw_only=True):
    """What do you hold?"""

    after: Cut | None = None
    """The last cut of the page before; None: from the beginning."""


class Holdings(Struct, frozen=True, kw_only=True):
    """A page: all that is held of the cuts from the one that was asked after to the last one here."""

    holdings: tuple[Holding, ...]
    more: bool = False
    """There are later cuts; if not, this page goes to the end."""


class AskIntact(Struct, frozen=True, kw_only=True):
    """Which of these do you hold, and have read through since you started? Others are to let go of theirs."""

    program: ProgramId
    table: Sha256
    segments: SegmentNumbers


class Intact(Struct, frozen=True, kw_only=True):
    """Those that are here at this moment and good; of the rest some may not have been read yet."""

    segments: SegmentNumbers


ASK_ENGINE_HOLDINGS = Verb(
    "engine/holdings",
    AskHoldings,
    Holdings,
    "What an engine holds, beyond what it said when it enlisted.",
    callers=(Caller.DIRECTOR,),
    reads=True,
    reply_bytes_max=MIB,
)

ASK_INTACT = Verb(
    "engine/intact",
    AskIntact,
    Intact,
    "Which segments an engine holds and knows to be good, before others let go of their copies.",
    callers=(Caller.DIRECTOR,),
    reads=True,
    request_bytes_max=MIB,  # the longest set of segments takes a sixth of it
    reply_bytes_max=MIB,
)

ASK_STATION_HOLDINGS = Verb(
    "director/holdings",
    AskHoldings,
    Holdings,
    "What the live engines of a station hold.",
    callers=(Caller.ANYBODY,),
    reads=True,
    reply_bytes_max=MIB,
)
