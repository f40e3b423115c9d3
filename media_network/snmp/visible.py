"""What one view shows of one context: looked up by exact name, or walked from a name on.

The view is applied to whole object types when it is first used, so that most requests pay nothing for it; only where a
family of the view goes into the rows of a table is each instance looked at.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator

from media_network.snmp import ber
from media_network.snmp.access import MibView
from media_network.snmp.ber import Oid
from media_network.snmp.index import Context, ObjectType, Rows
from media_network.snmp.pdu import name_of
from media_network.snmp.sought_rows import SoughtRows
from media_network.snmp.value import END_OF_MIB_VIEW, NO_SUCH_INSTANCE, NO_SUCH_OBJECT, Reading

_SEQUENCE = tuple(ber.header(ber.SEQUENCE, length) for length in range(0x80))
_NAME = tuple(ber.header(ber.OBJECT_IDENTIFIER, length) for length in range(0x80))
"""Headers, ready to be put in front of what is not long."""
Place = int | Oid
"""Where a walk goes on: a position, or where rows are sought behind an index. 0 is the beginning."""
_AT_ONCE = 16
"""So many rows at most are read at once: when there is no more room, the others were read in vain."""


class VisibleType:
    """An object type that a view shows, or some instances of which it shows."""

    __slots__ = (
        "_bindings",
        "_generation",
        "_openings",
        "_readings",
        "encode",
        "known",
        "prefix",
        "read",
        "rows",
        "view",
    )

    def __init__(self, known: ObjectType, rows: Rows, view: MibView | None) -> None:
        self.known = known
        self.prefix = ber.write_oid(known.oid)
        self.rows = rows
        self.read = known.read
        self.encode = known.syntax.encode
        self.view = view
        """Asked about each instance; None if it shows all of them."""
        self._openings: dict[int, bytes] = {}
        """Tag and length of a name, and the prefix, by the length of what is behind the prefix."""
        self._generation = -1
        """Of the rows for which these two were made."""
        self._readings: list[Reading] = []
        """What each row's value was when it was last walked over; None where that was never."""
        self._bindings: list[bytes] = []
        """How that was written: most of what there is to walk over seldom changes."""

    def exactly(self, suffix: bytes) -> bytes | None:
        """Give the encoded value in the row whose index is written so; None if there is none to be seen."""
        position = self.rows.position(suffix)
        return None if position is None else self.value(position)

    def after(self, name: bytes) -> int:
        """Give the position behind a name that begins with the prefix, and has more. Raises BerError."""
        suffix = name[len(self.prefix) :]
        position = self.rows.position(suffix)
        if position is not None:
            return position + 1
        ber.read_oid(name)
        return bisect_right(self.rows.indexes, ber.read_sub_identifiers(suffix))

    def value(self, position: int) -> bytes | None:
        """Give the encoded value in a row now; None if it has none, or is not to be seen."""
        rows = self.rows
        if self.view is not None and not self.view.includes(self.known.oid + rows.indexes[position]):
            return None
        reading = self.read(rows.rows[position])
        return None if reading is None else self.encode(reading)

    def fill(self, place: Place, most: int, left: int, filled: list[bytes]) -> int:
        """Fill in bindings of the rows from a position on, until there are `most`: what most of a walk is.

        Gives what is left of the octets that there were, less than 0 if the next binding does not fit.
        """
        position = _position(place)
        if self.view is not None:
            return self._fill_shown(position, most, left, filled)
        rows = self.rows
        if self._generation != rows.generation:
            self._forget()
        while left >= 0 and position < len(rows.rows) and (missing := most - len(filled)) > 0:
            stop = position + min(missing, _AT_ONCE)
            readings = list(map(self.read, rows.rows[position:stop]))
            if readings != self._readings[position:stop]:
                self._write(position, readings)
            bindings = self._bindings[position:stop]
            position = stop
            if None in readings:
                bindings = [encoded for encoded in bindings if encoded]
                position = stop if bindings else self._with_value(stop)
            left = _take(bindings, left, filled)
        return left

    def walk(self, place: Place) -> Iterator[bytes]:
        """Give the bindings of the rows from a position on that are to be seen."""
        position, suffixes = _position(place), self.rows.suffixes
        while position < len(suffixes):
            value = self.value(position)
            if value is not None:
                yield binding(self.prefix + suffixes[position], value)
            position += 1

    def _fill_shown(self, position: int, most: int, left: int, filled: list[bytes]) -> int:
        return _fill(self.walk(position), most, left, filled)

    def _with_value(self, position: int) -> int:
        """Give where the next row is that has a value now, from a position on: all of a column may have none."""
        rows = self.rows.rows
        while position < len(rows) and self.read(rows[position]) is None:
            position += 1
        return position

    def _forget(self) -> None:
        """Begin again, with the rows that there are now."""
        count = len(self.rows)
        self._generation = self.rows.generation
        self._readings, self._bindings = [None] * count, [b""] * count

    def _write(self, position: int, readings: list[Reading]) -> None:
        """Write the bindings of the rows from a position on whose values are others than before."""
        known, bindings, suffixes = self._readings, self._bindings, self.rows.suffixes
        for at, reading in enumerate(readings, position):
            if reading == known[at]:
                continue
            if reading is None:
                bindings[at] = b""
            else:
                suffix = suffixes[at]
                value = self.encode(reading)
                opening = self._openings.get(len(suffix)) or self._open(len(suffix))
                size = len(opening) + len(suffix) + len(value)
                head = _SEQUENCE[size] if size < 0x80 else ber.header(ber.SEQUENCE, size)
                bindings[at] = head + opening + suffix + value
            known[at] = reading

    def _open(self, octets: int) -> bytes:
        opening = self._openings[octets] = ber.header(ber.OBJECT_IDENTIFIER, len(self.prefix) + octets) + self.prefix
        return opening


