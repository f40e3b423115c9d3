"""What the registry writes when programs are deleted at stations: each part of a transaction, as in `writes`.

A station that has leave to delete a program is not counted among those that hold it, whatever it is known to hold,
until it says that it has deleted it, or has reported everything anew since: its leave ends with its inventory.
"""

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from distribution_center.registry import tallying, writes
from distribution_center.registry.deciding import Counted, Ground, Leave, is_worth_saving, rule
from distribution_center.registry.deletions import Asked, DeletionState, DeletionTerms, Origin
from distribution_center.registry.repository import Stamp, Verdict
from distribution_center.registry.statements import Rows, Statement, Steps, Writing
from distribution_center.registry.tallying import Extent, Party
from distribution_center.registry.writes import HEADER, ReportedHoldings
from media_network.cut import Cut
from media_network.program_header import ProgramHeader

_SIGHT = (
    "stations.epoch = inventory_epoch AND stations.generation = inventory_generation AND EXISTS"
    " (SELECT 1 FROM hearings WHERE hearings.station = stations.station AND heard_at_ms >= {since})"
)
_LEAVE = (
    "EXISTS (SELECT 1 FROM deletions WHERE deletions.program = other.program"
    " AND deletions.station = stations.station AND state = 'granted')"
)
_NOT_COVERED = (
    "SELECT chunk, mask FROM locations AS here WHERE program = $1 AND station = $2 AND NOT EXISTS"  # noqa: S608
    " (SELECT 1 FROM locations AS other JOIN stations ON number = other.station"
    " WHERE other.program = here.program AND other.chunk = here.chunk AND other.station <> here.station"
    " AND (other.mask & here.mask) = here.mask AND stations.station <> $3"
    f" AND {_SIGHT.format(since='$4')} AND NOT {_LEAVE})"
)
_ELSEWHERE = (
    "SELECT chunk, mask, CASE WHEN stations.station = $1 THEN 1 ELSE 0 END,"  # noqa: S608
    f" CASE WHEN {_SIGHT.format(since='$2')} THEN 1 ELSE 0 END, CASE WHEN {_LEAVE} THEN 1 ELSE 0 END"
    " FROM locations AS other JOIN stations ON number = other.station"
    " WHERE other.program = $3 AND other.station <> $4"
)


_COMING_MAX = 64
"""A station with more than that on its way has enough to take."""
_COMING = (
    "SELECT header, 1 FROM deletions JOIN programs ON number = deletions.program"
    " WHERE destination = $1 AND deletions.state = 'wished' AND header IS NOT NULL AND deletions.program <> $2"
    " UNION ALL SELECT header, copies FROM orders JOIN programs ON number = orders.program"
    " WHERE station = $1 AND orders.state = 'ordered' AND header IS NOT NULL AND orders.program <> $2"
    " LIMIT $3"
)


class _Subject(NamedTuple):
    """Whose deletion is asked for."""

    number: int
    station: str
    station_number: int
    header: ProgramHeader


class _Row(NamedTuple):
    origin: str
    state: str
    stamp: Stamp
    destination: str | None


class _Choice(NamedTuple):
    """Where a program could be moved."""

    station: str | None
    crowded: bool = False
    """None now, but for what is on its way to those with storage to spare."""


def hear_station(*, station: str, now_ms: int) -> Steps:
    """See `Repository.hear_station`."""
    yield Statement(
        "INSERT INTO hearings (station, heard_at_ms) VALUES ($1, $2)"
        " ON CONFLICT (station) DO UPDATE SET heard_at_ms = excluded.heard_at_ms",
        (station, now_ms),
    )
    return Verdict.ACCEPTED


def wish_deletion(*, program: str, station: str, now_ms: int) -> Steps:
    """See `Repository.wish_deletion`."""
    number = yield from _number_of(program)
    if number is None:
        return Verdict.UNKNOWN_PROGRAM
    if (yield Statement("SELECT 1 FROM stations WHERE station = $1", (station,))) is None:
        return Verdict.UNKNOWN_STATION
    row = yield from _row(number, station)
    if row and row.origin == Origin.OPERATOR and row.state != DeletionState.DENIED:
        return Verdict.REPEATED
    yield Statement(
        "INSERT INTO deletions (program, station, origin, state, asked_at_ms) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (program, station) DO UPDATE SET origin = excluded.origin, reason = NULL,"
        " state = CASE WHEN deletions.state = 'granted' THEN 'granted' ELSE 'wished' END",
        (number, station, Origin.OPERATOR, DeletionState.WISHED, now_ms),
    )
    return Verdict.ACCEPTED


