"""A simulated disk under the segment store, with the truth of a power cut.

It is a `media_network.files.Files`. What a file holds is durable from `sync` on, a name from
`sync_folder` of its folder on. `power_cut` decides for each thing that is not whether it survives: of names any, in
their order (a rename as a whole, as journals do it); of what was appended to a file any prefix, in which blocks that
were not written are zeros.
"""

import errno
import io
import math
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from chassis_emulator.simulation.loop import SimulatedLoop
from chassis_emulator.simulation.sockets import os_error
from chassis_emulator.simulation.trace import Trace
from media_network.files import Files, GrowingFile

_BLOCK_BYTES = 4096


@dataclass(eq=False)
class _File:
    content: bytearray = field(default_factory=bytearray)
    durable_bytes: int = 0


@dataclass(eq=False)
class _Folder:
    names: dict[str, "_Node"] = field(default_factory=dict)
    durable_names: dict[str, "_Node"] = field(default_factory=dict)


_Node = _File | _Folder
_Name = tuple[_Folder, str]


@dataclass(frozen=True, eq=False)
class _Change:
    """A change of names that happens as a whole: some go, one comes."""

    gone: _Name | None
    new: _Name | None
    node: _Node

    def names(self) -> list[_Name]:
        return [name for name in (self.gone, self.new) if name]

    def make_durable(self) -> None:
        if self.gone:
            self.gone[0].durable_names.pop(self.gone[1], None)
        if self.new:
            self.new[0].durable_names[self.new[1]] = self.node


class Disk(Files):
    """A disk of a host, mounted at a folder that is always there."""

    def __init__(
        self,
        loop: SimulatedLoop,
        trace: Trace,
        rng: random.Random,
        *,
        mounted_at: Path = Path("/"),
        capacity_bytes: int = 1 << 40,
        rate_bytes_s: float = 200e6,
        access_s: tuple[float, float] = (0.0001, 0.001),
        sync_s: tuple[float, float] = (0.001, 0.01),
    ) -> None:
        """A call takes `access_s` or `sync_s`, drawn anew each time, and the time its bytes need; calls queue."""
        self.mounted_at = mounted_at
        self._above = mounted_at.parts
        self.capacity_bytes = capacity_bytes
        self.slowness = 1.0
        """Calls take so many times as long."""
        self.failure: int | None = None
        """With this `errno` all calls fail."""
        self.hangs = False
        """No call returns."""
        self.read_bytes = 0
        """What was read of files so far."""
        self._loop = loop
        self._trace = trace
        self._rng = rng
        self._rate_bytes_s = rate_bytes_s
        self._access_s = access_s
        self._sync_s = sync_s
        self._free_at_s = 0.0
        self._root = _Folder()
        self._undurable: list[_Change] = []
        self._power_cuts = 0

    # What the store calls: see `Files`

    def make_folder(self, folder: Path) -> None:
        """See `Files`."""
        self._access()
        parent = self._root
        for part in self._parts(folder):
            node = parent.names.get(part)
            if isinstance(node, _File):
                raise os_error(errno.ENOTDIR)
            if node is None:
                node = _Folder()
                self._change(_Change(None, (parent, part), node))
            parent = node

    def sync_folder(self, folder: Path) -> None:
        """See `Files`."""
        self._access(sync=True)
        self._note("sync folder", folder)
        synced = self._folder(folder)
        # A change that becomes durable takes with it the earlier ones of the same names: order is kept.
        names: list[_Name] = []
        durable: list[_Change] = []
        for change in reversed(self._undurable):
            if any(name[0] is synced or name in names for name in change.names()):
                names += change.names()
                durable.append(change)
        self._undurable = [change for change in self._undurable if change not in durable]
        for change in reversed(durable):
            change.make_durable()

    def list_folder(self, folder: Path) -> list[str]:
        """See `Files`."""
        self._access()
        return sorted(self._folder(folder).names)

    def length_bytes(self, path: Path) -> int | None:
        """See `Files`."""
        self._access()
        node = self._node(path)
        return len(node.content) if isinstance(node, _File) else None

    def free_bytes(self, folder: Path) -> int:
        """See `Files`."""
        self._access()
        self._folder(folder)
        return max(0, self.capacity_bytes - self.used_bytes)

    def append(self, path: Path) -> "AppendedFile":
        """See `Files`."""
        self._access()
        parent, name = self._place(path)
        node = parent.names.get(name)
        if isinstance(node, _Folder):
            raise os_error(errno.EISDIR)
        if node is None:
            node = _File()
            self._change(_Change(None, (parent, name), node))
        return AppendedFile(self, node, path)

    def read(self, path: Path) -> BinaryIO:
        """See `Files`. The file has no descriptor."""
        self._access()
        return cast("BinaryIO", _ReadFile(self, self._file(path)))

    def rename(self, old: Path, new: Path) -> None:
        """See `Files`."""
        self._access()
        self._note("rename", new)
        self._change(_Change(self._place(old), self._place(new), self._file(old)))

    def remove(self, path: Path) -> None:
        """See `Files`."""
        self._access()
        self._note("remove", path)
        self._change(_Change(self._place(path), None, self._file(path)))

    # What befalls it

    def power_cut(self, rng: random.Random) -> None:
        """Lose what is not durable, as far as `rng` will. Files that were open are so no more."""
        self._power_cuts += 1
        for change in self._undurable:
            if rng.random() < 0.5:
                change.make_durable()
        self._undurable = []
        self._free_at_s = 0.0
        _survive(self._root, rng)

    def rot(self, path: Path) -> None:
        """Change a bit of a file. Nothing tells."""
        file = self._file(path)
        file.content[self._rng.randrange(len(file.content))] ^= 1 << self._rng.randrange(8)

    @property
    def power_cuts(self) -> int:
        """How many there were."""
        return self._power_cuts

    @property
    def used_bytes(self) -> int:
        """What the files with a name hold."""
        return sum(len(file.content) for file in _files_below(self._root))

    def durable_content(self, path: Path) -> bytes | None:
        """What would be left of a file after a power cut; None if its name, or some of what it holds, may be lost."""
        node: _Node = self._root
        for part in self._parts(path):
            if isinstance(node, _File) or part not in node.durable_names:
                return None
            node = node.durable_names[part]
        whole = isinstance(node, _File) and node.durable_bytes == len(node.content)
        return bytes(node.content) if whole and isinstance(node, _File) else None

    # How it works

    def work(self, seconds: float, size_bytes: int = 0) -> None:
        """Take the time of a call. Raises OSError when the disk fails."""
        if self.hangs:
            self._loop.block_until(math.inf)
        if self.failure or self.hangs:
            raise os_error(self.failure or errno.EIO)
        cost_s = self.slowness * (seconds + size_bytes / self._rate_bytes_s)
        self._free_at_s = max(self._free_at_s, self._loop.time()) + cost_s
        self._loop.block_until(self._free_at_s)

    def write_to(self, file: _File, data: bytes, path: Path) -> None:
        """Append as much as there is room for. Raises OSError when that is not all."""
        self.work(0.0, len(data))
        self._note("write", path, data)
        room_bytes = self.capacity_bytes - self.used_bytes
        file.content += data[: max(0, room_bytes)]
        if room_bytes < len(data):
            raise os_error(errno.ENOSPC)

    def sync(self, file: _File, path: Path) -> None:
        """Make a file's content durable."""
        self._access(sync=True)
        self._note("sync file", path)
        file.durable_bytes = len(file.content)

    def part(self, file: _File, offset: int, length_bytes: int) -> bytes:
        """Some bytes of a file, fewer at its end."""
        part = bytes(memoryview(file.content)[offset : offset + length_bytes])
        self.read_bytes += len(part)
        self.work(self._rng.uniform(*self._access_s), len(part))
        return part

    def _access(self, *, sync: bool = False) -> None:
        self.work(self._rng.uniform(*(self._sync_s if sync else self._access_s)))

    def _note(self, what: str, path: Path, content: bytes = b"") -> None:
        self._trace.add(self._loop.time(), what, "/".join(self._parts(path)) or ".", "", content)

    def _change(self, change: _Change) -> None:
        if change.gone:
            change.gone[0].names.pop(change.gone[1])
        if change.new:
            change.new[0].names[change.new[1]] = change.node
        self._undurable.append(change)

    def _parts(self, path: Path) -> tuple[str, ...]:
        parts, depth = path.parts, len(self._above)
        if parts[:depth] != self._above:
            raise ValueError(f"{path} is not on the disk at {self.mounted_at}")
        return parts[depth:]

    def _node(self, path: Path) -> _Node:
        node: _Node = self._root
        for part in self._parts(path):
            if isinstance(node, _File):
                raise os_error(errno.ENOTDIR)
            if part not in node.names:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
            node = node.names[part]
        return node

    def _folder(self, path: Path) -> _Folder:
        node = self._node(path)
        if isinstance(node, _File):
            raise os_error(errno.ENOTDIR)
        return node

    def _file(self, path: Path) -> _File:
        node = self._node(path)
        if isinstance(node, _Folder):
            raise os_error(errno.EISDIR)
        return node

    def _place(self, path: Path) -> _Name:
        return self._folder(path.parent), path.name


