"""What copying a segment from each source would cost (claim 15): pure, candidates in, ranked candidates out.

docs/operations/sources.md has the formula with its units, why each term is in it, and an example.
"""

from collections.abc import Iterable

from msgspec import Struct

from media_network.messages.sources import CostTerms, CostWeights, Source

_ORDINARY_BPS = 100_000_000
"""The bandwidth that a copy takes if it can; free bandwidth counts as a share of it."""
_ORDINARY_KM = 100.0
_SLOWEST_BPS = 64_000
"""A source with less is as good as one with nothing: so no term is infinite."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be copied."""

    length_bytes: int
    segments: int
    """Of its program."""
    anywhere: bool = False
    """The candidates were asked for the whole program: some may lack the segment."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A source, and what copies from it were like."""

    source: Source
    measured_bps: float | None = None
    """What a copy from there got of late; None: there was none."""


class Ranked(Struct, frozen=True, kw_only=True):
    """A candidate, and what it costs."""

    candidate: Candidate
    terms: CostTerms

    @property
    def total(self) -> float:
        """The cost: the least is chosen."""
        terms = self.terms
        return terms.bandwidth + terms.distance + terms.copying + terms.load + terms.missing + terms.stale


def rank(candidates: Iterable[Candidate], wanted: Wanted, weights: CostWeights) -> list[Ranked]:
    """The candidates, the cheapest first; of two alike the one whose name comes first."""
    ranked = [Ranked(candidate=each, terms=_terms(each, wanted, weights)) for each in candidates]
    return sorted(ranked, key=lambda each: (each.total, each.candidate.source.station))


def copying_s(candidate: Candidate, length_bytes: int) -> float:
    """How long a copy may be expected to take: at what is free, or at what was measured if that is less."""
    free_bps = candidate.source.free_bps
    measured_bps = free_bps if candidate.measured_bps is None else candidate.measured_bps
    return length_bytes * 8 / max(_SLOWEST_BPS, min(free_bps, measured_bps))


def _terms(candidate: Candidate, wanted: Wanted, weights: CostWeights) -> CostTerms:
    source = candidate.source
    missing = max(0, wanted.segments - source.segments) / max(1, wanted.segments) if wanted.anywhere else 0.0
    return CostTerms(
        bandwidth=weights.bandwidth * _ORDINARY_BPS / max(_SLOWEST_BPS, source.free_bps),
        distance=weights.distance * source.distance_km / _ORDINARY_KM,
        copying=weights.copying * copying_s(candidate, wanted.length_bytes),
        load=weights.load * source.load,
        missing=weights.missing * missing,
        stale=weights.stale * source.stale,
    )
