"""What locations come to, kept in the transactions that change them: parts of writes, as in `writes`.

Nobody who asks how much of a program is where, or how many programs a station has whole, counts locations for it.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from distribution_center.registry import share_writes
from distribution_center.registry.statements import Each, Rows, Statement, Step, Writing

PARTS = 16
"""In so many rows the tally of the fleet is kept: stations that report at once to centers that share a database seldom
meet in one."""
_CHUNKS_AT_ONCE = 500

Layers = list[dict[int, int]]
"""Masks by chunk, of what is at one engine at least, at two, and so on."""


class Party(NamedTuple):
    """A station, as the tallies know it."""

    station: str
    number: int


class Extent(NamedTuple):
    """A program, as the locations know it."""

    number: int
    segments: int


class Service(NamedTuple):
    """When a program is in service."""

    begins_ms: int | None
    ends_ms: int | None

    def includes(self, at_ms: int) -> bool:
        """Whether it is in service then."""
        return self.begins_ms is not None and self.begins_ms <= at_ms and (self.ends_ms is None or self.ends_ms > at_ms)


class _Share(NamedTuple):
    """How much of a program a station holds."""

    extent: Extent
    before: int
    after: int

    @property
    def stations(self) -> int:
        """So many more stations hold some of the program."""
        return (self.after > 0) - (self.before > 0)

    @property
    def whole(self) -> int:
        """So many more stations hold all of it."""
        return (self.after == self.extent.segments) - (self.before == self.extent.segments)


NEVER = Service(None, None)

# In service at `$2`, of those that began after `$1`; and those that ended since, of those that had begun.
_CAME = (
    "SELECT count(*) FROM programs"
    " WHERE publish_at_ms > $1 AND publish_at_ms <= $2 AND coalesce(window_ends_ms > $2, true)"
)
_WENT = "SELECT count(*) FROM programs WHERE window_ends_ms > $1 AND window_ends_ms <= $2 AND publish_at_ms <= $1"


def change(extent: Extent, party: Party, masks: Mapping[int, int], copies: int) -> Generator[Step, Any, Counter[int]]:
    """A station has these segments, masks by chunk, just so often: counts, and gives, how many more of them it has, or
    fewer, by how often it has them at least. Said before the locations are changed.
    """
    there = yield from _there(extent, party, masks)
    counted: Counter[int] = Counter()
    for chunk, mask in masks.items():
        for often in range(1, copies + 1):
            counted[often] += (mask & ~there.get((chunk, often), 0)).bit_count()
    for (chunk, often), known in there.items():
        if often > copies:
            counted[often] -= (masks[chunk] & known).bit_count()
    yield from count(extent, party, counted)
    return counted


def count(extent: Extent, party: Party, change: Mapping[int, int]) -> Writing:
    """A station has so many segments of a program more, or fewer, by how often it has them."""
    for copies, segments in change.items():
        if not segments:
            continue
        rows = yield Rows(
            "INSERT INTO held (program, copies, station, number, segments) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (station, program, copies) DO UPDATE SET segments = held.segments + excluded.segments"
            " RETURNING segments",
            (extent.number, copies, *party, segments),
        )
        after = sum(now for (now,) in rows or ())
        if not after:
            yield Statement(
                "DELETE FROM held WHERE program = $1 AND copies = $2 AND station = $3",
                (extent.number, copies, party.station),
            )
        if copies == 1:
            yield from _count_shares(party, [_Share(extent, after - segments, after)])


def recount_station(party: Party, before: Mapping[Extent, int], after: Mapping[Extent, list[int]]) -> Writing:
    """A station holds just so many segments of these programs, by how often; before it was so many, once at least."""
    yield Each(
        "INSERT INTO held (program, copies, station, number, segments) VALUES ($1, $2, $3, $4, $5)",
        [
            (extent.number, copies, *party, segments)
            for extent, counts in after.items()
            for copies, segments in enumerate(counts, 1)
            if segments
        ],
    )
    now = {extent: counts[0] if counts else 0 for extent, counts in after.items()}
    shares = [
        _Share(extent, before.get(extent, 0), now.get(extent, 0)) for extent in sorted(before.keys() | now.keys())
    ]
    yield from _count_shares(party, shares)


def forget_program(extent: Extent) -> Writing:
    """Nobody holds anything of a program, as far as the tallies go."""
    held = yield Rows(
        "SELECT station, number, segments FROM held WHERE program = $1 AND copies = 1 ORDER BY number", (extent.number,)
    )
    parts: Counter[int] = Counter()
    for _, number, segments in held or ():
        parts[number % PARTS] += segments
    yield Each(
        "UPDATE fleet_tallies SET segments = segments - $1 WHERE part = $2",
        [(segments, part) for part, segments in parts.items()],
    )
    yield Each(
        "UPDATE station_tallies SET whole = whole - 1 WHERE station = $1",
        [(station,) for station, _, segments in held or () if segments == extent.segments],
    )
    for table in ("held", "program_tallies"):
        yield Statement(f"DELETE FROM {table} WHERE program = $1", (extent.number,))  # noqa: S608 -- our own names
    yield from share_writes.tell((extent.number, number) for _, number, _ in held or ())


def count_station(number: int) -> Writing:
    """There is another station, of this number."""
    yield _count_fleet(number, stations=1)


def count_catalogue(
    now_ms: int, *, programs: int = 0, segments: int = 0, before: Service = NEVER, after: Service = NEVER
) -> Writing:
    """So many programs more, with so many segments; one is in service at other times than before.

    Said before the program is changed: what came into service since it was counted is counted as it was.
    """
    row = yield Statement("SELECT in_service, counted_at_ms FROM catalogue_tally", ())
    in_service, at_ms = row or (0, 0)
    if now_ms > at_ms:
        came = (yield Statement(_CAME, (at_ms, now_ms))) or (0,)
        went = (yield Statement(_WENT, (at_ms, now_ms))) or (0,)
        in_service, at_ms = in_service + came[0] - went[0], now_ms
    in_service += after.includes(at_ms) - before.includes(at_ms)
    yield Statement(
        "UPDATE catalogue_tally SET programs = programs + $1, segments = segments + $2, in_service = $3,"
        " counted_at_ms = $4",
        (programs, segments, in_service, at_ms),
    )


def _count_shares(party: Party, shares: Sequence[_Share]) -> Writing:
    """A station holds more or less of some programs than it did: what programs, stations and all come to."""
    changed = [share for share in shares if share.after != share.before]
    if not changed:
        return
    tallies = [(share.extent.number, share.stations, share.whole) for share in changed]
    yield Each(
        "INSERT INTO program_tallies (program, stations, whole) VALUES ($1, $2, $3)"
        " ON CONFLICT (program) DO UPDATE SET stations = program_tallies.stations + excluded.stations,"
        " whole = program_tallies.whole + excluded.whole",
        [tally for tally in tallies if any(tally[1:])],
    )
    if whole := sum(share.whole for share in changed):
        yield Statement(
            "INSERT INTO station_tallies (station, whole) VALUES ($1, $2)"
            " ON CONFLICT (station) DO UPDATE SET whole = station_tallies.whole + excluded.whole",
            (party.station, whole),
        )
    yield _count_fleet(party.number, segments=sum(share.after - share.before for share in changed))
    yield from share_writes.tell((share.extent.number, party.number) for share in changed)


def _count_fleet(number: int, *, stations: int = 0, segments: int = 0) -> Statement:
    return Statement(
        "INSERT INTO fleet_tallies (part, stations, segments) VALUES ($1, $2, $3)"
        " ON CONFLICT (part) DO UPDATE SET stations = fleet_tallies.stations + excluded.stations,"
        " segments = fleet_tallies.segments + excluded.segments",
        (number % PARTS, stations, segments),
    )


def _there(extent: Extent, party: Party, chunks: Mapping[int, int]) -> Generator[Rows, Any, dict[tuple[int, int], int]]:
    """What a station is known to hold of these chunks: masks by chunk, and by how often at least. None is looked for
    among the other stations' rows."""
    found: dict[tuple[int, int], int] = {}
    wanted = list(chunks)
    for first in range(0, len(wanted), _CHUNKS_AT_ONCE):
        some = wanted[first : first + _CHUNKS_AT_ONCE]
        places = ", ".join(f"${number}" for number in range(3, 3 + len(some)))
        which = f"WHERE program = $1 AND station = $2 AND chunk IN ({places})"
        rows = yield Rows(
            f"SELECT chunk, 1, mask FROM locations {which} UNION ALL SELECT chunk, copies, mask FROM copies {which}",  # noqa: S608
            (extent.number, party.number, *some),
        )
        found |= {(chunk, often): mask for chunk, often, mask in rows or ()}
    return found
