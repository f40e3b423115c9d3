"""What a person or a stranger wrote, read strictly: who is wrong hears which key it is, and what it may be.

msgspec says the same in its own words, such as "Expected `int` >= 1 - at `$.slot`", and knows neither what a thing is
called nor what a person may have meant. No file is known here; `media_network/document.py` reads those.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from types import UnionType
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from media_network.legal_values import did_you_mean, legal, of_kind, shown, words_of
from media_network.secret import SECRET

_Read = TypeVar("_Read", bound=Struct)


class StrictReader:
    """Reads structures of plain values. What is wrong goes to `refuse`: the path of the key, and the reason."""

    def __init__(self, what: str, refuse: Callable[[str, str], Exception], *, newer_keys: bool = False) -> None:
        """Read a `what`; with `newer_keys`, keys that nobody knows are passed over where their structure allows it."""
        self._what = what
        self._refuse = refuse
        self._newer_keys = newer_keys
        self.secrets: list[str] = []
        """The keys of what nobody else may read."""

    def struct(self, kind: type[_Read], document: object, at: str) -> _Read:
        """One mapping, key by key, so that an error knows the key, its index and what it may be."""
        known = self.mapping(document, kind.__struct_fields__, at, newer_keys=self._passes_over(kind))
        values: dict[str, object] = {}
        wanted = {name: field for name, field in _fields_of(kind).items() if name in known or field[1]}
        for name, (field_kind, _) in wanted.items():
            here = below(at, name)
            with self._one_of_several():
                if name not in known:
                    self._wrong(here, f"is missing; it must be {legal(field_kind)}")
                values[name] = self.read(field_kind, known[name], here)
        self._whole(values, wanted)
        try:
            return kind(**values)
        except ValueError as error:
            self._wrong(f"{at}:" if at else "", str(error))

    def mapping(self, document: object, known: tuple[str, ...], at: str, *, newer_keys: bool = False) -> dict[str, Any]:
        """A mapping with no other keys than these."""
        if not isinstance(document, dict):
            self._wrong(at, f"must be a mapping with the keys {', '.join(known)}")
        for key in document if not newer_keys else ():
            if key not in known:
                meant = did_you_mean(key, known)
                with self._one_of_several():
                    self._wrong(below(at, key), f"is not a key of a {self._what}{meant}; here are: {', '.join(known)}")
        return document

    def items(self, document: object, at: str, read: Callable[[object, str], Any]) -> tuple[Any, ...]:
        """A list with at least one entry."""
        if not isinstance(document, list) or not document:
            self._wrong(at, "must be a list with at least one entry")
        return tuple(read(entry, f"{at}[{index}]") for index, entry in enumerate(document))

    def one_of(self, choices: Mapping[str, Any], document: Mapping[str, Any], key: str, at: str) -> Any:
        """What the word under a key stands for."""
        if key not in document:
            self._wrong(below(at, key), f"is missing; it must be one of {', '.join(choices)}")
        word = document[key]
        if not isinstance(word, str) or word not in choices:
            meant = did_you_mean(word, choices)
            self._wrong(below(at, key), f"is {shown(word)}; it must be one of {', '.join(choices)}{meant}")
        return choices[word]

    def read(self, kind: Any, value: object, at: str) -> Any:
        """A value of any type that a field may have."""
        plain, _ = of_kind(kind)
        if value and _is_secret(kind):
            self.secrets.append(at)
        if get_origin(plain) in (Union, UnionType):
            return self._one_of_kinds(plain, value, at)
        if isinstance(plain, type) and issubclass(plain, Struct):
            return self.struct(plain, value, at)
        if get_origin(plain) is tuple:
            return self._tuple(kind, plain, value, at)
        if isinstance(get_origin(plain), type) and issubclass(get_origin(plain), Mapping):
            return self._mapping_of(plain, value, at)
        return self.value(kind, value, at)

    def value(self, kind: Any, value: object, at: str, *, strict: bool = True) -> Any:
        """One value of a type without an inside. A number that is not finite is none."""
        try:
            read = msgspec.convert(value, kind, strict=strict)
        except (msgspec.ValidationError, OverflowError):
            self._wrong_value(kind, value, at)
        if isinstance(read, float) and not math.isfinite(read):
            self._wrong_value(kind, value, at)
        return read

    def _one_of_kinds(self, union: Any, value: object, at: str) -> Any:
        """Of several types the one that is meant: the only one beside None, or the structure that a tag names."""
        kinds = [each for each in get_args(union) if each is not type(None)]
        if value is None and len(kinds) < len(get_args(union)):
            return None
        if len(kinds) == 1:
            return self.read(kinds[0], value, at)
        structures = [each for each in kinds if isinstance(each, type) and issubclass(each, Struct)]
        if len(structures) == 1:
            return self.struct(structures[0], value, at) if isinstance(value, dict) else self.value(union, value, at)
        if len(structures) < len(kinds):
            return self.value(union, value, at)
        tag = kinds[0].__struct_config__.tag_field
        by_tag = {each.__struct_config__.tag: each for each in kinds}
        if not isinstance(value, dict):
            self._wrong(at, f"must be a mapping with the key {tag}: one of {', '.join(by_tag)}")
        chosen = self.one_of(by_tag, value, tag, at)
        return self.struct(chosen, {key: inner for key, inner in value.items() if key != tag}, at)

    def _tuple(self, kind: Any, plain: Any, value: object, at: str) -> tuple[Any, ...]:
        _, limits = of_kind(kind)
        least = max((limit.min_length or 0 for limit in limits), default=0)
        most = min((limit.max_length for limit in limits if limit.max_length is not None), default=None)
        if not isinstance(value, list) or len(value) < least or (most is not None and len(value) > most):
            self._wrong(at, f"must be {legal(kind)}")
        item = get_args(plain)[0]
        read: list[object] = []
        for index, entry in enumerate(value):
            with self._one_of_several():
                read.append(self.read(item, entry, f"{at}[{index}]"))
        self._whole(read, value)
        return tuple(read)

    def _mapping_of(self, plain: Any, value: object, at: str) -> dict[Any, Any]:
        key_kind, value_kind = get_args(plain)
        if not isinstance(value, dict):
            self._wrong(at, f"must be {legal(plain)}")
        read: dict[Any, Any] = {}
        for key, inner in value.items():
            here = below(at, key)
            with self._one_of_several():
                try:
                    known = msgspec.convert(key, key_kind, strict=False)
                except msgspec.ValidationError:
                    self._wrong(here, f"is named {shown(key)}; its name must be {legal(key_kind)}")
                read[known] = self.read(value_kind, inner, here)
        self._whole(read, value)
        return read

    def _one_of_several(self) -> AbstractContextManager[None]:
        """Around what is read beside others: who is to hear of everything that is wrong goes on after it."""
        return nullcontext()

    def _whole(self, read: Sized, wanted: Sized) -> None:
        """Give up on what lacks something that was wrong. Raises _Unfinished."""
        if len(read) < len(wanted):
            raise _Unfinished

    def _passes_over(self, kind: type[Struct]) -> bool:
        return self._newer_keys and not kind.__struct_config__.forbid_unknown_fields

    def _wrong_value(self, kind: Any, value: object, at: str) -> NoReturn:
        if _is_secret(kind):
            self._wrong(at, f"must be {legal(kind)}")
        self._wrong(at, f"is {shown(value)}; it must be {legal(kind)}{did_you_mean(value, words_of(kind))}")

    def _wrong(self, at: str, reason: str) -> NoReturn:
        raise self._refuse(at, reason) from None


class WrongKey(Exception):
    """One thing that is wrong: `at` is the path of the key, empty for the whole."""

    def __init__(self, at: str, reason: str) -> None:
        super().__init__(at, reason)
        self.at = at
        self.reason = reason


class _Unfinished(Exception):
    """A structure of which a part was wrong, which has been said."""


class ThoroughReader(StrictReader):
    """One that goes on after what is wrong, for who wants to hear of all of it at once."""

    def __init__(self, what: str) -> None:
        """Read a `what`."""
        super().__init__(what, WrongKey)
        self._wrong_keys: list[WrongKey] = []

    def all_wrong(self, kind: type[Struct], document: object) -> list[WrongKey]:
        """Everything that is wrong with a document, in the order of its structure; nothing if it can be used."""
        self._wrong_keys = []
        with self._one_of_several():
            self.struct(kind, document, "")
        return self._wrong_keys

    @contextmanager
    def _one_of_several(self) -> Iterator[None]:
        try:
            yield
        except WrongKey as error:
            self._wrong_keys.append(error)
        except _Unfinished:
            return


def _is_secret(kind: Any) -> bool:
    return any((limit.extra or {}).get(SECRET) for limit in of_kind(kind)[1])


@cache
def _fields_of(kind: type[Struct]) -> dict[str, tuple[Any, bool]]:
    """Of each field its type, with its limits, and whether it has to be there."""
    types = get_type_hints(kind, include_extras=True)
    return {field.name: (types[field.name], field.required) for field in msgspec.structs.fields(kind)}


def below(at: str, key: object) -> str:
    """The path of a key."""
    return f"{at}.{key}" if at else str(key)
