"""The messages between machines are those that are kept: what was added to them, or changed, is named."""

import msgspec
import pytest

from tests.golden_messages import compare, example, kept, messages
from tests.verbs import VERBS

NAMES = sorted(messages().keys() | kept().keys())
AGAIN = "if it is meant, say `python -m tests.golden_messages`"


@pytest.mark.parametrize("name", NAMES)
def test_the_wire_is_what_it_was(name):
    added, changed = compare({name: kept().get(name)}, {name: messages().get(name)})
    assert not changed, f"changed on the wire: {changed}; {AGAIN} and note it in CHANGELOG.md"
    assert not added, f"added to the wire: {added}; {AGAIN}"


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.path)
def test_what_is_kept_is_understood(verb):
    said = kept()[f"{verb.path.replace('/', '.')}.json"]
    assert msgspec.convert(said["request"], verb.request) == example(verb.request)
    assert msgspec.convert(said["answer"], verb.reply) == example(verb.reply)


BEFORE = {"a": 1, "b": [{"c": "x"}], "d": {"e": True}}


@pytest.mark.parametrize(
    ("after", "added", "changed"),
    [
        (BEFORE, [], []),
        (BEFORE | {"f": 2}, ["f"], []),
        (BEFORE | {"b": [{"c": "x", "g": None}]}, ["b[0].g"], []),
        (BEFORE | {"d": {"e": True, "h": {"i": 1}}}, ["d.h"], []),
        (BEFORE | {"a": 2}, [], ["a"]),
        (BEFORE | {"a": None}, [], ["a"]),
        (BEFORE | {"a": True}, [], ["a"]),  # equal in Python, not on the wire
        ({"a": 1, "b": [{"c": "x"}]}, [], ["d"]),
        (BEFORE | {"b": []}, [], ["b"]),
        (BEFORE | {"b": {"c": "x"}}, [], ["b"]),
        ({"b": [{"c": 1}], "d": {"e": True}, "f": 2}, ["f"], ["a", "b[0].c"]),
    ],
)
def test_what_was_added_and_what_was_changed_are_told_apart(after, added, changed):
    assert compare(BEFORE, after) == (added, changed)
