"""A center that keeps what it is told as the registry does, and tells of programs as a test has it."""

import asyncio
from contextlib import contextmanager, suppress
from functools import partial

from blade_agent.main_board.catalogue import change_of
from distribution_center.registry.feed_news import FeedNews
from media_network.address import Address
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable, serve_ports
from media_network.messages.deletion import (
    ASK_SURPLUS,
    DELETION_DONE,
    REQUEST_DELETION,
    DeletionAnswer,
    DeletionVerdict,
    SurplusPage,
)
from media_network.messages.program_information import ASK_CHANGES, PART_PATH, Changes
from media_network.messages.registry import (
    ADD_LOCATIONS,
    REGISTER_STATION,
    REMOVE_LOCATIONS,
    REPORT_LOCATIONS,
    StationRegistered,
)
from media_network.messages.sources import ASK_SOURCES, Sources
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from media_network.segment_set import parse_segments
from tests.blade_agent.main_board.director.stage import CENTER, stage

CENTER_MEDIA = Address(CENTER.host, 8080)
GRANTED = DeletionAnswer(verdict=DeletionVerdict.GRANTED, reason="others hold it", begin_within_ms=30_000)
NOW_MS = 9_000_000_000_000


class ScriptedCenter:
    """What it holds, and everything it heard."""

    def __init__(self, world, programs=()):
        self.host = world.simulation.host(CENTER.host)
        self.heard = []
        self.generation = 0
        self.held = {}
        self.news = FeedNews()
        self.changes = {}
        """The newest of each program."""
        self.parts = {}
        self.page = 100
        """Changes in one."""
        self.lets_wait = True
        """It answers who follows the feed when there is something new, as a center does that has few who wait."""
        self.turns_away = 0
        """So many of them it answers at once, all the same."""
        self.again_ms = 0
        self.now_ms = NOW_MS
        self.sources = []
        """The sources of whatever is asked for."""
        self.leave = GRANTED
        """What it answers to who wants to delete."""
        self.surplus = []
        self.refusals = {}
        """By verb: what it is refused with."""
        self.slow = {}
        """By verb: how long its answer takes."""
        for program in programs:
            self.add(program)

    def add(self, program):
        """Have a program, and its segment table, which is nowhere else."""
        self.parts[program.header.table] = program.segments.octets
        self.say(change_of(program.header))

    def say(self, change):
        """A program has changed."""
        self.changes[change.program] = change
        self.news.ring()
        if change.header is None:
            self.held.pop(change.program, None)

    @property
    def newest(self):
        return max((change.version for change in self.changes.values()), default=0)

    async def run(self):
        table = HandlerTable("scripted center")
        for verb, answer in {
            REGISTER_STATION: self._register,
            REPORT_LOCATIONS: self._replace,
            ADD_LOCATIONS: self._add,
            REMOVE_LOCATIONS: self._remove,
            ASK_CHANGES: self._changes,
            ASK_SOURCES: lambda _: Sources(sources=tuple(self.sources), parts=str(CENTER_MEDIA)),
            REQUEST_DELETION: lambda message: self.leave,
            DELETION_DONE: self._deleted,
            ASK_SURPLUS: lambda _: SurplusPage(programs=tuple(self.surplus)),
        }.items():
            table.verb(verb, self._answer(verb, answer))
        table.resource(PART_PATH, partial(part_response, read=self._part), "Parts of programs.")
        async with serve_ports(table, control=CENTER, media=CENTER_MEDIA):
            await asyncio.Event().wait()

    def _answer(self, verb, answer):
        async def hear(message):
            self.heard.append(message)
            await asyncio.sleep(self.slow.get(verb, 0.0))
            if verb is ASK_CHANGES and message.wait_ms:
                self.turns_away -= 1
                await self._wait(message)
            return self.refusals.get(verb) or answer(message)

        return hear

    async def _wait(self, question):
        if not self.lets_wait or self.turns_away >= 0:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(question.wait_ms / 1000):
                while self.newest <= question.since:
                    await self.news.after(self.news.count, float("inf"))

    async def _part(self, sha256):
        return self.parts.get(sha256)

    def _register(self, _):
        return StationRegistered(
            media=str(CENTER_MEDIA),
            newest=self.newest,
            now_ms=self.now_ms,
            generation=self.generation,
            again_ms=self.again_ms,
        )

    def _replace(self, message):
        if message.after is None:
            self.held = {}
        self.held |= {
            holding.program: set(parse_segments(holding.segments))
            for holding in message.holdings
            if self._is_current(holding)
        }
        self.generation = self.generation if message.more else message.generation
        return Done()

    def _is_current(self, told):
        change = self.changes.get(told.program)
        return bool(change and change.header and change.header.table == told.table)

    def _add(self, message):
        return self._change(message, set.update)

    def _remove(self, message):
        return self._change(message, set.difference_update)

    def _change(self, message, apply):
        if message.generation != self.generation:
            return Refused(Reason.UNKNOWN_STATION)
        if self._is_current(message):
            apply(self.held.setdefault(message.program, set()), parse_segments(message.segments))
        return Done()

    def _deleted(self, message):
        self.held.pop(message.program, None)
        return Done()

    def _changes(self, message):
        later = sorted(
            (change for change in self.changes.values() if change.version > message.since),
            key=lambda change: change.version,
        )
        page, more = later[: self.page], len(later) > self.page
        until = page[-1].version if more else self.newest
        return Changes(changes=tuple(page), until=until, more=more, now_ms=self.now_ms)

    def forget(self):
        """Lose what it knew of stations, as with a new disk."""
        self.generation, self.held = 0, {}

    def of(self, kind):
        return [message for message in self.heard if isinstance(message, kind)]


@contextmanager
def stage_with_center(inventories, programs=(), up=True):
    """A stage, and its center, which is up from the beginning or is not."""
    with stage(inventories, center=CENTER) as world:
        center = ScriptedCenter(world, programs)
        for program in programs[:1]:
            world.hold(program)
        if up:
            world.simulation.start(center.host, center.run)
        yield world, center