def request_deletion(*, cut: Cut, station: str, stamp: Stamp, terms: DeletionTerms, asked: Asked) -> Steps:
    """See `Repository.request_deletion`."""
    asked.ruling = asked.destination = None
    verdict, subject = yield from _subject(cut, station, stamp)
    if subject is None:
        return verdict
    key = (subject.number, station)
    row = yield from _row(*key)
    wished = row is not None and row.origin == Origin.OPERATOR
    choice = yield from _choose(subject, row, terms)
    counted = yield from _count(subject, terms, wished=wished, choice=choice)
    asked.ruling = ruling = rule(counted)
    if row and row.state == DeletionState.GRANTED and row.stamp == stamp:
        # It has not acted on it, for it asks again: others may hold less than then. Its copies go on counting for
        # nobody, whatever it is told now: its leave ends with its inventory.
        return Verdict.REPEATED
    match ruling.leave:
        case Leave.GRANTED:
            if row and row.destination:
                yield from _keep_at(row.destination, subject.number)
            yield Statement("DELETE FROM orders WHERE program = $1 AND station = $2", key)
            yield from _put(subject, row, DeletionState.GRANTED, terms.now_ms, stamp, None, None)
        case Leave.HELD if ruling.ground is Ground.MOVING:
            asked.destination = choice.station
            yield from _put(subject, row, DeletionState.WISHED, terms.now_ms, None, choice.station, None)
        case Leave.HELD if row:
            yield from _put(subject, row, DeletionState.WISHED, terms.now_ms, None, row.destination, None)
        case Leave.DENIED if wished:
            yield from _put(subject, row, DeletionState.DENIED, terms.now_ms, None, None, ruling.ground.value)
        case Leave.DENIED:
            yield Statement("DELETE FROM deletions WHERE program = $1 AND station = $2", key)
    return Verdict.ACCEPTED


def deletion_done(*, cut: Cut, station: str, stamp: Stamp) -> Steps:
    """See `Repository.deletion_done`."""
    verdict, subject = yield from _subject(cut, station, stamp)
    if subject is None:
        return verdict
    row = yield from _row(subject.number, station)
    if row is None or row.state != DeletionState.GRANTED or row.stamp != stamp:
        return Verdict.REPEATED  # it was confirmed before, or an inventory has come since, which says what is there
    held = yield Rows(
        "SELECT copies, segments FROM held WHERE station = $1 AND program = $2", (station, subject.number)
    )
    extent, party = Extent(subject.number, subject.header.segments), Party(station, subject.station_number)
    yield from tallying.count(extent, party, {copies: -segments for copies, segments in held or ()})
    for table in ("locations", "copies"):
        yield Statement(
            f"DELETE FROM {table} WHERE program = $1 AND station = $2",  # noqa: S608 -- our own names
            (subject.number, subject.station_number),
        )
    key = (subject.number, station)
    yield Statement("UPDATE orders SET losses = losses + 1, state = 'ordered' WHERE program = $1 AND station = $2", key)
    yield Statement("DELETE FROM deletions WHERE program = $1 AND station = $2 AND state = 'granted'", key)
    return Verdict.ACCEPTED


def end_deletion(*, program: str, station: str) -> Steps:
    """See `Repository.end_deletion`."""
    key = (program, station)
    which = "program = (SELECT number FROM programs WHERE program = $1) AND station = $2 AND state <> 'granted'"
    if (yield Statement(f"SELECT 1 FROM deletions WHERE {which}", key)) is None:  # noqa: S608
        return Verdict.REPEATED
    yield Statement(f"DELETE FROM deletions WHERE {which}", key)  # noqa: S608
    return Verdict.ACCEPTED


def dismiss_deletion(*, program: str, station: str) -> Steps:
    """See `Repository.dismiss_deletion`."""
    key = (program, station)
    which = "program = (SELECT number FROM programs WHERE program = $1) AND station = $2"
    row = yield Statement(f"SELECT state FROM deletions WHERE {which}", key)  # noqa: S608 -- our own words
    if row is None:
        return Verdict.REPEATED
    if row[0] != DeletionState.DENIED:
        return Verdict.CONFLICT
    yield Statement(f"DELETE FROM deletions WHERE {which}", key)  # noqa: S608
    return Verdict.ACCEPTED


