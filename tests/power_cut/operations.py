"""What a disk is asked, one thing at a time: recorded from who writes, and done again on a `PosixDisk`."""

from dataclasses import dataclass
from pathlib import Path

from chassis_emulator.durability.posix_disk import PosixDisk


@dataclass(frozen=True)
class Operation:
    path: Path

    def do(self, disk: PosixDisk) -> None:
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.path.name}"


class MadeFolder(Operation):
    def do(self, disk):
        disk.make_folder(self.path)


class MadeFile(Operation):
    def do(self, disk):
        disk.make_file(self.path)


class SyncedFile(Operation):
    def do(self, disk):
        disk.file(self.path).sync()


class SyncedFolder(Operation):
    def do(self, disk):
        disk.sync_folder(self.path)


class RemovedFile(Operation):
    def do(self, disk):
        disk.remove(self.path)


class RemovedFolder(Operation):
    def do(self, disk):
        disk.remove_folder(self.path)


@dataclass(frozen=True)
class Wrote(Operation):
    offset: int
    data: bytes

    def do(self, disk):
        disk.file(self.path).write(self.offset, self.data)

    def __str__(self) -> str:
        return f"Wrote {self.path.name} [{self.offset}:{self.offset + len(self.data)}]"


@dataclass(frozen=True)
class CutTo(Operation):
    length: int

    def do(self, disk):
        disk.file(self.path).truncate(self.length)


@dataclass(frozen=True)
class Renamed(Operation):
    new: Path

    def do(self, disk):
        disk.rename(self.path, self.new)

    def __str__(self) -> str:
        return f"Renamed {self.path.name} to {self.new.name}"