class SoughtType:
    """As `VisibleType`, of a table whose rows are sought. A place is the index of a row, and the rows behind it are
    meant; 0 is the beginning. All but `after` raise RowsAway.
    """

    __slots__ = ("known", "prefix", "rows", "view")

    def __init__(self, known: ObjectType, rows: SoughtRows, view: MibView | None) -> None:
        self.known = known
        self.prefix = ber.write_oid(known.oid)
        self.rows = rows
        self.view = view

    def exactly(self, suffix: bytes) -> bytes | None:
        """Give the encoded value in the row whose index is written so; None if there is none to be seen."""
        index = ber.read_sub_identifiers(suffix) if suffix else ()
        row = self.rows.find(index)
        return None if row is None else self._value(index, row)

    def after(self, name: bytes) -> Oid:
        """Give the place behind a name that begins with the prefix, and has more. Raises BerError."""
        ber.read_oid(name)
        return ber.read_sub_identifiers(name[len(self.prefix) :])

    def fill(self, place: Place, most: int, left: int, filled: list[bytes]) -> int:
        """Fill in bindings of the rows behind a place, as `VisibleType` does."""
        return _fill(self.walk(place), most, left, filled)

    def walk(self, place: Place) -> Iterator[bytes]:
        """Give the bindings of the rows behind a place that are to be seen."""
        last: Oid = () if isinstance(place, int) else place
        while rows := self.rows.after(last):
            for index, row in rows:
                value = self._value(index, row)
                if value is not None:
                    yield binding(self.prefix + ber.write_sub_identifiers(index), value)
            last = rows[-1][0]

    def _value(self, index: Oid, row: object) -> bytes | None:
        if self.view is not None and not self.view.includes(self.known.oid + index):
            return None
        reading = self.known.read(row)
        return None if reading is None else self.known.syntax.encode(reading)


def _visible(known: ObjectType, view: MibView | None) -> VisibleType | SoughtType:
    rows = known.rows
    return SoughtType(known, rows, view) if isinstance(rows, SoughtRows) else VisibleType(known, rows, view)


