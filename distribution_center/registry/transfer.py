"""A registry as lines of text: taken out of one store, and into another that is empty.

    {"registry": 6, "release": "0.1.0"}
    ["programs", "film", 1, ...]           a row: octets are base64
    {"rows": 4711, "sha256": "..."}        of all lines before

Whoever takes it in has all of it or nothing: it is one transaction, and a file that is cut off has no last line. What
is known only while a station speaks is not in it; what stations hold they are asked for anew.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

import msgspec
from msgspec import Struct

from distribution_center.registry.reads import Read
from distribution_center.registry.repository import Repository, RepositoryUnfit, Verdict
from distribution_center.registry.sql_repository import SqlRepository
from distribution_center.registry.sql_store import SqlStore
from distribution_center.registry.statements import Each, Statement, Steps, Value
from distribution_center.registry.tables import SCHEMA_VERSION, UNSPELT

_ROWS_AT_ONCE = 2000
_OCTETS_AT_ONCE = 20
"""Rows that may have a segment table in them."""
_LINE_BYTES_MAX = 256 * 1024 * 1024
"""A segment table of a million segments, in base64."""
_TABLE = re.compile(r"CREATE TABLE (?P<name>\w+) \((?P<columns>.*)\)", re.DOTALL)
_FIRST_ROW = re.compile(r"INSERT INTO (?P<name>\w+) ")
_COLUMN = re.compile(r"(?:^|,)\s*(?P<name>\w+) \{(?P<kind>\w+)\}")
_KEY = re.compile(r"PRIMARY KEY \((?P<names>[^)]+)\)|(?P<alone>\w+) \{\w+\} PRIMARY KEY")


class NoRegistry(ValueError):
    """This is no registry that was exported, or not all of one; the message says why."""


class NotEmpty(Exception):
    """There is a registry already."""

    def __str__(self) -> str:
        return "the registry that it is to be read into is not empty"


class _Head(Struct, frozen=True):
    registry: int
    release: str


class _Foot(Struct, frozen=True):
    rows: int
    sha256: str


class _Table(NamedTuple):
    name: str
    columns: tuple[str, ...]
    octets: frozenset[int]
    """Which columns are octets."""
    key: tuple[str, ...]
    """What rows are ordered by."""

    @property
    def rows_at_once(self) -> int:
        """How many of its rows are in memory."""
        return _OCTETS_AT_ONCE if self.octets else _ROWS_AT_ONCE


def _tables() -> dict[str, _Table]:
    found = (_TABLE.match(statement) for statement in UNSPELT)
    return {table.name: table for match in found if match for table in [_table(match["name"], match["columns"])]}


def _table(name: str, declared: str) -> _Table:
    columns = [(match["name"], match["kind"]) for match in _COLUMN.finditer(declared)]
    key = _KEY.search(declared)
    named = (key["names"] or key["alone"]).split(", ") if key else [columns[0][0]]
    octets = frozenset(at for at, (_, kind) in enumerate(columns) if kind == "octets")
    return _Table(name, tuple(column for column, _ in columns), octets, tuple(named))


_TABLES = _tables()
_FILLED = (*(match["name"] for match in map(_FIRST_ROW.match, UNSPELT) if match), "share_feed")
"""Those that have a row from the beginning."""


async def rows_of(repository: Repository) -> int:
    """How many rows there are to go. Raises `RepositoryError`."""
    count = 0
    for name in _TABLES:
        count += await _store(repository).read(
            Read(f"SELECT count(*) FROM {name}", (), lambda rows: next(iter(rows))[0])  # noqa: S608 -- ours
        )
    return count


async def export_registry(
    repository: Repository, into: IO[bytes], *, release: str, on_rows: Callable[[int], None]
) -> int:
    """Write a registry that nobody changes meanwhile; gives the rows. `on_rows` is called with how many are written.

    Raises `RepositoryError`, OSError.
    """
    digest, rows = hashlib.sha256(), 0

    def put(line: object) -> None:
        octets = msgspec.json.encode(line) + b"\n"
        digest.update(octets)
        into.write(octets)

    put(_Head(SCHEMA_VERSION, release))
    for table in _TABLES.values():
        last: tuple[str | int, ...] | None = None
        while page := await _store(repository).read(_page(table, last)):
            for row in page:
                put((table.name, *row))
            rows += len(page)
            on_rows(rows)
            last = tuple(page[-1][table.columns.index(column)] for column in table.key)
    into.write(msgspec.json.encode(_Foot(rows, digest.hexdigest())) + b"\n")
    return rows


async def import_registry(
    repository: Repository, open_file: Callable[[], IO[bytes]], *, on_rows: Callable[[int, int], None]
) -> int:
    """Read a registry into an empty one; gives the rows. `open_file` may be called more than once. `on_rows` is called
    with how many are read, in an executor perhaps, and of how many.

    Raises `NoRegistry`, `NotEmpty`, `RepositoryError`, OSError.
    """
    with open_file() as file:
        rows = sum(1 for _ in _rows(file))  # it is whole, before anything is written
    [result] = await _store(repository).commit([lambda: _take_in(open_file, lambda done: on_rows(done, rows))])
    if isinstance(result, BaseException):
        raise result
    if result is not Verdict.ACCEPTED:
        raise NotEmpty
    return rows


def _store(repository: Repository) -> SqlStore:
    if not isinstance(repository, SqlRepository):
        raise RepositoryUnfit("here", "it has no tables")
    return repository.store


def _page(table: _Table, last: tuple[str | int, ...] | None) -> Read[list[tuple[Any, ...]]]:
    key = ", ".join(table.key)
    after = "" if last is None else f" WHERE ({key}) > ({', '.join(f'${at}' for at in range(1, len(last) + 1))})"
    sql = f"SELECT {', '.join(table.columns)} FROM {table.name}{after} ORDER BY {key} LIMIT {table.rows_at_once}"  # noqa: S608 -- ours
    return Read(sql, last or (), lambda rows: [tuple(row) for row in rows])


def _take_in(open_file: Callable[[], IO[bytes]], on_rows: Callable[[int], None]) -> Steps:
    for table in _TABLES:
        if table not in _FILLED and (yield Statement(f"SELECT 1 FROM {table} LIMIT 1", ())):  # noqa: S608 -- ours
            return Verdict.CONFLICT
    for table in _FILLED:
        yield Statement(f"DELETE FROM {table}", ())  # noqa: S608 -- ours
    done = 0
    with open_file() as file:
        for name, rows in _in_batches(_rows(file)):
            yield Each(_insert(_TABLES[name]), rows)
            done += len(rows)
            on_rows(done)
    # Stations have gone on since: none counts before it has reported everything anew.
    yield Statement("UPDATE stations SET generation = 0, inventory_epoch = -1, inventory_generation = -1", ())
    return Verdict.ACCEPTED


def _insert(table: _Table) -> str:
    places = ", ".join(f"${at}" for at in range(1, len(table.columns) + 1))
    return f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})"  # noqa: S608 -- ours


def _in_batches(rows: Iterator[tuple[str, tuple[Value, ...]]]) -> Iterator[tuple[str, list[tuple[Value, ...]]]]:
    table, batch = "", list[tuple[Value, ...]]()
    for name, row in rows:
        if batch and (name != table or len(batch) == _TABLES[table].rows_at_once):
            yield table, batch
            batch = []
        table = name
        batch.append(row)
    if batch:
        yield table, batch


def _rows(file: IO[bytes]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Raises `NoRegistry`."""
    digest, count = hashlib.sha256(), 0
    line = file.readline(_LINE_BYTES_MAX)
    head = _decoded(line, _Head, "it does not begin as a registry does")
    if head.registry != SCHEMA_VERSION:
        raise NoRegistry(f"it is of version {head.registry}, by release {head.release}, and this has {SCHEMA_VERSION}")
    digest.update(line)
    while (line := file.readline(_LINE_BYTES_MAX)).startswith(b"["):
        digest.update(line)
        count += 1
        yield _row(line, count)
    if _decoded(line, _Foot, "its end is missing") != _Foot(count, digest.hexdigest()):
        raise NoRegistry("it was changed since it was written")


def _row(line: bytes, number: int) -> tuple[str, tuple[Value, ...]]:
    try:
        name, *values = msgspec.json.decode(line, type=list[str | int | None])
        table = _TABLES[str(name)]
        row = tuple(_value(value, at in table.octets) for at, value in enumerate(values))
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise NoRegistry(f"row {number} makes no sense") from error
    if len(row) != len(table.columns):
        raise NoRegistry(f"row {number} has other columns")
    return table.name, row


def _value(value: str | int | None, is_octets: bool) -> Value:  # noqa: FBT001 -- it says itself at the one call
    return b64decode(value, validate=True) if is_octets and isinstance(value, str) else value


def _decoded(line: bytes, kind: type[Any], otherwise: str) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.MsgspecError as error:
        raise NoRegistry(otherwise) from error
