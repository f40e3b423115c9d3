"""From where a segment is copied: asked of the registry, chosen by cost (claims 14, 15).

The registry is asked once for each program, and again when a source has failed or a while has passed; meanwhile, and
while it is away, what it said last is used.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from blade_agent.main_board.director.copies.cost import Candidate, Ranked, Wanted, rank
from blade_agent.main_board.director.copies.throughput import Throughput
from blade_agent.main_board.director.term import Term
from media_network.address import Address
from media_network.cut import Cut
from media_network.http.errors import NetworkError
from media_network.messages.sources import ASK_SOURCES, AskSources, CostWeights, Source, Sources
from media_network.program import Program
from media_network.refusal import Refused
from media_network.segment_table import Segment

logger = logging.getLogger(__name__)

_ASK_AGAIN_S = 15.0
_ASK_AGAIN_AFTER_A_FAILURE_S = 2.0
_BELIEVED_S = 60.0
"""What the registry said longer ago is stale, whatever it said."""
_REST_S = 30.0
"""So long a source that has failed is asked after all others."""
_QUESTIONS_MAX = 64
_REGISTRY_ANSWERS_WITHIN_S = 2.0

_Question = tuple[Cut, int | None]


class SourceDirector(NamedTuple):
    """Whom to ask where a segment is."""

    station: str
    director: Address


class KnownSources(NamedTuple):
    """The sources of a segment, in the order in which they would be asked, and what that rests on."""

    ranked: list[Ranked]
    resting: frozenset[str]
    """Stations that have failed lately: they come after all others."""
    weights: CostWeights
    said_s: float | None
    """How long ago the registry said so; None: it never did."""
    registry_away: bool
    """It did not answer when it was asked last."""


@dataclass
class _Answer:
    """What the registry said, and when; when it was asked last."""

    sources: Sources
    said_at: float | None
    asked_at: float
    away: bool


_NOBODY = Sources(sources=(), parts="")


class SourceChoice:
    """Knows the sources of what is sought at present."""

    def __init__(self, term: Term) -> None:
        self._term = term
        self._throughput = Throughput()
        self._answers: OrderedDict[_Question, _Answer] = OrderedDict()
        """The one that was used last is the last."""
        self._asking: dict[_Question, asyncio.Task[None]] = {}
        self._resting_until: dict[str, float] = {}
        self._failed_at = float("-inf")

    async def in_order(
        self, program: Program, segment: Segment, hint: SourceDirector | None = None, *, anywhere: bool = True
    ) -> list[SourceDirector]:
        """Whom to ask for a segment, the cheapest first: those that hold most of its program, or with `anywhere` false
        those that hold just this; the hint after all others."""
        known = await self.known(program, segment, anywhere=anywhere)
        sources = [_director_of(each.candidate.source) for each in known.ranked]
        named = [each for each in sources if each and each.director != self._term.duty.address]
        return named if hint is None or any(each.station == hint.station for each in named) else [*named, hint]

    async def known(
        self, program: Program, segment: Segment, *, anywhere: bool = False, fresh: bool = False
    ) -> KnownSources:
        """The sources of a segment by their cost; with `anywhere`, those that hold most of its program. `fresh`: what
        the registry says now, if it answers."""
        answer = await self._answer(program.cut, None if anywhere else segment.number, fresh=fresh)
        away, of_program = answer.away, self._known((program.cut, None))
        if answer.said_at is None and of_program:
            answer, anywhere = of_program, True  # of the whole program something is known
        now = _now()
        wanted = Wanted(length_bytes=segment.length_bytes, segments=len(program.segments), anywhere=anywhere)
        old = answer.said_at is None or now - answer.said_at > _BELIEVED_S
        candidates = [
            Candidate(
                source=replace(each, stale=each.stale or old), measured_bps=self._throughput.bps(each.station, now)
            )
            for each in answer.sources.sources
        ]
        self._resting_until = {station: until for station, until in self._resting_until.items() if until > now}
        ranked = rank(candidates, wanted, answer.sources.weights)
        ranked.sort(key=lambda each: each.candidate.source.station in self._resting_until)
        return KnownSources(
            ranked=ranked,
            resting=frozenset(self._resting_until),
            weights=answer.sources.weights,
            said_s=None if answer.said_at is None else now - answer.said_at,
            registry_away=away,
        )

    def copied(self, station: str, copied_bytes: int, took_s: float) -> None:
        """A copy from a station has come."""
        self._throughput.measured(station, copied_bytes, took_s, _now())

    def failed(self, station: str) -> None:
        """A station did not say where a segment is, or did not give it."""
        self._failed_at = _now()
        self._resting_until[station] = self._failed_at + _REST_S

    def _known(self, question: _Question) -> _Answer | None:
        """What was said to a question; it is kept longer than those that nobody has used since."""
        if question in self._answers:
            self._answers.move_to_end(question)
        return self._answers.get(question)

    async def _answer(self, cut: Cut, segment: int | None, *, fresh: bool) -> _Answer:
        question = (cut, segment)
        known = self._known(question)
        if known is None or fresh or self._is_due(known):
            asking = self._asking.get(question)
            if asking is None:
                asking = self._asking[question] = self._term.tasks.create_task(
                    self._ask(question), name=f"ask for sources of {cut.program}"
                )
                asking.add_done_callback(lambda _: self._asking.pop(question, None))
            if known is None or fresh:
                await asyncio.wait([asking])
        return self._answers.get(question) or known or _Answer(_NOBODY, None, _now(), away=True)

    def _is_due(self, known: _Answer) -> bool:
        pause_s = _ASK_AGAIN_AFTER_A_FAILURE_S if self._failed_at > known.asked_at else _ASK_AGAIN_S
        return _now() - known.asked_at >= pause_s

    async def _ask(self, question: _Question) -> None:
        cut, segment = question
        duty = self._term.duty
        asked = AskSources(station=duty.station, zone=duty.zone, program=cut.program, table=cut.table, segment=segment)
        known = self._answers.get(question) or _Answer(_NOBODY, None, 0.0, away=True)
        said = await self._registry_says(asked)
        now = _now()
        self._answers[question] = (
            _Answer(said, now, now, away=False)
            if said is not None
            else _Answer(known.sources, known.said_at, now, away=True)
        )
        self._answers.move_to_end(question)
        if len(self._answers) > _QUESTIONS_MAX:
            self._answers.popitem(last=False)

    async def _registry_says(self, question: AskSources) -> Sources | None:
        center = self._term.duty.center
        if center is None:
            return None
        try:
            answer = await self._term.http.ask(center, ASK_SOURCES, question, deadline_s=_REGISTRY_ANSWERS_WITHIN_S)
        except NetworkError:
            return None  # it may be away for as long as it likes
        if isinstance(answer, Refused):
            logger.info("the registry names no sources of %s: %s", question.program, answer)
            return None
        return answer


def _director_of(source: Source) -> SourceDirector | None:
    try:
        return SourceDirector(source.station, Address.parse(source.director))
    except ValueError as error:
        logger.warning("the registry names a director of %s that is none: %s", source.station, error)
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
