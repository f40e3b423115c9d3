"""Where a program is, station by station: what is there, and what was ordered."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId, Rate, StationText
from media_network.messages.holdings import COPIES_MAX
from media_network.messages.verb import Caller, Verb

PLACES_SHOWN_MAX = 100


class AskPlaces(Struct, frozen=True, kw_only=True):
    """Ask where a program is, and where it was ordered to: a page of stations, by name."""

    program: ProgramId
    after: StationText = ""
    """Those whose names come after this one."""
    limit: Annotated[int, Meta(ge=1, le=PLACES_SHOWN_MAX)] = PLACES_SHOWN_MAX
    only: Annotated[tuple[StationText, ...], Meta(max_length=PLACES_SHOWN_MAX)] = ()
    """Of these stations alone, in their order, whatever else is asked and whatever is there; none: of all."""


class StationHolding(Struct, frozen=True, kw_only=True):
    """A program at a station."""

    station: str
    segments: Count
    """That are there, on one engine at least."""
    copies: Annotated[int, Meta(ge=1, le=COPIES_MAX)] | None = None
    """On how many engines each is to be; None: nobody has ordered it there."""
    whole_copies: Count = 0
    """Segments on so many engines as were ordered."""
    rate_bps: Rate | None = None
    """What copying for the order may take; None: whatever there is."""
    carried_out: bool = False
    """The order is, with as many copies as the station has engines for."""
    obstacle: str | None = None
    """A sentence on what is in the way of the order."""


class Places(Struct, frozen=True, kw_only=True):
    """A page of the places of a program."""

    segments: Count
    """Of the program."""
    places: tuple[StationHolding, ...]
    more: bool = False
    """There are others after the last one."""


ASK_PLACES = Verb(
    "content/places",
    AskPlaces,
    Places,
    "Where a program is, and how many copies were ordered there.",
    callers=(Caller.OPERATOR,),
    reads=True,
    reply_bytes_max=1 << 20,  # a hundred places, each with a sentence
)
