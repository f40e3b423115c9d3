"""The registry's writes, whatever database carries them out: each is part of a transaction, and writes nothing if it
refuses.
"""

from collections.abc import Generator
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from distribution_center.registry import leftovers, share_writes, tallying
from distribution_center.registry.masks import CHUNK_SEGMENTS
from distribution_center.registry.repository import OpenOrder, RegisteredStation, Stamp, Verdict
from distribution_center.registry.statements import Each, FeedGrows, Rows, Statement, Step, Steps, Value, Writing
from distribution_center.registry.tallying import Extent, Layers, Party, Service
from media_network.cut import Cut
from media_network.program import Program
from media_network.program_header import ProgramHeader

NEWEST_VERSION = (
    "SELECT max(version) FROM (SELECT max(version) AS version FROM programs UNION ALL SELECT floor FROM feed) AS known"
)


HEADER = msgspec.json.Decoder(ProgramHeader)
"""Reads what `programs.header` holds."""


class ReportedHoldings(NamedTuple):
    """Segments of programs at a station."""

    station: str
    stamp: Stamp
    held: dict[Cut, list[dict[int, int]]]
    """Masks by chunk, of what is at one engine, at two, and so on, by cut."""
    after: str | None = None
    """Of a page of a whole report: the last program of the page before."""
    until: str | None = None
    """The last program of this page; None: it goes to the end."""
    keeps: bool = False
    """The station is to keep whatever it has whole: an order stands for that."""


class _Known(NamedTuple):
    """A station as the locations know it."""

    number: int
    stamp: Stamp
    inventory: Stamp
    """Of its last full report."""

    def party(self, station: str) -> Party:
        """As the tallies know it, which is of this name."""
        return Party(station, self.number)


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
    header = program.header
    yield from tallying.count_catalogue(now_ms, programs=1, segments=header.segments, after=_service(header))
    yield from leftovers.forget(number)
    yield from insert_program(program, number=number, now_ms=now_ms)
    return Verdict.ACCEPTED


def insert_program(program: Program, *, number: int, now_ms: int) -> Steps:
    """Enter a program that is not there; its tombstone may be. Nothing is counted."""
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
    known = yield Statement(
        "SELECT header, number, segments, publish_at_ms, window_ends_ms FROM programs WHERE program = $1", (program,)
    )
    if known is None or known[0] is None:
        return Verdict.UNKNOWN_PROGRAM
    octets, *rest = known
    extent, before = Extent(*rest[:2]), Service(*rest[2:])
    yield from tallying.count_catalogue(now_ms, programs=-1, segments=-extent.segments, before=before)
    yield from tallying.forget_program(extent)
    yield from leftovers.leave(extent.number, HEADER.decode(octets))
    version = yield from _next_version()
    for table in ("locations", "copies", "orders", "parts"):
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
    before, after = Service(*tuple(known)[1:]), Service(at_ms, until_ms)
    if before == after:
        return Verdict.REPEATED
    yield from tallying.count_catalogue(now_ms, before=before, after=after)
    version = yield from _next_version()
    yield Statement(
        "UPDATE programs SET publish_at_ms = $1, window_ends_ms = $2, version = $3, changed_at_ms = $4"
        " WHERE program = $5",
        (at_ms, until_ms, version, now_ms, program),
    )
    return Verdict.ACCEPTED


def renumber_above(*, version: int, now_ms: int) -> Steps:
    """See `Repository.renumber_above`."""
    following = yield from _next_version()
    if following > version:
        return Verdict.REPEATED
    yield from share_writes.begin_anew(now_ms)
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


def _next_version() -> Generator[Step, tuple[Any, ...] | None, int]:
    """The only place where a change gets its number."""
    yield FeedGrows()
    row = yield Statement(f"SELECT 1 + ({NEWEST_VERSION})", ())
    return int(row[0]) if row else 1


def _service(header: ProgramHeader) -> Service:
    return Service(header.publish_at_ms, header.window_ends_ms)


def _static(header: ProgramHeader) -> bytes:
    """Of a header what only another program of the same name would have otherwise."""
    return msgspec.json.encode(replace(header, version=0, changed_at_ms=0, publish_at_ms=None, window_ends_ms=None))


