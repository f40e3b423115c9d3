"""Catalogues of releases that kept a JSON file a program, and before that one with its segment table in it."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from media_network.durable_file import DurableFile
from media_network.fields import Count
from media_network.files import Files
from media_network.messages.program_information import ProgramChange
from media_network.program_header import Milliseconds
from media_network.time_of_day import now_ms
from media_network.whole_information import parse_information

logger = logging.getLogger(__name__)

_SUFFIX = ".json"
_FEED = "feed"
_REBUILT = "the center, or another blade of the station, says it again"


class EarlierFeed(Struct, frozen=True):
    """What was heard of the center."""

    heard: Count
    told_ms: Milliseconds
    lost: Count = 0
    """Files of programs that had been set aside as damaged by then."""


class EarlierChange(NamedTuple):
    """What a file holds."""

    change: ProgramChange
    table: bytes | None = None
    """In one of a release that had no parts."""


def read_earlier(files: Files, folder: Path) -> tuple[EarlierFeed, list[EarlierChange]] | None:
    """What such a release has left in a folder; None: nothing. Blocks; raises OSError."""
    names = files.list_folder(folder)
    programs = [name for name in names if name.endswith(_SUFFIX)]
    if not programs and _FEED not in names:
        return None
    feed = _feed_file(files, folder).read().value or EarlierFeed(0, 0)
    kept = [one for name in programs if (one := _read(files, folder / name))]
    lost = sum(f"{_SUFFIX}.damaged-" in name for name in files.list_folder(folder))
    if lost != feed.lost or len(kept) < len(programs) - (lost - feed.lost):
        # What was heard of these has to be said again, be it that one was withdrawn.
        feed = EarlierFeed(0, feed.told_ms, lost)
    return feed, kept


def remove_earlier(files: Files, folder: Path, programs: Sequence[str]) -> None:
    """Remove the files of these programs, which are kept otherwise now. Blocks; raises OSError."""
    for name in (*(f"{program}{_SUFFIX}" for program in programs), _FEED):
        with suppress(FileNotFoundError):
            files.remove(folder / name)
    files.sync_folder(folder)


def _read(files: Files, path: Path) -> EarlierChange | None:
    parse = partial(_parse, path.name.removesuffix(_SUFFIX))
    try:
        return DurableFile(path, parse, rebuilt=_REBUILT, files=files, keeps_before=False).read().value
    except OSError as error:
        # The distribution center will say it again; the other programs go on meanwhile.
        logger.warning("%s cannot be used: %s", path, error)
        return None


def _feed_file(files: Files, folder: Path) -> DurableFile[EarlierFeed]:
    parse = partial(msgspec.json.decode, type=EarlierFeed)
    return DurableFile(folder / _FEED, parse, rebuilt=_REBUILT, files=files, keeps_before=False)


def _parse(name: str, octets: bytes) -> EarlierChange:
    try:
        kept = EarlierChange(msgspec.json.decode(octets, type=ProgramChange))
    except msgspec.ValidationError:
        whole = parse_information(octets, published_at_ms=now_ms())
        change = ProgramChange(version=whole.header.version, program=whole.header.program, header=whole.header)
        kept = EarlierChange(change, whole.segments.octets)
    if kept.change.program != name:
        raise ValueError(f"it is about {kept.change.program}")
    return kept
