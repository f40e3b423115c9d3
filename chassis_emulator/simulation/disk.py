"""A simulated disk under the segment store, with the truth of a power cut.

It is a `media_network.files.Files`, on a `PosixDisk`, which says what survives. Here it takes its time, is full, slow,
failed or hung, and its bytes rot.
"""

import asyncio
import errno
import io
import random
from itertools import count
from pathlib import Path
from typing import BinaryIO, cast

from chassis_emulator.durability.content import FileContent
from chassis_emulator.durability.fate import Chance
from chassis_emulator.durability.posix_disk import PosixDisk
from chassis_emulator.simulation.loop import SimulatedLoop
from chassis_emulator.simulation.sockets import os_error
from chassis_emulator.simulation.sqlite_vfs import SimulatedVfs
from chassis_emulator.simulation.trace import Trace
from media_network.files import Files, GrowingFile

_NUMBERS = count(1)
"""SQLite's names for disks, of all runs of the process."""


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
        self.capacity_bytes = capacity_bytes
        self.slowness = 1.0
        """Calls take so many times as long."""
        self.failure: int | None = None
        """With this `errno` all calls fail."""
        self._hanging: asyncio.Event | None = None
        self.read_bytes = 0
        """What was read of files so far."""
        self._loop = loop
        self._trace = trace
        self._rng = rng
        self._rate_bytes_s = rate_bytes_s
        self._access_s = access_s
        self._sync_s = sync_s
        self._free_at_s = 0.0
        self._posix = PosixDisk(mounted_at)
        self._power_cuts = 0
        self._vfs: SimulatedVfs | None = None

    # What the store calls: see `Files`

    @property
    def sqlite_vfs(self) -> str:
        """See `Files`."""
        self._vfs = self._vfs or SimulatedVfs(f"simulated-{next(_NUMBERS)}", self)
        return self._vfs.name

    def make_folder(self, folder: Path) -> None:
        """See `Files`."""
        self._access()
        for grown in reversed(self._posix.make_folder(folder)):
            self.sync_folder(grown)

    def sync_folder(self, folder: Path) -> None:
        """See `Files`."""
        self._access(sync=True)
        self._note("sync folder", folder)
        self._posix.sync_folder(folder)

    def list_folder(self, folder: Path) -> list[str]:
        """See `Files`."""
        self._access()
        return self._posix.list_folder(folder)

    def length_bytes(self, path: Path) -> int | None:
        """See `Files`."""
        self._access()
        return None if self._posix.is_folder(path) else len(self._posix.file(path).now)

    def free_bytes(self, folder: Path) -> int:
        """See `Files`."""
        self._access()
        self._posix.list_folder(folder)
        return max(0, self.capacity_bytes - self.used_bytes)

    def append(self, path: Path) -> "AppendedFile":
        """See `Files`."""
        self._access()
        return AppendedFile(self, self._posix.make_file(path), path)

    def read(self, path: Path) -> BinaryIO:
        """See `Files`. The file has no descriptor."""
        self._access()
        return cast("BinaryIO", _ReadFile(self, self._posix.file(path)))

    def rename(self, old: Path, new: Path) -> None:
        """See `Files`."""
        self._access()
        self._note("rename", new)
        self._posix.rename(old, new)

    def remove(self, path: Path) -> None:
        """See `Files`."""
        self._access()
        self._note("remove", path)
        self._posix.remove(path)

    # What befalls it

    @property
    def hangs(self) -> bool:
        """Whether no call returns. Those that do not, fail when it hangs no more."""
        return self._hanging is not None

    @hangs.setter
    def hangs(self, hangs: bool) -> None:
        if not hangs and self._hanging:
            self._hanging.set()
        self._hanging = (self._hanging or asyncio.Event()) if hangs else None

    def power_cut(self, rng: random.Random) -> None:
        """Lose what is not durable, as far as `rng` will. Files that were open are so no more."""
        self._power_cuts += 1
        self._posix.lose_power(Chance(rng))
        self._free_at_s = 0.0

    def rot(self, path: Path) -> None:
        """Change a bit of a file. Nothing tells."""
        content = self._posix.file(path)
        content.rot(self._rng.randrange(len(content.now)), self._rng.randrange(8))

    def close(self) -> None:
        """The run is over: SQLite forgets it."""
        if self._vfs:
            self._vfs.unregister()
            self._vfs = None

    @property
    def power_cuts(self) -> int:
        """How many there were."""
        return self._power_cuts

    @property
    def used_bytes(self) -> int:
        """What the files with a name hold."""
        return self._posix.used_bytes

    def durable_content(self, path: Path) -> bytes | None:
        """What would be left of a file after a power cut; None if its name, or some of what it holds, may be lost."""
        return self._posix.durable_content(path)

    # How it works

    def work(self, seconds: float, size_bytes: int = 0) -> None:
        """Take the time of a call. Raises OSError when the disk fails."""
        if self._hanging:
            self._loop.block_while(self._hanging)
        if self.failure or self._hanging:
            raise os_error(self.failure or errno.EIO)
        cost_s = self.slowness * (seconds + size_bytes / self._rate_bytes_s)
        self._free_at_s = max(self._free_at_s, self._loop.time()) + cost_s
        self._loop.block_until(self._free_at_s)

    def write_to(self, file: FileContent, data: bytes, path: Path, offset: int | None = None) -> None:
        """Write at its end, or at `offset`, as much as there is room for. Raises OSError when that is not all."""
        self.work(0.0, len(data))
        self._note("write", path, data)
        begin = len(file.now) if offset is None else offset
        room_bytes = self.capacity_bytes - self.used_bytes + max(0, len(file.now) - begin)
        file.write(begin, data[: max(0, room_bytes)])
        if room_bytes < len(data):
            raise os_error(errno.ENOSPC)

    def truncate(self, file: FileContent, length_bytes: int, path: Path) -> None:
        """Cut a file off."""
        self._access()
        self._note("cut", path)
        file.truncate(length_bytes)

    def content(self, path: Path) -> FileContent:
        """What a file holds. Raises FileNotFoundError."""
        return self._posix.file(path)

    def make_file(self, path: Path) -> FileContent:
        """The same; makes an empty one if there is none."""
        self._access()
        return self._posix.make_file(path)

    def sync(self, file: FileContent, path: Path) -> None:
        """Make a file's content durable."""
        self._access(sync=True)
        self._note("sync file", path)
        file.sync()

    def part(self, file: FileContent, offset: int, length_bytes: int) -> bytes:
        """Some bytes of a file, fewer at its end."""
        part = bytes(memoryview(file.now)[offset : offset + length_bytes])
        self.read_bytes += len(part)
        self.work(self._rng.uniform(*self._access_s), len(part))
        return part

    def _access(self, *, sync: bool = False) -> None:
        self.work(self._rng.uniform(*(self._sync_s if sync else self._access_s)))

    def _note(self, what: str, path: Path, content: bytes = b"") -> None:
        self._trace.add(self._loop.time(), what, str(path.relative_to(self.mounted_at)), "", content)


class AppendedFile(GrowingFile):
    """A file open for writing at its end: see `GrowingFile`."""

    def __init__(self, disk: Disk, file: FileContent, path: Path) -> None:
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
    def __init__(self, disk: Disk, file: FileContent) -> None:
        super().__init__()
        self._disk = disk
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._file.now)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any writable buffer: io gives bytearrays
        part = self._disk.part(self._file, self._at, len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
