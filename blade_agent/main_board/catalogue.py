"""The catalogue at the station: a header for each program that the content manager has told of (claim 2).

Kept on every blade's own disk, an engine's too: whichever blade directs next, with the distribution center away, it
serves what the director before it served, and knows what was withdrawn.
"""

import asyncio
import logging
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from blade_agent.main_board.parts import Parts
from blade_agent.main_board.service_clock import ServiceClock
from media_network.callback import do_nothing
from media_network.durable_file import DurableFile
from media_network.fields import Count, ProgramId, Sha256
from media_network.files import Files
from media_network.message_pages import first_page
from media_network.messages.program_information import Changes, ProgramChange
from media_network.program_header import Milliseconds, ProgramHeader
from media_network.time_of_day import now_ms
from media_network.whole_information import parse_information

logger = logging.getLogger(__name__)

_SUFFIX = ".json"
_FEED, _PARTS = "feed", "parts"
_TOLD_KEPT_EVERY_MS = 60_000
"""Of the center's time: a clock that was lost is that far behind after a restart, and the disk is spared."""
_REBUILT = "the center, or another blade of the station, says it again"


class _Feed(Struct, frozen=True):
    """What was heard of the center."""

    heard: Count
    told_ms: Milliseconds
    lost: Count = 0
    """Files of programs that had been set aside as damaged by then."""


class _Kept(NamedTuple):
    """What a file holds."""

    change: ProgramChange
    table: bytes | None = None
    """In one of an earlier release."""


LetGo = Callable[[Sequence[ProgramChange]], Awaitable[None]]


async def _hold_nothing(_: Sequence[ProgramChange]) -> None:
    """Let go of what is here of programs, where nothing is."""


