"""The registry's writes, whatever database carries them out: each is part of a transaction, and writes nothing if it
refuses.

A write is a generator. It yields a `Statement` and is sent its first row, or yields `Each` and is sent None; what it
returns is the verdict. The SQL is what SQLite and PostgreSQL have in common.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from distribution_center.registry.masks import CHUNK_SEGMENTS
from distribution_center.registry.repository import DistributionOrder, RegisteredStation, Stamp, Verdict
from media_network.cut import Cut
from media_network.program import Program
from media_network.program_header import ProgramHeader

Value: TypeAlias = str | int | bytes | None


class Statement(NamedTuple):
    """One statement. Parameters are `$1` and on, and first appear in the order of `values`."""

    sql: str
    values: tuple[Value, ...]


class Each(NamedTuple):
    """One statement for each of many values."""

    sql: str
    rows: list[tuple[Value, ...]]


NEWEST_VERSION = (
    "SELECT max(version) FROM (SELECT max(version) AS version FROM programs UNION ALL SELECT floor FROM feed) AS known"
)

Steps: TypeAlias = Generator[Statement | Each, tuple[Any, ...] | None, Verdict]
Write: TypeAlias = Callable[[], Steps]
"""A write that can be begun anew, when its transaction has to be."""


class FullReport(NamedTuple):
    """Segments of programs at a station."""

    station: str
    stamp: Stamp
    held: dict[Cut, dict[int, int]]
    """Masks by chunk by cut."""
    after: str | None = None
    """Of a page of a whole report: the last program of the page before."""
    until: str | None = None
    """The last program of this page; None: it goes to the end."""


class _Extent(NamedTuple):
    """A program as the locations know it."""

    number: int
    segments: int


class _Known(NamedTuple):
    """A station as the locations know it."""

    number: int
    stamp: Stamp
    inventory: Stamp
    """Of its last full report."""


def recall_program(*, program: Program, now_ms: int) -> Steps:
    """See `Repository.recall_program`."""
    known = yield Statement("SELECT number FROM programs WHERE program = $1", (program.name,))
    if known is not None:
        return Verdict.CONFLICT
    return (yield from add_program(program=program, now_ms=now_ms))


def add_program(*, program: Program, now_ms: int) -> Steps:
    """See `Repository.add_program`."""
    known = yield Statement("SELECT header, number FROM programs WHERE program = $1", (program.name,))
    if known is not None and known[0] is not None:
        return Verdict.REPEATED if known[0] == _static(program.header) else Verdict.CONFLICT
    number = known[1] if known else (yield from _next_number())
    yield from insert_program(program, number=number, now_ms=now_ms)
    return Verdict.ACCEPTED


def insert_program(program: Program, *, number: int, now_ms: int) -> Steps:
    """Enter a program that is not there; its tombstone may be."""
    header = program.header
    version = yield from _next_version()
    yield Statement(
        "INSERT INTO programs"
        " (program, number, version, changed_at_ms, words, segments, header, publish_at_ms, window_ends_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (program) DO UPDATE SET version = excluded.version, changed_at_ms = excluded.changed_at_ms,"
        " words = excluded.words, segments = excluded.segments, header = excluded.header,"
        " publish_at_ms = excluded.publish_at_ms, window_ends_ms = excluded.window_ends_ms",
        (
            *(program.name, number, version, now_ms, searched(f"{program.name} {header.title}"), header.segments),
            *(_static(header), header.publish_at_ms, header.window_ends_ms),
        ),
    )
    yield Statement(
        "INSERT INTO parts (sha256, program, octets) VALUES ($1, $2, $3)",
        (header.table, number, program.segments.octets),
    )
    return Verdict.ACCEPTED


def withdraw_program(*, program: str, now_ms: int) -> Steps:
    """See `Repository.withdraw_program`."""
    extent = yield from _extent(program)
    if extent is None:
        return Verdict.UNKNOWN_PROGRAM
    version = yield from _next_version()
    for table in ("locations", "orders", "parts"):
        yield Statement(f"DELETE FROM {table} WHERE program = $1", (extent.number,))  # noqa: S608 -- our own names
    yield Statement(
        "UPDATE programs SET header = NULL, segments = 0, publish_at_ms = NULL, window_ends_ms = NULL,"
        " version = $1, changed_at_ms = $2 WHERE program = $3",
        (version, now_ms, program),
    )
    return Verdict.ACCEPTED


def publish_program(*, program: str, at_ms: int, until_ms: int | None, now_ms: int) -> Steps:
    """See `Repository.publish_program`."""
    known = yield Statement("SELECT header, publish_at_ms, window_ends_ms FROM programs WHERE program = $1", (program,))
    if known is None or known[0] is None:
        return Verdict.UNKNOWN_PROGRAM
    if tuple(known[1:]) == (at_ms, until_ms):
        return Verdict.REPEATED
    version = yield from _next_version()
    yield Statement(
        "UPDATE programs SET publish_at_ms = $1, window_ends_ms = $2, version = $3, changed_at_ms = $4"
        " WHERE program = $5",
        (at_ms, until_ms, version, now_ms, program),
    )
    return Verdict.ACCEPTED


def renumber_above(*, version: int) -> Steps:
    """See `Repository.renumber_above`."""
    following = yield from _next_version()
    if following > version:
        return Verdict.REPEATED
    yield Statement("UPDATE feed SET floor = $1", (version,))
    # Twice, for at no moment may two rows have one number: first to where none is, then to where they belong.
    yield Statement("UPDATE programs SET version = -version WHERE version > 0", ())
    yield Statement("UPDATE programs SET version = $1 - version WHERE version < 0", (version,))
    return Verdict.ACCEPTED


def searched(text: str) -> str:
    """A text as it is searched for: no column takes a zero byte."""
    return text.replace("\0", " ").casefold()


def _next_number() -> Generator[Statement, tuple[Any, ...] | None, int]:
    row = yield Statement("SELECT 1 + coalesce(max(number), 0) FROM programs", ())
    return int(row[0]) if row else 1


def _next_version() -> Generator[Statement, tuple[Any, ...] | None, int]:
    row = yield Statement(f"SELECT 1 + ({NEWEST_VERSION})", ())
    return int(row[0]) if row else 1


def _static(header: ProgramHeader) -> bytes:
    """Of a header what only another program of the same name would have otherwise."""
    return msgspec.json.encode(replace(header, version=0, changed_at_ms=0, publish_at_ms=None, window_ends_ms=None))


def set_order(*, program: str, station: str, order: DistributionOrder) -> Steps:
    """See `Repository.set_order`."""
    extent = yield from _extent(program)
    if extent is None:
        return Verdict.UNKNOWN_PROGRAM
    key = (extent.number, station)
    known = yield Statement("SELECT state, copies FROM orders WHERE program = $1 AND station = $2", key)
    if known is not None and tuple(known) == (order.state.value, order.copies):
        return Verdict.REPEATED
    yield Statement(
        "INSERT INTO orders (program, station, state, copies) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (program, station) DO UPDATE SET state = excluded.state, copies = excluded.copies",
        (*key, order.state.value, order.copies),
    )
    return Verdict.ACCEPTED


def see_station(*, station: RegisteredStation) -> Steps:
    """See `Repository.see_station`."""
    known = yield from _known(station.station)
    if known is None:
        yield Statement(
            "INSERT INTO stations (station, number, director, media, epoch, generation)"
            " VALUES ($1, (SELECT 1 + coalesce(max(number), 0) FROM stations), $2, $3, $4, $5)",
            (station.station, station.director, station.media, *station.stamp),
        )
        return Verdict.ACCEPTED
    verdict = _fence(known, station.stamp)
    if verdict is Verdict.ACCEPTED:
        yield Statement(
            "UPDATE stations SET director = $1, media = $2, epoch = $3, generation = $4 WHERE station = $5",
            (station.director, station.media, *station.stamp, station.station),
        )
    return verdict


def add_locations(*, inventory: FullReport) -> Steps:
    """See `Repository.add_locations`."""
    known = yield from _known(inventory.station)
    extents = yield from _extents(inventory)
    verdict = _check_change(known, inventory, extents)
    if known and verdict is Verdict.ACCEPTED:
        yield _insert(known, inventory, extents)
    return verdict


def remove_locations(*, inventory: FullReport) -> Steps:
    """See `Repository.remove_locations`."""
    known = yield from _known(inventory.station)
    extents = yield from _extents(inventory)
    verdict = _check_change(known, inventory, extents)
    if known is None or verdict is not Verdict.ACCEPTED:
        return verdict
    for cut, extent in extents.items():
        taken = [(mask, extent.number, chunk, known.number) for chunk, mask in inventory.held[cut].items()]
        yield Each(
            "UPDATE locations SET mask = mask & ~CAST($1 AS bigint) WHERE program = $2 AND chunk = $3 AND station = $4",
            [*taken],
        )
        yield Each(
            "DELETE FROM locations WHERE program = $1 AND chunk = $2 AND station = $3 AND mask = 0",
            [row[1:] for row in taken],
        )
    return verdict


def replace_station(*, inventory: FullReport) -> Steps:
    """See `Repository.replace_station`."""
    known = yield from _known(inventory.station)
    extents = yield from _extents(inventory)
    verdict = _check(known, inventory, extents)
    if known is None or verdict is not Verdict.ACCEPTED:
        return verdict
    if known.inventory == inventory.stamp:
        return Verdict.REPEATED
    yield Statement(
        "UPDATE stations SET epoch = $1, generation = $2 WHERE number = $3", (*inventory.stamp, known.number)
    )
    yield _forget_between(known, inventory)
    yield _insert(known, inventory, extents)
    if inventory.until is None:
        yield Statement(
            "UPDATE stations SET inventory_epoch = $1, inventory_generation = $2 WHERE number = $3",
            (*inventory.stamp, known.number),
        )
    return verdict


def _forget_between(known: _Known, page: FullReport) -> Statement:
    """What a station was known to hold of the programs that a page is about."""
    if page.after is None and page.until is None:
        return Statement("DELETE FROM locations WHERE station = $1", (known.number,))
    bounds = [(">", page.after), ("<=", page.until)]
    terms = [(sign, name) for sign, name in bounds if name is not None]
    between = " AND ".join(f"program {sign} ${place}" for place, (sign, _) in enumerate(terms, 2))
    named = f"SELECT number FROM programs WHERE {between}"  # noqa: S608 -- our own words
    return Statement(
        f"DELETE FROM locations WHERE station = $1 AND program IN ({named})",  # noqa: S608
        (known.number, *(name for _, name in terms)),
    )


def _check_change(known: _Known | None, inventory: FullReport, extents: dict[Cut, _Extent]) -> Verdict:
    """Whether a station may add to its inventory, or take from it."""
    verdict = _check(known, inventory, extents)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    if known and known.inventory != inventory.stamp:
        return Verdict.NO_INVENTORY
    return verdict if len(extents) == len(inventory.held) else Verdict.UNKNOWN_PROGRAM


def _check(known: _Known | None, inventory: FullReport, extents: dict[Cut, _Extent]) -> Verdict:
    """Whether a station's message about segments may be taken."""
    verdict = _fence(known, inventory.stamp)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    for cut, extent in extents.items():
        for chunk, mask in inventory.held[cut].items():
            if chunk < 0 or chunk * CHUNK_SEGMENTS + mask.bit_length() > extent.segments:
                return Verdict.NO_SUCH_SEGMENT
    return verdict


