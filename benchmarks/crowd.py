"""A crowd of viewers at one station in virtual time: the director's own conversations choose, engines are ready always.

Segments lie where the product places them, two copies of each. What a viewer does is what an engine says for it, or its
player asks: the next segment a second before the end of this one, or one whenever one has been played.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.director.admission import Admission
from blade_agent.main_board.director.conversations.push_sessions import PushSessions
from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.doors.pulls import Pulls
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.holdings.placement import place
from blade_agent.main_board.director.holdings.segment_location_table import SegmentLocationTable
from blade_agent.main_board.director.term import Term
from blade_agent.main_board.engine.turns.carried_stream import LEAD_S
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation
from media_network.address import Address
from media_network.http.asker import Asker
from media_network.http.client import HttpClient
from media_network.messages.enlisting import Enlist
from media_network.messages.holdings import Holdings
from media_network.messages.streaming import Assumed, Next, NextSegment, Play, Ready, Redirect, StopCause, Stopped
from media_network.messages.verb import Done
from media_network.packets import TICK_HZ, TS_PACKET_BYTES
from media_network.program import Program, make_program
from media_network.refusal import Refused
from media_network.segment_table import Segment, SegmentTable
from media_network.ticket import TicketKey

COPIES = 2
SEGMENT_S = 4.0
RATE_BPS = 1_504_000
CAPACITY_BPS = 200 * RATE_BPS
BUFFERED = 3
"""Segments that a player fetches one after the other before it plays."""
_STATE = Path("/state")
_DIRECTOR = Address("127.1.1.1", 8081)


def film(segments: int) -> Program:
    """A program in segments of `SEGMENT_S` each."""
    packets = round(RATE_BPS * SEGMENT_S / (TS_PACKET_BYTES * 8))
    parts = SegmentTable.of(
        Segment(
            number=number,
            length_bytes=packets * TS_PACKET_BYTES,
            duration_ticks=round(SEGMENT_S * TICK_HZ),
            sha256=f"{number:064x}",
        )
        for number in range(segments)
    )
    return make_program(
        parts, program="film", version=1, title="Film", rate_bps=RATE_BPS, sha256="f" * 64, publish_at_ms=0
    )


@dataclass(kw_only=True)
class Crowd:
    """Viewers of one program, and where each of them is."""

    engines: int
    viewers: int
    within_s: float
    """They start at random moments of so many seconds."""
    pull: bool
    segments: int = 20
    seed: int = 1
    looked: "Callable[[Crowd], None] | None" = None
    """Called whenever a viewer has come to an engine."""
    at: dict[tuple[int, int], Address] = field(default_factory=dict)
    """The engine of each viewer and segment that is being sent, or has been asked for and is not yet played."""
    given: dict[int, Counter[Address]] = field(default_factory=dict)
    """By segment: how many viewers each engine was given."""

    def watch(self) -> None:
        """Let everybody watch to the end."""
        with Simulation(self.seed) as simulation:
            disk = simulation.disk("state", simulation.host(ONLOOKER), _STATE)
            simulation.run_until_complete(self._watch(Catalogue(disk, _STATE / "catalogue")))

    def holders(self, segment: int) -> list[Address]:
        """The engines that hold a segment."""
        return self.table.engines_with(self.program.cut, segment)

    async def _watch(self, catalogue: Catalogue) -> None:
        self.program = film(self.segments)
        await catalogue.load()
        await catalogue.learn([change_of(self.program.header)])
        await catalogue.parts.keep(self.program.header, self.program.segments.octets)
        self.roster, self.table = Roster(), SegmentLocationTable()
        for slot in range(2, self.engines + 2):
            self._enlist(slot)
        for segment in self.program.segments:
            for engine in place(segment, COPIES, self.roster, []):
                self.table.add(engine.address, self.program.cut, segment.number)
        rng = random.Random(self.seed)
        async with asyncio.TaskGroup() as tasks:
            duty = DirectorDuty(station="north", address=_DIRECTOR, media=_DIRECTOR, epoch=1, center=None, state=_STATE)
            term = Term(
                duty=duty,
                http=cast("HttpClient", ReadyEngines()),
                rng=rng,
                tasks=tasks,
                tickets=TicketKey(b"k" * 32),
                began_at=0.0,
                counters=DirectorCounters(),
            )
            choice = EngineChoice(self.roster, self.table)
            library = Library(term, catalogue, self.roster)
            admission = Admission(term)
            self.pushes = PushSessions(term, choice, library, admission)
            self.pulls = Pulls(term, choice, library, admission)
            view = self._pull if self.pull else self._push
            for viewer in range(self.viewers):
                tasks.create_task(view(viewer, rng.random() * self.within_s))

    def _enlist(self, slot: int) -> EngineRecord:
        control, media = Address(f"127.1.1.{slot}", 8081), Address(f"127.1.1.{slot}", 8080)
        message = Enlist(
            slot=slot,
            engine=str(control),
            media=str(media),
            boot="one",
            epoch=1,
            capacity_bps=CAPACITY_BPS,
            holdings=Holdings(holdings=()),
        )
        return self.roster.enlist(message, control, media, 0.0)

    async def _push(self, viewer: int, starts_at: float) -> None:
        await asyncio.sleep(starts_at)
        redirect = await self.pushes.play(Play(program="film", console=f"{ONLOOKER}:5000"), Asker(ONLOOKER))
        if not isinstance(redirect, Redirect):
            raise TypeError(str(redirect))
        session, turn, segment = redirect.session, redirect.turn, 0
        engine = Address.parse(redirect.engine)._replace(port=8081)
        ends_at = _now()
        while True:
            ends_at += SEGMENT_S
            await self._assume(viewer, session, turn, engine, segment)
            await asyncio.sleep(ends_at - LEAD_S - _now())
            answer = await self.pushes.next_segment(NextSegment(session=session, turn=turn, segment=segment))
            await asyncio.sleep(ends_at - _now())
            if not isinstance(answer, Next) or answer.hand_over is None:
                break
            turn, engine, segment = answer.hand_over.turn, Address.parse(answer.hand_over.engine), segment + 1
        stopped = Stopped(session=session, turn=turn, segment=segment, packet=0, cause=StopCause.END_OF_PROGRAM)
        await self.pushes.stopped(stopped)
        del self.at[viewer, segment]

    async def _assume(self, viewer: int, session: str, turn: int, engine: Address, segment: int) -> None:
        message = Assumed(session=session, turn=turn, engine=str(engine), segment=segment, packet=0)
        if not isinstance(answer := await self.pushes.assumed(message), Done):
            raise TypeError(str(answer))
        self.at.pop((viewer, segment - 1), None)
        self._come(viewer, segment, engine)

    async def _pull(self, viewer: int, starts_at: float) -> None:
        await asyncio.sleep(starts_at)
        began_at = _now()
        for segment in range(self.segments):
            await asyncio.sleep(max(0.02, began_at + (segment + 1 - BUFFERED) * SEGMENT_S - _now()))
            engine = self.pulls.redirect(f"{viewer:024x}", self.program, segment, ONLOOKER)
            if isinstance(engine, Refused):
                raise TypeError(str(engine))
            asyncio.get_running_loop().call_later(SEGMENT_S - 0.001, self.at.pop, (viewer, segment))
            self._come(viewer, segment, engine.address)

    def _come(self, viewer: int, segment: int, engine: Address) -> None:
        self.at[viewer, segment] = engine
        self.given.setdefault(segment, Counter())[engine] += 1
        if self.looked:
            self.looked(self)

    # What came of it

    @property
    def fullest(self) -> int:
        """How much the engine carries that carries most."""
        return max(Counter(self.at.values()).values())

    @property
    def unevenness(self) -> float:
        """What the engine was given that got most, over the mean of those that hold what was asked for, at its worst.

        What a player asks for ahead, one segment after the other, is asked for at once.
        """
        ahead = BUFFERED if self.pull else 1
        rounds = [range(ahead), *([segment] for segment in range(ahead, self.segments))]
        return max(self._unevenness(segments) for segments in rounds)

    def _unevenness(self, segments: Iterable[int]) -> float:
        given: Counter[Address] = Counter()
        holders: set[Address] = set()
        for segment in segments:
            given += self.given[segment]
            holders |= set(self.holders(segment))
        return max(given.values()) * len(holders) / given.total()

    def best(self) -> int:
        """How many the fullest engine would have, were all viewers assigned anew to engines that hold their segment."""
        watched = Counter(segment for _, segment in self.at)
        most = -(-watched.total() // self.engines)
        while not _fits(watched, self.holders, most):
            most += 1
        return most


class ReadyEngines:
    """Whoever is asked to preload is ready."""

    async def ask(self, *_: Any, **__: Any) -> Ready:
        """An engine's answer."""
        return Ready(valid_ms=5000)


def _fits(watched: Counter[int], holders: Callable[[int], list[Address]], most: int) -> bool:
    """Whether there is an assignment with at most so many viewers at an engine: a flow, path by path."""
    flows: dict[tuple[int, Address], int] = Counter()
    used: Counter[Address] = Counter()
    for segment, viewers in watched.items():
        for _ in range(viewers):
            if not _place_one(segment, holders, most, flows, used, set()):
                return False
    return True


def _place_one(
    segment: int,
    holders: Callable[[int], list[Address]],
    most: int,
    flows: dict[tuple[int, Address], int],
    used: Counter[Address],
    tried: set[Address],
) -> bool:
    for engine in holders(segment):
        if engine in tried:
            continue
        tried.add(engine)
        if used[engine] < most:
            used[engine] += 1
            flows[segment, engine] += 1
            return True
        for (other, at), viewers in list(flows.items()):
            if at == engine and viewers and _place_one(other, holders, most, flows, used, tried):
                flows[other, engine] -= 1
                flows[segment, engine] += 1
                return True
    return False


def _now() -> float:
    return asyncio.get_running_loop().time()
