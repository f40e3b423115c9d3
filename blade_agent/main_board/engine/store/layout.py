"""Names on the disk of an I/O channel, and what a scan makes of them.

`<channel>/<program>.<table>/<number>.<bytes>.<sha256>.ts` is a segment that is held: its name says what it has to be,
and its folder's of which cut it is; beside it is its index, with `.index` for `.ts`, if its row has one.
`<channel>/.partial/<program>.<number>.<sha256>` is one on its way in, with its index beside it, and `.index` added.
`<channel>/<program>` is of an earlier release (`earlier_layout`). Whatever else is there is not ours, and left.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from blade_agent.main_board.engine.store.io_channel import BROKEN
from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.files import Files
from media_network.segment_table import Segment
from media_network.segment_url import SEGMENT_NUMBER

PARTIAL_FOLDER = ".partial"

_PROGRAM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_CUT = re.compile(rf"({_PROGRAM.pattern})\.([0-9a-f]{{64}})")
_SEGMENT = re.compile(rf"({SEGMENT_NUMBER})\.([1-9][0-9]{{0,11}})\.([0-9a-f]{{64}})\.ts")
_INDEX = ".index"
_PARTIAL = re.compile(rf"({_PROGRAM.pattern})\.({SEGMENT_NUMBER})\.([0-9a-f]{{64}})")


class SegmentKey(NamedTuple):
    """Which segment."""

    cut: Cut
    number: int

    def __str__(self) -> str:
        return f"segment {self.number} of {self.cut.program}"


class Content(NamedTuple):
    """What a segment's bytes have to be."""

    length_bytes: int
    digest: bytes
    """SHA-256."""


class PartialKey(NamedTuple):
    """Which segment with which content."""

    program: ProgramId
    number: int
    sha256: str


@dataclass
class FoundSegments:
    """What a scan of a channel found."""

    held: dict[SegmentKey, Content] = field(default_factory=dict)
    damaged: list[tuple[SegmentKey, Content]] = field(default_factory=list)
    """Those whose file is shorter or longer than it has to be, or there twice."""
    strange: list[str] = field(default_factory=list)
    """Names that mean nothing here, and entries that cannot be used, below the channel's folder."""
    partials: list[PartialKey] = field(default_factory=list)
    cuts: set[Cut] = field(default_factory=set)
    """Those that have a folder."""
    earlier: list[ProgramId] = field(default_factory=list)
    """Those that have a folder of an earlier release."""


def partial_key(program: ProgramId, segment: Segment) -> PartialKey:
    """The key of a segment on its way in."""
    return PartialKey(program, segment.number, segment.sha256)


def content_of(segment: Segment) -> Content:
    """What the bytes of a segment have to be."""
    return Content(segment.length_bytes, bytes.fromhex(segment.sha256))


def segment_path(channel: Path, key: SegmentKey, content: Content) -> Path:
    """Where a held segment is."""
    return cut_path(channel, key.cut) / f"{key.number}.{content.length_bytes}.{content.digest.hex()}.ts"


def index_path(channel: Path, key: SegmentKey, content: Content) -> Path:
    """Where the index of a held segment is, if it has one."""
    return segment_path(channel, key, content).with_suffix(_INDEX)


def cut_path(channel: Path, cut: Cut) -> Path:
    """The folder of a cut."""
    return channel / f"{cut.program}.{cut.table}"


def named_segment(name: str) -> tuple[int, Content] | None:
    """Number and content of a held segment, by the name of its file; None: it is none."""
    named = _SEGMENT.fullmatch(name)
    return (int(named[1]), Content(int(named[2]), bytes.fromhex(named[3]))) if named else None


def partial_path(channel: Path, key: PartialKey) -> Path:
    """Where a segment on its way in is."""
    return channel / PARTIAL_FOLDER / f"{key.program}.{key.number}.{key.sha256}"


def partial_index_path(channel: Path, key: PartialKey) -> Path:
    """Where the index of a segment on its way in is."""
    partial = partial_path(channel, key)
    return partial.with_name(partial.name + _INDEX)


