"""Every key of every file that a person writes, made wrong in every way: one sentence that names it, in our words."""

import copy
from datetime import date
from typing import get_type_hints
from unittest.mock import patch

import msgspec
import pytest
from msgspec import Struct

from blade_agent.hardware.profile import ProfileError
from media_network.document import Document, DocumentError
from media_network.legal_values import legal, of_kind
from media_network.strict_reading import StrictReader
from tests.wrong_values.library_wording import assert_one_sentence
from tests.wrong_values.table import FILES

WRONG = (
    -1,
    10**30,
    1.5,
    float("nan"),
    float("inf"),
    True,
    "",
    "no such thing \N{SNOWMAN}\n",
    "127.0.0.1:99999",
    "x" * 300,
    [],
    [[]],
    [{}],
    {},
    {"a": {}},
    date(2026, 1, 1),
)

each_file = pytest.mark.parametrize("written", FILES, ids=lambda written: written.name)


def places(document, at=()):
    """Every key and index in a document, as a path."""
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in inner:
        yield (*at, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*at, key))


def changed(document, place, change):
    """A copy of it in which the mapping or list that has the last key of a place is changed."""
    whole = copy.deepcopy(document)
    inside = whole
    for key in place[:-1]:
        inside = inside[key]
    change(inside, place[-1])
    return whole


def refusal(written, tmp_path, document):
    """What the reader says of a file with that in it; None if it takes it."""
    path = tmp_path / written.name
    path.touch(0o600)
    try:
        with patch.object(Document, "load", lambda _: document):
            written.read(path)
    except (DocumentError, ProfileError) as error:
        said = str(error)
    else:
        return None
    assert_one_sentence(said)
    assert written.name in said
    return said


@each_file
def test_the_whole_file_is_taken_and_has_every_key(written, tmp_path, monkeypatch):
    seen = {}
    struct = StrictReader.struct

    def noting(reader, kind, document, at):
        seen.setdefault(kind, set()).update(document)
        return struct(reader, kind, document, at)

    monkeypatch.setattr(StrictReader, "struct", noting)
    path = tmp_path / written.name
    path.touch(0o600)
    path.write_text(written.write(written.whole))
    written.read(path)
    for kind, keys in seen.items():
        missing = {key for key in kind.__struct_fields__ if key not in keys}
        if written.kind is not None:
            assert not missing, f"tests/wrong_values/table.py has no {missing} of {kind.__name__}"


@each_file
def test_a_wrong_value_is_said_of_its_key(written, tmp_path):
    for place in places(written.whole):
        refused = 0
        for wrong in WRONG:

            def put(inside, key, wrong=wrong):
                inside[key] = wrong

            said = refusal(written, tmp_path, changed(written.whole, place, put))
            refused += said is not None
        assert refused, f"{written.name}: {place} takes anything"


@each_file
def test_a_key_that_is_none_is_said_with_the_one_that_is_meant(written, tmp_path):
    for place in places(written.whole):
        if not isinstance(place[-1], str):
            continue

        def misspell(inside, key):
            inside[f"{key}q"] = inside.pop(key)

        said = refusal(written, tmp_path, changed(written.whole, place, misspell))
        if said is None or f"{place[-1]}q is not a key" not in said:
            assert named_by_the_person(place) or said, (place, said)
            continue
        assert f"did you mean {place[-1]}?" in said
        assert "here are: " in said


def named_by_the_person(place):
    """Whether the key is a name that the person gives: of a group, a view, a station, a host or a center."""
    names = {("groups",), ("views",), ("chassis",), ("agents",), ("named_centers",)}
    return place[-2:-1] in names or (place[:1] == ("centers",) and len(place) == 2)


@each_file
def test_a_key_that_is_missing_is_named(written, tmp_path):
    for place in places(written.whole):
        if not isinstance(place[-1], str):
            continue
        said = refusal(written, tmp_path, changed(written.whole, place, lambda inside, key: inside.pop(key)))
        if said is not None and "is missing" in said and str(place[-1]) not in ("kind", "action"):
            assert f"{place[-1]} is missing; it must be " in said or "either" in said, said


@each_file
@pytest.mark.parametrize(
    "text", ["= 3", "a = [1, 2", "\t: {", "[" * 1200, 'a = "\n', "a: b: c", "- 1\nb: 2", "a = 1\na = 2"]
)
def test_a_text_that_is_not_of_the_language(written, text, tmp_path):
    path = tmp_path / written.name
    path.write_text(text)
    with pytest.raises((DocumentError, ProfileError)) as refused:
        written.read(path)
    assert_one_sentence(str(refused.value))


@each_file
def test_what_is_no_file_or_no_text(written, tmp_path):
    path = tmp_path / written.name
    for make in (lambda: None, path.mkdir, lambda: (path.rmdir(), path.write_bytes(b"\xff\xfe"))):
        make()
        with pytest.raises((DocumentError, ProfileError)) as refused:
            written.read(path)
        assert_one_sentence(str(refused.value))


def test_every_pattern_has_words():
    """A type with a pattern says in words what it takes: nobody reads patterns."""
    for written in FILES:
        for kind in structs_of(written.kind, set()) if written.kind else ():
            for name, hint in get_type_hints(kind, include_extras=True).items():
                plain, limits = of_kind(hint)
                if any(limit.pattern for limit in limits):
                    assert any(limit.description for limit in limits), f"{kind.__name__}.{name}"
                assert "another value" not in legal(hint), f"{kind.__name__}.{name}: {plain}"


def structs_of(kind, seen):
    """All structures that a kind is made of."""
    if kind in seen or not (isinstance(kind, type) and issubclass(kind, Struct)):
        return seen
    seen.add(kind)
    for field in msgspec.inspect.type_info(kind).fields:
        for inner in inner_types(field.type):
            structs_of(inner, seen)
    return seen


def inner_types(info):
    if isinstance(info, msgspec.inspect.StructType):
        yield info.cls
    for name in ("item_type", "value_type", "key_type", "type"):
        if (inner := getattr(info, name, None)) is not None:
            yield from inner_types(inner)
    for inner in getattr(info, "types", ()):
        yield from inner_types(inner)