def _fence(known: _Known | None, stamp: Stamp) -> Verdict:
    if known is None:
        return Verdict.UNKNOWN_STATION
    if stamp.epoch < known.stamp.epoch:
        return Verdict.OLD_EPOCH
    return Verdict.OLD_GENERATION if stamp < known.stamp else Verdict.ACCEPTED


def _insert(known: _Known, inventory: FullReport, extents: dict[Cut, _Extent]) -> Each:
    return Each(
        "INSERT INTO locations (program, chunk, station, mask) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (program, chunk, station) DO UPDATE SET mask = locations.mask | excluded.mask",
        [
            (extent.number, chunk, known.number, mask)
            for cut, extent in extents.items()
            for chunk, mask in inventory.held[cut].items()
        ],
    )


def _known(station: str) -> Generator[Statement, tuple[Any, ...] | None, _Known | None]:
    row = yield Statement(
        "SELECT number, epoch, generation, inventory_epoch, inventory_generation FROM stations WHERE station = $1",
        (station,),
    )
    return None if row is None else _Known(row[0], Stamp(row[1], row[2]), Stamp(row[3], row[4]))


def _extents(inventory: FullReport) -> Generator[Statement, tuple[Any, ...] | None, dict[Cut, _Extent]]:
    """Of those cuts of an inventory that are what their programs are now."""
    extents = {}
    for cut in inventory.held:
        row = yield Statement(
            "SELECT number, segments FROM programs JOIN parts ON parts.program = number"
            " WHERE programs.program = $1 AND sha256 = $2 AND header IS NOT NULL",
            cut,
        )
        if row is not None:
            extents[cut] = _Extent(row[0], row[1])
    return extents


def _extent(program: str) -> Generator[Statement, tuple[Any, ...] | None, _Extent | None]:
    row = yield Statement("SELECT number, segments FROM programs WHERE program = $1 AND header IS NOT NULL", (program,))
    return None if row is None else _Extent(row[0], row[1])
