"""What an open page is told of the center, and what of it is new to one who has seen an earlier picture. Pure.

Of programs only the names of those that have changed are told, for a page asks by itself about those that it shows.
Whatever an operator is to see come and go is a field of `CenterPicture` and a table in `_tables`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from media_network.fields import ProgramId
from media_network.messages.content import IngestRow
from media_network.messages.deletion import DeletionRow
from media_network.pages.events import ServerSentEvent


class FleetNow(Struct, frozen=True, kw_only=True):
    """All stations, as a page shows them: it asks by itself for those that somebody looks for."""

    stations: int = 0
    silent: int = 0
    """Of these the directors have not spoken lately."""
    home: str | None = None
    """Name of the home station; None: it has not registered."""
    home_engines: int = 0


class ChangedProgram(NamedTuple):
    """A program changed with a number of the feed."""

    version: int
    program: ProgramId


class CenterPicture(NamedTuple):
    """The center at a moment."""

    version: int
    """Number of the newest change of a program."""
    changes: tuple[ChangedProgram, ...]
    """The latest, by number."""
    complete_after: int
    """All changes after this number are among them."""
    moves: int
    """Grows when segments come or go anywhere, or an order does."""
    ingests: Mapping[str, IngestRow]
    fleet: FleetNow
    deletions: Mapping[str, DeletionRow]
    """The first of those that are not carried out, by program and station with a blank between."""


def news_of(now: CenterPicture, seen: CenterPicture | None) -> list[ServerSentEvent]:
    """What there is to tell, in the order in which a page takes it.

    `ingests`, `deletions`: `{"changed": [row], "gone": [key]}`, all at first. `fleet`: a `FleetNow`. `catalogue`:
    `{"version": number, "programs": [name]}`; null for `programs`: more have changed than are told. `moved`: segments
    have come or gone.
    """
    return list(_news(now, seen))


def _news(now: CenterPicture, seen: CenterPicture | None) -> Iterator[ServerSentEvent]:
    if seen is None or seen.fleet != now.fleet:
        yield _event("fleet", now.fleet)
    before = _tables(seen) if seen else {}
    for name, table in _tables(now).items():
        known = before.get(name, {})
        changed = [row for key, row in table.items() if known.get(key) != row]
        gone = [key for key in known if key not in table]
        if changed or gone or seen is None:
            yield _event(name, {"changed": changed, "gone": gone})
    if seen is None or seen.version != now.version:
        yield _event("catalogue", {"version": now.version, "programs": _changed_since(now, seen)})
    if seen is not None and seen.moves != now.moves:
        yield _event("moved", now.moves)


def _tables(picture: CenterPicture) -> dict[str, Mapping[str, Struct]]:
    return {"ingests": picture.ingests, "deletions": picture.deletions}


def _changed_since(now: CenterPicture, seen: CenterPicture | None) -> list[ProgramId] | None:
    if seen is None or not now.complete_after <= seen.version <= now.version:
        return None
    return [change.program for change in now.changes if change.version > seen.version]


def _event(name: str, value: Any) -> ServerSentEvent:
    return ServerSentEvent(name, msgspec.json.encode(value))
