"""The segment store: what an engine holds, on one or more independent I/O channels (claim 4)."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from copy import copy
from io import RawIOBase, UnsupportedOperation
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self, cast

from blade_agent.main_board.engine.engine_figures import ChannelFigures
from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace, NotHeld
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.layout import (
    FoundSegments,
    PartialKey,
    SegmentKey,
    partial_key,
    partial_path,
    scan,
    segment_path,
)
from blade_agent.main_board.engine.store.reception import SegmentReception
from media_network.files import Files
from media_network.program import ProgramId, Segment
from media_network.segment_set import format_segments

_PARTIALS_KEPT = 256
_MEASURE_INTERVAL_S = 5.0


class _Held(NamedTuple):
    channel: IoChannel
    length_bytes: int


class _Tally:
    """What a channel holds, counted as it comes and goes: there may be very many segments."""

    def __init__(self) -> None:
        self.stored_bytes = 0
        self.by_program: Counter[ProgramId] = Counter()

    def add(self, program: ProgramId, length_bytes: int) -> None:
        self.stored_bytes += length_bytes
        self.by_program[program] += 1

    def take(self, program: ProgramId, length_bytes: int) -> None:
        self.stored_bytes -= length_bytes
        self.by_program[program] -= 1
        if not self.by_program[program]:
            del self.by_program[program]


class StoredSegment:
    """A held segment, open for reading. It stays whole while it is open, even if the store drops it."""

    def __init__(self, key: SegmentKey, length_bytes: int, channel: IoChannel, file: BinaryIO) -> None:
        self.key = key
        self.length_bytes = length_bytes
        self.channel = channel
        self.file = file
        self._reading = 0
        self._closed = False

    async def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer with a part. Raises ChannelFailed, also when the file has become shorter than it was."""
        (whole,) = await read_parts(self.channel, [(self, offset, buffer)])
        if not whole:
            raise ChannelFailed(self.channel.folder, f"segment {self.key.number} of {self.key.program} is truncated")

    async def warm(self, offset: int, length_bytes: int) -> None:
        """Bring a part into memory, for `loop.sendfile`. Raises ChannelFailed."""
        with self:
            await self.channel.run(_warm, self.file, offset, length_bytes)

    def close(self) -> None:
        """Let go of the file, as soon as nobody reads it."""
        self._closed = True
        self._close_if_unused()

    def __enter__(self) -> Self:
        self._reading += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._reading -= 1
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._closed and not self._reading:
            self.file.close()


async def read_parts(channel: IoChannel, parts: Sequence[tuple[StoredSegment, int, memoryview]]) -> list[bool]:
    """Fill several buffers from one channel in one go: it is the way to its threads that costs.

    A part is a segment, an offset and the buffer to fill from there. Returns for each whether it could be filled: a
    file may have become shorter than it was. Raises ChannelFailed.
    """
    with ExitStack() as held_open:
        for stored, _, _ in parts:
            held_open.enter_context(stored)
        lengths = await channel.run(_read_parts, [(stored.file, offset, buffer) for stored, offset, buffer in parts])
    whole = [length == len(buffer) for (_, _, buffer), length in zip(parts, lengths, strict=True)]
    channel.counters.reads += len(parts)
    channel.counters.read_bytes += sum(lengths)
    channel.counters.failures += whole.count(False)
    return whole


def _read_parts(parts: Sequence[tuple[BinaryIO, int, memoryview]]) -> list[int]:
    lengths = []
    for file, offset, buffer in parts:
        file.seek(offset)
        lengths.append(cast("RawIOBase", file).readinto(buffer) or 0)
    return lengths


def _warm(file: BinaryIO, offset: int, length_bytes: int) -> None:
    try:
        descriptor = file.fileno()
    except UnsupportedOperation:
        return  # `loop.sendfile` reads what has no descriptor in a thread
    os.posix_fadvise(descriptor, offset, length_bytes, os.POSIX_FADV_WILLNEED)
    # The advice only starts the reading; the disk has done most of it when the last byte is there.
    os.pread(descriptor, 1, offset + length_bytes - 1)


