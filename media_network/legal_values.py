"""What a value may be, in the words of a person, read off the type that it is held to."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct

_SHOWN_MAX = 60
_PLAIN = {bool: "true or false", str: "text", bytes: "base64 text"}
_NUMBERS = {int: "a whole number", float: "a number"}


def legal(kind: Any) -> str:
    """What a value of a type may be, such as "a whole number from 1 to 16"."""
    plain, limits = of_kind(kind)
    for limit in limits:
        if limit.description:
            return limit.description
    if get_origin(plain) in (Union, UnionType):
        return " or ".join(legal(each) for each in get_args(plain) if each is not type(None))
    if words := words_of(plain):
        return f"one of {', '.join(words)}"
    if plain in _NUMBERS:
        return _NUMBERS[plain] + _range(limits)
    if get_origin(plain) is tuple:
        return f"a list{_length(limits, 'entries')} in which each is {legal(get_args(plain)[0])}"
    return _structure(plain) or _PLAIN.get(plain, "another value") + _length(limits, "letters")


def words_of(kind: Any) -> tuple[str, ...]:
    """The words that a value may be; none where it may be anything."""
    plain, _ = of_kind(kind)
    if get_origin(plain) is Literal:
        return tuple(map(str, get_args(plain)))
    if isinstance(plain, type) and issubclass(plain, Enum):
        return tuple(str(each.value) for each in plain)
    return ()


def did_you_mean(written: object, known: Iterable[str]) -> str:
    """The one that is meant, most likely, as a bracket to append; empty where none is like it."""
    close = get_close_matches(written.lower(), known, n=1) if isinstance(written, str) else []
    return f" (did you mean {close[0]}?)" if close else ""


def shown(value: object) -> str:
    """A value in a sentence, cut to a few words."""
    text = "empty" if value is None else repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."


def of_kind(kind: Any) -> tuple[Any, tuple[Meta, ...]]:
    """A type without its limits, and those."""
    if get_origin(kind) is not Annotated:
        return kind, ()
    plain, *limits = get_args(kind)
    return plain, tuple(limit for limit in limits if isinstance(limit, Meta))


def _structure(plain: Any) -> str:
    if isinstance(plain, type) and issubclass(plain, Struct):
        return f"a mapping with the keys {', '.join(plain.__struct_fields__)}"
    if isinstance(get_origin(plain), type) and issubclass(get_origin(plain), Mapping):
        key, value = get_args(plain)
        return f"a mapping whose keys are {_plural(legal(key))}, and in which each is {legal(value)}"
    return ""


def _plural(of_a_key: str) -> str:
    return "text" if of_a_key == "text" else f"each {of_a_key}"


def _range(limits: tuple[Meta, ...]) -> str:
    low = next((limit.ge for limit in limits if limit.ge is not None), None)
    high = next((limit.le for limit in limits if limit.le is not None), None)
    above = next((limit.gt for limit in limits if limit.gt is not None), None)
    under = next((limit.lt for limit in limits if limit.lt is not None), None)
    if low is not None and high is not None:
        return f" from {low} to {high}"
    bounds = (("of at least", low), ("above", above), ("of at most", high), ("below", under))
    words = [f"{word} {bound}" for word, bound in bounds if bound is not None]
    return f" {' and '.join(words)}" if words else ""


def _length(limits: tuple[Meta, ...], of_what: str) -> str:
    least = next((limit.min_length for limit in limits if limit.min_length is not None), None)
    most = next((limit.max_length for limit in limits if limit.max_length is not None), None)
    if least is not None and most is not None:
        return f" of {least} to {most} {of_what}"
    if most is not None:
        return f" of at most {most} {of_what}"
    return f" of at least {least} {of_what}" if least else ""
