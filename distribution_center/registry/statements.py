"""What a write of the registry consists of, whatever database carries it out.

A write is a generator. It yields a `Statement` and is sent its first row, yields `Rows` and is sent all of them in one,
or yields `Each` or `FeedGrows` and is sent None; what it returns is the verdict. The SQL is what SQLite and PostgreSQL
have in common.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

from distribution_center.registry.repository import Verdict

Value: TypeAlias = str | int | bytes | None


class Statement(NamedTuple):
    """One statement. Parameters are `$1` and on, and first appear in the order of `values`."""

    sql: str
    values: tuple[Value, ...]


class Rows(NamedTuple):
    """One statement of which all rows are wanted: a tuple of them."""

    sql: str
    values: tuple[Value, ...]


class Each(NamedTuple):
    """One statement for each of many values."""

    sql: str
    rows: list[tuple[Value, ...]]


class FeedGrows(NamedTuple):
    """A change is numbered: who waits for the feed is told once the transaction is made, in whichever process."""


Step: TypeAlias = Statement | Rows | Each | FeedGrows
Steps: TypeAlias = Generator[Step, tuple[Any, ...] | None, Verdict]
Writing: TypeAlias = Generator[Step, tuple[Any, ...] | None, None]
"""Part of a write."""
Write: TypeAlias = Callable[[], Steps]
"""A write that can be begun anew, when its transaction has to be."""
