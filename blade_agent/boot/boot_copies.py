"""The boot record on its partition: two copies, each in a sector of its own, and only the older one is ever written.

A write that is torn, or that wears the place out, takes the older copy with it and leaves the newer one. The copies are
as far apart as an erase block of a memory card may be long.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blade_agent.boot.boot_record import SECTOR_BYTES, BootRecord, NoBootRecord
from blade_agent.boot.boot_state import BootState

COPY_OFFSETS = (0, 4 << 20)
"""In octets from the begin of the partition."""
PARTITION_BYTES = 8 << 20


class NoBootState(Exception):
    """Both copies are damaged, or were never written; `str()` says what is wrong with them."""


class BootNotKept(Exception):
    """What was written is not what is read back."""


class BootCopies:
    """A partition, or a file in place of one. Every method blocks, and raises OSError."""

    def __init__(self, path: Path, offsets: tuple[int, int] = COPY_OFFSETS) -> None:
        self.path = path
        self._offsets = offsets

    def read(self) -> BootState:
        """Read the newer copy that is whole. Raises NoBootState."""
        with _opened(self.path, os.O_RDONLY) as descriptor:
            return self._newest(descriptor)[1].state

    def change(self, move: Callable[[BootState], BootState]) -> BootState:
        """Make a move, and keep what comes of it; on return it survives a power cut.

        Raises NoBootState, BootNotKept, and whatever `move` raises: then nothing has changed.
        """
        with _opened(self.path, os.O_RDWR) as descriptor:
            place, newest = self._newest(descriptor)
            state = move(newest.state)
            if state != newest.state:
                self._write(descriptor, 1 - place, BootRecord(newest.generation + 1, state))
            return state

    def begin(self, state: BootState) -> None:
        """Write both copies, where there is nothing to go by. Raises BootNotKept."""
        with _opened(self.path, os.O_RDWR) as descriptor:
            for place in range(len(self._offsets)):
                self._write(descriptor, place, BootRecord(place, state))

    def _newest(self, descriptor: int) -> tuple[int, BootRecord]:
        found: list[tuple[int, BootRecord]] = []
        damage: list[str] = []
        for place in range(len(self._offsets)):
            try:
                found.append((place, BootRecord.of_sector(self._sector(descriptor, place))))
            except NoBootRecord as error:
                damage.append(str(error))
        if not found:
            raise NoBootState(f"{self.path}: the first copy is damaged ({damage[0]}), and the second ({damage[1]})")
        return max(found, key=lambda one: one[1].generation)

    def _sector(self, descriptor: int, place: int) -> bytes:
        os.lseek(descriptor, self._offsets[place], os.SEEK_SET)
        return os.read(descriptor, SECTOR_BYTES)

    def _write(self, descriptor: int, place: int, record: BootRecord) -> None:
        sector = record.sector()
        os.lseek(descriptor, self._offsets[place], os.SEEK_SET)
        if os.write(descriptor, sector) < len(sector):
            raise BootNotKept(f"{self.path} is too short for a boot record")
        os.fsync(descriptor)
        # What is read next comes from the device, not from memory.
        os.posix_fadvise(descriptor, self._offsets[place], SECTOR_BYTES, os.POSIX_FADV_DONTNEED)
        if self._sector(descriptor, place) != sector:
            raise BootNotKept(f"{self.path} does not keep what is written to it")


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        if flags & os.O_RDWR:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # One change after the other: each goes by the one before.
        yield descriptor
    finally:
        os.close(descriptor)
