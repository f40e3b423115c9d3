"""A disk to be written, as the kernel describes it, and why it must not be: it is in use, or the system's, or none.

Read under a root path, below `sys` and `proc`, so that a captured tree can stand for another machine.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_SECTOR_BYTES = 512
"""What `size` in sysfs counts, whatever the disk's own sectors are."""
_SYSTEM = frozenset({"/", "/usr", "/boot", "/boot/efi", "/boot/firmware", "/var", "/home"})
_TEXT_BYTES_MAX = 4096
_MOUNTS_BYTES_MAX = 4 << 20
_BELOW_MAX = 64
"""How many disks may lie on each other: more is a circle."""


class TargetRefused(Exception):
    """Something that is not written; `str()` says why in a clause, and `hint` what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint


class TargetDisk(Struct, frozen=True, kw_only=True):
    """What a person has to recognise before it is written."""

    path: str
    block: bool
    """A disk; else a file in place of one."""
    model: str = ""
    serial: str = ""
    size_bytes: int
    """Of a file that is not there yet: 0."""
    removable: bool = False


def look_at_target(path: Path, root: Path = Path("/")) -> TargetDisk:
    """Look at a disk or a file. Raises TargetRefused: it is none, or must not be written; OSError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise
        if path.is_relative_to("/dev"):
            raise TargetRefused(f"there is no disk {path}", "`lsblk` lists disks.") from None
        return TargetDisk(path=str(path), block=False, size_bytes=0)
    if stat.S_ISREG(found.st_mode):
        return TargetDisk(path=str(path), block=False, size_bytes=found.st_size)
    if not stat.S_ISBLK(found.st_mode):
        raise TargetRefused(f"{path} is neither a disk nor a file", "`lsblk` lists disks.")
    return disk_by_number(path, os.major(found.st_rdev), os.minor(found.st_rdev), root)


def disk_by_number(path: Path, major: int, minor: int, root: Path) -> TargetDisk:
    """Look at the disk with this number. Raises TargetRefused, OSError."""
    folder = (root / f"sys/dev/block/{major}:{minor}").resolve()
    if (folder / "partition").exists():
        raise TargetRefused(f"{path} is a partition of {folder.parent.name}", "An image is written to a whole disk.")
    if _text(folder / "ro") == "1":
        raise TargetRefused(f"{path} is write-protected", "Look for the switch at the card or its adapter.")
    _refuse_used(path, folder, root)
    device = folder / "device"
    named = " ".join(filter(None, (_word(device / "vendor"), _word(device / "model"))))
    return TargetDisk(
        path=str(path),
        block=True,
        model=named or _word(device / "name"),
        serial=_word(device / "serial") or _word(folder / "serial"),
        size_bytes=int(_text(folder / "size") or 0) * _SECTOR_BYTES,
        removable=_text(folder / "removable") == "1",
    )


def _refuse_used(path: Path, folder: Path, root: Path) -> None:
    numbers = {_text(each / "dev") for each in _with_all_on_it(folder)}
    used = [place for number, place in _mounted(root) if number in numbers]
    if system := sorted(place for place in used if place in _SYSTEM):
        raise TargetRefused(f"{path} holds this system ({', '.join(system)})", "Name another disk; `lsblk` lists them.")
    if used:
        places = ", ".join(sorted(used))
        raise TargetRefused(f"{path} is mounted at {places}", f"umount {places.replace(', ', ' ')}")
    names = {each.name for each in _with_all_on_it(folder)}
    if swap := sorted(names & set(_swaps(root))):
        raise TargetRefused(
            f"{path} holds this system's swap space ({', '.join(swap)})", "swapoff, or name another disk."
        )


def _with_all_on_it(folder: Path) -> list[Path]:
    """A disk, its partitions, and what lies on any of them (`holders`: LVM, RAID, encryption), each once."""
    found: dict[Path, None] = {}
    left = [folder]
    while left and len(found) < _BELOW_MAX:
        each = left.pop()
        if each in found or not each.is_dir():
            continue
        found[each] = None
        left += [inner for inner in sorted(each.iterdir()) if (inner / "partition").exists()]
        holders = each / "holders"
        left += [holder.resolve() for holder in sorted(holders.iterdir())] if holders.is_dir() else []
    return list(found)


def _mounted(root: Path) -> Iterator[tuple[str, str]]:
    """Number of the device, and where it is mounted (proc(5), mountinfo: the third and the fifth field)."""
    with (root / "proc/self/mountinfo").open(encoding="utf-8", errors="replace") as file:
        for line in file.read(_MOUNTS_BYTES_MAX).splitlines():
            fields = line.split(" ")
            if len(fields) > 5:
                yield fields[2], fields[4].replace("\\040", " ")


def _swaps(root: Path) -> Iterator[str]:
    """Names of devices that are swapped to."""
    for line in _text(root / "proc/swaps").splitlines()[1:]:
        yield line.split()[0].rpartition("/")[2]


def _word(path: Path) -> str:
    """What a disk calls itself, without what a terminal would not show."""
    return "".join(sign for sign in " ".join(_text(path).split()) if sign.isprintable())


def _text(path: Path) -> str:
    """A small file; empty if there is none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_TEXT_BYTES_MAX).strip()
    except OSError:
        return ""
