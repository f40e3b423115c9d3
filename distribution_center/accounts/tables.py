"""The tables of subscribers and of the ledger, for every database that has them.

Usage and charges are never changed and never removed: whatever is said of money is reckoned from them.
"""

from distribution_center.registry.tables import Dialect

ACCOUNTS_VERSION = 1

_SUBSCRIBERS = (
    """CREATE TABLE account_subscribers (
    id {name} PRIMARY KEY,
    name {name} NOT NULL UNIQUE,
    state {name} NOT NULL,
    added_at_ms {integer} NOT NULL
) {table}""",
    """CREATE TABLE account_grants (
    subscriber {name} NOT NULL,
    package {integer} NOT NULL,
    what {name} NOT NULL,
    from_ms {integer} NOT NULL,
    until_ms {integer} NOT NULL,
    PRIMARY KEY (subscriber, package, what)
) {table}""",
    """CREATE TABLE account_packages (
    package {name} NOT NULL,
    program {name} NOT NULL,
    PRIMARY KEY (package, program)
) {table}""",
    "CREATE INDEX account_packages_by_program ON account_packages (program, package)",
    # Of each subscriber and each program the newest change, so that who was away hears of each once.
    """CREATE TABLE account_changes (
    kind {name} NOT NULL,
    name {name} NOT NULL,
    number {integer} NOT NULL UNIQUE,
    PRIMARY KEY (kind, name)
) {table}""",
)
_LEDGER = (
    """CREATE TABLE account_viewings (
    session {name} PRIMARY KEY,
    epoch {integer} NOT NULL,
    subscriber {name} NOT NULL,
    program {name} NOT NULL,
    station {name} NOT NULL,
    at_ms {integer} NOT NULL,
    ground {name} NOT NULL,
    push {integer} NOT NULL
) {table}""",
    "CREATE INDEX account_viewings_by_subscriber ON account_viewings (subscriber, at_ms)",
    """CREATE TABLE account_usage (
    session {name} NOT NULL,
    epoch {integer} NOT NULL,
    turn {integer} NOT NULL,
    program {name} NOT NULL,
    engine {name} NOT NULL,
    boot {name} NOT NULL,
    sent_bytes {integer} NOT NULL,
    began_at_ms {integer} NOT NULL,
    ended_at_ms {integer} NOT NULL,
    PRIMARY KEY (session, epoch, turn)
) {table}""",
    "CREATE INDEX account_usage_by_engine ON account_usage (engine, boot)",
    """CREATE TABLE account_counters (
    engine {name} NOT NULL,
    boot {name} NOT NULL,
    sent_bytes {integer} NOT NULL,
    under_way_bytes {integer} NOT NULL,
    at_ms {integer} NOT NULL,
    PRIMARY KEY (engine, boot)
) {table}""",
    """CREATE TABLE account_charges (
    subscriber {name} NOT NULL,
    at_ms {integer} NOT NULL,
    number {integer} NOT NULL UNIQUE,
    what {name} NOT NULL,
    amount {integer} NOT NULL,
    PRIMARY KEY (subscriber, at_ms, number)
) {table}""",
    """CREATE TABLE account_tariffs (
    what {name} PRIMARY KEY,
    per_viewing {integer} NOT NULL,
    per_gigabyte {integer} NOT NULL
) {table}""",
)


def account_tables(dialect: Dialect) -> list[str]:
    """Statements that make all of them."""
    return [statement.format(**dialect._asdict()) for statement in (*_SUBSCRIBERS, *_LEDGER)]
