"""What is shown, field by field, each with the version in which it became so: what changed since costs what changed.

No I/O.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

_GONE_KEPT = 4096
"""Of so many things that are gone it is known when they went; who saw an older version is told all anew."""
_encode = msgspec.json.encode
Fields = Mapping[str, Any]


Name = TypeVar("Name", str, int)


class ChangeLog(Generic[Name]):
    """Things by name. A version is a number that grows."""

    def __init__(self, name_field: str) -> None:
        """`name_field`: the field that says of which thing the others are."""
        self._name_field = _encode(name_field) + b":"
        self._things: OrderedDict[Name, dict[bytes, tuple[int, bytes]]] = OrderedDict()
        """Encoded fields and since when; what changed last is at the end."""
        self._changed_in: dict[Name, int] = {}
        self._gone: OrderedDict[Name, int] = OrderedDict()
        self.complete_after = -1
        """Who saw this version or a later one can be told what changed since."""

    def put(self, name: Name, fields: Fields, version: int) -> bool:
        """Take in what a thing is now; gives whether that is news."""
        known = self._things.get(name, {})
        encoded = {_encode(field): _encode(value) for field, value in fields.items()}
        changed = [field for field, value in encoded.items() if field not in known or known[field][1] != value]
        for field in known.keys() - encoded.keys():
            encoded[field] = b"null"
            if known[field][1] != b"null":
                changed.append(field)
        if name in self._things and not changed:
            return False
        self._things[name] = known | {field: (version, encoded[field]) for field in changed}
        self._things.move_to_end(name)
        self._changed_in[name] = version
        self._gone.pop(name, None)
        return True

    def drop(self, name: Name, version: int) -> bool:
        """A thing is gone; gives whether it had been there."""
        if self._things.pop(name, None) is None:
            return False
        del self._changed_in[name]
        self._gone[name] = version
        if len(self._gone) > _GONE_KEPT:
            self.complete_after = self._gone.popitem(last=False)[1]
        return True

    def after(self, version: int) -> bytes:
        """JSON of the things that became others after a version: their names, and the fields that did."""
        changed = [self._written(name, fields, version) for name, fields in self._latest(version)]
        return b"[" + b",".join(reversed(changed)) + b"]"

    def gone_after(self, version: int) -> list[Name]:
        """Names of what went after a version."""
        names = []
        for name in reversed(self._gone):
            if self._gone[name] <= version:
                break
            names.append(name)
        return names

    def _latest(self, version: int) -> Iterator[tuple[Name, dict[bytes, tuple[int, bytes]]]]:
        for name in reversed(self._things):
            if self._changed_in[name] <= version:
                return
            yield name, self._things[name]

    def _written(self, name: Name, fields: dict[bytes, tuple[int, bytes]], version: int) -> bytes:
        named = [self._name_field + _encode(name)]
        others = [field + b":" + value for field, (since, value) in fields.items() if since > version]
        return b"{" + b",".join(named + others) + b"}"
