"""A state folder and the topology of its network: what may be otherwise at the next `up`, and what may not.

A network may grow in its folder, and its numbers may change. What has state in the folder must not vanish: the center
would believe for ever in the segments of a station that is not there any more.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import fields

from chassis_emulator.network.errors import BelongsToAnother, Unrecorded
from chassis_emulator.topology.plan import station_folder
from chassis_emulator.topology.topology import CenterWithStations, StationTopology, Topology

_TOLD_BY_THEMSELVES = frozenset({"name", "stations", "center", "other_centers"})


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
    missing = sorted(there - _stations(wanted).keys())
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
    centers = {center.name: center for center in wanted.other_centers}
    for center in kept.other_centers:
        again = centers.get(center.name)
        if again is None:
            yield f"it has no center {center.name!r}"
        elif center.home != again.home:
            yield f"the home of {center.name} is {again.home!r} instead of {center.home!r}"
    stations = _stations(wanted)
    for name, station in _stations(kept).items():
        there = stations.get(name)
        if there is None:
            yield f"it has no station {name!r}"
            continue
        for what in ("slots", "channels"):
            had, has = getattr(station, what), getattr(there, what)
            if has < had:
                yield f"{name} has {has} {what} instead of {had}"


def _changes(kept: Topology, wanted: Topology) -> Iterator[str]:
    if kept.name != wanted.name:
        yield f"name {wanted.name} (was {kept.name})"
    yield from _numbers(kept, wanted, "")
    yield from _numbers(kept.center, wanted.center, "center ")
    yield from _other_centers(kept, wanted)
    before, now = _stations(kept), _stations(wanted)
    for name, station in now.items():
        if name not in before:
            yield f"station {name} is new"
        else:
            yield from _numbers(before[name], station, f"{name} ")
    for name in before.keys() - now.keys():
        yield f"station {name} is gone"
    if [name for name in before if name in now] != [name for name in now if name in before]:
        yield "the stations are in another order, and so at other addresses"


def _numbers(kept: Struct, wanted: Struct, of: str) -> Iterator[str]:
    told = _TOLD_BY_THEMSELVES if isinstance(kept, Topology | StationTopology | CenterWithStations) else frozenset()
    for name in (field.name for field in fields(kept) if field.name not in told):
        before, now = getattr(kept, name), getattr(wanted, name)
        if before != now:
            yield f"{of}{name} {now} (was {before})" if not isinstance(now, Struct) else f"{of}{name} is otherwise"


def _other_centers(kept: Topology, wanted: Topology) -> Iterator[str]:
    before = {center.name: center for center in kept.other_centers}
    for center in wanted.other_centers:
        if center.name not in before:
            yield f"center {center.name} is new"
        else:
            yield from _numbers(before[center.name], center, f"center {center.name} ")
    for name in before.keys() - {center.name for center in wanted.other_centers}:
        yield f"center {name} is gone"


def _stations(topology: Topology) -> dict[str, StationTopology]:
    """By the name of their state folders: those of the headquarters are called so with and without other centers."""
    return {
        station_folder(topology, center.name, station.name): station
        for center in topology.centers
        for station in center.stations
    }