def set_order(*, program: str, station: str, copies: int, rate_bps: int | None) -> Steps:
    """See `Repository.set_order`."""
    extent = yield from _extent(program)
    if extent is None:
        return Verdict.UNKNOWN_PROGRAM
    key = (extent.number, station)
    known = yield Statement("SELECT copies, rate_bps FROM orders WHERE program = $1 AND station = $2", key)
    if known is not None and tuple(known) == (copies, rate_bps):
        return Verdict.REPEATED
    yield Statement(
        "INSERT INTO orders (program, station, state, copies, rate_bps) VALUES ($1, $2, 'ordered', $3, $4)"
        " ON CONFLICT (program, station) DO UPDATE"
        " SET state = excluded.state, copies = excluded.copies, rate_bps = excluded.rate_bps, reached = 0",
        (*key, copies, rate_bps),
    )
    return Verdict.ACCEPTED


def carried_out(*, order: OpenOrder, reached: int) -> Steps:
    """See `Repository.carried_out`."""
    key = (order.number, order.station)
    known = yield Statement("SELECT losses, copies FROM orders WHERE program = $1 AND station = $2", key)
    if known is None or tuple(known) != (order.losses, order.copies):
        return Verdict.REPEATED
    yield Statement(
        "UPDATE orders SET state = 'distributed', reached = $1 WHERE program = $2 AND station = $3", (reached, *key)
    )
    return Verdict.ACCEPTED


def reopen_short_orders(*, station: str, engines: int) -> Steps:
    """See `Repository.reopen_short_orders`."""
    short = "station = $1 AND state = 'distributed' AND reached < copies AND reached < $2"
    if (yield Statement(f"SELECT 1 FROM orders WHERE {short} LIMIT 1", (station, engines))) is None:  # noqa: S608
        return Verdict.REPEATED
    yield Statement(f"UPDATE orders SET state = 'ordered' WHERE {short}", (station, engines))  # noqa: S608
    return Verdict.ACCEPTED


def see_station(*, station: RegisteredStation) -> Steps:
    """See `Repository.see_station`."""
    known = yield from _known(station.station)
    if known is None:
        row = yield Statement("SELECT 1 + coalesce(max(number), 0) FROM stations", ())
        number = int(row[0]) if row else 1
        yield Statement(
            "INSERT INTO stations (station, number, director, media, epoch, generation)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            (station.station, number, station.director, station.media, *station.stamp),
        )
        yield from tallying.count_station(number)
        return Verdict.ACCEPTED
    verdict = _fence(known, station.stamp)
    if verdict is Verdict.ACCEPTED:
        yield Statement(
            "UPDATE stations SET director = $1, media = $2, epoch = $3, generation = $4 WHERE station = $5",
            (station.director, station.media, *station.stamp, station.station),
        )
    return verdict


def add_locations(*, inventory: ReportedHoldings, copies: int) -> Steps:
    """See `Repository.add_locations`. There is one layer, be it of more copies."""
    known = yield from _known(inventory.station)
    extents = yield from _extents(inventory)
    verdict = _check_change(known, inventory, extents)
    if known and verdict is Verdict.ACCEPTED:
        yield from _change(known, inventory, extents, copies)
    return verdict


def remove_locations(*, inventory: ReportedHoldings) -> Steps:
    """See `Repository.remove_locations`."""
    known = yield from _known(inventory.station)
    extents = yield from _extents(inventory)
    verdict = _check_change(known, inventory, extents)
    if known and verdict is Verdict.ACCEPTED:
        yield from _change(known, inventory, extents, 0)
    elif known and verdict is Verdict.UNKNOWN_PROGRAM:
        for cut, layers in inventory.held.items():
            yield from leftovers.let_go(cut, known.number, layers[0])
    return verdict


def _change(known: _Known, inventory: ReportedHoldings, extents: dict[Cut, Extent], copies: int) -> Writing:
    """Segments are at just so many engines of a station: what was known beyond that is not known any more."""
    for cut, extent in extents.items():
        masks = inventory.held[cut][0]
        change = yield from tallying.change(extent, known.party(inventory.station), masks, copies)
        if any(count > 0 for count in change.values()):
            yield from _insert(known, {extent: [masks] * copies})
        if any(count < 0 for count in change.values()):
            taken: list[tuple[Value, ...]] = [
                (mask, extent.number, chunk, known.number) for chunk, mask in masks.items()
            ]
            if not copies:
                yield from _unmask("locations", "", taken)
            yield from _unmask("copies", f" AND copies > {copies}", taken)
        yield Statement(
            "UPDATE orders SET losses = losses + 1,"
            " state = CASE WHEN state = 'distributed' AND reached > $1 THEN 'ordered' ELSE state END"
            " WHERE program = $2 AND station = $3 AND copies > $1",
            (copies, extent.number, inventory.station),
        )


