"""Deletions as operators and directors speak of them (claim 23): wished, asked for, confirmed, listed."""

import asyncio
import logging
from dataclasses import dataclass, field

from distribution_center.registry.deciding import Ground, Leave
from distribution_center.registry.deletions import Asked, Deletion, DeletionState, DeletionTerms, Origin
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.naming_stations import no_such_station
from distribution_center.registry.repository import PAGE, Repository, Stamp, Verdict
from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.http.server import HandlerTable
from media_network.messages import deletion as messages
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms

logger = logging.getLogger(__name__)

_BEGIN_WITHIN_MS = 30_000
"""Who has leave begins by then, or asks again: an old answer is not acted on."""
_ASK_AGAIN_MS = {Ground.MOVING: 1000, Ground.EXPECTED: 5000, Ground.UNSURE: 5000, Ground.CROWDED: 5000}
_UNFIT_S = 600.0
_REFUSALS = {
    Verdict.OLD_EPOCH: Reason.STALE_EPOCH,
    # A director whose inventory is out of step registers again and makes a new one.
    Verdict.OLD_GENERATION: Reason.UNKNOWN_STATION,
    Verdict.NO_INVENTORY: Reason.UNKNOWN_STATION,
    Verdict.UNKNOWN_STATION: Reason.UNKNOWN_STATION,
    Verdict.UNKNOWN_PROGRAM: Reason.UNKNOWN_PROGRAM,
}
_STAGES = {
    DeletionState.WISHED: messages.DeletionStage.WAITING,
    DeletionState.GRANTED: messages.DeletionStage.DELETING,
    DeletionState.DENIED: messages.DeletionStage.DENIED,
}
_LEAVES = {
    Leave.GRANTED: messages.DeletionVerdict.GRANTED,
    Leave.HELD: messages.DeletionVerdict.HELD,
    Leave.DENIED: messages.DeletionVerdict.DENIED,
}

Key = tuple[ProgramId, str]
"""Program and station."""


