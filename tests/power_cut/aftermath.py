"""Every state in which a power cut may leave a disk, after each operation that was recorded."""

import random
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from chassis_emulator.durability.fate import CERTAINTIES, Chance, Fate
from chassis_emulator.durability.posix_disk import PosixDisk
from tests.power_cut.recording import Record


class Told(NamedTuple):
    """What the writer had said by then, in order."""

    begun: tuple[object, ...]
    acknowledged: tuple[object, ...]

    @property
    def last(self) -> object:
        """What was acknowledged last; None: nothing was."""
        return self.acknowledged[-1] if self.acknowledged else None

    @property
    def allowed(self) -> list[object]:
        """What may be found where each fact takes the place of the one before: the last, or one that was under way."""
        under_way = self.begun[len(self.acknowledged) :]
        return [self.last, *under_way]


class Aftermath(NamedTuple):
    """A state that is found when the power is back."""

    after: int
    """How many operations had been done."""
    fate: str
    told: Told
    files: dict[Path, bytes | None]
    """By path; None is a folder."""

    def lay_out(self, recorded_at: Path, folder: Path) -> None:
        """Make the state real below a folder."""
        for path, content in self.files.items():
            there = folder / path.relative_to(recorded_at)
            if content is None:
                there.mkdir(parents=True, exist_ok=True)
            else:
                there.parent.mkdir(parents=True, exist_ok=True)
                there.write_bytes(content)


def aftermaths(record: Record, *, drawn: int, seed: int = 1) -> Iterator[Aftermath]:
    """Each state once: after each operation the ends of what may happen, and so many that are `drawn`."""
    disk = PosixDisk(record.root)
    for path, content in record.at_first.items():
        _put(disk, path, content)
    seen: set[bytes] = set()
    for after in range(len(record.operations) + 1):
        if after:
            record.operations[after - 1].do(disk)
        told = _told(record, after)
        for name, fate in _fates(drawn, f"{seed} {after}"):
            left = deepcopy(disk)
            left.lose_power(fate)
            files = dict(left.walk())
            mark = sha256(repr((sorted(files.items()), len(told.begun), len(told.acknowledged))).encode()).digest()
            if mark not in seen:
                seen.add(mark)
                yield Aftermath(after, name, told, files)


def _fates(drawn: int, seed: str) -> Iterator[tuple[str, Fate]]:
    yield from CERTAINTIES.items()
    for number in range(drawn):
        yield f"chance {seed} {number}", Chance(random.Random(f"{seed} {number}"))


def _told(record: Record, after: int) -> Told:
    """What had been said before the next operation: an acknowledgement counts from the operation on that it follows."""
    said = [word for word in record.words if word.after <= after]
    return Told(
        tuple(word.fact for word in said if not word.acknowledged),
        tuple(word.fact for word in said if word.acknowledged),
    )


def _put(disk: PosixDisk, path: Path, content: bytes | None) -> None:
    if content is None:
        disk.make_folder(path)
    else:
        file = disk.make_file(path)
        file.append(content)
        file.sync()
    disk.sync_folder(path.parent)
