"""What happens to a stream at an engine: the facts of the messages it hears, and of what it sends.

`packet`, where an event has it, is the next one that the turn which is being sent has to send.
"""

from typing import TypeAlias

from msgspec import Struct

from blade_agent.main_board.engine.turns.states import Given
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import Next, Preload, StopCause
from media_network.refusal import Refused


class PreloadOrdered(Struct, frozen=True):
    """`PRELOAD`, or `SWAP`: get ready to send this turn."""

    order: Preload
    given: Given | None = None
    """What is handed over in exchange for it."""


class SegmentOpened(Struct, frozen=True):
    """The first of what was ordered is in memory."""

    order: Preload
    given: Given | None = None


class PreloadLapsed(Struct, frozen=True):
    """Nobody has asked for this turn in time."""

    turn: int


class StartOrdered(Struct, frozen=True, kw_only=True):
    """`START`, or a console's `STREAM`: send this turn, from a packet on that is due then."""

    turn: int
    packet: int
    due_at: float
    leased: bool
    """Whether the engine may send at all."""
    draining: bool
    at: int
    """The next packet of the turn that is being sent."""


class CeaseOrdered(Struct, frozen=True, kw_only=True):
    """`CEASE`: send nothing of any turn up to this one, now or later."""

    turn: int
    cause: StopCause
    packet: int


class TurnRevoked(Struct, frozen=True, kw_only=True):
    """The director does not let this turn go on."""

    turn: int
    packet: int


class LeaseEnded(Struct, frozen=True):
    """Nothing may be sent any more."""

    packet: int


class DutyLeft(Struct, frozen=True):
    """The engine ends."""

    packet: int


class DrainOrdered(Struct, frozen=True):
    """Everything is to be handed over as soon as another engine is ready."""


class DrainEnded(Struct, frozen=True):
    """The engine is to stay after all."""


class DirectorReplaced(Struct, frozen=True):
    """What the director before has prepared is void."""


class UnderrunForeseen(Struct, frozen=True):
    """This turn will need more of its segment than has arrived by then."""

    turn: int


class UnderrunAverted(Struct, frozen=True):
    """What this turn needs will be here after all."""

    turn: int


class GivenAway(Struct, frozen=True):
    """A stream has begun here in exchange for this turn: the engine that it came from is ready to go on with it."""

    given: Given


class EndNeared(Struct, frozen=True):
    """What remains of this turn plays no longer than the lead time."""

    turn: int


class AllLeft(Struct, frozen=True):
    """All of this turn has left the machine."""

    turn: int
    packet: int


class SegmentUnreadable(Struct, frozen=True):
    """The rest of this turn cannot be read."""

    turn: int
    packet: int


class AssumptionAnswered(Struct, frozen=True):
    """The director has heard that this turn was assumed; `refused`: it was given to somebody else."""

    turn: int
    packet: int
    refused: bool


class NextAnswered(Struct, frozen=True):
    """The director has said what follows this turn; None: it has not answered for too long."""

    turn: int
    packet: int
    answer: Next | Refused | None


class NeighbourAnswered(Struct, frozen=True):
    """The engine that was named to follow this turn is ready, or will not be."""

    turn: int
    ready: bool


class NeighbourStarted(Struct, frozen=True):
    """What came of directing it to start."""

    turn: int
    packet: int
    outcome: StartOutcome


Event: TypeAlias = (
    PreloadOrdered
    | SegmentOpened
    | PreloadLapsed
    | StartOrdered
    | CeaseOrdered
    | TurnRevoked
    | LeaseEnded
    | DutyLeft
    | DrainOrdered
    | DrainEnded
    | DirectorReplaced
    | UnderrunForeseen
    | UnderrunAverted
    | GivenAway
    | EndNeared
    | AllLeft
    | SegmentUnreadable
    | AssumptionAnswered
    | NextAnswered
    | NeighbourAnswered
    | NeighbourStarted
)
