"""The line of each key of a TOML text."""

import json

import pytest

from media_network.toml_lines import line_of, lines_of
from tests.wrong_values.table import ACCOUNTS, AUTH, BLADE, CENTER, CHASSIS, MAM, NMS, PROFILE, as_toml
from tests.wrong_values.test_files import places

TEXT = '''\
# a remark, and [no.table] = nothing

slot = 2   # = 3
"quoted key" = 1
dotted.key."with a.dot" = 4
text = """
slot = 5
[table]
"""
list = [ # [
  "a", "]",

  { path = "/b", more = [1,
    2] },
  7
]
last = [
  1]

[table]
key = [1, 2]
[[table.rows]]
name = "first"
[[table.rows]]
name = "second"
[table.rows.deeper]
key = """one"""
[[table.rows]]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("slot", 3),
        ("quoted key", 4),
        ("dotted.key.with a.dot", 5),
        ("text", 6),
        ("list", 10),
        ("list[0]", 11),
        ("list[1]", 11),
        ("list[2].path", 14),
        ("list[3]", 15),
        ("last", 17),
        ("last[0]", 18),
        ("table", 20),
        ("table.key", 21),
        ("table.key[1]", 21),
        ("table.rows[0]", 22),
        ("table.rows[0].name", 23),
        ("table.rows[1].name", 25),
        ("table.rows[1].deeper.key", 27),
        ("table.rows[2]", 28),
    ],
)
def test_where_a_key_is_set(path, line):
    assert lines_of(TEXT)[path] == line


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("nothing", None),
        ("table.rows[2].name", 28),
        ("table.missing", 20),
        ("table:", 20),
        ("", None),
        ("slot.x[3]", 3),
    ],
)
def test_what_is_missing_is_where_its_table_begins(missing, line):
    assert line_of(lines_of(TEXT), missing) == line


def a_line_each(document, table=()):
    """TOML with one key on each line, as people write it, and the path of the key of each line."""
    for key, value in document.items():
        if not isinstance(value, dict) and not is_tables(value):
            yield f"{json.dumps(key)} = {as_toml(value)}", (*table, key)
    for key, value in document.items():
        here = (*table, key)
        name = ".".join(json.dumps(part) for part in here if not isinstance(part, int))
        if isinstance(value, dict):
            yield f"[{name}]", here
            yield from a_line_each(value, here)
        elif is_tables(value):
            for number, inner in enumerate(value):
                yield f"[[{name}]]", (*here, number)
                yield from a_line_each(inner, (*here, number))


def is_tables(value):
    return isinstance(value, list) and value and all(isinstance(each, dict) for each in value)


def as_path(place):
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


@pytest.mark.parametrize(
    "whole",
    [BLADE, CHASSIS, CENTER, MAM, ACCOUNTS, AUTH, NMS, PROFILE],
    ids=["blade", "chassis", "center", "mam", "accounts", "auth", "nms", "profile"],
)
def test_every_key_of_every_file_has_the_line_on_which_it_stands(whole):
    rows = list(a_line_each(whole))
    lines = lines_of("\n".join(text for text, _ in rows))
    stands = {as_path(place): number for number, (_, place) in enumerate(rows, start=1)}
    assert {path: lines.get(path) for path in stands} == stands
    assert all(line_of(lines, as_path(place)) for place in places(whole))


def test_only_a_line_feed_ends_a_line():
    assert lines_of("# a\u2028b\u0085c\nkey = 1\ntext = '''\nx\u2029y'''\nlast = 2\n") == {
        "key": 2,
        "text": 3,
        "last": 5,
    }
