"""The segment store: what an engine holds, on one or more independent I/O channels (claim 4)."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from copy import copy
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from blade_agent.main_board.engine.engine_figures import ChannelFigures
from blade_agent.main_board.engine.store.earlier_layout import adopt, remove_earlier
from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace, NotHeld
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.layout import (
    Content,
    FoundSegments,
    PartialKey,
    SegmentKey,
    content_of,
    cut_path,
    partial_key,
    partial_path,
    scan,
    segment_path,
)
from blade_agent.main_board.engine.store.reception import SegmentReception
from blade_agent.main_board.engine.store.stored_segment import StoredSegment, is_intact, open_whole
from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.files import Files
from media_network.program import Program
from media_network.segment_table import Segment

logger = logging.getLogger(__name__)

_PARTIALS_KEPT = 256
_MEASURE_INTERVAL_S = 5.0
_STRANGE_NAMED = 5
_BEFORE_FIRST_ROUND_S = 10.0
_BETWEEN_ROUNDS_S = 600.0
_CHECK_PAUSE_S = 1.0
_CHECK_BYTES_S = 8 * 1024 * 1024
"""What is held is read through in the background, a segment at a time, and no faster than this: 1 TB in 35 hours."""


class _Held(NamedTuple):
    channel: IoChannel
    content: Content
    read_through: bool
    """Whether its bytes have been found good since the start."""


class _Tally:
    """What a channel holds, counted as it comes and goes: there may be very many segments."""

    def __init__(self) -> None:
        self.stored_bytes = 0
        self.by_cut: Counter[Cut] = Counter()

    def add(self, cut: Cut, length_bytes: int) -> None:
        self.stored_bytes += length_bytes
        self.by_cut[cut] += 1

    def take(self, cut: Cut, length_bytes: int) -> None:
        self.stored_bytes -= length_bytes
        self.by_cut[cut] -= 1
        if not self.by_cut[cut]:
            del self.by_cut[cut]


class SegmentStore:
    """What is held, and where. Made by `SegmentStore.open`; used by one event loop."""

    def __init__(self, files: Files, folders: Sequence[Path]) -> None:
        self.channels = tuple(IoChannel(files, folder) for folder in folders)
        self.losses = 0
        """Grows when segments have been lost: what is held has to be said anew then."""
        self._held: dict[Cut, dict[int, _Held]] = {}
        self._damaged: defaultdict[SegmentKey, set[tuple[IoChannel, Content]]] = defaultdict(set)
        """Files that are there although their segments are not held, or held elsewhere."""
        self._tending = {channel: asyncio.Lock() for channel in self.channels}
        """On each channel one file at a time is read through, or removed for its damage."""
        self._tallies = {channel: _Tally() for channel in self.channels}
        self._partials: dict[PartialKey, IoChannel] = {}
        self._receiving: set[SegmentKey] = set()
        self._forgotten: set[IoChannel] = set()
        """Channels that have failed, with all that was on them."""
        self._earlier: list[tuple[IoChannel, ProgramId]] = []
        """Folders of an earlier release."""

    @classmethod
    async def open(cls, files: Files, folders: Sequence[Path]) -> Self:
        """Take stock of the channels. One that cannot be read is marked failed; the others serve."""
        store = cls(files, folders)
        await asyncio.gather(*(store._take_stock(channel) for channel in store.channels))
        await store._drop_old_partials()
        return store

    def close(self) -> None:
        """Let the channels go."""
        for channel in self.channels:
            channel.close()

    @property
    def free_bytes(self) -> int:
        """Space left on the channels that work, as last measured."""
        return sum(channel.free_bytes for channel in self.channels if not channel.failure)

    def cuts(self) -> list[Cut]:
        """Those that anything is held of, in order."""
        return sorted(self._held)

    def numbers(self, cut: Cut) -> Collection[int]:
        """The segments of a cut that are held."""
        return self._held.get(cut, {}).keys()

    @property
    def holds_any(self) -> bool:
        """Whether there is any segment here."""
        return bool(self._held)

    def figures(self) -> tuple[ChannelFigures, ...]:
        """Every channel at this moment."""
        return tuple(
            ChannelFigures(
                name=channel.folder.name,
                working=not channel.failure,
                counted=copy(channel.counters),
                free_bytes=channel.free_bytes,
                segments=self._tallies[channel].by_cut.total(),
                stored_bytes=self._tallies[channel].stored_bytes,
                programs=frozenset(cut.program for cut in self._tallies[channel].by_cut),
                receptions=channel.receptions,
            )
            for channel in self.channels
        )

    def holds(self, cut: Cut, segment: Segment) -> bool:
        """Whether the segment is held."""
        held = self._find(SegmentKey(cut, segment.number))
        return held is not None and held.content == content_of(segment)

    def _find(self, key: SegmentKey) -> _Held | None:
        return self._held.get(key.cut, {}).get(key.number)

    def _keys(self) -> Iterator[tuple[SegmentKey, _Held]]:
        return (
            (SegmentKey(cut, number), held) for cut, numbers in self._held.items() for number, held in numbers.items()
        )

    async def read(self, cut: Cut, number: int) -> StoredSegment:
        """Open a segment; the caller closes it. Before its first reading since the start all of it is checked.

        Raises NotHeld, also when its file turns out not to be the segment, or ChannelFailed.
        """
        key = SegmentKey(cut, number)
        held = self._find(key)
        file = await self._open(key, held) if held else None
        if held is None or file is None:
            raise NotHeld(cut.program, number)
        return StoredSegment(key, held.content.length_bytes, held.channel, file)

    async def _open(self, key: SegmentKey, held: _Held) -> BinaryIO | None:
        """The file of a segment; None if it is not there as it has to be. Raises ChannelFailed."""
        channel, content = held.channel, held.content
        try:
            file = await channel.run(open_whole, channel.files, segment_path(channel.folder, key, content), content)
            if file is None:
                self._find_damaged(key, held, "its length is wrong")
            elif not held.read_through:
                return await self._read_through(key, held, file)
        except FileNotFoundError:
            self._lose(key)
            return None
        except ChannelFailed:
            self.lose(key)
            self.lose_failed_channels()
            raise
        return file

    async def _read_through(self, key: SegmentKey, held: _Held, file: BinaryIO) -> BinaryIO | None:
        """The file of a segment, if its bytes are good; whoever comes meanwhile waits. Raises ChannelFailed."""
        with ExitStack() as unless_good:
            unless_good.callback(file.close)
            async with self._tending[held.channel]:
                if self._find(key) == held:
                    await self._verify(key, held, file)
            if self._find(key) != held._replace(read_through=True):
                return None
            unless_good.pop_all()
        return file

    async def _verify(self, key: SegmentKey, held: _Held, file: BinaryIO) -> None:
        """Read all of a held segment's file: it is good, or not held any more. Raises ChannelFailed."""
        if not await held.channel.run(is_intact, file, held.content):
            self._find_damaged(key, held, "its bytes have changed")
        elif self._find(key) == held:
            self._held[key.cut][key.number] = held._replace(read_through=True)

    def _find_damaged(self, key: SegmentKey, held: _Held, what: str) -> None:
        if self._find(key) == held:
            logger.warning("%s on I/O channel %s is lost: %s", key, held.channel.folder, what)
            held.channel.counters.failures += 1
            self.lose(key)

    @asynccontextmanager
    async def receive(self, cut: Cut, segment: Segment) -> AsyncIterator[SegmentReception]:
        """Open a reception on the channel that suits best, where an earlier one left off if there was one.

        One at a time for a segment. Raises NoSpace, ChannelFailed.
        """
        key = SegmentKey(cut, segment.number)
        if key in self._receiving:
            raise ValueError(f"{key} is being received already")
        self._receiving.add(key)
        try:
            await self._make_way(key)
            reception = await self._begin(cut, segment)
            try:
                yield reception
            except BaseException as error:
                await reception.end(error)
                raise
            else:
                await reception.end(None)
            finally:
                await self._settle(reception)
        finally:
            self._receiving.discard(key)
            self.lose_failed_channels()

    async def remove(self, cut: Cut, number: int) -> None:
        """Remove a held segment; who has it open can finish. Raises NotHeld, ChannelFailed."""
        key = SegmentKey(cut, number)
        held = self._drop(key)
        await self._clear_away(key, set(self._damaged.pop(key, ())))
        if held is None:
            raise NotHeld(cut.program, number)
        try:
            await _remove(key, held.channel, held.content)
        except FileNotFoundError:
            raise NotHeld(cut.program, number) from None

    async def discard(self, programs: Mapping[ProgramId, Sha256 | None]) -> None:
        """Remove all that there is of these programs but for the cut with this table, of which nothing is being
        received. Raises ChannelFailed."""

        def is_gone(cut: Cut) -> bool:
            return cut.program in programs and programs[cut.program] != cut.table

        gone = [SegmentKey(cut, number) for cut, numbers in self._held.items() if is_gone(cut) for number in numbers]
        for key in dict.fromkeys([*gone, *(key for key in self._damaged if is_gone(key.cut))]):
            for channel, content in self._take_files(key):
                if not channel.failure:
                    await self._remove_or_remember(key, channel, content)
        for channel, name in [folder for folder in self._earlier if programs.get(folder[1], "") is None]:
            await channel.run(remove_earlier, channel.files, channel.folder, name)
            self._earlier.remove((channel, name))
        for partial, channel in [item for item in self._partials.items() if item[0].program in programs]:
            if self._partials.pop(partial, None) and not channel.failure:
                with suppress(FileNotFoundError):
                    await channel.run(channel.files.remove, partial_path(channel.folder, partial))

    async def _remove_or_remember(self, key: SegmentKey, channel: IoChannel, content: Content) -> None:
        """Raises ChannelFailed, and then the file is one that is not to be served."""
        try:
            async with self._tending[channel]:
                with suppress(FileNotFoundError):
                    await _remove(key, channel, content)
        except ChannelFailed:
            self._damaged.setdefault(key, set()).add((channel, content))
            raise

    async def _make_way(self, key: SegmentKey) -> None:
        """Remove what there is of a segment, damaged or another than is wanted: a new one may lie on another channel,
        and the next start would have two to choose from."""
        await self._clear_away(key, self._take_files(key))

    def _take_files(self, key: SegmentKey) -> set[tuple[IoChannel, Content]]:
        """Hold a segment no more; the files that there are of it."""
        files = set(self._damaged.pop(key, ()))
        if held := self._drop(key):
            files.add((held.channel, held.content))
        return files

    async def _clear_away(self, key: SegmentKey, files: set[tuple[IoChannel, Content]]) -> None:
        """Remove files that are not held any more. Who receives the segment anew waits until that is done."""
        for channel, content in files:
            async with self._tending[channel]:
                try:
                    await _remove(key, channel, content)
                except FileNotFoundError:
                    continue
                except (ChannelFailed, NoSpace):
                    self._damaged[key].add((channel, content))  # it is swept later

    async def adopt(self, program: Program) -> bool:
        """Hold what an earlier release has left of a program, as far as it is of this cut; whether there is any.

        Raises ChannelFailed.
        """
        folders = [folder for folder in self._earlier if folder[1] == program.name]
        adopted: list[SegmentKey] = []
        for channel, name in folders:
            for number, content in await channel.run(adopt, channel.files, channel.folder, program):
                adopted.append(key := SegmentKey(program.cut, number))
                self._find_file(key, channel, content)
            channel.cuts.add(program.cut)
            self._earlier.remove((channel, name))
        return bool(adopted)

    @property
    def earlier_programs(self) -> set[ProgramId]:
        """Programs of which an earlier release has left something, with folders that do not say which cut it is."""
        return {name for _, name in self._earlier}

    def lose(self, key: SegmentKey) -> None:
        """Hold a segment no longer whose file turned out to be damaged; the next fetch writes it anew."""
        if held := self._find(key):
            self._damaged[key].add((held.channel, held.content))
            self._lose(key)

    def lose_failed_channels(self) -> None:
        """Forget what was on channels that have failed."""
        failed = {channel for channel in self.channels if channel.failure}
        if failed <= self._forgotten:
            return  # there may be very many segments, and this is asked after each copy
        self._forgotten = failed
        lost = [key for key, held in self._keys() if held.channel.failure]
        for key in lost:
            self._lose(key)

    async def watch_space(self) -> None:
        """Keep the measured space of every channel recent, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for channel in self.channels:
                tasks.create_task(_measure_again(channel), name=f"space {channel.folder}")

    async def watch_content(self) -> None:
        """Read through all that is held, again and again at leisure, until cancelled: bytes rot."""
        async with asyncio.TaskGroup() as tasks:
            for channel in self.channels:
                tasks.create_task(self._keep_checking(channel), name=f"content {channel.folder}")

    async def _keep_checking(self, channel: IoChannel) -> None:
        pause_s = _BEFORE_FIRST_ROUND_S
        while not channel.failure:
            await asyncio.sleep(pause_s)
            for key in [key for key, held in self._keys() if held.channel is channel]:
                length_bytes = await self._check(key, channel)
                await asyncio.sleep(max(_CHECK_PAUSE_S, length_bytes / _CHECK_BYTES_S))
            for key in list(self._damaged):
                await self._sweep(key, channel)
            pause_s = _BETWEEN_ROUNDS_S

    async def _sweep(self, key: SegmentKey, channel: IoChannel) -> None:
        """Remove the damaged files of a segment on a channel, unless it is being received: that makes way itself."""
        damaged = self._damaged.get(key, set())
        for one in [one for one in damaged if one[0] is channel]:
            async with self._tending[channel]:
                if key in self._receiving:
                    return
                with suppress(FileNotFoundError, ChannelFailed, NoSpace):
                    await _remove(key, *one)
            # Until here it counted as damaged, so that who has begun to receive waits for its removal.
            damaged.discard(one)
        if not damaged:
            self._damaged.pop(key, None)

    async def _check(self, key: SegmentKey, channel: IoChannel) -> int:
        """Read a segment through, if it still is held here; how long it is."""
        held = self._find(key)
        if held is None or held.channel is not channel or key in self._receiving:
            return 0
        path = segment_path(channel.folder, key, held.content)
        with suppress(ChannelFailed, NoSpace, FileNotFoundError):
            file = await channel.run(open_whole, channel.files, path, held.content)
            if file is None:
                self._find_damaged(key, held, "its length is wrong")
                return held.content.length_bytes
            with file:
                async with self._tending[channel]:
                    if (now := self._find(key)) and now.channel is channel and now.content == held.content:
                        await self._verify(key, now, file)
        return held.content.length_bytes

    async def _take_stock(self, channel: IoChannel) -> None:
        try:
            found: FoundSegments = await channel.run(scan, channel.files, channel.folder)
            await channel.measure()
        except (ChannelFailed, NoSpace, FileNotFoundError) as error:
            channel.give_up(getattr(error, "cause", str(error)))
            return
        if found.strange:
            some = ", ".join(found.strange[:_STRANGE_NAMED])
            logger.warning(
                "I/O channel %s: left %d entries that are no segments: %s", channel.folder, len(found.strange), some
            )
        channel.cuts = found.cuts
        self._earlier += [(channel, name) for name in found.earlier]
        self._partials.update(dict.fromkeys(found.partials, channel))
        for key, content in found.damaged:
            logger.warning("%s on I/O channel %s is damaged", key, channel.folder)
            self._damaged[key].add((channel, content))
        for key, content in found.held.items():
            self._find_file(key, channel, content)

    def _find_file(self, key: SegmentKey, channel: IoChannel, content: Content) -> None:
        """A file of a segment has been found: one is held, and there is none beside it."""
        held = self._find(key)
        if held and (held.channel, held.content) == (channel, content):
            return
        if held:
            self._damaged[key].add((channel, content))
        else:
            self._hold(key, _Held(channel, content, read_through=False))

    async def _begin(self, cut: Cut, segment: Segment) -> SegmentReception:
        """Find a channel with room; the space that was measured last may be outdated, so it is measured again."""
        resumable = self._partials.get(partial_key(cut.program, segment))
        candidates = [channel for channel in self.channels if not channel.failure]
        candidates.sort(key=lambda each: (each is not resumable, each.receptions, -each.free_bytes))
        trouble: NoSpace | ChannelFailed = NoSpace(None, segment.length_bytes)
        for channel in candidates:
            reception = SegmentReception(channel, cut, segment)
            try:
                await reception.open()
            except (NoSpace, ChannelFailed) as error:
                trouble = error
                continue
            # It is nobody's to drop while it is written; `_settle` puts it back if it is left half done.
            self._partials.pop(partial_key(cut.program, segment), None)
            return reception
        raise trouble

    async def _settle(self, reception: SegmentReception) -> None:
        """Note what became of a reception."""
        key = partial_key(reception.key.cut.program, reception.segment)
        self._partials.pop(key, None)
        if reception.stored:
            content = content_of(reception.segment)
            self._hold(reception.key, _Held(reception.channel, content, read_through=True))
        elif reception.kept:
            self._partials[key] = reception.channel
            await self._drop_old_partials()

    async def _drop_old_partials(self) -> None:
        """Copies that nobody came back for must not fill the disk."""
        old = list(self._partials)[:-_PARTIALS_KEPT]
        for key in old:
            channel = self._partials.pop(key)
            try:
                await channel.run(channel.files.remove, partial_path(channel.folder, key))
            except (FileNotFoundError, ChannelFailed):
                continue

    def _hold(self, key: SegmentKey, held: _Held) -> None:
        self._drop(key)
        self._held.setdefault(key.cut, {})[key.number] = held
        self._tallies[held.channel].add(key.cut, held.content.length_bytes)

    def _drop(self, key: SegmentKey) -> _Held | None:
        numbers = self._held.get(key.cut, {})
        held = numbers.pop(key.number, None)
        if held is not None:
            self._tallies[held.channel].take(key.cut, held.content.length_bytes)
            if not numbers:
                del self._held[key.cut]
        return held

    def _lose(self, key: SegmentKey) -> None:
        self._drop(key)
        self.losses += 1


async def _remove(key: SegmentKey, channel: IoChannel, content: Content) -> None:
    await channel.run(channel.files.remove, segment_path(channel.folder, key, content))
    await channel.run(channel.files.sync_folder, cut_path(channel.folder, key.cut))


async def _measure_again(channel: IoChannel) -> None:
    while not channel.failure:
        await asyncio.sleep(_MEASURE_INTERVAL_S)
        # Trouble is counted by the channel; who uses it next finds out.
        with suppress(ChannelFailed, NoSpace, FileNotFoundError):
            await channel.measure()
