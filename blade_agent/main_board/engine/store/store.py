"""The segment store: what an engine holds, on one or more independent I/O channels (claim 4)."""

import asyncio
import functools
import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from copy import copy
from math import inf
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from blade_agent.main_board.engine.engine_figures import ChannelFigures
from blade_agent.main_board.engine.store.earlier_layout import adopt, remove_earlier
from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace, NotHeld
from blade_agent.main_board.engine.store.io_channel import STOCK_S, IoChannel
from blade_agent.main_board.engine.store.kept_open import KeptOpen
from blade_agent.main_board.engine.store.layout import (
    Content,
    FoundSegments,
    PartialKey,
    SegmentKey,
    content_of,
    index_path,
    partial_key,
    remove_held,
    remove_partial,
    scan,
    segment_path,
    set_back,
)
from blade_agent.main_board.engine.store.reception import SegmentReception
from blade_agent.main_board.engine.store.stored_segment import StoredSegment, is_intact, open_whole
from media_network.cut import Cut
from media_network.fields import ProgramId, Sha256
from media_network.files import Files
from media_network.program import Program
from media_network.segment_index import index_bytes_max
from media_network.segment_table import Segment

logger = logging.getLogger(__name__)

_PARTIALS_KEPT = 256
_MEASURE_INTERVAL_S = 5.0
_TRY_AGAIN_S = 5.0
_TRY_AGAIN_MAX_S = 300.0
"""Before a channel is used that has hung again and again."""
_CALM_S = 600.0
"""After so long without a hang the next one is the first."""
_STRANGE_NAMED = 5
_BEFORE_FIRST_ROUND_S = 10.0
_BETWEEN_ROUNDS_S = 600.0
_CHECK_PAUSE_S = 1.0
_CHECK_BYTES_S = 8 * 1024 * 1024
"""What is held is read through in the background, a segment at a time, and no faster than this: 1 TB in 35 hours."""


IndexDigest = Callable[[Cut, int], Awaitable[Sha256 | None]]
"""Gives the digest of a segment's index, as its row says; None: it has none, or its row is not known."""