def _unmask(table: str, which: str, taken: list[tuple[Value, ...]]) -> Writing:
    where = "program = $2 AND chunk = $3 AND station = $4"
    yield Each(f"UPDATE {table} SET mask = mask & ~CAST($1 AS bigint) WHERE {where}{which}", [*taken])  # noqa: S608
    yield Each(
        f"DELETE FROM {table} WHERE program = $1 AND chunk = $2 AND station = $3 AND mask = 0",  # noqa: S608
        [row[1:] for row in taken],
    )


def replace_station(*, inventory: ReportedHoldings) -> Steps:
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
    after = _by_program(inventory, extents)
    before = yield from _held_between(inventory)
    yield from _forget_between(known, inventory)
    yield from _insert(known, after)
    counts = {extent: _counts(layers) for extent, layers in after.items()}
    yield from tallying.recount_station(known.party(inventory.station), before, counts)
    for cut in inventory.held.keys() - extents.keys():
        yield from leftovers.keep(cut, known.number, inventory.held[cut])
    yield from _reopen_orders(known, inventory, counts)
    if inventory.until is None:
        yield Statement(
            "UPDATE stations SET inventory_epoch = $1, inventory_generation = $2 WHERE number = $3",
            (*inventory.stamp, known.number),
        )
    return verdict


def _held_between(page: ReportedHoldings) -> Generator[Rows, tuple[Any, ...] | None, dict[Extent, int]]:
    """How much a station was known to hold of each program that a page is about."""
    between, bounds = _between(page, "held")
    rows = yield Rows(
        "SELECT program, (SELECT programs.segments FROM programs WHERE programs.number = held.program), segments"  # noqa: S608
        f" FROM held WHERE station = $1{between} AND copies = 1",
        (page.station, *bounds),
    )
    return {Extent(number, of): segments for number, of, segments in rows or ()}


def _forget_between(known: _Known, page: ReportedHoldings) -> Writing:
    """What a station was known to hold of the programs that a page is about."""
    station = "(SELECT station FROM stations WHERE stations.number = $1)"
    between, bounds = _between(page, "held", station)
    for table in ("locations", "copies"):
        yield Statement(f"DELETE FROM {table} WHERE station = $1{between}", (known.number, *bounds))  # noqa: S608
    for table, itself in (("held", page.station), ("leftovers", known.number)):
        between, bounds = _between(page, table)
        yield Statement(f"DELETE FROM {table} WHERE station = $1{between}", (itself, *bounds))  # noqa: S608


def _by_program(page: ReportedHoldings, extents: dict[Cut, Extent]) -> dict[Extent, Layers]:
    """What a page says of programs, be it cut by cut."""
    held: dict[Extent, Layers] = {}
    for cut, extent in extents.items():
        layers = held.setdefault(extent, [])
        layers += [{} for _ in page.held[cut][len(layers) :]]
        for layer, masks in zip(layers, page.held[cut], strict=False):
            for chunk, mask in masks.items():
                layer[chunk] = layer.get(chunk, 0) | mask
    return held


def _reopen_orders(known: _Known, page: ReportedHoldings, counts: dict[Extent, list[int]]) -> Writing:
    """Orders that were carried out, and of which something is not there any more as a page says."""
    between, bounds = _between(page, "orders")
    yield Statement(
        f"UPDATE orders SET losses = losses + 1 WHERE station = $1{between}",  # noqa: S608
        (page.station, *bounds),
    )
    complete = [(_complete(of_it, extent), extent.number, page.station) for extent, of_it in counts.items()]
    if page.keeps:
        yield Each(
            "INSERT INTO orders (program, station, state, copies, reached)"
            " SELECT CAST($1 AS bigint), CAST($2 AS text), 'distributed', 1, 1 WHERE NOT EXISTS"
            " (SELECT 1 FROM deletions WHERE program = $1 AND station = $2 AND state = 'granted')"
            " ON CONFLICT (program, station) DO NOTHING",
            [(number, station) for copies, number, station in complete if copies],
        )
    yield Each(
        "UPDATE orders SET state = 'ordered'"
        " WHERE reached > $1 AND program = $2 AND station = $3 AND state = 'distributed'",
        [*complete],
    )
    yield Statement(
        f"UPDATE orders SET state = 'ordered' WHERE station = $1{between} AND state = 'distributed'"  # noqa: S608
        f" AND NOT EXISTS (SELECT 1 FROM locations WHERE locations.program = orders.program"
        f" AND locations.station = {known.number})",
        (page.station, *bounds),
    )


