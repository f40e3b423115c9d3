"""The catalogue at the station: a header for each program that the content manager has told of (claim 2).

Kept on every blade's own disk, an engine's too: whichever blade directs next, with the distribution center away, it
serves what the director before it served, and knows what was withdrawn. In memory it is as it was sent, a kilobyte a
program; those that were asked for lately are there as what they mean, too.
"""

import asyncio
import logging
from bisect import bisect_left, bisect_right, insort
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from blade_agent.main_board.catalogue_file import REBUILT, CatalogueFile, Feed, KeptChange
from blade_agent.main_board.earlier_catalogue import read_earlier, remove_earlier
from blade_agent.main_board.parts import Parts
from blade_agent.main_board.service_clock import ServiceClock
from blade_agent.main_board.titles import Titles
from media_network.callback import do_nothing
from media_network.fields import ProgramId, Sha256
from media_network.files import Files
from media_network.message_pages import first_page
from media_network.messages.program_information import Changes, ProgramChange
from media_network.program_header import ProgramHeader

logger = logging.getLogger(__name__)

_FILE, _PARTS = "catalogue.sqlite", "parts"
_TOLD_KEPT_EVERY_MS = 60_000
"""Of the center's time: a clock that was lost is that far behind after a restart, and the disk is spared."""
_AT_HAND = 512
"""Headers that are decoded."""


class _Known(NamedTuple):
    """The newest change of a program, as it is in memory."""

    version: int
    table: Sha256 | None
    """None: it was withdrawn."""
    header: bytes | None
    title: str = ""
    parts: frozenset[Sha256] = frozenset()
    """Its segment table and its attachments."""


class _AttachmentOnly(Struct, frozen=True):
    sha256: Sha256


class _Always(Struct, frozen=True):
    """What is always needed of a header."""

    table: Sha256
    title: str = ""
    attachments: tuple[_AttachmentOnly, ...] = ()


LetGo = Callable[[Sequence[ProgramChange]], Awaitable[None]]


async def _hold_nothing(_: Sequence[ProgramChange]) -> None:
    """Let go of what is here of programs, where nothing is."""


