"""From where a segment may be copied, and what that costs (claims 14, 15): asked by the director that seeks it."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, Fraction, ProgramId, Sha256, Zone
from media_network.messages.verb import Caller, Verb

SOURCES_MAX = 16
"""So many are named, however many hold it."""
FARTHEST_KM = 100_000

Kilometres = Annotated[float, Meta(ge=0, le=FARTHEST_KM, description=f"kilometres, from 0 to {FARTHEST_KM}")]

Weight = Annotated[float, Meta(ge=0, le=1000, description="a number from 0 to 1000")]


class CostWeights(Struct, frozen=True, kw_only=True):
    """What each term of the cost of a source counts; docs/operations/sources.md has the formula. 0: nothing."""

    bandwidth: Weight = 1.0
    """Of 100 Mbit/s as a multiple of the bandwidth that is free."""
    distance: Weight = 1.0
    """Of 100 km."""
    copying: Weight = 1.0
    """Of a second that the copy takes."""
    load: Weight = 2.0
    """Of a station whose engines are all as loaded as they may be."""
    missing: Weight = 10.0
    """Of a station that holds nothing of the program; in proportion of one that holds some of it."""
    stale: Weight = 100.0
    """Of a station that has not been heard for longer than its word holds."""


class CostTerms(Struct, frozen=True, kw_only=True):
    """What a source costs, term by term, each with its weight; the sum decides."""

    bandwidth: float
    distance: float
    copying: float
    load: float
    missing: float
    stale: float


class AskSources(Struct, frozen=True, kw_only=True):
    """Where else is this segment, or most of this cut?"""

    station: str
    """Who asks. It is not among the answers."""
    zone: Zone = ""
    """Its zone: distances are from there."""
    program: ProgramId
    table: Sha256
    segment: Count | None = None
    """None: the whole of it, or most."""


class Source(Struct, frozen=True, kw_only=True):
    """A station that holds what was asked for."""

    station: str
    director: str
    """Address of its director: it answers `LOCATE_SEGMENT`."""
    zone: Zone = ""
    distance_km: Kilometres = 0.0
    """From the zone of who asked."""
    home: bool = False
    load: Fraction = 1.0
    """As it registered; a station that has not yet spoken since the center started counts as loaded."""
    free_bps: Count = 0
    """As it registered."""
    segments: Count
    """Segments of the cut that it holds; of the longest programs an estimate."""
    silent_ms: Count
    """How long ago it was heard."""
    stale: bool = False
    """That is longer than its word holds: it may be away."""


class Sources(Struct, frozen=True, kw_only=True):
    """Those that promise most, best first: at most `SOURCES_MAX`."""

    sources: tuple[Source, ...]
    parts: str
    """Media address where the segment table is."""
    weights: CostWeights = CostWeights()
    """What the director that asks shall count: the network has one policy, which the center is told."""


class AskExplanation(Struct, frozen=True, kw_only=True):
    """From where would you have this segment copied, and why?"""

    program: ProgramId
    segment: Count


class PricedSource(Struct, frozen=True, kw_only=True):
    """A source, and what it would cost."""

    source: Source
    measured_bps: Count | None = None
    """What copies from there got of late; None: nothing is known."""
    copying_s: float
    """How long a copy may be expected to take."""
    terms: CostTerms
    cost: float
    """Their sum."""
    resting: bool = False
    """It has failed lately, and comes after all that have not."""


class Explanation(Struct, frozen=True, kw_only=True):
    """How a director chooses the source of a segment."""

    station: str
    program: ProgramId
    segment: Count
    length_bytes: Count
    engines: Count
    """Engines of the station that hold it already, and are heard."""
    sources: tuple[PricedSource, ...]
    """In the order in which they would be asked."""
    weights: CostWeights
    said_ms: Count | None = None
    """How long ago the registry named them; None: it never did."""
    registry_away: bool = False
    """It did not answer when it was asked last: this is what it said before."""


ASK_SOURCES = Verb(
    "registry/sources",
    AskSources,
    Sources,
    "The stations that a segment may be copied from (claims 14, 15).",
    callers=(Caller.DIRECTOR,),
    reads=True,
)

ASK_EXPLANATION = Verb(
    "director/explain",
    AskExplanation,
    Explanation,
    "What each source of a segment would cost, and so which is chosen (claim 15).",
    callers=(Caller.OPERATOR,),
    reads=True,
)