def _complete(counts: list[int], extent: Extent) -> int:
    """How many copies there are of every segment."""
    return sum(1 for _ in takewhile(lambda count: count == extent.segments, counts))


def _counts(layers: Layers) -> list[int]:
    """How many segments there are so often."""
    return [sum(mask.bit_count() for mask in layer.values()) for layer in layers]


def _between(page: ReportedHoldings, table: str, station: str = "$1") -> tuple[str, tuple[str, ...]]:
    """The programs that a page is about, of those that a station has in a table, for a statement with one parameter
    before: others are not looked at, however many there are.
    """
    bounds = [(">", page.after), ("<=", page.until)]
    terms = [(sign, name) for sign, name in bounds if name is not None]
    if not terms:
        return "", ()
    named = " AND ".join(f"programs.program {sign} ${place}" for place, (sign, _) in enumerate(terms, 2))
    of_station = (
        f"SELECT theirs.program FROM {table} AS theirs JOIN programs ON programs.number = theirs.program"  # noqa: S608
        f" WHERE theirs.station = {station} AND {named}"
    )
    return f" AND program IN ({of_station})", tuple(name for _, name in terms)


def _check_change(known: _Known | None, inventory: ReportedHoldings, extents: dict[Cut, Extent]) -> Verdict:
    """Whether a station may add to its inventory, or take from it."""
    verdict = _check(known, inventory, extents)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    if known and known.inventory != inventory.stamp:
        return Verdict.NO_INVENTORY
    return verdict if len(extents) == len(inventory.held) else Verdict.UNKNOWN_PROGRAM


def _check(known: _Known | None, inventory: ReportedHoldings, extents: dict[Cut, Extent]) -> Verdict:
    """Whether a station's message about segments may be taken."""
    verdict = _fence(known, inventory.stamp)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    for cut, extent in extents.items():
        for chunk, mask in (each for layer in inventory.held[cut] for each in layer.items()):
            if chunk < 0 or chunk * CHUNK_SEGMENTS + mask.bit_length() > extent.segments:
                return Verdict.NO_SUCH_SEGMENT
    return verdict


def _fence(known: _Known | None, stamp: Stamp) -> Verdict:
    if known is None:
        return Verdict.UNKNOWN_STATION
    if stamp.epoch < known.stamp.epoch:
        return Verdict.OLD_EPOCH
    return Verdict.OLD_GENERATION if stamp < known.stamp else Verdict.ACCEPTED


def _insert(known: _Known, held: dict[Extent, Layers]) -> Writing:
    yield Each(
        "INSERT INTO locations (program, chunk, station, mask) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (program, chunk, station) DO UPDATE SET mask = locations.mask | excluded.mask",
        [
            (extent.number, chunk, known.number, mask)
            for extent, layers in held.items()
            for chunk, mask in layers[0].items()
        ],
    )
    yield Each(
        "INSERT INTO copies (program, chunk, station, copies, mask) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (program, chunk, station, copies) DO UPDATE SET mask = copies.mask | excluded.mask",
        [
            (extent.number, chunk, known.number, copies, mask)
            for extent, layers in held.items()
            for copies, layer in enumerate(layers[1:], 2)
            for chunk, mask in layer.items()
        ],
    )


def _known(station: str) -> Generator[Statement, tuple[Any, ...] | None, _Known | None]:
    row = yield Statement(
        "SELECT number, epoch, generation, inventory_epoch, inventory_generation FROM stations WHERE station = $1",
        (station,),
    )
    return None if row is None else _Known(row[0], Stamp(row[1], row[2]), Stamp(row[3], row[4]))


def _extents(inventory: ReportedHoldings) -> Generator[Statement, tuple[Any, ...] | None, dict[Cut, Extent]]:
    """Of those cuts of an inventory that are what their programs are now."""
    extents = {}
    for cut in inventory.held:
        row = yield Statement(
            "SELECT number, segments FROM programs JOIN parts ON parts.program = number"
            " WHERE programs.program = $1 AND sha256 = $2 AND header IS NOT NULL",
            cut,
        )
        if row is not None:
            extents[cut] = Extent(row[0], row[1])
    return extents


def _extent(program: str) -> Generator[Statement, tuple[Any, ...] | None, Extent | None]:
    row = yield Statement("SELECT number, segments FROM programs WHERE program = $1 AND header IS NOT NULL", (program,))
    return None if row is None else Extent(row[0], row[1])
