"""What the environment can be told of its chassis and their faults over its control socket."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chassis_emulator.faults.book import FaultRow
from chassis_emulator.faults.kinds import AnyFault
from chassis_emulator.panel.model import Picture
from media_network.messages.verb import MIB, Caller, Done, Verb

PATIENCE_S = 60.0
"""How long a blade may take to hand its work over before a person wants to know."""


class PullBlade(Struct, frozen=True, kw_only=True):
    """Take a blade out of its slot."""

    blade: str
    surprise: bool = False
    """At once, as a hand would; else when its blue light says that it may be."""
    patience_s: Annotated[float, Meta(gt=0, le=3600)] = PATIENCE_S


class InsertBlade(Struct, frozen=True):
    """Put a blade back into its slot."""

    blade: str


class SwitchPower(Struct, frozen=True, kw_only=True):
    """Have the chassis manager switch a blade's power."""

    blade: str
    action: Literal["on", "off", "cycle"]


class ResetSlot(Struct, frozen=True):
    """Have the chassis manager reset a blade."""

    blade: str


class BlinkBlade(Struct, frozen=True, kw_only=True):
    """Have the chassis manager let a blade blink."""

    blade: str
    seconds: Annotated[int, Meta(ge=0, le=255)] = 15


class BeginFault(Struct, frozen=True, kw_only=True):
    """Let something go wrong."""

    fault: AnyFault
    for_s: Annotated[float, Meta(gt=0)] | None = None
    """After so long it ends by itself; None: when it is cleared."""


class ListFaults(Struct, frozen=True):
    """Ask for the faults that are on."""


class FaultRows(Struct, frozen=True):
    """Faults, the oldest first."""

    faults: tuple[FaultRow, ...]


class EndFaults(Struct, frozen=True):
    """End faults; those that have ended already are no mistake."""

    ids: tuple[str, ...] | None = None
    """None: all of them."""


class AskPicture(Struct, frozen=True):
    """Ask for all that is to be seen of the network."""


PULL = Verb(
    "pull", PullBlade, Done, "Take a blade out of its slot; answers when it is out.", callers=(Caller.OPERATOR,)
)
INSERT = Verb("insert", InsertBlade, Done, "Put a blade back into its slot.", callers=(Caller.OPERATOR,))
POWER = Verb("power", SwitchPower, Done, "Switch a blade's power.", callers=(Caller.OPERATOR,))
RESET = Verb("reset", ResetSlot, Done, "Reset a blade.", callers=(Caller.OPERATOR,))
IDENTIFY = Verb("identify", BlinkBlade, Done, "Let a blade blink.", callers=(Caller.OPERATOR,))
BEGIN_FAULT = Verb("fault", BeginFault, FaultRow, "Let something go wrong.", callers=(Caller.OPERATOR,))
FAULTS = Verb(
    "faults", ListFaults, FaultRows, "The faults that are on.", callers=(Caller.ANYBODY,), reply_bytes_max=4 * MIB
)
END_FAULTS = Verb(
    "clear-faults",
    EndFaults,
    FaultRows,
    "End faults; answers with those that were ended.",
    callers=(Caller.OPERATOR,),
    request_bytes_max=MIB,
    reply_bytes_max=4 * MIB,
)
PICTURE = Verb(
    "chassis",
    AskPicture,
    Picture,
    "All that is to be seen of the network.",
    callers=(Caller.ANYBODY,),
    reply_bytes_max=16 * MIB,  # 2 kB a slot, of 4064, and 500 events
)