def remove_partial(files: Files, channel: Path, key: PartialKey) -> None:
    """Remove what there is of a segment on its way in. Blocks; raises OSError."""
    for path in (partial_path(channel, key), partial_index_path(channel, key)):
        with suppress(FileNotFoundError):
            files.remove(path)


def remove_held(files: Files, channel: Path, key: SegmentKey, content: Content) -> None:
    """Remove a held segment and its index. Blocks; raises OSError, FileNotFoundError if the segment was not there.

    The index goes when it is durable that the segment is gone: a segment never is without, and an index that is left is
    removed at the next start.
    """
    files.remove(segment_path(channel, key, content))
    files.sync_folder(cut_path(channel, key.cut))
    with suppress(FileNotFoundError):
        files.remove(index_path(channel, key, content))


def set_back(files: Files, channel: Path, key: SegmentKey, content: Content, partial: PartialKey) -> None:
    """Make a held segment one on its way in, whose index has yet to come. Blocks; raises OSError.

    A power cut leaves it in one of the two places; where it is held without its index, that is found out again.
    """
    with suppress(FileNotFoundError):
        files.remove(index_path(channel, key, content))
    files.rename(segment_path(channel, key, content), partial_path(channel, partial))
    files.sync_folder(channel / PARTIAL_FOLDER)
    files.sync_folder(cut_path(channel, key.cut))


def scan(files: Files, channel: Path) -> FoundSegments:
    """Take stock of a channel. Blocks; raises OSError when the disk cannot be used.

    An entry that cannot be used is passed over: it must not take with it what is beside it. A predecessor that was
    killed may have made names that are not durable yet: all folders are synced before what they hold is believed.
    """
    files.make_folder(channel / PARTIAL_FOLDER)
    found = FoundSegments()
    names = files.list_folder(channel / PARTIAL_FOLDER)
    for name in names:
        if named := _PARTIAL.fullmatch(name):
            found.partials.append(PartialKey(named[1], int(named[2]), named[3]))
        elif _PARTIAL.fullmatch(name.removesuffix(_INDEX)):
            _remove_lone_index(files, channel / PARTIAL_FOLDER / name, name.removesuffix(_INDEX), names)
        else:
            found.strange.append(f"{PARTIAL_FOLDER}/{name}")
    for name in files.list_folder(channel):
        if named := _CUT.fullmatch(name):
            with _passing_over(found, name):
                _scan_cut(files, channel / name, Cut(named[1], named[2]), found)
        elif _PROGRAM.fullmatch(name):
            with _passing_over(found, name):
                if any(map(named_segment, files.list_folder(channel / name))):
                    found.earlier.append(name)
    files.sync_folder(channel)
    return found


def _scan_cut(files: Files, folder: Path, cut: Cut, found: FoundSegments) -> None:
    names = files.list_folder(folder)
    for name in names:
        segment = name.removesuffix(_INDEX) + ".ts"
        if name.endswith(_INDEX) and named_segment(segment):
            _remove_lone_index(files, folder / name, segment, names)
            continue
        if not (named := named_segment(name)):
            found.strange.append(f"{folder.name}/{name}")
            continue
        key, content = SegmentKey(cut, named[0]), named[1]
        with _passing_over(found, f"{folder.name}/{name}"):
            length_bytes = files.length_bytes(folder / name)
            if length_bytes is None:
                found.strange.append(f"{folder.name}/{name}")
            elif length_bytes != content.length_bytes or key in found.held:
                found.damaged.append((key, content))
            else:
                found.held[key] = content
    files.sync_folder(folder)
    found.cuts.add(cut)


def _remove_lone_index(files: Files, index: Path, segment: str, names: Collection[str]) -> None:
    """An index that a power cut has left without its segment: it comes again with that."""
    if segment not in names:
        files.remove(index)


@contextmanager
def _passing_over(found: FoundSegments, entry: str) -> Iterator[None]:
    """Trouble with one entry is its own, unless it is the disk's."""
    try:
        yield
    except OSError as error:
        if error.errno in BROKEN:
            raise
        found.strange.append(entry)