def look_elsewhere(*, program: str, station: str) -> Steps:
    """See `Repository.look_elsewhere`."""
    yield Statement(
        "UPDATE deletions SET destination = NULL"
        " WHERE program = (SELECT number FROM programs WHERE program = $1) AND station = $2 AND state = 'wished'",
        (program, station),
    )
    return Verdict.ACCEPTED


def replace_station(*, inventory: ReportedHoldings) -> Steps:
    """A page of an inventory; with the last one all that the station had leave for before is settled by it."""
    verdict = yield from writes.replace_station(inventory=inventory)
    if verdict is Verdict.ACCEPTED and inventory.until is None:
        before = "station = $1 AND state = 'granted' AND (epoch, generation) < ($2, $3)"
        values = (inventory.station, *inventory.stamp)
        yield Statement(f"DELETE FROM deletions WHERE {before} AND origin = 'eviction'", values)  # noqa: S608
        yield Statement(f"UPDATE deletions SET state = 'wished' WHERE {before}", values)  # noqa: S608
    return verdict


def withdraw_program(*, program: str, now_ms: int) -> Steps:
    """A program that is gone everywhere is deleted nowhere any more."""
    yield Statement(
        "DELETE FROM deletions WHERE program = (SELECT number FROM programs WHERE program = $1)", (program,)
    )
    return (yield from writes.withdraw_program(program=program, now_ms=now_ms))


def set_order(*, program: str, station: str, copies: int, rate_bps: int | None) -> Steps:
    """Who orders a program to a station does not wish any more that it be deleted there."""
    yield from end_deletion(program=program, station=station)
    return (yield from writes.set_order(program=program, station=station, copies=copies, rate_bps=rate_bps))


def _subject(
    cut: Cut, station: str, stamp: Stamp
) -> Generator[Statement, tuple[Any, ...] | None, tuple[Verdict, _Subject | None]]:
    """What a station speaks of; None with the verdict if it may not."""
    known = yield Statement(
        "SELECT number, epoch, generation, inventory_epoch, inventory_generation FROM stations WHERE station = $1",
        (station,),
    )
    if known is None:
        return Verdict.UNKNOWN_STATION, None
    now, inventory = Stamp(*known[1:3]), Stamp(*known[3:5])
    if stamp.epoch < now.epoch:
        return Verdict.OLD_EPOCH, None
    if stamp != now or stamp != inventory:
        return (Verdict.OLD_GENERATION if stamp < now else Verdict.NO_INVENTORY), None
    program = yield Statement(
        "SELECT number, header, publish_at_ms, window_ends_ms FROM programs JOIN parts ON parts.program = number"
        " WHERE programs.program = $1 AND sha256 = $2 AND header IS NOT NULL",
        cut,
    )
    if program is None:
        return Verdict.UNKNOWN_PROGRAM, None
    header = replace(HEADER.decode(program[1]), publish_at_ms=program[2], window_ends_ms=program[3])
    if header.table != cut.table:  # it is that of a rendition, not of the program
        return Verdict.UNKNOWN_PROGRAM, None
    return Verdict.ACCEPTED, _Subject(program[0], station, known[0], header)


def _count(
    subject: _Subject, terms: DeletionTerms, *, wished: bool, choice: _Choice
) -> Generator[Statement | Rows, tuple[Any, ...] | None, Counted]:
    here = dict(
        (yield Rows(_NOT_COVERED, (subject.number, subject.station_number, terms.home, terms.heard_since_ms))) or ()
    )
    elsewhere = ((yield Rows(_ELSEWHERE, _elsewhere(subject, terms))) or ()) if here else ()
    ordered = yield Statement(
        "SELECT 1 FROM orders WHERE program = $1 AND station = $2", (subject.number, subject.station)
    )
    ordered_elsewhere = yield Statement(
        "SELECT 1 FROM orders WHERE program = $1 AND station NOT IN ($2, $3) LIMIT 1",
        (subject.number, subject.station, terms.home),
    )
    expected = yield Statement(
        "SELECT 1 FROM deletions WHERE program = $1 AND destination = $2 AND state <> 'denied' LIMIT 1",
        (subject.number, subject.station),
    )
    sights = [(chunk, mask, bool(home), bool(sight), bool(leave)) for chunk, mask, home, sight, leave in elsewhere]

    def beyond(*, home: bool, at_best: bool) -> int:
        """Segments here that nobody else holds, the home station counted or not, those out of sight or not."""
        held = [
            (chunk, mask)
            for chunk, mask, is_home, in_sight, has_leave in sights
            if not has_leave and (home or not is_home) and (at_best or in_sight)
        ]
        return _lacking(here, held)

    return Counted(
        alone=beyond(home=False, at_best=False),
        alone_at_best=beyond(home=False, at_best=True),
        last=beyond(home=True, at_best=False),
        last_at_best=beyond(home=True, at_best=True),
        worth_saving=is_worth_saving(
            subject.header,
            ordered_elsewhere=ordered_elsewhere is not None,
            now_ms=terms.now_ms,
        ),
        wished=wished,
        ordered=ordered is not None,
        expected=expected is not None,
        destination=choice.station,
        crowded=choice.crowded,
    )