class AppendedFile(GrowingFile):
    """A file open for writing at its end: see `GrowingFile`."""

    def __init__(self, disk: Disk, file: _File, path: Path) -> None:
        self._disk = disk
        self._file = file
        self._path = path
        self._opened_at_cut = disk.power_cuts
        self._closed = False

    def write(self, data: bytes) -> None:
        """See `GrowingFile`."""
        self._check_open()
        self._disk.write_to(self._file, data, self._path)

    def sync(self) -> None:
        """See `GrowingFile`."""
        self._check_open()
        self._disk.sync(self._file, self._path)

    def close(self) -> None:
        """See `GrowingFile`."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the file is closed")
        if self._opened_at_cut != self._disk.power_cuts:
            raise os_error(errno.ENODEV)


class _ReadFile(io.RawIOBase):
    def __init__(self, disk: Disk, file: _File) -> None:
        super().__init__()
        self._disk = disk
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._file.content)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any writable buffer: io gives bytearrays
        part = self._disk.part(self._file, self._at, len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _survive(folder: _Folder, rng: random.Random) -> None:
    folder.names = dict(folder.durable_names)
    for node in folder.names.values():
        if isinstance(node, _Folder):
            _survive(node, rng)
        else:
            _lose_unsynced(node, rng)


def _lose_unsynced(file: _File, rng: random.Random) -> None:
    del file.content[rng.randint(file.durable_bytes, len(file.content)) :]
    for start in range(file.durable_bytes, len(file.content), _BLOCK_BYTES):
        block = memoryview(file.content)[start : start + _BLOCK_BYTES]
        if rng.random() < 0.25:
            block[:] = bytes(len(block))
    file.durable_bytes = len(file.content)


def _files_below(folder: _Folder) -> list[_File]:
    files: dict[_File, None] = {}
    for node in folder.names.values():
        if isinstance(node, _Folder):
            files.update(dict.fromkeys(_files_below(node)))
        else:
            files[node] = None
    return list(files)
