"""Names on the disk of an I/O channel, and what a scan makes of them.

`<channel>/<program>/<number>.ts` is a segment that is held; `<channel>/.partial/<program>.<number>.<sha256>` one that
is on its way in. Whatever else is in these folders is junk and removed; other folders of a channel are not ours.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from media_network.files import Files
from media_network.program import TS_PACKET_BYTES, ProgramId, Segment

PARTIAL_FOLDER = ".partial"

_PROGRAM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_SEGMENT = re.compile(r"(0|[1-9][0-9]{0,5})\.ts")
_PARTIAL = re.compile(rf"({_PROGRAM.pattern})\.(0|[1-9][0-9]{{0,5}})\.([0-9a-f]{{64}})")


class SegmentKey(NamedTuple):
    """Which segment."""

    program: ProgramId
    number: int


class PartialKey(NamedTuple):
    """Which segment with which content."""

    program: ProgramId
    number: int
    sha256: str


@dataclass
class FoundSegments:
    """What a scan of a channel found."""

    held: dict[SegmentKey, int] = field(default_factory=dict)
    """Length in bytes of each."""
    partials: list[PartialKey] = field(default_factory=list)
    programs: set[ProgramId] = field(default_factory=set)
    """Those that have a folder."""


def partial_key(program: ProgramId, segment: Segment) -> PartialKey:
    """The key of a segment on its way in."""
    return PartialKey(program, segment.number, segment.sha256)


def segment_path(channel: Path, key: SegmentKey) -> Path:
    """Where a held segment is."""
    return channel / key.program / f"{key.number}.ts"


def partial_path(channel: Path, key: PartialKey) -> Path:
    """Where a segment on its way in is."""
    return channel / PARTIAL_FOLDER / f"{key.program}.{key.number}.{key.sha256}"


def scan(files: Files, channel: Path) -> FoundSegments:
    """Take stock of a channel and drop its junk. Blocks; raises OSError.

    A predecessor that was killed may have made names that are not durable yet: all folders are synced before what they
    hold is believed.
    """
    files.make_folder(channel / PARTIAL_FOLDER)
    inventory = FoundSegments()
    for name in files.list_folder(channel / PARTIAL_FOLDER):
        if found := _PARTIAL.fullmatch(name):
            inventory.partials.append(PartialKey(found[1], int(found[2]), found[3]))
        else:
            files.remove(channel / PARTIAL_FOLDER / name)
    for program in files.list_folder(channel):
        if _PROGRAM.fullmatch(program):
            _scan_program(files, channel / program, inventory)
    files.sync_folder(channel)
    return inventory


def _scan_program(files: Files, folder: Path, inventory: FoundSegments) -> None:
    try:
        names = files.list_folder(folder)
    except NotADirectoryError:
        return
    inventory.programs.add(folder.name)
    for name in names:
        found = _SEGMENT.fullmatch(name)
        length_bytes = files.length_bytes(folder / name) if found else 0
        if found and length_bytes and length_bytes % TS_PACKET_BYTES == 0:
            inventory.held[SegmentKey(folder.name, int(found[1]))] = length_bytes
        else:
            files.remove(folder / name)
    files.sync_folder(folder)