async def nobody_knows(_cut: Cut, _number: int) -> Sha256 | None:
    """The `IndexDigest` of who has no segment tables: indexes are taken as they are."""
    return None


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
        """Grows when segments have been lost, or found again: what is held has to be said anew then."""
        self.kept_open = KeptOpen()
        self._held: dict[Cut, dict[int, _Held]] = {}
        self._damaged: defaultdict[SegmentKey, set[tuple[IoChannel, Content]]] = defaultdict(set)
        """Files that are there although their segments are not held, or held elsewhere."""
        self._unindexed: dict[SegmentKey, tuple[IoChannel, Content]] = {}
        """Segments that are not held because their indexes are no good: who receives them anew goes on with these."""
        self._tending = {channel: asyncio.Lock() for channel in self.channels}
        """On each channel one file at a time is read through, or removed for its damage."""
        self._tallies = {channel: _Tally() for channel in self.channels}
        self._partials: dict[PartialKey, IoChannel] = {}
        self._receiving: set[SegmentKey] = set()
        self._earlier: list[tuple[IoChannel, ProgramId]] = []
        """Folders of an earlier release."""
        for channel in self.channels:
            channel.lost = functools.partial(self._lose_channel, channel)

    @classmethod
    async def open(cls, files: Files, folders: Sequence[Path]) -> Self:
        """Take stock of the channels. One that cannot be read is marked failed; the others serve."""
        store = cls(files, folders)
        await asyncio.gather(*(store._take_stock(channel) for channel in store.channels))
        await store._drop_old_partials()
        return store

    def close(self) -> None:
        """Let the channels go."""
        self.kept_open.close()
        for channel in self.channels:
            channel.close()

    @property
    def free_bytes(self) -> int:
        """Space left on the channels that work, as last measured."""
        return sum(channel.free_bytes for channel in self.channels if channel.usable)

    @property
    def stored_bytes(self) -> int:
        """What the segments take that are held."""
        return sum(tally.stored_bytes for tally in self._tallies.values())

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
                state=channel.state,
                counted=copy(channel.counters),
                free_bytes=channel.free_bytes,
                segments=self._tallies[channel].by_cut.total(),
                stored_bytes=self._tallies[channel].stored_bytes,
                programs=frozenset(cut.program for cut in self._tallies[channel].by_cut),
                receptions=channel.receptions,
                waiting=channel.waiting,
            )
            for channel in self.channels
        )

    def holds(self, cut: Cut, segment: Segment) -> bool:
        """Whether the segment is held."""
        held = self._find(SegmentKey(cut, segment.number))
        return held is not None and held.content == content_of(segment)

    def is_read_through(self, cut: Cut, number: int) -> bool:
        """Whether a segment is held whose bytes have been found good since the start."""
        held = self._find(SegmentKey(cut, number))
        return held is not None and held.read_through

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
        return StoredSegment(key, held.content, held.channel, file)

    def put_back(self, stored: StoredSegment) -> None:
        """Close a segment, or keep it open for the next one who reads it, as long as it is held as it was."""
        held = self._find(stored.key)
        if held and (held.channel, held.content) == (stored.channel, stored.content) and stored.descriptor is not None:
            self.kept_open.keep(stored)
        else:
            stored.close()

    async def read_index(self, cut: Cut, number: int, digest_of: IndexDigest = nobody_knows) -> bytes:
        """The index of a held segment. A segment whose index is not what it has to be is not held any more: nobody
        could copy it from here.

        Raises NotHeld, ChannelFailed.
        """
        key = SegmentKey(cut, number)
        octets = await self._good_index(key, await digest_of(cut, number)) if self._find(key) else None
        if octets is None:
            raise NotHeld(cut.program, number)
        return octets

    async def _good_index(self, key: SegmentKey, sha256: Sha256 | None) -> bytes | None:
        """The index of a segment, if both are here as they have to be. Raises ChannelFailed."""
        if (held := self._find(key)) is None:
            return None
        channel, path = held.channel, index_path(held.channel.folder, key, held.content)
        found: tuple[bytes, Sha256] | None = None
        async with self._tending[channel]:  # who receives it anew does not clear it away meanwhile
            try:
                found = await channel.run(_read_small, channel.files, path, index_bytes_max(held.content.length_bytes))
            except (FileNotFoundError, NoSpace):
                pass
            except ChannelFailed:
                self._lose_index(key, held)
                raise
            if sha256 is not None and (found is None or found[1] != sha256):
                self._lose_index(key, held)
                return None
        return found[0] if found else None

    def _lose_index(self, key: SegmentKey, held: _Held) -> None:
        now = self._find(key)
        if now is not None and (now.channel, now.content) == (held.channel, held.content):
            logger.warning("%s on I/O channel %s is lost: its index is damaged", key, held.channel.folder)
            held.channel.counters.failures += 1
            self._unindexed[key] = (held.channel, held.content)
            self._lose(key)

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
        if not await is_intact(held.channel, file, held.content):
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
            await self._make_way(key, segment)
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

    async def discard(self, programs: Mapping[ProgramId, Sha256 | None]) -> None:
        """Remove all that there is of these programs but for the cut with this table, of which nothing is being
        received. Raises ChannelFailed."""
        try:
            await self._let_go(lambda cut: cut.program in programs and programs[cut.program] != cut.table)
        finally:
            await self._drop_partials(programs)
        for channel, name in [folder for folder in self._earlier if programs.get(folder[1], "") is None]:
            await channel.run_changing(remove_earlier, channel.files, channel.folder, name, within_s=STOCK_S)
            self._earlier.remove((channel, name))

    async def let_go(self, cut: Cut, numbers: Collection[int] | None = None) -> None:
        """Hold nothing of a cut from this call on, or not these segments, and remove it; who reads it can finish.

        Raises ChannelFailed.
        """
        await self._let_go(lambda each: each == cut, numbers)
        if numbers is None:
            await self._drop_partials({cut.program})

    async def _let_go(self, is_gone: Callable[[Cut], bool], numbers: Collection[int] | None = None) -> None:
        """Hold nothing of these cuts at once: nothing is said of them while the disks work. Raises ChannelFailed."""
        gone = [SegmentKey(cut, number) for cut, numbers in self._held.items() if is_gone(cut) for number in numbers]
        damaged = [key for key in (*self._damaged, *self._unindexed) if is_gone(key.cut)]
        keys = [key for key in dict.fromkeys([*gone, *damaged]) if numbers is None or key.number in numbers]
        for key in keys:
            if files := {file for file in self._take_files(key) if file[0].usable}:
                self._damaged[key] = files
        # Until it is removed each counts as damaged: who receives the segment anew meanwhile makes way by himself,
        # and what cannot be removed now is swept later.
        for key in keys:
            for channel, content in tuple(self._damaged.get(key, ())):
                await self._remove_damaged(key, channel, content)

    async def _drop_partials(self, programs: Collection[ProgramId]) -> None:
        for partial, channel in [item for item in self._partials.items() if item[0].program in programs]:
            if self._partials.pop(partial, None) and channel.usable:
                await channel.run_changing(remove_partial, channel.files, channel.folder, partial)

    async def _remove_damaged(self, key: SegmentKey, channel: IoChannel, content: Content) -> None:
        """Unless it is being received, which makes way itself, or was already. Raises ChannelFailed, NoSpace."""
        async with self._tending[channel]:
            if key in self._receiving or (channel, content) not in self._damaged.get(key, ()):
                return
            with suppress(FileNotFoundError):
                await _remove(key, channel, content)
        # Until here it counted as damaged, so that who has begun to receive waits for its removal.
        self._forget_damaged(key, {(channel, content)})

    def _forget_damaged(self, key: SegmentKey, gone: set[tuple[IoChannel, Content]]) -> None:
        if files := self._damaged.get(key):
            files -= gone
            if not files:
                self._damaged.pop(key, None)

    async def _make_way(self, key: SegmentKey, segment: Segment) -> None:
        """Remove what there is of a segment, damaged or another than is wanted: a new one may lie on another channel,
        and the next start would have two to choose from. What lacks nothing but its index is gone on with."""
        if file := self._unindexed.get(key):
            await self._set_back(key, segment, *file)
        await self._clear_away(key, self._take_files(key))

    async def _set_back(self, key: SegmentKey, segment: Segment, channel: IoChannel, content: Content) -> None:
        partial = partial_key(key.cut.program, segment)
        if content != content_of(segment):
            return
        async with self._tending[channel]:
            try:
                if other := self._partials.pop(partial, None):
                    await other.run_changing(remove_partial, other.files, other.folder, partial)
                await channel.run_changing(set_back, channel.files, channel.folder, key, content, partial)
            except (ChannelFailed, NoSpace, FileNotFoundError):
                return
        self._partials[partial] = channel
        self._unindexed.pop(key, None)

    def _take_files(self, key: SegmentKey) -> set[tuple[IoChannel, Content]]:
        """Hold a segment no more; the files that there are of it."""
        files = set(self._damaged.pop(key, ()))
        if unindexed := self._unindexed.pop(key, None):
            files.add(unindexed)
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
                    if channel.usable:  # else it is found again when its channel is back
                        self._damaged[key].add((channel, content))  # it is swept later

    async def adopt(self, program: Program) -> bool:
        """Hold what an earlier release has left of a program, as far as it is of this cut; whether there is any.

        Raises ChannelFailed.
        """
        folders = [folder for folder in self._earlier if folder[1] == program.name]
        adopted: list[SegmentKey] = []
        for channel, name in folders:
            adopting = channel.run_changing(adopt, channel.files, channel.folder, program, within_s=STOCK_S)
            for number, content in await adopting:
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

    def _lose_channel(self, channel: IoChannel) -> None:
        """Forget what was on a channel that has failed, or hangs."""
        lost = [key for key, held in self._keys() if held.channel is channel]
        for key in lost:
            self._drop(key)
        self.losses += len(lost)
        for key in list(self._damaged):
            self._forget_damaged(key, {file for file in self._damaged[key] if file[0] is channel})
        self._unindexed = {key: file for key, file in self._unindexed.items() if file[0] is not channel}
        self._partials = {key: other for key, other in self._partials.items() if other is not channel}
        self._earlier = [folder for folder in self._earlier if folder[0] is not channel]

    async def watch_channels(self, found_again: Callable[[], Awaitable[None]]) -> None:
        """Try channels again that have hung, until cancelled; what is on one that answers is held again.

        `found_again` is called then: what is on the disk may have been withdrawn meanwhile.
        """
        async with asyncio.TaskGroup() as tasks:
            for channel in self.channels:
                tasks.create_task(self._keep_trying(channel, found_again), name=f"try {channel.folder}")

    async def _keep_trying(self, channel: IoChannel, found_again: Callable[[], Awaitable[None]]) -> None:
        pause_s, tried_at = _TRY_AGAIN_S, -inf
        while not channel.failure:
            await channel.hung.wait()
            channel.hung.clear()
            await channel.answered()
            now = asyncio.get_running_loop().time()
            pause_s = _TRY_AGAIN_S if now - tried_at > _CALM_S else min(2 * pause_s, _TRY_AGAIN_MAX_S)
            await asyncio.sleep(pause_s)
            tried_at = asyncio.get_running_loop().time()
            if not await self._works_again(channel):
                continue
            channel.away = False
            self.losses += 1  # what is held has to be said anew
            logger.warning("I/O channel %s is used again", channel.folder)
            await found_again()

    async def _works_again(self, channel: IoChannel) -> bool:
        """Try a channel that answers; false: it hangs again, or is given up."""
        if channel.hung.is_set():
            return False
        if not await channel.takes_a_probe():
            if not channel.hung.is_set():
                channel.give_up("it takes no writes any more")
            return False
        return not channel.hung.is_set() and await self._take_stock(channel)

    async def watch_space(self) -> None:
        """Keep the measured space of every channel recent, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for channel in self.channels:
                tasks.create_task(_measure_again(channel), name=f"space {channel.folder}")

    async def watch_content(self, digest_of: IndexDigest = nobody_knows) -> None:
        """Read through all that is held, and its indexes, again and again at leisure, until cancelled: bytes rot."""
        async with asyncio.TaskGroup() as tasks:
            for channel in self.channels:
                tasks.create_task(self._keep_checking(channel, digest_of), name=f"content {channel.folder}")

    async def _keep_checking(self, channel: IoChannel, digest_of: IndexDigest) -> None:
        pause_s = _BEFORE_FIRST_ROUND_S
        while not channel.failure:
            await asyncio.sleep(pause_s)
            if not channel.usable:
                continue
            for key in [key for key, held in self._keys() if held.channel is channel]:
                length_bytes = await self._check(key, channel)
                await self._check_index(key, channel, digest_of)
                await asyncio.sleep(max(_CHECK_PAUSE_S, length_bytes / _CHECK_BYTES_S))
            for key in list(self._damaged):
                await self._sweep(key, channel)
            pause_s = _BETWEEN_ROUNDS_S

    async def _sweep(self, key: SegmentKey, channel: IoChannel) -> None:
        """Remove the damaged files of a segment on a channel, unless it is being received: that makes way itself."""
        for one in [one for one in self._damaged.get(key, ()) if one[0] is channel]:
            with suppress(ChannelFailed, NoSpace):
                await self._remove_damaged(key, *one)

    async def _check(self, key: SegmentKey, channel: IoChannel) -> int:
        """Read a segment through, if it still is held here; how long it is."""
        held = self._find(key)
        if held is None or held.channel is not channel or key in self._receiving:
            return 0
        path = segment_path(channel.folder, key, held.content)
        try:
            file = await channel.run(open_whole, channel.files, path, held.content)
            if file is None:
                self._find_damaged(key, held, "its length is wrong")
                return held.content.length_bytes
            with file:
                async with self._tending[channel]:
                    if (now := self._find(key)) and now.channel is channel and now.content == held.content:
                        await self._verify(key, now, file)
        except FileNotFoundError:
            self._find_damaged(key, held, "its file has gone")
        except ChannelFailed as error:
            if channel.usable:  # else all that was held there is lost already
                self._find_damaged(key, held, f"it cannot be read: {error.cause}")
        return held.content.length_bytes

    async def _check_index(self, key: SegmentKey, channel: IoChannel, digest_of: IndexDigest) -> None:
        """See that a segment that still is held here has its index, and so the right digests of its blocks."""
        if (sha256 := await digest_of(*key)) is None:
            return
        held = self._find(key)
        if held and held.channel is channel and key not in self._receiving:
            with suppress(ChannelFailed):
                await self._good_index(key, sha256)

    async def _take_stock(self, channel: IoChannel) -> bool:
        """Hold what is on a channel; whether it can be used."""
        try:
            found: FoundSegments = await channel.run_changing(scan, channel.files, channel.folder, within_s=STOCK_S)
            await channel.measure()
        except (ChannelFailed, NoSpace, FileNotFoundError) as error:
            if not channel.hung.is_set():
                channel.give_up(getattr(error, "cause", str(error)))
            return False
        if found.strange:
            some = ", ".join(found.strange[:_STRANGE_NAMED])
            logger.warning(
                "I/O channel %s: left %d entries that are no segments: %s", channel.folder, len(found.strange), some
            )
        channel.cuts = found.cuts
        self._earlier += [(channel, name) for name in found.earlier]
        coming = {(key.cut.program, key.number) for key in self._receiving}
        self._partials.update((key, channel) for key in found.partials if key[:2] not in coming)
        for key, content in found.damaged:
            logger.warning("%s on I/O channel %s is damaged", key, channel.folder)
            self._damaged[key].add((channel, content))
        for key, content in found.held.items():
            self._find_file(key, channel, content)
        return True

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
        candidates = [channel for channel in self.channels if channel.takes_writes]
        candidates.sort(key=lambda each: (each is not resumable, each.load, -each.free_bytes))
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
            before = self._find(reception.key)
            if before and (before.channel, before.content) != (reception.channel, content):
                self._damaged[reception.key].add((before.channel, before.content))  # a channel has come back with it
            self._hold(reception.key, _Held(reception.channel, content, read_through=True))
        elif reception.kept:
            self._partials[key] = reception.channel
            await self._drop_old_partials()

    async def _drop_old_partials(self) -> None:
        """Copies that nobody came back for must not fill the disk."""
        old = list(self._partials)[:-_PARTIALS_KEPT]
        for key in old:
            channel = self._partials.pop(key)
            with suppress(ChannelFailed):
                await channel.run_changing(remove_partial, channel.files, channel.folder, key)

    def _hold(self, key: SegmentKey, held: _Held) -> None:
        self._drop(key)
        self._held.setdefault(key.cut, {})[key.number] = held
        self._tallies[held.channel].add(key.cut, held.content.length_bytes)

    def _drop(self, key: SegmentKey) -> _Held | None:
        numbers = self._held.get(key.cut, {})
        held = numbers.pop(key.number, None)
        if held is not None:
            self.kept_open.drop(key)
            self._tallies[held.channel].take(key.cut, held.content.length_bytes)
            if not numbers:
                del self._held[key.cut]
        return held

    def _lose(self, key: SegmentKey) -> None:
        self._drop(key)
        self.losses += 1


async def _remove(key: SegmentKey, channel: IoChannel, content: Content) -> None:
    await channel.run_changing(remove_held, channel.files, channel.folder, key, content)


def _read_small(files: Files, path: Path, bytes_max: int) -> tuple[bytes, Sha256]:
    """What a small file holds, and the digest of that. Blocks; raises OSError."""
    with files.read(path) as file:
        octets = file.read(bytes_max)
    return octets, hashlib.sha256(octets).hexdigest()


async def _measure_again(channel: IoChannel) -> None:
    while not channel.failure:
        await asyncio.sleep(_MEASURE_INTERVAL_S)
        if not channel.usable:
            continue
        # Trouble is counted by the channel; who uses it next finds out.
        with suppress(ChannelFailed, NoSpace, FileNotFoundError):
            await channel.measure()
