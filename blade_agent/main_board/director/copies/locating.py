"""Where segments are: asked of the director of a source, and told to those of others (claim 12, second step)."""

import asyncio
import logging
import time
from collections.abc import Collection

from blade_agent.main_board.director.copies.source_choice import SourceChoice, SourceDirector
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from media_network.cut import Cut
from media_network.http.errors import NetworkError
from media_network.messages.obtaining import (
    LOCATE_SEGMENT,
    REQUEST_ENGINE_TOKEN,
    EngineToken,
    LocateSegment,
    RequestEngineToken,
    SegmentLocation,
)
from media_network.refusal import Reason, Refused
from media_network.ticket import COPY_HOLDER
from media_network.tokens.engine_token import CopyRequest

logger = logging.getLogger(__name__)

_COPIED_WITHIN_S = 2.0
"""What another station copies counts so long."""
_FETCHED_WITHIN_S = 5.0
"""A station that was told where a segment is begins to fetch it by then, and then its engine says that it is read."""


class Locating:
    """Both sides of the question."""

    def __init__(
        self, term: Term, library: Library, roster: Roster, table: SegmentLocationTable, choice: SourceChoice
    ) -> None:
        self._term = term
        self._library = library
        self._roster = roster
        self._table = table
        self._choice = choice
        self._located_at: dict[Cut, float] = {}
        """When another station asked last where a segment is."""

    async def locate_segment(self, question: LocateSegment) -> SegmentLocation | Refused:
        """Answer `LOCATE_SEGMENT`, as the source director: where is the needed segment?"""
        cut = Cut(question.program, question.table)
        if cut.program in self._library.closed:
            return Refused(Reason.NOT_HERE, f"{cut.program} is being deleted here")
        location = self.here(cut, question.segment)
        if location is None:
            return Refused(Reason.NOT_HERE, f"segment {question.segment} of {question.program} is at no live engine")
        self._located_at[cut] = _now()
        self._note_in_flight(cut, question.segment, location)
        return location

    def _note_in_flight(self, cut: Cut, segment: int, location: SegmentLocation) -> None:
        """Another station is about to copy it; nobody says here when that is done."""
        program, engine = self._library.at_hand(cut.program), self._roster.at_media(location.media)
        if program is None or program.cut != cut or engine is None or segment >= len(program.segments):
            return
        copy = object()
        length_bytes = program.segments[segment].length_bytes
        self._roster.fetching.gave(engine, length_bytes, _now())
        self._roster.in_flight.begin(copy, [engine], length_bytes)
        asyncio.get_running_loop().call_later(_COPIED_WITHIN_S, self._roster.in_flight.end, copy)

    def is_about_to_be_fetched(self, cut: Cut) -> bool:
        """Whether another station was told a moment ago where something of a program is."""
        now = _now()
        self._located_at = {one: at for one, at in self._located_at.items() if now - at < _FETCHED_WITHIN_S}
        return cut in self._located_at

    def here(self, cut: Cut, segment: int, among: Collection[EngineRecord] | None = None) -> SegmentLocation | None:
        """Where a segment is at this station: at the least loaded of the engines that hold it, or of those among them
        that are named."""
        holders = self._roster.live(self._table.engines_with(cut, segment))
        if among is not None:
            holders = [engine for engine in holders if engine in among]
        if not holders:
            return None
        engine = min(holders, key=lambda record: (record.load_share, record.slot))
        ticket = self._term.tickets.sign(f"{COPY_HOLDER}{segment}", cut.program)
        control = str(engine.address) if self._term.engine_tokens else ""
        return SegmentLocation(media=str(engine.media), ticket=ticket, control=control)

    async def supply_token(self, request: RequestEngineToken) -> EngineToken | Refused:
        """Answer `REQUEST_ENGINE_TOKEN`, as the source director: what was said where it is, one may copy."""
        cut = Cut(request.program, request.table)
        if cut.program in self._library.closed:
            return Refused(Reason.NOT_HERE, f"{cut.program} is being deleted here")
        if not self._table.engines_with(cut, request.segment):
            return Refused(Reason.NOT_HERE, f"segment {request.segment} of {request.program} is at no live engine")
        token = self.own_token(CopyRequest(cut, request.segment, request.certificate))
        return EngineToken(token) if token else Refused(Reason.UNABLE, "copies take no engine tokens here")

    def own_token(self, request: CopyRequest) -> str | None:
        """A token for a copy from an engine of this station; None: it takes none."""
        return self._term.engine_tokens.issue(request, time.time()) if self._term.engine_tokens else None

    async def token(self, request: CopyRequest, source: SourceDirector) -> str | None:
        """As the seeking director: request one of the source director."""
        cut = request.cut
        message = RequestEngineToken(
            program=cut.program, table=cut.table, segment=request.segment, certificate=request.certificate
        )
        answer = await self._term.http.tell(source.director, REQUEST_ENGINE_TOKEN, message)
        if answer is None:
            logger.warning("%s supplies no token for segment %d of %s", source.director, request.segment, cut.program)
            self._choice.failed(source.station)
            return None
        return answer.token

    async def locate(self, cut: Cut, segment: int, source: SourceDirector) -> SegmentLocation | None:
        """As the seeking director: ask the source director."""
        if source.director == self._term.duty.address:
            return None  # it would be asked what it has just said of itself
        question = LocateSegment(program=cut.program, table=cut.table, segment=segment)
        try:
            answer = await self._term.http.ask(source.director, LOCATE_SEGMENT, question)
        except NetworkError as error:
            logger.warning("%s", error)
            self._choice.failed(source.station)
            return None
        if isinstance(answer, Refused):
            logger.warning("%s: %s", source.director, answer)
            if answer.reason is not Reason.NOT_HERE:
                self._choice.failed(source.station)
            return None
        return answer


def _now() -> float:
    return asyncio.get_running_loop().time()
