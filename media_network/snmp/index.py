"""The objects of an agent, in the order of their names, with values that are read when somebody asks.

What is sorted are object types: a scalar, or a column of a table. Each names its `Rows`, which the columns of a table
(and of those that augment it) share. A row that comes or goes therefore costs one insertion, whatever the number of
columns, and no part of the index is ever built anew. Names are kept as they are written on the wire, so that a request
is looked up without taking its names apart.

A provider:

    class Fans:
        def __init__(self, fans):
            self.rows = Rows(((number,), fan) for number, fan in fans)
        def objects(self):
            yield ObjectType(FAN_ENTRY + (2,), DISPLAY_STRING, self.rows, lambda fan: fan.name)
            yield ObjectType(FAN_ENTRY + (3,), GAUGE32, self.rows, lambda fan: fan.speed_rpm)
            yield scalar(FAN_COUNT, GAUGE32, lambda: len(self.rows))

    index.add(Fans(...))                      # the default context
    index.add(BladeObjects(...), b"blade3")   # another

Readers run while a request is answered: they read memory, and never wait. A table of any number of rows has
`SoughtRows`.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from msgspec import Struct

from media_network.callback import do_nothing
from media_network.snmp import ber
from media_network.snmp.ber import Oid
from media_network.snmp.sought_rows import SoughtRows
from media_network.snmp.value import Reading, Syntax


class Change(Protocol):
    """One variable on its way to another value. What `prepare` gives has tested everything that can be tested."""

    def commit(self) -> None:
        """Make the change. Raises Refused (commitFailed, resourceUnavailable) if it cannot be made after all."""

    def undo(self) -> None:
        """Take the change back, which was committed. Raises Refused (undoFailed)."""


class Assignment(Struct, frozen=True):
    """A change out of two functions."""

    commit: Callable[[], None]
    undo: Callable[[], None]


class Rows:
    """The instances of a table, in order: an index (RFC 2578, 7.7) and what the columns' readers get."""

    def __init__(self, rows: Iterable[tuple[Oid, Any]] = ()) -> None:
        """Take the first rows: pairs of index, without the object's own name, and row."""
        self.indexes: list[Oid] = []
        self.suffixes: list[bytes] = []
        """The indexes, as they are written on the wire."""
        self.rows: list[Any] = []
        self.generation = 0
        """Grows when a row comes or goes."""
        self._positions: dict[bytes, int] | None = None
        self.replace(rows)

    def put(self, index: Oid, row: object) -> None:
        """Add a row, or replace the one of this index."""
        at = bisect_left(self.indexes, index)
        if at < len(self.indexes) and self.indexes[at] == index:
            self.rows[at] = row
            return
        self.suffixes.insert(at, ber.write_sub_identifiers(index))
        self.indexes.insert(at, index)
        self.rows.insert(at, row)
        self._changed()

    def drop(self, index: Oid) -> None:
        """Take a row out; does nothing if there is none of this index."""
        at = bisect_left(self.indexes, index)
        if at < len(self.indexes) and self.indexes[at] == index:
            del self.indexes[at], self.suffixes[at], self.rows[at]
            self._changed()

    def replace(self, rows: Iterable[tuple[Oid, Any]]) -> None:
        """Take these rows instead of all that were there."""
        ordered = sorted(dict(rows).items(), key=_by_index)
        self.indexes = [index for index, _ in ordered]
        self.suffixes = [ber.write_sub_identifiers(index) for index in self.indexes]
        self.rows = [row for _, row in ordered]
        self._changed()

    def position(self, suffix: bytes) -> int | None:
        """Give the position of the row whose index is written so."""
        if self._positions is None:
            self._positions = {suffix: position for position, suffix in enumerate(self.suffixes)}
        return self._positions.get(suffix)

    def find(self, index: Oid) -> Any:
        """Give the row of an index, None if there is none."""
        at = bisect_left(self.indexes, index)
        return self.rows[at] if at < len(self.indexes) and self.indexes[at] == index else None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Oid, Any]]:
        return iter(list(zip(self.indexes, self.rows, strict=True)))

    def __contains__(self, index: Oid) -> bool:
        at = bisect_left(self.indexes, index)
        return at < len(self.indexes) and self.indexes[at] == index

    def _changed(self) -> None:
        self._positions = None
        self.generation += 1


