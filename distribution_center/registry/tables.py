"""The registry's tables, for every database that has them, and how those of an earlier release become these."""

from typing import NamedTuple

from distribution_center.registry.repository import RepositoryUnfit

SCHEMA_VERSION = 6


class UnknownSchemaVersion(RepositoryUnfit):
    """The store was written by another release."""

    def __init__(self, store: str, version: int) -> None:
        super().__init__(store, f"it has schema version {version} and this release {SCHEMA_VERSION}")


class Dialect(NamedTuple):
    """What databases call the same thing."""

    integer: str
    """64 bits, signed."""
    octets: str
    name: str
    """Text that is compared by code point."""
    table: str
    """What follows a table."""
    at_station: str
    """The columns of an index by station and program. SQLite has the primary key in every index, and takes another one
    if this names some of it."""


SQLITE = Dialect(integer="INTEGER", octets="BLOB", name="TEXT", table="STRICT, WITHOUT ROWID", at_station="station")
POSTGRESQL = Dialect(integer="BIGINT", octets="BYTEA", name='TEXT COLLATE "C"', table="", at_station="station, program")

# A program that was withdrawn stays as its tombstone: a row without a header.
PROGRAMS = (
    """CREATE TABLE programs (
    program {name} PRIMARY KEY,
    number {integer} NOT NULL UNIQUE,
    version {integer} NOT NULL UNIQUE,
    changed_at_ms {integer} NOT NULL,
    words {name} NOT NULL,
    segments {integer} NOT NULL,
    header {octets},
    publish_at_ms {integer},
    window_ends_ms {integer}
) {table}""",
    """CREATE TABLE parts (
    sha256 {name} NOT NULL,
    program {integer} NOT NULL,
    octets {octets} NOT NULL,
    PRIMARY KEY (sha256, program)
) {table}""",
    "CREATE INDEX parts_by_program ON parts (program)",
    # Stations have heard of changes up to this number, though no row has it: it is not given again.
    "CREATE TABLE feed (floor {integer} NOT NULL)",
    "INSERT INTO feed VALUES (0)",
)
# Of which segments a station has at least so many copies, from two on: one copy is a location.
COPIES = (
    """CREATE TABLE copies (
    program {integer} NOT NULL,
    chunk {integer} NOT NULL,
    station {integer} NOT NULL,
    copies {integer} NOT NULL,
    mask {integer} NOT NULL,
    PRIMARY KEY (program, chunk, station, copies)
) {table}""",
)
OPEN_ORDERS = "CREATE INDEX orders_open ON orders (program, station) WHERE state = 'ordered'"
# They were carried out with fewer copies than were ordered: the station had no more engines.
SHORT_ORDERS = "CREATE INDEX orders_short ON orders (station) WHERE state = 'distributed' AND reached < copies"
# Programs that stations are to let go of, or have leave to; and when a station was last known to be there.
DELETIONS = (
    """CREATE TABLE deletions (
    program {integer} NOT NULL,
    station {name} NOT NULL,
    origin {name} NOT NULL,
    state {name} NOT NULL,
    asked_at_ms {integer} NOT NULL,
    epoch {integer} NOT NULL DEFAULT -1,
    generation {integer} NOT NULL DEFAULT -1,
    destination {name},
    reason {name},
    PRIMARY KEY (program, station)
) {table}""",
    "CREATE INDEX deletions_by_station ON deletions (station)",
    "CREATE INDEX deletions_open ON deletions (program, station) WHERE state <> 'denied'",
    """CREATE TABLE hearings (
    station {name} PRIMARY KEY,
    heard_at_ms {integer} NOT NULL
) {table}""",
)
# What of a station is looked at, or is on its way to it, is found without what others hold or are to have.
AT_STATIONS = (
    "CREATE INDEX locations_at ON locations ({at_station})",
    "CREATE INDEX copies_at ON copies ({at_station})",
    "CREATE INDEX orders_at ON orders (station, state, program)",
    "CREATE INDEX deletions_to ON deletions (destination) WHERE destination IS NOT NULL",
)
# What locations come to, kept by whoever changes them (`tallying`), so that nobody has to count them: of each program
# and station how many segments are there so often at least, how many stations hold some of a program, and all of it,
# how many programs a station holds whole, and how many segments there are at all. The last is kept in a few parts, so
# that centers that share a database seldom write the same row.
TALLIES = (
    """CREATE TABLE held (
    station {name} NOT NULL,
    program {integer} NOT NULL,
    copies {integer} NOT NULL,
    number {integer} NOT NULL,
    segments {integer} NOT NULL,
    PRIMARY KEY (station, program, copies)
) {table}""",
    "CREATE INDEX held_by_program ON held (program, copies, station)",
    "CREATE INDEX held_by_number ON held (program, number) WHERE copies = 1",
    "CREATE INDEX held_by_share ON held (program, segments, station) WHERE copies = 1",
    """CREATE TABLE program_tallies (
    program {integer} PRIMARY KEY,
    stations {integer} NOT NULL,
    whole {integer} NOT NULL
) {table}""",
    """CREATE TABLE station_tallies (
    station {name} PRIMARY KEY,
    whole {integer} NOT NULL
) {table}""",
    """CREATE TABLE fleet_tallies (
    part {integer} PRIMARY KEY,
    stations {integer} NOT NULL,
    segments {integer} NOT NULL
) {table}""",
)
# The feed of how much of a program each station holds, which `held` has: the number of the newest change of it.
SHARES = (
    """CREATE TABLE share_changes (
    program {integer} NOT NULL,
    station {integer} NOT NULL,
    version {integer} NOT NULL UNIQUE,
    PRIMARY KEY (program, station)
) {table}""",
    # Since when its numbers go on: a registry that has lost what it told begins anew.
    "CREATE TABLE share_feed (begun_at_ms {integer} NOT NULL)",
)
# Of all programs: how many are in service was counted for a moment; what comes and goes after it has an index.
CATALOGUE_TALLY = (
    """CREATE TABLE catalogue_tally (
    programs {integer} NOT NULL,
    segments {integer} NOT NULL,
    in_service {integer} NOT NULL,
    counted_at_ms {integer} NOT NULL
)""",
    "INSERT INTO catalogue_tally VALUES (0, 0, 0, 0)",
    "CREATE INDEX programs_by_begin ON programs (publish_at_ms)",
    "CREATE INDEX programs_by_end ON programs (window_ends_ms)",
)
# What was withdrawn, as it was; and what stations have not yet let go of, as far as they have told.
WITHDRAWALS = (
    """CREATE TABLE withdrawals (
    program {integer} PRIMARY KEY,
    title {name} NOT NULL,
    cut {name} NOT NULL,
    sha256 {name} NOT NULL,
    segments {integer} NOT NULL,
    length_bytes {integer} NOT NULL,
    duration_ms {integer} NOT NULL,
    rate_bps {integer} NOT NULL
) {table}""",
    """CREATE TABLE leftovers (
    program {integer} NOT NULL,
    chunk {integer} NOT NULL,
    station {integer} NOT NULL,
    mask {integer} NOT NULL,
    PRIMARY KEY (program, chunk, station)
) {table}""",
    "CREATE INDEX leftovers_by_station ON leftovers (station, program)",
    "CREATE INDEX programs_withdrawn ON programs (program) WHERE header IS NULL",
)
UNSPELT = (
    *PROGRAMS,
    *COPIES,
    *DELETIONS,
    """CREATE TABLE orders (
    program {integer} NOT NULL,
    station {name} NOT NULL,
    state {name} NOT NULL,
    copies {integer} NOT NULL,
    reached {integer} NOT NULL DEFAULT 0,
    losses {integer} NOT NULL DEFAULT 0,
    rate_bps {integer},
    PRIMARY KEY (program, station)
) {table}""",
    OPEN_ORDERS,
    SHORT_ORDERS,
    """CREATE TABLE stations (
    station {name} PRIMARY KEY,
    number {integer} NOT NULL UNIQUE,
    director {name} NOT NULL,
    media {name} NOT NULL,
    epoch {integer} NOT NULL,
    generation {integer} NOT NULL,
    inventory_epoch {integer} NOT NULL DEFAULT -1,
    inventory_generation {integer} NOT NULL DEFAULT -1
) {table}""",
    """CREATE TABLE locations (
    program {integer} NOT NULL,
    chunk {integer} NOT NULL,
    station {integer} NOT NULL,
    mask {integer} NOT NULL,
    PRIMARY KEY (program, chunk, station)
) {table}""",
    *AT_STATIONS,
    *TALLIES,
    *SHARES,
    *CATALOGUE_TALLY,
    *WITHDRAWALS,
)


def tables(dialect: Dialect, begun_at_ms: int) -> tuple[str, ...]:
    """The statements that make them, for a registry that begins at that time, milliseconds since 1970."""
    return (*spelt(UNSPELT, dialect), f"INSERT INTO share_feed VALUES ({begun_at_ms:d})")  # noqa: S608 -- a number


def spelt(statements: tuple[str, ...], dialect: Dialect) -> tuple[str, ...]:
    """Statements in the words of a database."""
    return tuple(statement.format_map(dialect._asdict()) for statement in statements)
