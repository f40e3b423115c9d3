"""A state folder and the topology of its network: what may be otherwise at the next `up`, and what may not.

A network may grow in its folder, and its numbers may change. What has state in the folder must not vanish: the center
would believe for ever in the segments of a station that is not there any more.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import fields

from chassis_emulator.network.errors import BelongsToAnother, Unrecorded
from chassis_emulator.topology.topology import StationTopology, Topology

_TOLD_BY_THEMSELVES = frozenset({"name", "stations", "center"})


def go_on(path: Path, kept: Topology, wanted: Topology) -> tuple[str, ...]:
    """What is otherwise in `wanted` than in the topology that a folder belongs to, a clause each.

    Raises BelongsToAnother: it does not go on with that network.
    """
    losses = tuple(_losses(kept, wanted))
    if losses:
        raise BelongsToAnother(path, kept.name, wanted.name, losses)
    return changes(kept, wanted)


def begin(path: Path, wanted: Topology) -> None:
    """Begin with a topology in a folder that tells of no network. Raises Unrecorded: it has had one, and others."""
    stations = path / "stations"
    there = {folder.name for folder in stations.iterdir()} if stations.is_dir() else set()
    missing = sorted(there - {station.name for station in wanted.stations})
    if missing:
        raise Unrecorded(path, wanted.name, missing)


def changes(kept: Topology, wanted: Topology) -> tuple[str, ...]:
    """What is otherwise in one topology than in another, a clause each."""
    return tuple(_changes(kept, wanted))


def _losses(kept: Topology, wanted: Topology) -> Iterator[str]:
    if kept.name != wanted.name:
        yield f"its name is {wanted.name!r}"
    if kept.center.home != wanted.center.home:
        yield f"its home is {wanted.center.home!r} instead of {kept.center.home!r}"
    stations = {station.name: station for station in wanted.stations}
    for station in kept.stations:
        there = stations.get(station.name)
        if there is None:
            yield f"it has no station {station.name!r}"
            continue
        for what in ("slots", "channels"):
            had, has = getattr(station, what), getattr(there, what)
            if has < had:
                yield f"{station.name} has {has} {what} instead of {had}"


def _changes(kept: Topology, wanted: Topology) -> Iterator[str]:
    if kept.name != wanted.name:
        yield f"name {wanted.name} (was {kept.name})"
    yield from _numbers(kept, wanted, "")
    yield from _numbers(kept.center, wanted.center, "center ")
    before = {station.name: station for station in kept.stations}
    for station in wanted.stations:
        if station.name not in before:
            yield f"station {station.name} is new"
        else:
            yield from _numbers(before[station.name], station, f"{station.name} ")
    for name in before.keys() - {station.name for station in wanted.stations}:
        yield f"station {name} is gone"
    if _order(kept, wanted) != _order(wanted, kept):
        yield "the stations are in another order, and so at other addresses"


def _numbers(kept: Struct, wanted: Struct, of: str) -> Iterator[str]:
    told = _TOLD_BY_THEMSELVES if isinstance(kept, Topology | StationTopology) else frozenset()
    for name in (field.name for field in fields(kept) if field.name not in told):
        before, now = getattr(kept, name), getattr(wanted, name)
        if before != now:
            yield f"{of}{name} {now} (was {before})" if not isinstance(now, Struct) else f"{of}{name} is otherwise"


def _order(topology: Topology, other: Topology) -> list[str]:
    """Names of its stations that the other one has too, in its order."""
    known = {station.name for station in other.stations}
    return [station.name for station in topology.stations if station.name in known]
