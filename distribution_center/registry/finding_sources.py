"""Where a segment may be copied from (claims 14, 15): the registry names stations, the director that asks chooses.

However many hold it, a bounded number of rows is read, and at most `SOURCES_MAX` are named: what is near, and the home
station, by name; of the others those that come first after a place in the numbers of stations that depends on who asks,
so that all who ask do not meet at the same few.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from distribution_center.distances import Distances
from distribution_center.registry.masks import CHUNK_SEGMENTS
from distribution_center.registry.presence import Presence, Presences
from distribution_center.registry.repository import Holder, Repository
from distribution_center.registry.source_reads import HOLDERS_MAX
from media_network.address import Address
from media_network.http.server import HandlerTable
from media_network.messages.sources import ASK_SOURCES, SOURCES_MAX, AskSources, CostWeights, Source, Sources
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused

_CHUNKS_MAX = 64
"""More of a program are not counted: of a longer one evenly so many."""

_ENDS = 2


class _Candidate(NamedTuple):
    holder: Holder
    presence: Presence
    distance_km: float
    is_home: bool
    held: int
    """Segments, as far as they were looked at."""


class FindingSources:
    """Answers directors that seek a source."""

    def __init__(  # noqa: PLR0917 -- all that is known of stations
        self,
        repository: Repository,
        presences: Presences,
        home: str,
        media: Address,
        distances: Distances,
        weights: CostWeights,
    ) -> None:
        """`media`: the center's media address, where segment tables are."""
        self._repository = repository
        self._presences = presences
        self._home = home
        self._media = media
        self._distances = distances
        self._weights = weights

    def answer(self, table: HandlerTable) -> None:
        """Enter the verb into a table."""
        table.verb(ASK_SOURCES, self._answer)

    async def _answer(self, question: AskSources) -> Sources | Refused:
        program = await self._repository.program(question.program)
        if program is None or program.table != question.table:
            return Refused(Reason.UNKNOWN_PROGRAM, f"there is no program {question.program} of this cut")
        if question.segment is not None and question.segment >= program.segments:
            return Refused(Reason.BAD_MESSAGE, f"{question.program} has {program.segments} segments")
        return await self.sources(question, program.segments)

    async def sources_for(self, program: ProgramHeader, station: str) -> Sources:
        """Stations that hold most of a program that a station seeks. Raises `RepositoryError`."""
        zone = self._presences.known(station).zone
        question = AskSources(station=station, zone=zone, program=program.program, table=program.table)
        return await self.sources(question, program.segments)

    async def sources(self, question: AskSources, segments: int) -> Sources:
        """Stations that hold what is asked for of a program of so many segments. Raises `RepositoryError`."""
        found: dict[str, Holder] = {}
        for place, wanted in enumerate(_looked_at(question.segment, segments)):
            if place >= _ENDS and found:
                break  # who holds most of it holds something of its ends
            for holder in await self._holders(question, wanted):
                held = found[holder.station].held if holder.station in found else 0
                found[holder.station] = holder._replace(held=holder.held + held)
        found.pop(question.station, None)
        picked = self._best(self._candidate(question, holder) for holder in found.values())
        counted = await self._count(question.program, segments, [each.holder.number for each in picked])
        if question.segment is None:
            picked = self._best(each._replace(held=counted.get(each.holder.number, 0)) for each in picked)
        return Sources(
            sources=tuple(self._source(each, counted.get(each.holder.number, 0)) for each in picked),
            parts=str(self._media),
            weights=self._weights,
        )

    async def _holders(self, question: AskSources, wanted: Sequence[int]) -> list[Holder]:
        start = crc32(f"{question.station} {question.program}".encode())
        near = self._presences.near(question.zone, start, HOLDERS_MAX)
        holders = await self._repository.holders_among(question.program, wanted, [self._home, *near])
        after = start % max(1, len(self._presences))
        some = await self._repository.some_holders(question.program, wanted, after)
        if len(some) < HOLDERS_MAX and after:
            some += await self._repository.some_holders(question.program, wanted, 0)
        return list({holder.station: holder for holder in (*holders, *some)}.values())

    def _candidate(self, question: AskSources, holder: Holder) -> _Candidate:
        presence = self._presences.known(holder.station)
        distance_km = self._distances.km(question.zone, presence.zone)
        return _Candidate(holder, presence, distance_km, holder.station == self._home, holder.held)

    def _best(self, candidates: Iterable[_Candidate]) -> list[_Candidate]:
        """The most promising, best first; the home station is among them if it is one at all."""
        now = asyncio.get_running_loop().time()

        def order(each: _Candidate) -> tuple[bool, int, float, float, str]:
            return each.presence.is_stale(now), -each.held, each.distance_km, each.presence.load, each.holder.station

        ordered = sorted(candidates, key=order)
        best, home = ordered[:SOURCES_MAX], [each for each in ordered[SOURCES_MAX:] if each.is_home]
        return best[: SOURCES_MAX - len(home)] + home

    async def _count(self, program: str, segments: int, stations: Sequence[int]) -> dict[int, int]:
        """How many segments each station holds; of a program of very many an estimate that is never all by mistake."""
        if not stations:
            return {}
        chunks = _evenly(-(-segments // CHUNK_SEGMENTS))
        looked_at = sum(len(_chunk(chunk, segments)) for chunk in chunks)
        counted = await self._repository.count_held(program, chunks, stations)
        return {station: count * segments // looked_at for station, count in counted.items()}

    def _source(self, candidate: _Candidate, segments: int) -> Source:
        now, presence = asyncio.get_running_loop().time(), candidate.presence
        return Source(
            station=candidate.holder.station,
            director=candidate.holder.director,
            zone=presence.zone,
            distance_km=candidate.distance_km,
            home=candidate.is_home,
            load=presence.load,
            free_bps=presence.free_bps,
            segments=segments,
            silent_ms=int(presence.silent_s(now) * 1000),
            stale=presence.is_stale(now),
        )


def _looked_at(segment: int | None, segments: int) -> list[range]:
    """Of what stations are looked for: the segment, or the ends of the whole, and what is between them."""
    if segment is not None:
        return [range(segment, segment + 1)]
    first, *between = _evenly(-(-segments // CHUNK_SEGMENTS))
    return [_chunk(chunk, segments) for chunk in (first, *between[-1:], *between[:-1])]


def _chunk(chunk: int, segments: int) -> range:
    return range(chunk * CHUNK_SEGMENTS, min((chunk + 1) * CHUNK_SEGMENTS, segments))


def _evenly(chunks: int) -> list[int]:
    """So many numbers of chunks, or a few of them from the first to the last."""
    if chunks <= _CHUNKS_MAX:
        return list(range(chunks))
    return [place * (chunks - 1) // (_CHUNKS_MAX - 1) for place in range(_CHUNKS_MAX)]
