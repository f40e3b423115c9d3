"""A segment on its way into the store.

It is written under a temporary name, hashed while it is written, synced, renamed, and its folder is synced; only then
it is held. If it is interrupted, what came so far stays on the disk, and a later reception goes on from there.
"""

import hashlib
from contextlib import suppress

from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace, WrongContent
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.layout import (
    SegmentKey,
    content_of,
    cut_path,
    partial_key,
    partial_path,
    segment_path,
)
from media_network.cut import Cut
from media_network.files import GrowingFile
from media_network.segment_table import Segment

_REHASH_BYTES = 1024 * 1024


class SegmentReception:
    """One segment being written to one channel; made, opened and ended by `SegmentStore.receive`."""

    def __init__(self, channel: IoChannel, cut: Cut, segment: Segment) -> None:
        self.channel = channel
        self.key = SegmentKey(cut, segment.number)
        self.segment = segment
        self.length_bytes = 0
        """Received so far."""
        self.resumed_bytes = 0
        """Of these, what an earlier reception had left."""
        self.stored = False
        self.kept = False
        """After the end: the store has a partial that a later reception can continue."""
        self._partial = partial_path(channel.folder, partial_key(cut.program, segment))
        self._hash = hashlib.sha256()
        self._file: GrowingFile | None = None

    async def open(self) -> None:
        """Take up what an earlier reception left. Raises NoSpace, ChannelFailed."""
        try:
            await self.channel.run_writing(self._open)
        except BaseException:
            self._close()
            raise
        self.channel.receptions += 1

    async def end(self, error: BaseException | None) -> None:
        """Let go of the file. What came is kept for later, unless it is of no use: `error` is why it ended."""
        self.channel.receptions -= 1
        self._close()
        self.kept = not self.stored and self.length_bytes > 0 and not isinstance(error, NoSpace | WrongContent)
        if not self.stored and not self.kept:
            await self._drop()

    async def write(self, data: bytes) -> None:
        """Append bytes. Raises NoSpace, ChannelFailed, or WrongContent when they are more than the segment has."""
        if self.length_bytes + len(data) > self.segment.length_bytes:
            raise self._wrong(f"longer than {self.segment.length_bytes} bytes")
        if data:
            await self.channel.run_writing(self._write, data)

    async def store(self) -> None:
        """Check length and hash and make the segment durable. Raises WrongContent, NoSpace, ChannelFailed."""
        if self.length_bytes != self.segment.length_bytes:
            raise self._wrong(f"{self.length_bytes} bytes of {self.segment.length_bytes}")
        if self._hash.hexdigest() != self.segment.sha256:
            raise self._wrong(f"SHA-256 is {self._hash.hexdigest()}, not {self.segment.sha256}")
        await self.channel.run_writing(self._commit)
        self.stored = True

    def _wrong(self, detail: str) -> WrongContent:
        return WrongContent(self.key.cut.program, self.key.number, detail, resumed=self.resumed_bytes > 0)

    def _open(self) -> None:
        files = self.channel.files
        try:
            self._rehash()
        except FileNotFoundError:
            self.length_bytes = 0
        if self.length_bytes > self.segment.length_bytes:
            files.remove(self._partial)
            self._hash = hashlib.sha256()
            self.length_bytes = 0
        self.resumed_bytes = self.length_bytes
        needed_bytes = self.segment.length_bytes - self.length_bytes
        self.channel.free_bytes = files.free_bytes(self.channel.folder)
        if self.channel.free_bytes < needed_bytes:
            raise NoSpace(self.channel.folder, needed_bytes)
        self._file = files.append(self._partial)

    def _rehash(self) -> None:
        with self.channel.files.read(self._partial) as file:
            while data := file.read(_REHASH_BYTES):
                self._hash.update(data)
                self.length_bytes += len(data)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise ValueError("the reception is not open")
        self._file.write(data)
        self._hash.update(data)
        self.length_bytes += len(data)
        self.channel.counters.writes += 1
        self.channel.counters.written_bytes += len(data)

    def _commit(self) -> None:
        files, folder, cut = self.channel.files, self.channel.folder, self.key.cut
        if self._file is None:
            raise ValueError("the reception is not open")
        self._file.sync()
        self._close()
        files.make_folder(cut_path(folder, cut))
        if cut not in self.channel.cuts:
            files.sync_folder(folder)
            self.channel.cuts.add(cut)
        files.rename(self._partial, segment_path(folder, self.key, content_of(self.segment)))
        files.sync_folder(cut_path(folder, cut))
        self.channel.free_bytes = files.free_bytes(folder)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    async def _drop(self) -> None:
        # Perhaps nothing was left, or the disk is gone with all it had.
        with suppress(FileNotFoundError, ChannelFailed):
            await self.channel.run(self.channel.files.remove, self._partial)
