"""The three books of a station: what the registry lists, what its director and engines say, and what the disks hold.

They are read by other ways than by those who keep them: the registry from its file, the disks name by name and byte by
byte.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import apsw
from msgspec import Struct

from chassis_emulator.topology.plan import BladePlan
from distribution_center.registry import deletion_reads, reads
from distribution_center.registry.deletions import Deletion
from distribution_center.registry.repository import OrderState
from distribution_center.registry.sqlite_connection import open_reader
from media_network.cut import Cut
from media_network.fields import ProgramId
from media_network.messages.watching import StationView
from media_network.program_header import ProgramHeader
from media_network.segment_set import format_segments

Locations = Mapping[Cut, frozenset[int]]
"""Segments by cut."""
_PROGRAMS_MAX = 10_000
_STATIONS_MAX = 1000
_DELETIONS_MAX = 10_000
_Answer = TypeVar("_Answer")
_HELD = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9a-f]{64})\.ts")


class RegistryBook(Struct, frozen=True, kw_only=True):
    """What the registry's file says."""

    programs: Mapping[ProgramId, ProgramHeader]
    locations: Mapping[str, Locations]
    """By station."""
    unfinished: tuple[tuple[ProgramId, str], ...]
    """Orders to distribute that are not carried out: program and station."""
    deletions: tuple[tuple[ProgramId, str], ...]
    """Those that are neither carried out nor denied: program and station."""
    epochs: Mapping[str, int]
    """By station, of the last director that was heard."""


class DirectorBook(Struct, frozen=True, kw_only=True):
    """What a station's director says."""

    view: StationView
    held: Locations


class DiskBook(Struct, frozen=True, kw_only=True):
    """What the channels of a blade hold."""

    held: Locations
    wrong: tuple[str, ...]
    """Files whose bytes are not what their name says."""


def read_registry(path: Path) -> RegistryBook:
    """Read the registry's file beside the center that has it. Blocks shortly. Raises apsw.Error: there is none yet."""
    with closing(open_reader(path)) as connection:
        connection.execute("BEGIN")  # all that is read is of one moment
        return _read_registry(connection)


def _read_registry(connection: apsw.Connection) -> RegistryBook:
    changes = _of(connection, reads.changes(0, _PROGRAMS_MAX))
    programs = {change.program: change.header for change in changes if change.header}
    locations: defaultdict[str, dict[Cut, frozenset[int]]] = defaultdict(dict)
    unfinished = []
    for name, header in programs.items():
        for station, held in _of(connection, reads.locations(name)).items():
            locations[station][header.cut] = held
        orders = _of(connection, reads.orders(name, "", _STATIONS_MAX))
        unfinished += [(name, station) for station, order in orders.items() if order.state is OrderState.ORDERED]
    return RegistryBook(
        programs=programs,
        locations=locations,
        unfinished=tuple(unfinished),
        deletions=tuple((each.program, each.station) for each in _of(connection, _deletions())),
        epochs={station.station: station.stamp.epoch for station in _of(connection, reads.stations("", _STATIONS_MAX))},
    )


def _deletions() -> reads.Read[list[Deletion]]:
    return deletion_reads.deletions((0, ""), _DELETIONS_MAX, denied=False)


def _of(connection: apsw.Connection, read: reads.Read[_Answer]) -> _Answer:
    return read.result(connection.execute(read.sql, read.values))


def read_disks(blade: BladePlan) -> DiskBook:
    """Read every byte of a blade's channels. Blocks."""
    held: defaultdict[Cut, set[int]] = defaultdict(set)
    wrong = []
    for path, number, length, digest in _held_files(blade.channels):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # it was given up meanwhile
            continue
        if len(content) == length and sha256(content).hexdigest() == digest:
            program, _, table = path.parent.name.partition(".")
            held[Cut(program, table)].add(number)
        else:
            wrong.append(str(path))
    return DiskBook(held={cut: frozenset(numbers) for cut, numbers in held.items()}, wrong=tuple(wrong))


def _held_files(channels: Iterable[Path]) -> Iterator[tuple[Path, int, int, str]]:
    """Each held segment's file, and the number, length and SHA-256 that its name says."""
    for path in (path for channel in channels for path in sorted(channel.glob("*/*.ts"))):
        named = _HELD.fullmatch(path.name)
        if named:
            yield path, int(named[1]), int(named[2]), named[3]


def differences(
    station: str, registered: Locations, director: DirectorBook, disks: Mapping[str, DiskBook]
) -> Iterator[str]:
    """What does not agree, a clause each, location by location.

    `disks` are the books of the blades that the director counts as its engines, by their control address.
    """
    for blade in disks.values():
        yield from (f"{path} does not hold what its name says" for path in blade.wrong)
    for engine in director.view.engines:
        held = sum(map(len, disks[engine.engine].held.values())) if engine.engine in disks else 0
        if engine.segments != held:
            yield f"{station} counts {engine.segments} segments at {engine.engine}, whose disks hold {held}"
    on_disk = _together(book.held for book in disks.values())
    for who, verb, book in (("the registry", "lists", registered), ("the director", "knows", director.held)):
        for cut in sorted(book.keys() | on_disk.keys()):
            listed, there = book.get(cut, frozenset()), on_disk.get(cut, frozenset())
            if extra := listed - there:
                yield f"{who} {verb} {_these(cut, extra)} at {station}, which no engine's disk holds"
            if lacking := there - listed:
                yield f"{who} lacks {_these(cut, lacking)} at {station}, which a disk there holds"


def _together(books: Iterable[Locations]) -> dict[Cut, frozenset[int]]:
    all_held: defaultdict[Cut, frozenset[int]] = defaultdict(frozenset)
    for book in books:
        for cut, segments in book.items():
            all_held[cut] |= segments
    return all_held


def _these(cut: Cut, segments: frozenset[int]) -> str:
    return f"{cut.program} {format_segments(segments)}"
