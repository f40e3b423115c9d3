"""The registry's tables, for every database that has them, and how those of an earlier release become these."""

from typing import NamedTuple

from distribution_center.registry.repository import RepositoryUnfit

SCHEMA_VERSION = 4


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


SQLITE = Dialect(integer="INTEGER", octets="BLOB", name="TEXT", table="STRICT, WITHOUT ROWID")
POSTGRESQL = Dialect(integer="BIGINT", octets="BYTEA", name='TEXT COLLATE "C"', table="")

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
    "CREATE INDEX copies_by_station ON copies (station)",
)
OPEN_ORDERS = "CREATE INDEX orders_open ON orders (program, station) WHERE state = 'ordered'"
# They were carried out with fewer copies than were ordered: the station had no more engines.
SHORT_ORDERS = "CREATE INDEX orders_short ON orders (station) WHERE state = 'distributed' AND reached < copies"
_TABLES = (
    *PROGRAMS,
    *COPIES,
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
    "CREATE INDEX locations_by_station ON locations (station)",
)


def tables(dialect: Dialect) -> tuple[str, ...]:
    """The statements that make them."""
    return spelt(_TABLES, dialect)


def spelt(statements: tuple[str, ...], dialect: Dialect) -> tuple[str, ...]:
    """Statements in the words of a database."""
    return tuple(statement.format_map(dialect._asdict()) for statement in statements)
