"""The columns of a table, written down as its module lists them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from media_network.snmp.ber import Oid
from media_network.snmp.index import Change, ObjectType, Rows
from media_network.snmp.sought_rows import SoughtRows
from media_network.snmp.value import Reading, Syntax

Column = tuple[Syntax, Callable[[Any], Reading]]
WritableColumn = tuple[Syntax, Callable[[Any], Reading], Callable[[Any, Any], Change]]


def columns(
    entry: Oid, rows: Rows | SoughtRows, by_number: Mapping[int, Column | WritableColumn]
) -> Iterator[ObjectType]:
    """Give the columns of the row type `entry`, by their numbers."""
    for number, column in by_number.items():
        yield ObjectType((*entry, number), column[0], rows, column[1], column[2] if len(column) == 3 else None)


def replace_changed(rows: Rows, wanted: Mapping[Oid, object]) -> None:
    """Make `rows` hold what is wanted; as long as the same instances stay, in their order, none is moved."""
    if rows.indexes == list(wanted):
        rows.rows[:] = wanted.values()
    else:
        rows.replace(wanted.items())
