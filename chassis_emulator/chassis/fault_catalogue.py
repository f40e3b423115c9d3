"""The kinds of faults as the panel offers them: what each befalls, and the numbers it takes."""

import math
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Meta

from chassis_emulator.faults.kinds import (
    KINDS,
    BrownOut,
    Crash,
    Fault,
    Hang,
    HotInlet,
    SupplyFailure,
    facts_of,
    kind_of,
    summary_of,
)
from chassis_emulator.panel.model import FaultKind, FaultParameter, FaultTarget, InjectedFault

_CUT_OFF = (Crash, Hang, BrownOut)
_TARGETS = {SupplyFailure: FaultTarget.SUPPLY, HotInlet: FaultTarget.CHASSIS}
_UNITS = {"rise_k": "K", "delay_ms": "ms", "bursts_per_s": "1/s", "burst_bytes": "bytes"}
_NUMBERS = (int, float)


def fault_kinds() -> tuple[FaultKind, ...]:
    """Every kind of fault."""
    return tuple(
        FaultKind(
            kind=name,
            text=name.replace("-", " ").capitalize(),
            target=_TARGETS.get(kind, FaultTarget.BLADE),
            cuts_viewers_off=issubclass(kind, _CUT_OFF),
            parameters=tuple(_parameters(kind)),
        )
        for name, kind in KINDS.items()
    )


def injected(fault_id: str, fault: Fault) -> InjectedFault:
    """Show a fault that is on."""
    facts = {name: value for name, value in facts_of(fault).items() if name not in ("seed", "direction")}
    numbers = "".join(f", {_words(name)} {value} {_UNITS.get(name, '')}".rstrip() for name, value in facts.items())
    return InjectedFault(
        fault=fault_id,
        kind=kind_of(fault),
        target=fault.target,
        text=f"{summary_of(type(fault)).partition('.')[0]}{numbers}",
    )


def _parameters(kind: type[Fault]) -> Iterator[FaultParameter]:
    types = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        limits = _limits(types[field.name])
        if limits:
            yield FaultParameter(
                name=field.name,
                text=_words(field.name),
                default=float(field.default),
                lowest=float(limits.ge if limits.ge is not None else limits.gt or 0.0),
                highest=float(limits.le if limits.le is not None else math.inf),
                unit=_UNITS.get(field.name, ""),
            )


def _words(field: str) -> str:
    """A field's name for a person, without its unit."""
    return (field.rpartition("_")[0] if field in _UNITS else field).replace("_", " ")


def _limits(kind: Any) -> Meta | None:
    """The limits of a field that is a number; None of any other."""
    plain, *metas = get_args(kind) or (kind,)
    return next((meta for meta in metas if plain in _NUMBERS and isinstance(meta, Meta)), None)
