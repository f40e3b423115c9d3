"""What can go wrong on purpose. Pure facts: which kind, where, and how badly.

A target is `<station>/<slot>`, a whole `<station>` (each of its slots) or, for a supply, `<station>/supply-<n>`;
a crash and a hang can befall any process that `ps` lists.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Seed = int | None
"""Of the randomness; None lets the environment draw one, and show it."""


class Direction(StrEnum):
    """Which bytes of a line are concerned."""

    BOTH = "both"
    TO_BLADE = "to-blade"
    TO_MANAGER = "to-manager"


def _tag(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


class Fault(Struct, frozen=True, kw_only=True, tag_field="kind", tag=_tag, forbid_unknown_fields=True):
    """Something that goes wrong somewhere until it is cleared."""

    target: str


class LineFault(Fault, frozen=True, kw_only=True, tag=_tag, forbid_unknown_fields=True):
    """Something that befalls the serial line between a blade and its chassis manager."""

    direction: Direction = Direction.BOTH
    seed: Seed = None


class Noise(LineFault, frozen=True, kw_only=True, tag=_tag):
    """Bits flip on the line, each by itself."""

    bit_error_rate: Annotated[float, Meta(gt=0, le=0.5)] = 1e-3


class NoiseBursts(LineFault, frozen=True, kw_only=True, tag=_tag):
    """Bytes that nobody sent come up on the line, also while it is idle."""

    bursts_per_s: Annotated[float, Meta(gt=0, le=1000)] = 100.0
    """On the whole line; half of them in each direction."""
    burst_bytes: Annotated[int, Meta(ge=1, le=256)] = 8
    """At most in one burst."""


class LostFrames(LineFault, frozen=True, kw_only=True, tag=_tag):
    """Frames do not arrive."""

    share: Share = 0.3


class DoubledFrames(LineFault, frozen=True, kw_only=True, tag=_tag):
    """Frames arrive twice."""

    share: Share = 0.3


class CutFrames(LineFault, frozen=True, kw_only=True, tag=_tag):
    """Frames break off before their end."""

    share: Share = 0.3


class DelayedFrames(LineFault, frozen=True, kw_only=True, tag=_tag):
    """Frames, and whatever comes after them, arrive later."""

    share: Share = 0.3
    delay_ms: Annotated[float, Meta(gt=0, le=60_000)] = 200.0


class StuckLine(LineFault, frozen=True, kw_only=True, tag=_tag):
    """The line carries nothing."""


class Crash(Fault, frozen=True, kw_only=True, tag=_tag):
    """The process is killed (SIGKILL), and started again when the fault ends."""


class Hang(Fault, frozen=True, kw_only=True, tag=_tag):
    """The process stands still (SIGSTOP), and goes on when the fault ends."""


class OverTemperature(Fault, frozen=True, kw_only=True, tag=_tag):
    """A blade's heat sink is loose: its processor is hotter than its board."""

    rise_k: Annotated[float, Meta(gt=0, le=150)] = 50.0


class HotInlet(Fault, frozen=True, kw_only=True, tag=_tag):
    """The chassis takes in warmer air."""

    rise_k: Annotated[float, Meta(gt=0, le=60)] = 25.0


class FanFailure(Fault, frozen=True, kw_only=True, tag=_tag):
    """The fan behind a slot runs down."""


class SupplyFailure(Fault, frozen=True, kw_only=True, tag=_tag):
    """A power supply of the chassis gives nothing."""


class BrownOut(Fault, frozen=True, kw_only=True, tag=_tag):
    """A slot gets less than its voltage. Below nine tenths its blade goes down, and boots when the power is good."""

    voltage_share: Share = 0.8


FrameFault = LostFrames | DoubledFrames | CutFrames | DelayedFrames
ProcessFault = Crash | Hang
PhysicalFault = OverTemperature | HotInlet | FanFailure | SupplyFailure | BrownOut
AnyFault = (
    Noise
    | NoiseBursts
    | LostFrames
    | DoubledFrames
    | CutFrames
    | DelayedFrames
    | StuckLine
    | Crash
    | Hang
    | OverTemperature
    | HotInlet
    | FanFailure
    | SupplyFailure
    | BrownOut
)

KINDS: dict[str, type[Fault]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        Noise,
        NoiseBursts,
        LostFrames,
        DoubledFrames,
        CutFrames,
        DelayedFrames,
        StuckLine,
        Crash,
        Hang,
        OverTemperature,
        HotInlet,
        FanFailure,
        SupplyFailure,
        BrownOut,
    )
}
"""Every kind by what `chassis-emulator fault` calls it."""


def kind_of(fault: Fault) -> str:
    """What `chassis-emulator fault` calls it."""
    return str(fault.__struct_config__.tag)


def summary_of(kind: type[Fault]) -> str:
    """One sentence for a person."""
    return " ".join((kind.__doc__ or "").split())


def facts_of(fault: Fault) -> dict[str, object]:
    """How badly, by the names of its fields; without kind and target."""
    known: dict[str, object] = msgspec.to_builtins(fault)
    return {name: value for name, value in known.items() if name not in ("kind", "target") and value is not None}