class Catalogue:
    """The newest change of each program, durable in one folder, one JSON file each; and the parts of programs."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._known: dict[ProgramId, ProgramChange] = {}
        self._order: list[tuple[int, ProgramId]] = []
        """Of what is known, by version."""
        self._tables: Counter[Sha256] = Counter()
        """How many of these programs have a segment table: the same film under two names has one."""
        self._told_kept_ms = self._lost = 0
        self._writing = asyncio.Lock()
        self.parts = Parts(files, folder / _PARTS)
        self.clock = ServiceClock()
        self.learnt: Callable[[Sequence[ProgramChange]], None] = do_nothing
        """Called with changes that are new, once they are durable, and with none when only `heard` has grown."""
        self.let_go: LetGo = _hold_nothing
        """Called with changes after which nothing is to be held of their programs as they were, before these changes
        are known: after a power cut between the two they are said again. Raises OSError."""
        self.changes = 0
        """Grows with every change."""
        self.heard = 0
        """All changes up to this number are known."""

    def forget_listener(self) -> None:
        """Whoever wanted to know what is learnt does not any more."""
        self.learnt = do_nothing

    @contextmanager
    def letting_go(self, let_go: LetGo) -> Iterator[None]:
        """Have another do it for a while."""
        before, self.let_go = self.let_go, let_go
        try:
            yield
        finally:
            self.let_go = before

    async def load(self) -> None:
        """Read what this blade was told earlier. Raises OSError."""
        loop = asyncio.get_running_loop()
        feed, kept = await loop.run_in_executor(None, self._read_all)
        self.heard, self.clock.newest_told_ms, self._lost = feed.heard, feed.told_ms, feed.lost
        self._told_kept_ms = feed.told_ms
        self._known = {one.change.program: one.change for one in kept}
        self._order = sorted((change.version, name) for name, change in self._known.items())
        self._tables = Counter(header.table for header in self)
        for one in kept:
            if one.table is not None and one.change.header:
                await self._keep_in_parts(one.change, one.change.header, one.table)

    @property
    def newest(self) -> int:
        """Number of the newest change that is known, though earlier ones may not be."""
        return self._order[-1][0] if self._order else 0

    def __iter__(self) -> Iterator[ProgramHeader]:
        return iter([change.header for change in self._known.values() if change.header])

    def get(self, program: ProgramId) -> ProgramHeader | None:
        """A program, or None."""
        change = self._known.get(program)
        return change.header if change else None

    def published(self, program: ProgramId) -> ProgramHeader | None:
        """A program in service, or None."""
        header = self.get(program)
        return header if header and header.is_in_service(self.clock.now_ms()) else None

    def since(self, version: int) -> Changes:
        """A page of the changes after one, for whoever has heard up to that one."""
        first = bisect_right(self._order, version, key=itemgetter(0))
        page, more = first_page(self._known[name] for _, name in islice(self._order, first, None))
        until = min(self.heard, page[-1].version) if more else self.heard
        return Changes(changes=tuple(page), until=until, more=more, now_ms=self.clock.center_ms())

    def is_news(self, change: ProgramChange) -> bool:
        """Whether a change is newer than what is known of its program."""
        known = self._known.get(change.program)
        return known is None or change.version > known.version

    def is_gone(self, program: ProgramId, table: Sha256) -> bool:
        """Whether a program was withdrawn, or has another table now. Of one that is not known neither is known."""
        change = self._known.get(program)
        return change is not None and (change.header is None or change.header.table != table)

    def withdrawn_at(self, program: ProgramId) -> int | None:
        """Number of the change by which a program was withdrawn; None: it was not."""
        change = self._known.get(program)
        return change.version if change and change.header is None else None

    async def learn(self, changes: Iterable[ProgramChange], *, until: int = 0, told_ms: int = 0) -> None:
        """Take changes in; what is returned from is durable. With these all `until` that number are known.

        Raises OSError.
        """
        async with self._writing:
            news = [change for change in changes if self.is_news(change)]
            if voiding := [change for change in news if self._voids(change)]:
                await self.let_go(voiding)
            if told_ms:
                self.clock.tell(told_ms)
            learnt, heard = [], self.heard
            try:
                for change in news:
                    if self.is_news(change):  # of two changes of one program in a page, too
                        await self._learn(change)
                        learnt.append(change)
                await self._keep_feed(max(until, heard))
            finally:
                if learnt or self.heard > heard:
                    self.learnt(learnt)

    async def hear_time(self, center_ms: int) -> None:
        """The center says what time it is. Raises OSError."""
        self.clock.tell(center_ms)
        async with self._writing:
            await self._keep_feed(self.heard)

    async def _learn(self, change: ProgramChange) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self._write, change)
        before = self.get(change.program)
        self._enter(change)
        self.changes += 1
        self.clock.tell_past(change.header.changed_at_ms if change.header else 0)
        if before and not self._tables[before.table]:
            del self._tables[before.table]
            try:
                await self.parts.forget(before.table)
            except OSError as error:
                logger.warning("the segment table of what %s was stays: %s", change.program, error)

    def _voids(self, change: ProgramChange) -> bool:
        """Whether what may be here of a program is not of what it is after a change."""
        known = self.get(change.program)
        return change.header is None or known is None or known.table != change.header.table

    def _enter(self, change: ProgramChange) -> None:
        if known := self._known.get(change.program):
            del self._order[bisect_left(self._order, (known.version, known.program))]
            if known.header:
                self._tables[known.header.table] -= 1
        self._known[change.program] = change
        insort(self._order, (change.version, change.program))
        if change.header:
            self._tables[change.header.table] += 1

    async def _keep_feed(self, heard: int) -> None:
        told_ms = self.clock.newest_told_ms
        if heard == self.heard and told_ms < self._told_kept_ms + _TOLD_KEPT_EVERY_MS:
            return
        octets = msgspec.json.encode(_Feed(heard, told_ms, self._lost))
        await asyncio.get_running_loop().run_in_executor(None, self._feed_file().keep, octets)
        self.heard, self._told_kept_ms = heard, told_ms

    async def _keep_in_parts(self, change: ProgramChange, header: ProgramHeader, table: bytes) -> None:
        """Keep what an earlier release has kept as one."""
        try:
            await self.parts.keep(header, table)
            await asyncio.get_running_loop().run_in_executor(None, self._write, change)
        except OSError as error:
            logger.warning("%s stays as an earlier release has kept it: %s", change.program, error)

    def _read_all(self) -> tuple[_Feed, list[_Kept]]:
        self._files.make_folder(self._folder)
        self._files.sync_folder(self._folder.parent)
        self._files.make_folder(self._folder / _PARTS)
        self._files.sync_folder(self._folder)
        feed = self._feed_file().read().value or _Feed(0, 0)
        names = [name for name in self._files.list_folder(self._folder) if name.endswith(_SUFFIX)]
        kept = [one for name in names if (one := self._read(self._folder / name))]
        lost = sum(f"{_SUFFIX}.damaged-" in name for name in self._files.list_folder(self._folder))
        if lost != feed.lost or len(kept) < len(names) - (lost - feed.lost):
            # What was heard of these has to be said again, be it that one was withdrawn.
            feed = _Feed(0, feed.told_ms, lost)
            with suppress(OSError):
                self._feed_file().keep(msgspec.json.encode(feed))
        return feed, kept

    def _read(self, path: Path) -> _Kept | None:
        try:
            return self._file(path).read().value
        except OSError as error:
            # The distribution center will say it again; the other programs go on meanwhile.
            logger.warning("%s cannot be used: %s", path, error)
            return None

    def _write(self, change: ProgramChange) -> None:
        self._file(self._folder / f"{change.program}{_SUFFIX}").keep(msgspec.json.encode(change))

    def _feed_file(self) -> DurableFile[_Feed]:
        parse = partial(msgspec.json.decode, type=_Feed)
        return DurableFile(self._folder / _FEED, parse, rebuilt=_REBUILT, files=self._files, keeps_before=False)

    def _file(self, path: Path) -> DurableFile[_Kept]:
        parse = partial(_parse, path.name.removesuffix(_SUFFIX))
        return DurableFile(path, parse, rebuilt=_REBUILT, files=self._files, keeps_before=False)


def change_of(header: ProgramHeader) -> ProgramChange:
    """That this is what a program is now."""
    return ProgramChange(version=header.version, program=header.program, header=header)


def _parse(name: str, octets: bytes) -> _Kept:
    try:
        kept = _Kept(msgspec.json.decode(octets, type=ProgramChange))
    except msgspec.ValidationError:
        whole = parse_information(octets, published_at_ms=now_ms())
        kept = _Kept(change_of(whole.header), whole.segments.octets)
    if kept.change.program != name:
        raise ValueError(f"it is about {kept.change.program}")
    return kept
