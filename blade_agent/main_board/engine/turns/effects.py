"""What a stream at an engine wants done: segments opened and sent, messages said, orders answered, facts counted."""

from enum import Enum, auto
from typing import TypeAlias

from msgspec import Struct

from blade_agent.main_board.engine.turns.states import Asking, Given, HandingOver, Preloading, Stand
from media_network.messages.streaming import Preload, StopCause
from media_network.refusal import Refused


class OpenSegment(Struct, frozen=True):
    """Have the first of it in memory: `SegmentOpened`."""

    order: Preload
    given: Given | None = None
    """What is handed over in exchange for it."""


class HoldReady(Struct, frozen=True):
    """Keep this turn ready, for as long as a preload is good: `PreloadLapsed`."""

    order: Preload


class CloseSegment(Struct, frozen=True):
    """Let go of the segment of this turn; nothing of it is sent."""

    turn: int


class BeginSending(Struct, frozen=True, kw_only=True):
    """Send this turn from a packet on that is due then: `EndNeared`, `AllLeft`, `SegmentUnreadable`."""

    turn: int
    packet: int
    due_at: float


class CutSending(Struct, frozen=True):
    """End this turn in a moment: `AllLeft`."""

    turn: int


class ResumeSending(Struct, frozen=True):
    """Send the rest of its segment after all."""

    turn: int


class StopSending(Struct, frozen=True):
    """Send nothing more of this turn, and let go of its segment."""

    turn: int


class SayAssumed(Struct, frozen=True, kw_only=True):
    """Tell the director, until it has heard: `AssumptionAnswered`."""

    order: Preload
    packet: int


class AskNext(Struct, frozen=True):
    """Ask the director what follows, until it knows: `NextAnswered`."""

    asking: Asking


class PreloadNeighbour(Struct, frozen=True):
    """Notify the engine that was named, or swap with it: `NeighbourAnswered`."""

    preloading: Preloading


class StartNeighbour(Struct, frozen=True):
    """Direct it to start: `NeighbourStarted`."""

    starting: HandingOver


class SayStopped(Struct, frozen=True, kw_only=True):
    """Tell the director where the stream stopped."""

    order: Preload
    stand: Stand
    first_packet: int
    cause: StopCause


class GiveAway(Struct, frozen=True):
    """Hand another stream over, as soon as it can be cut: `GivenAway`."""

    given: Given


class ReportSoon(Struct, frozen=True):
    """The director should hear of it before the next report is due."""


class ConfirmOrder(Struct, frozen=True):
    """Answer that it was done: `Done`, or `Ready` to a preload."""


class RefuseOrder(Struct, frozen=True):
    """Answer with a refusal."""

    refused: Refused


class TellStand(Struct, frozen=True):
    """Answer where the stream stood; None if no such turn was sent here."""

    stand: Stand | None


class StreamFact(Enum):
    """What is worth counting."""

    STARTED = auto()
    TAKEN_OVER = auto()
    """From another turn."""
    HANDED_OVER = auto()
    NOT_TAKEN = auto()
    """Within a segment: the stream went on here."""


class CountStream(Struct, frozen=True):
    """Something happened."""

    fact: StreamFact


Effect: TypeAlias = (
    OpenSegment
    | HoldReady
    | CloseSegment
    | BeginSending
    | CutSending
    | ResumeSending
    | StopSending
    | SayAssumed
    | AskNext
    | PreloadNeighbour
    | StartNeighbour
    | SayStopped
    | GiveAway
    | ReportSoon
    | ConfirmOrder
    | RefuseOrder
    | TellStand
    | CountStream
)
Effects: TypeAlias = tuple[Effect, ...]