@dataclass(kw_only=True)
class DeletionRequests:
    """What is said of deletions."""

    repository: Repository
    registry: MediaLocationRegistry
    home: str
    surplus_percent: float
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a deletion has something to be said to a director."""
    reasons: dict[Key, str] = field(default_factory=dict)
    """What is in the way of those that wait; forgotten when the center stops, and found again."""
    unfit: dict[Key, float] = field(default_factory=dict)
    """Stations that did not take a program, and until when they are not asked, by the event loop's time."""

    def answer(self, table: HandlerTable) -> None:
        """Enter the verbs of deletion into a table."""
        table.verb(messages.DELETE_PROGRAM, self._wish)
        table.verb(messages.ASK_DELETION, self._tell)
        table.verb(messages.DISMISS_DELETION, self._dismiss)
        table.verb(messages.LIST_DELETIONS, self._list)
        table.verb(messages.REQUEST_DELETION, self._request)
        table.verb(messages.DELETION_DONE, self._done)
        table.verb(messages.ASK_SURPLUS, self._tell_surplus)

    def shun(self, program: ProgramId, station: str) -> None:
        """A station does not take a program that was to be moved there: others are asked for a while."""
        self.shun_too(program, station)
        self.repository.neighbours.note_shunned(program, station)

    def shun_too(self, program: ProgramId, station: str) -> None:
        """Another process of this center has found so."""
        self.unfit[program, station] = asyncio.get_running_loop().time() + _UNFIT_S

    async def _wish(self, order: messages.DeleteProgram) -> messages.DeletionRow | Refused:
        verdict = await self.repository.wish_deletion(order.program, order.station)
        if verdict is Verdict.UNKNOWN_PROGRAM:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {order.program}")
        if verdict is Verdict.UNKNOWN_STATION:
            return await no_such_station(self.repository, order.station)
        logger.info("%s is to be deleted at %s", order.program, order.station)
        self.reasons.pop((order.program, order.station), None)
        self.news.set()
        return await self._tell(messages.AskDeletion(program=order.program, station=order.station))

    async def _dismiss(self, order: messages.DismissDeletion) -> Done | Refused:
        program, station = order.program, order.station
        verdict = await self.repository.dismiss_deletion(program, station)
        if verdict is Verdict.CONFLICT:
            row = await self.repository.deletion(program, station)
            sentence = f"the deletion of {program} at {station} was not denied: to take it back, distribute it there"
            return Refused(Reason.NOT_READY, sentence, self._row(row).stage if row else None)
        if verdict is Verdict.REPEATED and await self.repository.program(program) is None:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {program}")
        self.reasons.pop((program, station), None)
        return Done()

    async def _tell(self, question: messages.AskDeletion) -> messages.DeletionRow | Refused:
        program, station = question.program, question.station
        row = await self.repository.deletion(program, station)
        if row:
            return self._row(row)
        if await self.repository.program(program) and await self.repository.held_at(program, station):
            return Refused(Reason.NOT_HERE, f"nobody wishes that {program} be deleted at {station}")
        return messages.DeletionRow(program=program, station=station, stage=messages.DeletionStage.DONE)

    async def first(self) -> tuple[messages.DeletionRow, ...]:
        """The first of those that are not carried out; where there are few, of those that were denied, too. Raises
        `RepositoryError`."""
        limit = messages.DELETIONS_SHOWN_MAX
        rows = await self.repository.deletions(limit=limit)
        if len(rows) < limit:
            rows = await self.repository.deletions(limit=limit, denied=True)
        return tuple(map(self._row, rows))

    async def _list(self, question: messages.ListDeletions) -> messages.Deletions:
        limit = messages.DELETIONS_SHOWN_MAX
        rows = await self.repository.deletions(question.after or (0, ""), limit, denied=True)
        end = (rows[-1].number, rows[-1].station) if len(rows) == limit else None
        return messages.Deletions(deletions=tuple(map(self._row, rows)), end=end)

    def _row(self, row: Deletion) -> messages.DeletionRow:
        moves = row.state is DeletionState.WISHED and row.destination is not None
        return messages.DeletionRow(
            program=row.program,
            station=row.station,
            stage=messages.DeletionStage.MOVING if moves else _STAGES[row.state],
            evicts=row.origin is Origin.EVICTION,
            destination=row.destination,
            reason=row.reason or self.reasons.get((row.program, row.station)),
            asked_at_ms=row.asked_at_ms,
        )

    async def _request(self, message: messages.RequestDeletion) -> messages.DeletionAnswer | Refused:
        """Claim 23, first steps: a director requests a deletion, the registry approves of it, or does not."""
        cut, station = Cut(message.program, message.table), message.station
        asked = Asked()
        verdict = await self.repository.request_deletion(
            cut, station, Stamp(message.epoch, message.generation), await self._terms(message.program), asked
        )
        if asked.ruling is None:
            return Refused(_REFUSALS[verdict], f"{station}: {verdict.value}")
        leave, ground = asked.ruling
        reason = f"{ground.value}, {asked.destination}" if asked.destination else ground.value
        logger.info("%s asks to delete %s: %s, %s", station, cut.program, leave, reason)
        self.reasons[cut.program, station] = reason
        self.registry.moved.at(station, cut.program)
        self.news.set()
        return messages.DeletionAnswer(
            verdict=_LEAVES[leave],
            reason=reason,
            ask_again_ms=_ASK_AGAIN_MS.get(ground, 0),
            begin_within_ms=_BEGIN_WITHIN_MS if leave is Leave.GRANTED else 0,
        )

    async def _terms(self, program: ProgramId) -> DeletionTerms:
        header = await self.repository.program(program)
        now = asyncio.get_running_loop().time()
        self.unfit = {key: until for key, until in self.unfit.items() if until > now}
        roomy = self.registry.roomy(header.length_bytes, self.surplus_percent) if header else []
        return DeletionTerms(
            home=self.home,
            heard_since_ms=self.registry.heard_since_ms,
            roomy=[room for room in roomy if (program, room.station) not in self.unfit],
            now_ms=now_ms(),
        )

    async def _done(self, message: messages.DeletionDone) -> Done | Refused:
        """Claim 23, last steps: the deletion is confirmed, and the location database updated."""
        verdict = await self.repository.deletion_done(
            Cut(message.program, message.table), message.station, Stamp(message.epoch, message.generation)
        )
        if verdict not in (Verdict.ACCEPTED, Verdict.REPEATED, Verdict.UNKNOWN_PROGRAM):
            return Refused(_REFUSALS[verdict], f"{message.station}: {verdict.value}")
        logger.info("%s is deleted at %s", message.program, message.station)
        self.registry.moved.at(message.station, message.program)
        self.news.set()
        return Done()

    async def _tell_surplus(self, question: messages.AskSurplus) -> messages.SurplusPage:
        found = await self.repository.surplus(question.station, question.after, PAGE)
        rows = (
            messages.SurplusRow(
                program=one.cut.program, table=one.cut.table, ordered=one.ordered, elsewhere=one.elsewhere
            )
            for one in found.surplus
        )
        return messages.SurplusPage(programs=tuple(rows), until=found.until)
