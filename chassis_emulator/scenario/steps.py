"""What a scenario is: steps, each at its moment. Pure facts.

```yaml
name: warm-evening
steps:
  - at: 2               # seconds from the start
    action: fault       # its keys are the options of `chassis-emulator fault KIND`
    kind: over-temperature
    target: north/3
    rise_k: 60
    for: 30             # seconds; without it, until a `clear`, or the end of the scenario
    name: hot           # so that a `clear` can name it
  - at: 10
    action: pull
    target: north/2
    surprise: true
  - at: 20
    action: insert
    target: north/2
  - at: 25
    action: clear       # `name: hot`, or all that this scenario began
```
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from chassis_emulator.faults.kinds import AnyFault, kind_of

Target = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}/[0-9]{1,2}$", description="a slot, such as north/3")]
Name = Annotated[
    str, Meta(pattern=r"^[a-z0-9-]{1,32}$", description="at most 32 lower case letters, digits and hyphens")
]
Seconds = Annotated[float, Meta(ge=0, le=86_400, description="seconds, from 0 to 86400")]


class Step(Struct, frozen=True, kw_only=True):
    """Something that happens so many seconds after the start."""

    at: Seconds

    def describe(self) -> str:
        """Say it in a few words."""
        raise NotImplementedError


class FaultStep(Step, frozen=True, kw_only=True):
    """Something goes wrong."""

    fault: AnyFault
    for_s: float | None = None
    name: str = ""

    def describe(self) -> str:
        """See `Step`."""
        return f"{kind_of(self.fault)} at {self.fault.target}" + (f" for {self.for_s:g} s" if self.for_s else "")


class EndFaultsStep(Step, frozen=True, kw_only=True):
    """A fault of this scenario ends; without a name, all of them."""

    name: Name = ""

    def describe(self) -> str:
        """See `Step`."""
        return f"clear {self.name or 'all faults'}"


class PullStep(Step, frozen=True, kw_only=True):
    """A blade is taken out."""

    target: Target
    surprise: Annotated[bool, Meta(description="true or false")] = False

    def describe(self) -> str:
        """See `Step`."""
        return f"pull {self.target}" + (" by surprise" if self.surprise else "")


class InsertStep(Step, frozen=True, kw_only=True):
    """A blade is put back."""

    target: Target

    def describe(self) -> str:
        """See `Step`."""
        return f"insert {self.target}"


class PowerStep(Step, frozen=True, kw_only=True):
    """The chassis manager switches a blade's power."""

    target: Target
    power: Annotated[Literal["on", "off", "cycle"], Meta(description="on, off or cycle")]

    def describe(self) -> str:
        """See `Step`."""
        return f"power {self.power} at {self.target}"


class ResetStep(Step, frozen=True, kw_only=True):
    """The chassis manager resets a blade."""

    target: Target

    def describe(self) -> str:
        """See `Step`."""
        return f"reset {self.target}"


class IdentifyStep(Step, frozen=True, kw_only=True):
    """The chassis manager lets a blade blink."""

    target: Target
    seconds: Annotated[int, Meta(ge=0, le=255, description="a whole number from 0 to 255")] = 15

    def describe(self) -> str:
        """See `Step`."""
        return f"identify {self.target}"


AnyStep: TypeAlias = FaultStep | EndFaultsStep | PullStep | InsertStep | PowerStep | ResetStep | IdentifyStep


class Scenario(Struct, frozen=True, kw_only=True):
    """A timed list, in the order of its moments."""

    name: str
    steps: tuple[AnyStep, ...]
