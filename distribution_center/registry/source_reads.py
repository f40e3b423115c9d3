"""The registry's reads for whoever seeks a source: none reads more rows for a larger fleet, or a longer film."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from distribution_center.registry.masks import masks
from distribution_center.registry.reads import Read
from distribution_center.registry.repository import Holder

HOLDERS_MAX = 64
_SCANNED_MAX = 512
"""Stations that hold something of a chunk, and are looked at for what is wanted of it."""

_PROGRAM = "(SELECT number FROM programs WHERE program = $1)"
_HOLDERS = "SELECT stations.number, stations.station, director, mask FROM"


def some_holders(name: str, wanted: Iterable[int], after: int) -> Read[list[Holder]]:
    """See `Repository`."""
    chunk, mask = _one_chunk(wanted)
    return Read(
        f"{_HOLDERS}"  # noqa: S608 -- our own words, and numbers of parameters
        f" (SELECT station, mask FROM locations"
        f" WHERE program = {_PROGRAM} AND chunk = $2 AND station > $3 ORDER BY station LIMIT {_SCANNED_MAX}) AS found"
        f" JOIN stations ON stations.number = found.station WHERE (mask & $4) <> 0"
        f" ORDER BY stations.number LIMIT {HOLDERS_MAX}",
        (name, chunk, after, mask),
        partial(_holders, wanted=mask),
    )


def holders_among(name: str, wanted: Iterable[int], stations: Sequence[str]) -> Read[list[Holder]]:
    """See `Repository`."""
    chunk, mask = _one_chunk(wanted)
    return Read(
        f"{_HOLDERS}"  # noqa: S608 -- as above
        f" locations JOIN stations ON stations.number = locations.station"
        f" WHERE locations.program = {_PROGRAM} AND chunk = $2 AND (mask & $3) <> 0"
        f" AND locations.station IN"
        f" (SELECT number FROM stations WHERE station IN ({_parameters(4, stations)}))",
        (name, chunk, mask, *stations),
        partial(_holders, wanted=mask),
    )


def count_held(name: str, chunks: Sequence[int], stations: Sequence[int]) -> Read[dict[int, int]]:
    """See `Repository`."""
    return Read(
        f"SELECT station, mask FROM locations WHERE program = {_PROGRAM}"  # noqa: S608 -- as above
        f" AND chunk IN ({_parameters(2, chunks)}) AND station IN ({_parameters(2 + len(chunks), stations)})",
        (name, *chunks, *stations),
        _counted,
    )


def _parameters(first: int, values: Sequence[object]) -> str:
    return ", ".join(f"${number}" for number in range(first, first + len(values)))


def _one_chunk(wanted: Iterable[int]) -> tuple[int, int]:
    """Raises ValueError: these segments are not all in one chunk."""
    [(chunk, mask)] = masks(wanted).items()
    return chunk, mask


def _holders(rows: Iterable[tuple[Any, ...]], wanted: int) -> list[Holder]:
    return [Holder(number, station, director, (mask & wanted).bit_count()) for number, station, director, mask in rows]


def _counted(rows: Iterable[tuple[Any, ...]]) -> dict[int, int]:
    counts: Counter[int] = Counter()
    for station, mask in rows:
        counts[station] += mask.bit_count()
    return dict(counts)
