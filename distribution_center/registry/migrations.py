"""How the tables of an earlier release become those of this one: a step a version, each in one transaction."""

from collections.abc import Callable
from functools import partial

from distribution_center.registry import share_writes
from distribution_center.registry.repository import Verdict
from distribution_center.registry.statements import Statement, Steps
from distribution_center.registry.tables import (
    AT_STATIONS,
    CATALOGUE_TALLY,
    COPIES,
    DELETIONS,
    OPEN_ORDERS,
    PROGRAMS,
    SCHEMA_VERSION,
    SHARES,
    SHORT_ORDERS,
    TALLIES,
    WITHDRAWALS,
    Dialect,
    spelt,
)
from distribution_center.registry.tally_migration import count_all
from distribution_center.registry.writes import insert_program
from media_network.whole_information import parse_information


def steps_from(version: int, dialect: Dialect, now_ms: int) -> list[Callable[[], Steps]] | None:
    """What has to be done, in order; None if nobody knows. Empty: they are this release's."""
    known = {
        2: partial(_programs_in_parts, dialect=dialect, now_ms=now_ms),
        3: partial(_orders_that_stand, dialect=dialect),
        4: partial(_deletions, dialect=dialect),
        5: partial(_in_version_six, dialect=dialect, now_ms=now_ms),
    }
    if version not in {*known, SCHEMA_VERSION}:
        return None
    return [known[number] for number in range(version, SCHEMA_VERSION)]


def _programs_in_parts(*, dialect: Dialect, now_ms: int) -> Steps:
    """2 to 3: a program's information is a header and a table, and every change has a number."""
    yield Statement("ALTER TABLE programs RENAME TO programs_2", ())
    for statement in (*spelt(PROGRAMS, dialect), OPEN_ORDERS):
        yield Statement(statement, ())
    last = ""
    while row := (
        yield Statement(
            "SELECT program, number, information, state FROM programs_2 WHERE program > $1 ORDER BY program LIMIT 1",
            (last,),
        )
    ):
        last, number, information, state = row
        program = parse_information(information, state=state, published_at_ms=now_ms)
        yield from insert_program(program, number=number, now_ms=now_ms)
    yield Statement("DROP TABLE programs_2", ())
    return Verdict.ACCEPTED


def _orders_that_stand(*, dialect: Dialect) -> Steps:
    """3 to 4: copies are counted, and an order stands when it has been carried out. All are looked at once more."""
    columns = ("reached {integer} NOT NULL DEFAULT 0", "losses {integer} NOT NULL DEFAULT 0", "rate_bps {integer}")
    for statement in spelt((*COPIES, *(f"ALTER TABLE orders ADD COLUMN {column}" for column in columns)), dialect):
        yield Statement(statement, ())
    yield Statement(SHORT_ORDERS, ())
    yield Statement("UPDATE orders SET state = 'ordered'", ())
    return Verdict.ACCEPTED


def _deletions(*, dialect: Dialect) -> Steps:
    """4 to 5: stations let go of programs, with leave. No station counts before it is heard once."""
    for statement in spelt(DELETIONS, dialect):
        yield Statement(statement, ())
    return Verdict.ACCEPTED


def _in_version_six(*, dialect: Dialect, now_ms: int) -> Steps:
    """5 to 6: what a station holds, and what is on its way to it, is found by station and program; what locations come
    to is kept, and has a feed. What was withdrawn before is known by its name only.
    """
    for index in ("locations_by_station", "copies_by_station"):
        yield Statement(f"DROP INDEX IF EXISTS {index}", ())
    for statement in spelt((*AT_STATIONS, *TALLIES, *SHARES, *CATALOGUE_TALLY, *WITHDRAWALS), dialect):
        yield Statement(statement, ())
    yield from share_writes.begin(now_ms)
    yield from count_all(now_ms)
    return Verdict.ACCEPTED