def _elsewhere(subject: _Subject, terms: DeletionTerms) -> tuple[str | int, ...]:
    return terms.home, terms.heard_since_ms, subject.number, subject.station_number


def _lacking(here: Mapping[int, int], held: list[tuple[int, int]]) -> int:
    left = dict(here)
    for chunk, mask in held:
        if chunk in left:
            left[chunk] &= ~mask
    return sum(mask.bit_count() for mask in left.values())


def _choose(
    subject: _Subject, row: _Row | None, terms: DeletionTerms
) -> Generator[Statement | Rows, tuple[Any, ...] | None, _Choice]:
    """Where the program could be moved: it stays what was chosen once."""
    if row and row.destination:
        return _Choice(row.destination)
    crowded = False
    for room in terms.roomy:
        if room.station in (subject.station, terms.home) or (yield from _row(subject.number, room.station)):
            continue
        coming_bytes = yield from _coming_bytes(room.station, subject.number)
        if coming_bytes is not None and coming_bytes + subject.header.length_bytes <= room.room_bytes:
            return _Choice(room.station)
        crowded = True
    return _Choice(None, crowded)


def _coming_bytes(station: str, number: int) -> Generator[Rows, tuple[Any, ...] | None, int | None]:
    """What a station is to take beside this program; None: more than is counted. Of what is half there all counts: it
    is not long so."""
    coming = (yield Rows(_COMING, (station, number, _COMING_MAX + 1))) or ()
    if len(coming) > _COMING_MAX:
        return None
    lengths_bytes: list[int] = [HEADER.decode(header).length_bytes * copies for header, copies in coming]
    return sum(lengths_bytes)


def _put(  # noqa: PLR0917 -- the columns
    subject: _Subject,
    row: _Row | None,
    state: DeletionState,
    now_ms: int,
    stamp: Stamp | None,
    destination: str | None,
    reason: str | None,
) -> Writing:
    yield Statement(
        "INSERT INTO deletions (program, station, origin, state, asked_at_ms, epoch, generation, destination, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (program, station) DO UPDATE SET state = excluded.state, asked_at_ms = excluded.asked_at_ms,"
        " epoch = excluded.epoch, generation = excluded.generation, destination = excluded.destination,"
        " reason = excluded.reason",
        (
            *(subject.number, subject.station, row.origin if row else Origin.EVICTION, state, now_ms),
            *(stamp or (-1, -1)),
            *(destination, reason),
        ),
    )


def _keep_at(station: str, number: int) -> Writing:
    """What was moved to a station is to stay there."""
    arrived = yield Statement(
        "SELECT 1 FROM locations JOIN stations ON number = locations.station"
        " WHERE locations.program = $1 AND stations.station = $2 LIMIT 1",
        (number, station),
    )
    if arrived is None:
        return
    yield Statement(
        "INSERT INTO orders (program, station, state, copies) VALUES ($1, $2, 'ordered', 1)"
        " ON CONFLICT (program, station) DO NOTHING",
        (number, station),
    )


def _row(number: int, station: str) -> Generator[Statement, tuple[Any, ...] | None, _Row | None]:
    found = yield Statement(
        "SELECT origin, state, epoch, generation, destination FROM deletions WHERE program = $1 AND station = $2",
        (number, station),
    )
    return _Row(found[0], found[1], Stamp(found[2], found[3]), found[4]) if found else None


def _number_of(program: str) -> Generator[Statement, tuple[Any, ...] | None, int | None]:
    found = yield Statement("SELECT number FROM programs WHERE program = $1 AND header IS NOT NULL", (program,))
    return None if found is None else int(found[0])