class ObjectType(Struct, frozen=True):
    """A column of a table, or a scalar (RFC 2578, 7)."""

    oid: Oid
    """Its name without an instance: `1.3.6.1.2.1.2.2.1.2` is ifDescr, `1.3.6.1.2.1.1.3` sysUpTime."""
    syntax: Syntax
    rows: Rows | SoughtRows
    read: Callable[[Any], Reading]
    """From a row to its value now. It must not raise: what cannot be read is None."""
    prepare: Callable[[Any, Any], Change] | None = None
    """From a row and a value, of the right type, size and range, to a change; None if it cannot be written.

    Raises Refused: wrongValue, inconsistentValue, resourceUnavailable.
    """


def scalar(
    oid: Oid,
    syntax: Syntax,
    read: Callable[[], Reading],
    prepare: Callable[[Any], Change] | None = None,
) -> ObjectType:
    """Make a scalar; `oid` is without the final 0. Its `read`, and `prepare`, take no row."""
    write = None if prepare is None else lambda _, value: prepare(value)
    return ObjectType(oid, syntax, Rows([((0,), read)]), _call, write)


def _call(read: Callable[[], Reading]) -> Reading:
    return read()


def _by_index(pair: tuple[Oid, Any]) -> Oid:
    return pair[0]


class ObjectProvider(Protocol):
    """Somebody who knows the values of some objects."""

    def objects(self) -> Iterable[ObjectType]:
        """Give the object types; asked once, when the provider is added."""


class Context:
    """The objects of one context (RFC 3411, 3.3.1), sorted."""

    def __init__(self) -> None:
        self.objects: list[ObjectType] = []
        self.generation = 0
        """Grows when object types come or go."""

    def add(self, objects: Iterable[ObjectType]) -> None:
        """Add object types. Raises ValueError if one is there, or lies below or above one that is."""
        known = list(self.objects)
        for added in objects:
            at = bisect_left(known, added.oid, key=_by_oid)
            for other in known[max(at - 1, 0) : at + 1]:
                shared = min(len(other.oid), len(added.oid))
                if other.oid[:shared] == added.oid[:shared]:
                    raise ValueError(f"{added.oid} and {other.oid} are in one another's way")
            insort(known, added, key=_by_oid)
        self.objects = known
        self.generation += 1

    def type_of(self, oid: Oid) -> ObjectType | None:
        """Give the object type of which `oid` is, or could be, an instance."""
        at = bisect_right(self.objects, oid, key=_by_oid) - 1
        known = self.objects[at] if at >= 0 else None
        return known if known is not None and oid[: len(known.oid)] == known.oid else None

    def remove(self, objects: Iterable[ObjectType]) -> None:
        """Take object types out that were added."""
        names = {gone.oid for gone in objects}
        self.objects = [kept for kept in self.objects if kept.oid not in names]
        self.generation += 1


class Index:
    """All objects of an agent, by context. Contexts come with the first provider and go with the last."""

    def __init__(self) -> None:
        self.contexts: dict[bytes, Context] = {b"": Context()}
        self.asked: Callable[[], None] = do_nothing
        """Called before a request is answered whose sender is known: what is shown may be brought up to date."""
        self.written: Callable[[], None] = do_nothing
        """Called when something may have been set."""
        self._added: dict[tuple[bytes, int], tuple[ObjectProvider, tuple[ObjectType, ...]]] = {}

    def add(self, provider: ObjectProvider, context: bytes = b"") -> None:
        """Add what a provider provides. Raises ValueError if another provides the same."""
        objects = tuple(provider.objects())
        known = self.contexts.get(context) or Context()
        known.add(objects)
        self.contexts[context] = known
        self._added[context, id(provider)] = (provider, objects)

    def remove(self, provider: ObjectProvider, context: bytes = b"") -> None:
        """Take out what was added; does nothing if nothing was."""
        _, objects = self._added.pop((context, id(provider)), (provider, ()))
        known = self.contexts.get(context)
        if known is None:
            return
        known.remove(objects)
        if context and not known.objects:
            del self.contexts[context]


def _by_oid(known: ObjectType) -> Oid:
    return known.oid
