"""In which line of a TOML file each key is set: who is to mend one wants to be led there, and `tomllib` does not say.

A statement is as many lines as `tomllib` needs to read them by themselves (TOML 1.0: a line is an expression, and only
strings, arrays and what is in arrays go on in the next one), so the grammar stays the library's.
"""

import re
import tomllib
from collections import Counter
from io import StringIO
from typing import Any

from media_network.strict_reading import below

_LAST_PART = re.compile(r"(\[\d+\]|(^|\.)[^.\[]*)$")


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1, of each key and of each entry of a list, by its path: `snmp.users[0].user`.

    The text is TOML that can be read; of one that cannot, the lines before what is wrong are given.
    """
    lines: dict[str, int] = {}
    entries: Counter[str] = Counter()
    table, statement = "", ""
    begins = 1
    for number, line in enumerate(StringIO(text), start=1):
        statement += line
        said = _read(statement)
        if said is None:
            continue
        if statement.lstrip().startswith("["):
            tables = _tables(said, entries)
            lines = dict.fromkeys(tables, begins) | lines
            table = tables[-1]
        else:
            _note_parts(lines, statement, table, begins)
            _note(lines, said, table, number if _is_list(said) else begins)
        statement, begins = "", number + 1
    return lines


def line_of(lines: dict[str, int], path: str) -> int | None:
    """The line of a key; of one that is missing the line of what it should be in, None for the top of the file."""
    path = path.removesuffix(":")
    while path and path not in lines:
        path = _LAST_PART.sub("", path)
    return lines.get(path)


def _read(statement: str) -> dict[str, Any] | None:
    """What a statement says; None where it has no end yet."""
    try:
        return tomllib.loads(statement)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _tables(header: dict[str, Any], entries: Counter[str]) -> list[str]:
    """The paths of the table that a header, read by itself, begins, and of what that is in, outermost first.

    `entries` counts those of each list of tables.
    """
    paths = []
    path, inner = "", header
    while inner:
        key, value = next(iter(inner.items()))
        path = below(path, key)
        paths.append(path)
        if isinstance(value, list):
            entries[path] += 1
            value = value[0]
        if entries[path]:
            path = f"{path}[{entries[path] - 1}]"
            paths.append(path)
        inner = value
    return paths


def _note_parts(lines: dict[str, int], statement: str, table: str, begins: int) -> None:
    """Note each entry of a list that goes over several lines at the line with which it is whole."""
    read = ""
    for number, line in enumerate(list(StringIO(statement))[:-1], start=begins):
        read += line
        if (said := _read(f"{read}]")) is not None:
            _note(lines, said, table, number)


def _is_list(said: dict[str, Any]) -> bool:
    inner: Any = said
    while isinstance(inner, dict) and inner:
        inner = next(iter(inner.values()))
    return isinstance(inner, list)


def _note(lines: dict[str, int], value: object, at: str, line: int) -> None:
    """Note all paths of a value that have no line yet."""
    if isinstance(value, dict):
        inside = [(below(at, key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        inside = [(f"{at}[{index}]", inner) for index, inner in enumerate(value)]
    else:
        return
    for path, inner in inside:
        lines.setdefault(path, line)
        _note(lines, inner, path, line)