class SegmentStore:
    """What is held, and where. Made by `SegmentStore.open`; used by one event loop."""

    def __init__(self, files: Files, folders: Sequence[Path]) -> None:
        self.channels = tuple(IoChannel(files, folder) for folder in folders)
        self.losses = 0
        """Grows when segments have been lost: a new inventory is due then."""
        self._held: dict[SegmentKey, _Held] = {}
        self._damaged: dict[SegmentKey, IoChannel] = {}
        """Segments that are not held any more although their files are there."""
        self._tallies = {channel: _Tally() for channel in self.channels}
        self._partials: dict[PartialKey, IoChannel] = {}
        self._receiving: set[SegmentKey] = set()

    @classmethod
    async def open(cls, files: Files, folders: Sequence[Path]) -> Self:
        """Take stock of the channels. One that cannot be read is marked failed; the others serve."""
        store = cls(files, folders)
        await asyncio.gather(*(store._take_stock(channel) for channel in store.channels))
        return store

    def close(self) -> None:
        """Let the channels go."""
        for channel in self.channels:
            channel.close()

    @property
    def free_bytes(self) -> int:
        """Space left on the channels that work, as last measured."""
        return sum(channel.free_bytes for channel in self.channels if not channel.failure)

    def inventory(self) -> dict[ProgramId, str]:
        """All that is held, as `segment_set` writes it."""
        numbers: defaultdict[ProgramId, list[int]] = defaultdict(list)
        for key in self._held:
            numbers[key.program].append(key.number)
        return {program: format_segments(numbers[program]) for program in sorted(numbers)}

    @property
    def holds_any(self) -> bool:
        """Whether there is any segment here."""
        return bool(self._held)

    def figures(self) -> tuple[ChannelFigures, ...]:
        """Every channel at this moment."""
        receptions = Counter(
            channel for key, channel in self._partials.items() if SegmentKey(*key[:2]) in self._receiving
        )
        return tuple(
            ChannelFigures(
                name=channel.folder.name,
                working=not channel.failure,
                counted=copy(channel.counters),
                free_bytes=channel.free_bytes,
                segments=self._tallies[channel].by_program.total(),
                stored_bytes=self._tallies[channel].stored_bytes,
                programs=frozenset(self._tallies[channel].by_program),
                receptions=receptions[channel],
            )
            for channel in self.channels
        )

    def holds(self, program: ProgramId, segment: Segment) -> bool:
        """Whether the segment is held."""
        held = self._held.get(SegmentKey(program, segment.number))
        return held is not None and held.length_bytes == segment.length_bytes

    async def read(self, program: ProgramId, number: int) -> StoredSegment:
        """Open a segment; the caller closes it. Raises NotHeld, ChannelFailed."""
        key = SegmentKey(program, number)
        held = self._held.get(key)
        if held is None:
            raise NotHeld(program, number)
        channel = held.channel
        try:
            file = await channel.run(channel.files.read, segment_path(channel.folder, key))
        except FileNotFoundError:
            self._lose(key)
            raise NotHeld(program, number) from None
        except ChannelFailed:
            self.lose_failed_channels()
            raise
        return StoredSegment(key, held.length_bytes, channel, file)

    @asynccontextmanager
    async def receive(self, program: ProgramId, segment: Segment) -> AsyncIterator[SegmentReception]:
        """Open a reception on the channel that suits best, where an earlier one left off if there was one.

        One at a time for a segment. Raises NoSpace, ChannelFailed.
        """
        key = SegmentKey(program, segment.number)
        if key in self._receiving:
            raise ValueError(f"segment {segment.number} of {program} is being received already")
        self._receiving.add(key)
        try:
            await self._clear_away(key)
            reception = await self._begin(program, segment)
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

    async def remove(self, program: ProgramId, number: int) -> None:
        """Remove a held segment; who has it open can finish. Raises NotHeld, ChannelFailed."""
        key = SegmentKey(program, number)
        held = self._drop(key)
        if held is None:
            await self._clear_away(key)
            raise NotHeld(program, number)
        try:
            await _remove(key, held.channel)
        except FileNotFoundError:
            raise NotHeld(program, number) from None

    async def _clear_away(self, key: SegmentKey) -> None:
        """Remove what there is of a segment, damaged or another than is wanted: a new one may lie on another channel,
        and the next start would have two to choose from."""
        held = self._drop(key)
        channel = held.channel if held else self._damaged.pop(key, None)
        if channel:
            with suppress(FileNotFoundError, ChannelFailed, NoSpace):
                await _remove(key, channel)

    def lose(self, program: ProgramId, number: int) -> None:
        """Hold a segment no longer whose file turned out to be damaged; the next fetch writes it anew."""
        key = SegmentKey(program, number)
        if key in self._held:
            self._damaged[key] = self._held[key].channel
            self._lose(key)

    def lose_failed_channels(self) -> None:
        """Forget what was on channels that have failed."""
        lost = [key for key, held in self._held.items() if held.channel.failure]
        for key in lost:
            self._lose(key)

    async def watch_space(self) -> None:
        """Keep the measured space of every channel recent, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for channel in self.channels:
                tasks.create_task(_measure_again(channel), name=f"space {channel.folder}")

    async def _take_stock(self, channel: IoChannel) -> None:
        try:
            found: FoundSegments = await channel.run(scan, channel.files, channel.folder)
            await channel.measure()
        except (ChannelFailed, NoSpace, FileNotFoundError) as error:
            channel.failure = channel.failure or str(error)
            return
        channel.programs = found.programs
        self._partials.update(dict.fromkeys(found.partials, channel))
        for key, length_bytes in found.held.items():
            if key not in self._held:
                self._hold(key, _Held(channel, length_bytes))

    async def _begin(self, program: ProgramId, segment: Segment) -> SegmentReception:
        """Find a channel with room; the space that was measured last may be outdated, so it is measured again."""
        resumable = self._partials.get(partial_key(program, segment))
        candidates = [channel for channel in self.channels if not channel.failure]
        candidates.sort(key=lambda each: (each is not resumable, each.receptions, -each.free_bytes))
        trouble: NoSpace | ChannelFailed = NoSpace(None, segment.length_bytes)
        for channel in candidates:
            reception = SegmentReception(channel, program, segment)
            try:
                await reception.open()
            except (NoSpace, ChannelFailed) as error:
                trouble = error
                continue
            return reception
        raise trouble

    async def _settle(self, reception: SegmentReception) -> None:
        """Note what became of a reception."""
        key = partial_key(reception.key.program, reception.segment)
        self._partials.pop(key, None)
        if reception.stored:
            self._hold(reception.key, _Held(reception.channel, reception.length_bytes))
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
        self._held[key] = held
        self._tallies[held.channel].add(key.program, held.length_bytes)

    def _drop(self, key: SegmentKey) -> _Held | None:
        held = self._held.pop(key, None)
        if held is not None:
            self._tallies[held.channel].take(key.program, held.length_bytes)
        return held

    def _lose(self, key: SegmentKey) -> None:
        self._drop(key)
        self.losses += 1


async def _remove(key: SegmentKey, channel: IoChannel) -> None:
    await channel.run(channel.files.remove, segment_path(channel.folder, key))
    await channel.run(channel.files.sync_folder, channel.folder / key.program)


async def _measure_again(channel: IoChannel) -> None:
    while not channel.failure:
        await asyncio.sleep(_MEASURE_INTERVAL_S)
        # Trouble is counted by the channel; who uses it next finds out.
        with suppress(ChannelFailed, NoSpace, FileNotFoundError):
            await channel.measure()
