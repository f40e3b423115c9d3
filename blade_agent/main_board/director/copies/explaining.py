"""Says how the source of a segment is chosen, to whoever asks (claim 15)."""

from blade_agent.main_board.director.copies.cost import Ranked, copying_s
from blade_agent.main_board.director.copies.source_choice import SourceChoice
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.messages.sources import AskExplanation, Explanation, PricedSource
from media_network.refusal import Reason, Refused


class Explaining:
    """Explains what would be chosen now."""

    def __init__(
        self, term: Term, library: Library, roster: Roster, table: SegmentLocationTable, choice: SourceChoice
    ) -> None:
        self._term = term
        self._library = library
        self._roster = roster
        self._table = table
        self._choice = choice

    async def explain(self, question: AskExplanation) -> Explanation | Refused:
        """The sources of a segment in the order in which they would be asked, with the terms of their cost."""
        name, number, station = question.program, question.segment, self._term.duty.station
        program = await self._library.get(name)
        if program is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"{name} is not known at {station}, or nobody there has its table")
        if number >= len(program.segments):
            last = len(program.segments) - 1
            return Refused(Reason.BAD_MESSAGE, f"{name} has no segment {number}; it has those from 0 to {last}")
        segment = program.segments[number]
        known = await self._choice.known(program, segment, fresh=True)
        return Explanation(
            station=station,
            program=name,
            segment=number,
            length_bytes=segment.length_bytes,
            engines=len(self._roster.live(self._table.engines_with(program.cut, number))),
            sources=tuple(_priced(each, segment.length_bytes, known.resting) for each in known.ranked),
            weights=known.weights,
            said_ms=None if known.said_s is None else int(known.said_s * 1000),
            registry_away=known.registry_away,
        )


def _priced(ranked: Ranked, length_bytes: int, resting: frozenset[str]) -> PricedSource:
    candidate = ranked.candidate
    return PricedSource(
        source=candidate.source,
        measured_bps=None if candidate.measured_bps is None else int(candidate.measured_bps),
        copying_s=copying_s(candidate, length_bytes),
        terms=ranked.terms,
        cost=ranked.total,
        resting=candidate.source.station in resting,
    )
