"""The numbers that a kind of fault takes, read off its class."""

import math
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from chassis_emulator.faults.kinds import Fault

_NUMBERS = (int, float)


class Parameter(Struct, frozen=True, kw_only=True):
    """A number, how low and how high it may be, and what it is without a word."""

    name: str
    number: type[int] | type[float]
    default: float
    lowest: float
    highest: float
    unit: str
    """Empty of a mere number."""
    help: str

    @property
    def text(self) -> str:
        """Its name for a person, without its unit."""
        return (self.name.rpartition("_")[0] if self.unit else self.name).replace("_", " ")


def parameters_of(kind: type[Fault]) -> tuple[Parameter, ...]:
    """All of them, in the order of the fields."""
    types = get_type_hints(kind, include_extras=True)
    return tuple(
        _parameter(field.name, field.default, *get_args(types[field.name]))
        for field in msgspec.structs.fields(kind)
        if _is_number(types[field.name])
    )


def _is_number(annotated: Any) -> bool:
    plain, *metas = get_args(annotated) or (annotated,)
    return plain in _NUMBERS and isinstance(metas[-1], Meta)


def _parameter(name: str, default: float, number: type[int] | type[float], limits: Meta) -> Parameter:
    words = limits.extra or {}
    return Parameter(
        name=name,
        number=number,
        default=default,
        lowest=float(limits.ge if limits.ge is not None else limits.gt or 0.0),
        highest=float(limits.le if limits.le is not None else math.inf),
        unit=words.get("unit", ""),
        help=words["help"],
    )