class Visible:
    """The object types of a context that a view shows.

    Names come and go as the content of an OBJECT IDENTIFIER. Looking up a name that is none raises BerError.
    """

    def __init__(self, context: Context, view: MibView) -> None:
        self.view = view
        self._context = context
        self._generation = context.generation
        shown = [(known, view.covers(known.oid)) for known in context.objects]
        self.types = [
            _visible(known, None if all_of_it else view) for known, all_of_it in shown if all_of_it is not False
        ]
        self._names = [visible.known.oid for visible in self.types]
        self._by_prefix = {visible.prefix: number for number, visible in enumerate(self.types)}
        # No name of an object type begins with another's, so that the order is free: the likely ones come first.
        self._lengths = [length for length, _ in Counter(map(len, self._by_prefix)).most_common()]

    def of(self, context: Context) -> bool:
        """Tell whether this is what there is to see of a context now."""
        return self._context is context and self._generation == context.generation

    def get(self, name: bytes) -> bytes:
        """Give the value of exactly this name, or the exception that stands in for it (RFC 3416, 4.2.1)."""
        by_prefix = self._by_prefix
        for length in self._lengths:
            number = by_prefix.get(name[:length])
            if number is not None:
                value = self.types[number].exactly(name[length:])
                if value is None:
                    ber.read_oid(name)
                    return NO_SUCH_INSTANCE
                return value
        ber.read_oid(name)
        return NO_SUCH_OBJECT

    def walk(self, name: bytes) -> Iterator[bytes]:
        """Give the variable bindings of the instances behind a name, one after the other, read when asked for."""
        number, place = self._after(name)
        while number < len(self.types):
            yield from self.types[number].walk(place)
            number, place = number + 1, 0

    def fill(self, name: bytes, most: int, left: int, filled: list[bytes]) -> int:
        """Fill in the bindings behind a name until there are `most`, with endOfMibView as the last if they end before.

        Gives what is left of the octets that there were, less than 0 if the next binding does not fit.
        """
        number, place = self._after(name)
        types, before = self.types, len(filled)
        while left >= 0 and len(filled) < most:
            if number == len(types):
                encoded = binding(name_of(filled[-1]) if len(filled) > before else name, END_OF_MIB_VIEW)
                left -= len(encoded)
                if left >= 0:
                    filled.append(encoded)
                break
            left = types[number].fill(place, most, left, filled)
            number, place = number + 1, 0
        return left

    def _number(self, name: bytes) -> int | None:
        """Give the number of the object type of which a name begins with the name."""
        by_prefix = self._by_prefix
        for length in self._lengths:
            number = by_prefix.get(name[:length])
            if number is not None:
                return number
        return None

    def _after(self, name: bytes) -> tuple[int, Place]:
        """Give the first place behind a name: number of an object type, and where among its rows."""
        number = self._number(name)
        if number is None:
            return bisect_right(self._names, ber.read_oid(name)), 0
        visible = self.types[number]
        return number, visible.after(name) if len(name) > len(visible.prefix) else 0


def _position(place: Place) -> int:
    return place if isinstance(place, int) else 0


def _take(bindings: list[bytes], left: int, filled: list[bytes]) -> int:
    """Fill in as many bindings as fit; give what is left of the octets, less than 0 if one does not fit."""
    octets = sum(map(len, bindings))
    if octets <= left:
        filled += bindings
        return left - octets
    for encoded in bindings:
        left -= len(encoded)
        if left < 0:
            break
        filled.append(encoded)
    return left


def binding(name: bytes, value: bytes) -> bytes:
    """Write a variable binding out of a name's content and an encoded value."""
    size = len(name) + len(value) + 2
    if size < 0x80:
        return _SEQUENCE[size] + _NAME[len(name)] + name + value
    body = ber.header(ber.OBJECT_IDENTIFIER, len(name)) + name + value
    return ber.header(ber.SEQUENCE, len(body)) + body


def _fill(encodings: Iterable[bytes], most: int, left: int, filled: list[bytes]) -> int:
    """Take bindings while there is room for them, up to so many; gives what is left of the room, or less than 0."""
    for encoded in encodings:
        left -= len(encoded)
        if left < 0:
            break
        filled.append(encoded)
        if len(filled) == most:
            break
    return left
