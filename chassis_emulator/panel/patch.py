"""What changed between two JSON documents, so that a picture does not travel whole twice a second.

A patch is a mapping from keys (of an array: its indices) to patches; a list of one stands for "this instead". What is
not named stays. `page/patch.js` applies it.
"""

from collections.abc import Iterable
from typing import Any

Patch = dict[str, Any] | list[Any]


def difference(before: Any, after: Any) -> Patch | None:
    """The patch that makes `after` of `before`, arrays as lists or tuples; None when they are equal."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return _within((key, before[key], after[key]) for key in after)
    if isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        return _within((str(index), *pair) for index, pair in enumerate(zip(before, after, strict=True)))
    # True equals 1 in Python, and is another thing in JSON.
    return None if type(before) is type(after) and before == after else [after]


def _within(items: Iterable[tuple[str, Any, Any]]) -> Patch | None:
    patches = {key: patch for key, old, new in items if (patch := difference(old, new)) is not None}
    return patches or None
