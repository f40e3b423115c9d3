"""Rows that come and go, and walks through them, against a sorted list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_network.snmp import ber
from media_network.snmp.access import Family, MibView
from media_network.snmp.index import Context, Index, ObjectType, Rows, scalar
from media_network.snmp.pdu import name_of
from media_network.snmp.value import (
    DISPLAY_STRING,
    END_OF_MIB_VIEW,
    GAUGE32,
    INTEGER32,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
)
from media_network.snmp.visible import Visible, binding

EVERYTHING = MibView("all", [Family((1,))])
indexes = st.lists(st.integers(0, 5) | st.sampled_from([127, 128, 16384]), min_size=1, max_size=3).map(tuple)
changes = st.lists(st.tuples(st.sampled_from(["put", "put", "drop", "replace"]), indexes), max_size=25)
FIRST, SECOND = (1, 3, 7, 1), (1, 3, 7, 200)


def applied(listed):
    """Rows after changes, and what a dictionary makes of them."""
    rows, model = Rows(), {}
    for number, (change, index) in enumerate(listed):
        if change == "put":
            rows.put(index, number)
            model[index] = number
        elif change == "drop":
            rows.drop(index)
            model.pop(index, None)
        else:
            rows.replace([(index, number), ((*index, 1), number)])
            model = {index: number, (*index, 1): number}
        assert len(rows) == len(model)
    return rows, model


@given(changes)
def test_rows_are_a_sorted_dictionary(listed):
    rows, model = applied(listed)
    assert list(rows) == sorted(model.items())
    for index, row in model.items():
        assert index in rows
        assert rows.find(index) == row
        assert rows.rows[rows.position(ber.write_sub_identifiers(index))] == row
    assert (9, 9, 9) not in rows
    assert rows.find((9, 9, 9)) is None
    assert rows.position(b"\x09\x09\x09") is None


@given(changes, changes, st.lists(st.integers(0, 6) | st.just(200), max_size=5).map(lambda tail: (1, 3, *tail)))
def test_a_walk_finds_what_is_behind_a_name_in_order(some, others, name):
    tables = [applied(some), applied(others)]
    context = Context()
    for number in (2, 1):
        for (rows, _), entry in zip(tables, (FIRST, SECOND), strict=True):
            # Every third value is not there now.
            def read(row, number=number):
                return None if row % 3 == 0 else row * 10 + number

            context.add([ObjectType((*entry, number), INTEGER32, rows, read)])
    model = {
        (*entry, number, *index): row * 10 + number
        for (_, model), entry in zip(tables, (FIRST, SECOND), strict=True)
        for number in (1, 2)
        for index, row in model.items()
        if row % 3
    }
    visible = Visible(context, EVERYTHING)
    walked = list(visible.walk(ber.write_oid(name)))
    assert [ber.read_oid(name_of(found)) for found in walked] == [known for known in sorted(model) if known > name]
    for known, value in model.items():
        assert visible.get(ber.write_oid(known)) == INTEGER32.encode(value)
    if name not in model:
        typed = any(name[: len(known.oid)] == known.oid for known in context.objects)
        assert visible.get(ber.write_oid(name)) == (NO_SUCH_INSTANCE if typed else NO_SUCH_OBJECT)


HALF = MibView("half", [Family((1,)), Family((*FIRST, 1, 1), included=False), Family((*SECOND, 2), included=False)])


@given(changes, changes, st.sampled_from([EVERYTHING, HALF]), st.integers(0, 40), st.integers(0, 400))
def test_a_run_is_the_beginning_of_a_walk(some, others, view, most, room):
    context = Context()
    for entry, (rows, _) in zip((FIRST, SECOND), (applied(some), applied(others)), strict=True):
        context.add([ObjectType((*entry, 1), INTEGER32, rows, lambda row: row % 3 or None)])
        context.add([ObjectType((*entry, 2), DISPLAY_STRING, rows, lambda row: "x" * (row * 20))])
    visible = Visible(context, view)
    start = ber.write_oid((*FIRST, 1))
    walked = list(visible.walk(start))
    end = binding(name_of(walked[-1]) if walked else start, END_OF_MIB_VIEW)
    expected, left = [], room
    for encoded in [*walked, end][:most]:
        left -= len(encoded)
        if left < 0:
            break
        expected.append(encoded)
    filled = []
    assert visible.fill(start, most, room, filled) == left
    assert filled == expected


@given(st.lists(st.tuples(changes, st.dictionaries(indexes, st.none() | st.integers(0, 3), max_size=4)), max_size=6))
def test_what_was_written_before_is_never_shown_instead_of_what_is_now(turns):
    rows, values, context = Rows(), {}, Context()
    context.add([ObjectType((*FIRST, 1), INTEGER32, rows, values.get)])
    context.add([ObjectType((*FIRST, 2), DISPLAY_STRING, rows, lambda index: "x" * 200 * (values.get(index) or 0))])
    visible = Visible(context, EVERYTHING)
    start = ber.write_oid(FIRST)
    for listed, new in turns:
        values.update(new)
        for change, index in listed:
            if change == "put":
                rows.put(index, index)
            elif change == "drop":
                rows.drop(index)
            else:
                rows.replace((other, other) for other in (index, (*index, 1), *new))
        filled = []
        visible.fill(start, 1_000, 1_000_000, filled)
        walked = list(visible.walk(start))
        assert filled == [*walked, binding(name_of(walked[-1]) if walked else start, END_OF_MIB_VIEW)]


def test_values_are_read_when_asked_for():
    readings = iter(range(100))
    context = Context()
    context.add([scalar((1, 3, 1), GAUGE32, lambda: next(readings))])
    visible = Visible(context, EVERYTHING)
    name = ber.write_oid((1, 3, 1, 0))
    assert [visible.get(name) for _ in range(3)] == [GAUGE32.encode(number) for number in range(3)]


@pytest.mark.parametrize("second", [(1, 3, 1), (1, 3, 1, 5), (1, 3)])
def test_two_object_types_are_never_in_one_anothers_way(second):
    context = Context()
    context.add([scalar((1, 3, 1), GAUGE32, lambda: 1)])
    with pytest.raises(ValueError, match="way"):
        context.add([scalar(second, GAUGE32, lambda: 1)])


class Single:
    def __init__(self, oid=(1, 3, 1)):
        self.oid = oid

    def objects(self):
        yield scalar(self.oid, GAUGE32, lambda: 1)


def test_contexts_come_and_go_with_their_providers():
    index = Index()
    one, other = Single(), Single((1, 3, 2))
    index.add(one, b"blade3")
    index.add(other, b"blade3")
    index.remove(one, b"blade3")
    assert [known.oid for known in index.contexts[b"blade3"].objects] == [(1, 3, 2)]
    index.remove(other, b"blade3")
    index.remove(other, b"blade3")
    assert set(index.contexts) == {b""}
    index.add(one)
    index.remove(one)
    assert index.contexts[b""].objects == []


class Several:
    def objects(self):
        return [scalar((1, 3, 9), GAUGE32, lambda: 1), scalar((1, 3, 1, 7), GAUGE32, lambda: 1)]


def test_a_provider_that_is_in_the_way_adds_nothing():
    index = Index()
    index.add(Single())
    with pytest.raises(ValueError, match="way"):
        index.add(Several())
    assert [known.oid for known in index.contexts[b""].objects] == [(1, 3, 1)]
