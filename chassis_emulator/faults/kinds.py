"""What can go wrong on purpose. Pure facts: which kind, what it befalls, and how badly.

A kind is a class: its name is what the command and scenarios call it, its first sentence what a person reads, its
fields what can be said of it. A kind more is a class here and a name in `AnyFault`, and what it does: to a line in
`lines/impairment.py`, to all else in `chassis/striking.py`. The command, the panel and scenarios have it from here.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, get_args

import msgspec
from msgspec import Meta, Struct

FrameShare = Annotated[float, Meta(ge=0, le=1, extra={"help": "Share of the frames that it befalls."})]
Seed = int | None
"""Of the randomness; None lets the environment draw one, and show it."""


class Victim(StrEnum):
    """What a kind of fault befalls, and what its target names."""

    BLADE = "blade"
    """A slot `<station>/<slot>`, or a whole `<station>`: each of its slots."""
    PROCESS = "process"
    """Any process that `ps` lists, or a whole `<station>`: each of its blades."""
    SUPPLY = "supply"
    """`<station>/supply-<n>`."""
    CHASSIS = "chassis"
    """A `<station>`."""
    CHANNEL = "channel"
    """An I/O channel `<station>/<slot>/channel-<n>`, or a slot `<station>/<slot>`: each of its channels."""


class Direction(StrEnum):
    """Which bytes of a line are concerned."""

    BOTH = "both"
    TO_BLADE = "to-blade"
    TO_MANAGER = "to-manager"


def _tag(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


class Fault(Struct, frozen=True, kw_only=True, tag_field="kind", tag=_tag, forbid_unknown_fields=True):
    """Something that goes wrong somewhere until it is cleared."""

    befalls: ClassVar[Victim] = Victim.BLADE
    cuts_viewers_off: ClassVar[bool] = False
    """Whether a blade that has it stops sending to its viewers."""
    example: ClassVar[str]
    """What may follow the kind in a command."""
    target: str


class LineFault(Fault, frozen=True, kw_only=True):
    """Something that befalls the serial line between a blade and its chassis manager."""

    direction: Direction = Direction.BOTH
    seed: Seed = None


class Noise(LineFault, frozen=True, kw_only=True):
    """Bits flip on the line, each by itself."""

    example = "north/3 --bit-error-rate 0.001"
    bit_error_rate: Annotated[float, Meta(gt=0, le=0.5, extra={"help": "Share of all bits that flip."})] = 1e-3


class NoiseBursts(LineFault, frozen=True, kw_only=True):
    """Bytes that nobody sent come up on the line, also while it is idle."""

    example = "north --bursts-per-s 160 --for 60"
    bursts_per_s: Annotated[
        float, Meta(gt=0, le=1000, extra={"unit": "1/s", "help": "Bursts a second on the line, half of them each way."})
    ] = 100.0
    burst_bytes: Annotated[int, Meta(ge=1, le=256, extra={"unit": "bytes", "help": "Bytes of a burst, at most."})] = 8


class LostFrames(LineFault, frozen=True, kw_only=True):
    """Frames do not arrive."""

    example = "north/3 --share 0.5"
    share: FrameShare = 0.3


class DoubledFrames(LineFault, frozen=True, kw_only=True):
    """Frames arrive twice."""

    example = "north/3 --direction to-blade"
    share: FrameShare = 0.3


class CutFrames(LineFault, frozen=True, kw_only=True):
    """Frames break off before their end."""

    example = "north/3 --seed 7"
    share: FrameShare = 0.3


class DelayedFrames(LineFault, frozen=True, kw_only=True):
    """Frames, and whatever comes after them, arrive later."""

    example = "north/3 --share 1 --delay-ms 500"
    share: FrameShare = 0.3
    delay_ms: Annotated[
        float, Meta(gt=0, le=60_000, extra={"unit": "ms", "help": "Milliseconds that a frame comes later."})
    ] = 200.0


class StuckLine(LineFault, frozen=True, kw_only=True):
    """The line carries nothing."""

    example = "north/3 --for 10"


class Crash(Fault, frozen=True, kw_only=True):
    """The process is killed (SIGKILL), and started again when the fault ends."""

    befalls = Victim.PROCESS
    cuts_viewers_off = True
    example = "north/3 --for 5"


class Hang(Fault, frozen=True, kw_only=True):
    """The process stands still (SIGSTOP), and goes on when the fault ends."""

    befalls = Victim.PROCESS
    cuts_viewers_off = True
    example = "north/manager --for 10"


class OverTemperature(Fault, frozen=True, kw_only=True):
    """A blade's heat sink is loose: its processor is hotter than its board."""

    example = "north/3 --rise-k 60"
    rise_k: Annotated[float, Meta(gt=0, le=150, extra={"unit": "K", "help": "Degrees more."})] = 50.0


class HotInlet(Fault, frozen=True, kw_only=True):
    """The chassis takes in warmer air."""

    befalls = Victim.CHASSIS
    example = "north --rise-k 20"
    rise_k: Annotated[float, Meta(gt=0, le=60, extra={"unit": "K", "help": "Degrees more."})] = 25.0


class FanFailure(Fault, frozen=True, kw_only=True):
    """The fan behind a slot runs down."""

    example = "north/3"


class SupplyFailure(Fault, frozen=True, kw_only=True):
    """A power supply of the chassis gives nothing."""

    befalls = Victim.SUPPLY
    example = "north/supply-1"


class BrownOut(Fault, frozen=True, kw_only=True):
    """A slot gets less than its voltage. Below nine tenths its blade goes down, and boots when the power is good."""

    cuts_viewers_off = True
    example = "north/3 --voltage-share 0.8 --for 3"
    voltage_share: Annotated[float, Meta(ge=0, le=1, extra={"help": "Share of the voltage that is left."})] = 0.8


class HangingChannel(Fault, frozen=True, kw_only=True):
    """The disk of an I/O channel does not answer."""

    befalls = Victim.CHANNEL
    example = "north/3/channel-1 --for 10"


FrameFault = LostFrames | DoubledFrames | CutFrames | DelayedFrames
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
    | HangingChannel
)

KINDS: dict[str, type[Fault]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyFault)}
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