class Catalogue:
    """The newest change of each program, durable; and the parts of programs."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._file = CatalogueFile(files, folder / _FILE)
        self._known: dict[ProgramId, _Known] = {}
        self._at_hand: OrderedDict[ProgramId, ProgramHeader] = OrderedDict()
        self._order: list[tuple[int, ProgramId]] = []
        """Of what is known, by version."""
        self._parts: Counter[Sha256] = Counter()
        """How many of these programs have a part: the same film under two names has one segment table."""
        self._told_kept_ms = 0
        self._writing = asyncio.Lock()
        self.titles = Titles()
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
        self.heard, self.clock.newest_told_ms, self._told_kept_ms = feed.heard, feed.told_ms, feed.told_ms
        self._known = {one.program: _known(one) for one in kept}
        self._order = sorted((known.version, name) for name, known in self._known.items())
        self._parts = Counter(part for known in self._known.values() for part in known.parts)
        self.titles.replace((name, known.title) for name, known in self._known.items() if known.header)
        await self._take_over_earlier()

    @property
    def newest(self) -> int:
        """Number of the newest change that is known, though earlier ones may not be."""
        return self._order[-1][0] if self._order else 0

    def __iter__(self) -> Iterator[ProgramId]:
        return iter([name for name, known in self._known.items() if known.header])

    def get(self, program: ProgramId) -> ProgramHeader | None:
        """A program, or None."""
        if header := self._at_hand.get(program):
            self._at_hand.move_to_end(program)
            return header
        known = self._known.get(program)
        if known is None or known.header is None:
            return None
        header = self._at_hand[program] = _header(known.header)
        if len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)
        return header

    def names_part(self, sha256: Sha256) -> bool:
        """Whether a program has it as its segment table or attachment."""
        return self._parts[sha256] > 0

    def published(self, program: ProgramId) -> ProgramHeader | None:
        """A program in service, or None."""
        header = self.get(program)
        return header if header and header.is_in_service(self.clock.now_ms()) else None

    def since(self, version: int) -> Changes:
        """A page of the changes after one, for whoever has heard up to that one."""
        first = bisect_right(self._order, version, key=itemgetter(0))
        page, more = first_page(self._change(name) for _, name in islice(self._order, first, None))
        until = min(self.heard, page[-1].version) if more else self.heard
        return Changes(changes=tuple(page), until=until, more=more, now_ms=self.clock.center_ms())

    def is_news(self, change: ProgramChange) -> bool:
        """Whether a change is newer than what is known of its program."""
        known = self._known.get(change.program)
        return known is None or change.version > known.version

    def is_gone(self, program: ProgramId, table: Sha256) -> bool:
        """Whether a program was withdrawn, or has another table now. Of one that is not known neither is known."""
        known = self._known.get(program)
        return known is not None and known.table != table

    def withdrawn_at(self, program: ProgramId) -> int | None:
        """Number of the change by which a program was withdrawn; None: it was not."""
        known = self._known.get(program)
        return known.version if known and known.header is None else None

    async def learn(self, changes: Iterable[ProgramChange], *, until: int = 0, told_ms: int = 0) -> None:
        """Take changes in; what is returned from is durable. With these all `until` that number are known.

        Raises OSError.
        """
        async with self._writing:
            news = self._news_of(changes)
            if voiding := [change for change in news if self._voids(change)]:
                await self.let_go(voiding)
            if told_ms:
                self.clock.tell(told_ms)
            heard = self.heard
            await self._keep(news, max(until, heard))
            # What is durable is known at once: nobody waits in between, for a task that is cancelled goes no further.
            void = [part for change in news for part in self._enter(change)]
            if news or self.heard > heard:
                self.learnt(news)
            await self._forget(void)

    async def hear_time(self, center_ms: int) -> None:
        """The center says what time it is. Raises OSError."""
        self.clock.tell(center_ms)
        async with self._writing:
            await self._keep([], self.heard)

    def _news_of(self, changes: Iterable[ProgramChange]) -> list[ProgramChange]:
        """Of two changes of one program the newer one."""
        news: dict[ProgramId, ProgramChange] = {}
        for change in changes:
            before = news.get(change.program)
            if self.is_news(change) and (before is None or change.version > before.version):
                news[change.program] = change
        return list(news.values())

    def _change(self, program: ProgramId) -> ProgramChange:
        known = self._known[program]
        header = _header(known.header) if known.header else None
        return ProgramChange(version=known.version, program=program, header=header)

    def _voids(self, change: ProgramChange) -> bool:
        """Whether what may be here of a program is not of what it is after a change."""
        known = self._known.get(change.program)
        return change.header is None or known is None or known.table != change.header.table

    async def _keep(self, news: Sequence[ProgramChange], heard: int) -> None:
        told_ms = self.clock.newest_told_ms
        if not news and heard == self.heard and told_ms < self._told_kept_ms + _TOLD_KEPT_EVERY_MS:
            return
        kept = [_kept(change) for change in news]
        await asyncio.get_running_loop().run_in_executor(None, self._file.keep, kept, Feed(heard, told_ms))
        self.heard, self._told_kept_ms = heard, told_ms

    def _enter(self, change: ProgramChange) -> frozenset[Sha256]:
        """Know what is kept; gives the parts of what the program was."""
        name, header = change.program, change.header
        before = self._known.get(name)
        if before:
            del self._order[bisect_left(self._order, (before.version, name))]
        known = self._known[name] = _known(_kept(change))
        if header:
            self.titles.put(name, header.title)
        else:
            self.titles.drop(name)
        self._at_hand.pop(name, None)
        insort(self._order, (change.version, name))
        self.changes += 1
        self.clock.tell_past(header.changed_at_ms if header else 0)
        was: frozenset[Sha256] = before.parts if before else frozenset()
        self._parts.update(known.parts)
        self._parts.subtract(was)
        return was

    async def _forget(self, parts: Iterable[Sha256]) -> None:
        """Remove those that no program has any more."""
        for part in parts:
            if self._parts[part] > 0:
                continue
            del self._parts[part]
            try:
                await self.parts.forget(part)
            except OSError as error:
                logger.warning("part %s, which no program has any more, stays: %s", part, error)

    async def _take_over_earlier(self) -> None:
        """Keep what an earlier release has kept, a file a program, as it is kept now. What cannot be stays there."""
        loop = asyncio.get_running_loop()
        earlier = await loop.run_in_executor(None, read_earlier, self._files, self._folder)
        if earlier is None:
            return
        feed, kept = earlier
        self.clock.newest_told_ms = max(self.clock.newest_told_ms, feed.told_ms)
        news = self._news_of(one.change for one in kept)
        heard = max(self.heard, feed.heard)
        try:
            for one in kept:
                if one.table is not None and one.change.header:
                    await self.parts.keep(one.change.header, one.table)
            await self._keep(news, heard)
            programs = [one.change.program for one in kept]
            await loop.run_in_executor(None, remove_earlier, self._files, self._folder, programs)
        except OSError as error:
            logger.warning("the catalogue stays as an earlier release has kept it: %s", error)
        self.heard = heard
        for change in news:
            self._enter(change)

    def _read_all(self) -> tuple[Feed, list[KeptChange]]:
        self._files.make_folder(self._folder / _PARTS)
        self._files.sync_folder(self._folder.parent)
        self._files.sync_folder(self._folder)
        feed, kept = self._file.read()
        understood = [one for one in kept if one.header is None or _is_understood(one)]
        return feed if len(understood) == len(kept) else Feed(0, feed.told_ms), understood


def change_of(header: ProgramHeader) -> ProgramChange:
    """That this is what a program is now."""
    return ProgramChange(version=header.version, program=header.program, header=header)


def _kept(change: ProgramChange) -> KeptChange:
    header = msgspec.json.encode(change.header) if change.header else None
    return KeptChange(change.program, change.version, header)


def _known(kept: KeptChange) -> _Known:
    if kept.header is None:
        return _Known(kept.version, None, None)
    always = msgspec.json.decode(kept.header, type=_Always)
    parts = frozenset({always.table, *(one.sha256 for one in always.attachments)})
    return _Known(kept.version, always.table, kept.header, always.title, parts)


def _header(octets: bytes) -> ProgramHeader:
    return msgspec.json.decode(octets, type=ProgramHeader)


def _is_understood(kept: KeptChange) -> bool:
    try:
        return _header(kept.header or b"").program == kept.program
    except msgspec.MsgspecError as error:
        logger.warning("what is kept of %s makes no sense (%s): %s", kept.program, error, REBUILT)
        return False
