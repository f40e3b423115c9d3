"""A segment on its way into the store.

It is written under a temporary name, hashed while it is written, synced, renamed, and its folder is synced; only then
it is held. Its index comes before it, in the same way: with that its blocks are verified one by one as they come. If it
is interrupted, what came so far stays on the disk, and a later reception goes on from there.
"""

import hashlib
from contextlib import suppress

from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace, WrongContent
from blade_agent.main_board.engine.store.io_channel import IoChannel
from blade_agent.main_board.engine.store.layout import (
    SegmentKey,
    content_of,
    cut_path,
    index_path,
    partial_index_path,
    partial_key,
    partial_path,
    remove_partial,
    segment_path,
)
from media_network.cut import Cut
from media_network.files import GrowingFile
from media_network.segment_index import BLOCK_BYTES, BadIndex, BlockDigests, SegmentIndex, parse_index
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
        self.verified_bytes = 0
        """Of what was received, what is known to be right: whole blocks, or all of it once it is stored."""
        self.has_index = segment.index is None
        """Whether the index is here, of a segment that has one."""
        key = partial_key(cut.program, segment)
        self.partial = partial_path(channel.folder, key)
        """What was received, until it is stored."""
        self._partial_key = key
        self._partial_index = partial_index_path(channel.folder, key)
        self._index: SegmentIndex | None = None
        self._blocks = BlockDigests()
        self._hash = hashlib.sha256()
        self._file: GrowingFile | None = None

    @property
    def index(self) -> SegmentIndex | None:
        """What is known of the inside of the segment; None: nothing yet, or it is of a newer layout."""
        return self._index

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

    async def put_index(self, octets: bytes) -> None:
        """Make the index durable whose digest is the segment's. Raises NoSpace, ChannelFailed, or WrongContent when
        what an earlier reception left is not the beginning of the segment."""
        await self.channel.run_writing(self._put_index, octets)

    async def write(self, data: bytes) -> None:
        """Append bytes. Raises NoSpace, ChannelFailed, or WrongContent when they are more than the segment has, or
        a block is not what the index says."""
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
        if not self.has_index:
            raise self._wrong("its index has not come")
        await self.channel.run_writing(self._commit)

    def _wrong(self, detail: str) -> WrongContent:
        return WrongContent(self.key.cut.program, self.key.number, detail, resumed=self.resumed_bytes > 0)

    def _open(self) -> None:
        files = self.channel.files
        try:
            self._rehash()
            self._take_index_up()
        except FileNotFoundError:
            self._begin_anew()
        except WrongContent:
            files.remove(self.partial)
            self._begin_anew()
        self.resumed_bytes = self.length_bytes
        needed_bytes = self.segment.length_bytes - self.length_bytes
        self.channel.free_bytes = files.free_bytes(self.channel.folder)
        if self.channel.free_bytes < needed_bytes:
            raise NoSpace(self.channel.folder, needed_bytes)
        self._file = files.append(self.partial)

    def _begin_anew(self) -> None:
        self._hash, self._blocks = hashlib.sha256(), BlockDigests()
        self.length_bytes = self.verified_bytes = 0

    def _take_index_up(self) -> None:
        """That of an earlier reception; if it is no use it is fetched anew."""
        if self.segment.index is None:
            return
        with suppress(FileNotFoundError), self.channel.files.read(self._partial_index) as file:
            octets = file.read()
            if hashlib.sha256(octets).hexdigest() == self.segment.index:
                self._read_index(octets)

    def _put_index(self, octets: bytes) -> None:
        with suppress(FileNotFoundError):
            self.channel.files.remove(self._partial_index)
        file = self.channel.files.append(self._partial_index)
        try:
            file.write(octets)
            file.sync()
        finally:
            file.close()
        self._read_index(octets)

    def _read_index(self, octets: bytes) -> None:
        """One of a newer layout is kept, and the segment believed when it is whole."""
        self.has_index, segment = True, self.segment
        with suppress(BadIndex):
            self._index = parse_index(
                octets, packets=segment.packets, ticks=segment.duration_ticks, length_bytes=segment.length_bytes
            )
        self._verify()

    def _verify(self) -> None:
        """Raises WrongContent when a block that is here is not what the index says."""
        if self._index is None:
            return
        all_here = self.length_bytes == self.segment.length_bytes
        blocks = self._blocks.digests() if all_here else self._blocks.whole
        begin = self.verified_bytes // BLOCK_BYTES
        for number in range(begin, len(blocks)):
            if blocks[number] != self._index.blocks[number]:
                raise self._wrong(f"block {number} is not what its index says")
        self.verified_bytes = min(len(blocks) * BLOCK_BYTES, self.segment.length_bytes)

    def _rehash(self) -> None:
        """Raises FileNotFoundError when nothing is left, WrongContent when it is too long."""
        with self.channel.files.read(self.partial) as file:
            while data := file.read(_REHASH_BYTES):
                self._hash.update(data)
                self._blocks.update(data)
                self.length_bytes += len(data)
        if self.length_bytes > self.segment.length_bytes:
            raise self._wrong(f"longer than {self.segment.length_bytes} bytes")

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise ValueError("the reception is not open")
        self._file.write(data)
        self._hash.update(data)
        self._blocks.update(data)
        self.length_bytes += len(data)
        self.channel.counters.writes += 1
        self.channel.counters.written_bytes += len(data)
        self._verify()

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
        content = content_of(self.segment)
        if self.segment.index is not None:
            files.rename(self._partial_index, index_path(folder, self.key, content))
            files.sync_folder(cut_path(folder, cut))  # so that there is never a segment without its index
        files.rename(self.partial, segment_path(folder, self.key, content))
        files.sync_folder(cut_path(folder, cut))
        # Here, and not where it is waited for: who is cancelled meanwhile has stored it all the same.
        self.stored = True
        self.verified_bytes = self.length_bytes
        self.channel.free_bytes = files.free_bytes(folder)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    async def _drop(self) -> None:
        # Perhaps nothing was left, or the disk is gone with all it had.
        with suppress(FileNotFoundError, ChannelFailed):
            await self.channel.run_changing(remove_partial, self.channel.files, self.channel.folder, self._partial_key)
