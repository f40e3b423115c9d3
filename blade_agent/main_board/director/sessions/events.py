"""What happens to a pushed session: the facts of the messages that its director hears, and of the time that passes."""

from typing import TypeAlias

from msgspec import Struct

from blade_agent.main_board.director.sessions.course import NORMAL, Course
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.position import Position
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.address import Address
from media_network.messages.streaming import Ceased, Exchange, StopCause
from media_network.refusal import Refused


class Sought(Struct, frozen=True, kw_only=True):
    """What an engine is sought for, and what comes back with the one that was found."""

    segment: int
    packet: int
    unfit: frozenset[str] = frozenset()
    """Addresses of engines that failed: chosen again only where nobody else is."""
    excluded: frozenset[Address] = frozenset()
    """Engines that are not chosen."""
    asked: "NextAsked | None" = None
    """The question that it answers; None where the director itself goes on."""
    left: Position | None = None
    """Where the stream stopped, if it is to jump; None: it goes on where it was."""
    course: Course = NORMAL
    """Segment and packet are of a turn that goes this way."""
    whole: bool = False
    """Whether its engine has to have all of the segment, and not only what has arrived by now."""


class PlayAsked(Struct, frozen=True):
    """A console asks for a program (claim 16, first step)."""


class EngineFound(Struct, frozen=True, kw_only=True):
    """There is an engine for what was sought."""

    sought: Sought
    engine: Address
    boot: str
    exchange: Exchange | None = None
    """What it gives for it."""


class NobodyFound(Struct, frozen=True, kw_only=True):
    """There is none now."""

    sought: Sought
    refused: Refused


class GotReady(Struct, frozen=True):
    """The engine of this turn is ready."""

    turn: int


class NotReady(Struct, frozen=True):
    """It refused, or has not answered."""

    turn: int


class StartAnswered(Struct, frozen=True, kw_only=True):
    """What the engine of this turn made of being directed to start."""

    turn: int
    outcome: StartOutcome


class TurnAssumed(Struct, frozen=True, kw_only=True):
    """An engine says that it has assumed the stream, or speaks of the turn as one that has."""

    turn: int
    packet: int | None = None
    """The first one it sent; None if it does not say."""


class NextAsked(Struct, frozen=True, kw_only=True):
    """The sender nears the end of its turn: what comes next, and where? `question` tells one from another."""

    question: int
    turn: int
    number: int
    """Counts the questions of a turn: an older one is of no interest any more."""
    segment: int
    packet: int | None
    """Where it ends if it is cut short; None for the end of the segment."""
    failed: frozenset[str]
    doubtful: str | None
    foreseen: bool = False
    """It foresees an underrun: who goes on has to have the whole segment."""


class ExchangeAsked(Struct, frozen=True, kw_only=True):
    """The sender is to take over another stream, and in exchange this one is to go to the engine that has that."""

    engine: Address
    boot: str


class TurnStopped(Struct, frozen=True, kw_only=True):
    """An engine has stopped; the next packet would have been this one."""

    turn: int
    cause: StopCause
    segment: int
    packet: int


class SenderReported(Struct, frozen=True):
    """The sender has said how far it is."""

    mark: Mark


class SenderUnnamed(Struct, frozen=True, kw_only=True):
    """The engine of the sender reports, and does not name the stream."""

    next_answers: bool
    """Whether the next one, if there is one, is there."""
    sent_at: float | None
    """When the report was sent at the earliest, by the event loop's time; None where that is not known."""


class EngineLost(Struct, frozen=True, kw_only=True):
    """An engine has fallen silent. `gone`: its lease is over, or another boot took its place; its preloads are void."""

    engine: Address
    boot: str
    gone: bool


class Silence(Struct, frozen=True):
    """A turn that was to be ended: its engine has not answered, and can no longer be sending."""


class Superseded(Struct, frozen=True):
    """A turn that was to be ended: its engine has another director by now."""


class TurnSettled(Struct, frozen=True, kw_only=True):
    """The end of a turn has been found out."""

    turn: int
    answer: Ceased | Silence | Superseded


class ConsoleHeard(Struct, frozen=True):
    """The console says that it is there."""


class PauseAsked(Struct, frozen=True):
    """The console wants nothing more for a while."""


class ResumeAsked(Struct, frozen=True):
    """It wants the stream to go on."""


class SeekAsked(Struct, frozen=True):
    """It wants the stream to go on from here; one that is paused, when it does."""

    position: Position


class ScaleAsked(Struct, frozen=True):
    """It wants the stream to go so many times as fast, or backwards; one that is paused goes on so."""

    scale: int


class PauseInherited(Struct, frozen=True, kw_only=True):
    """A console says that an earlier director has paused its stream, and shows that it was its console."""

    position: Position
    left: Position | None
    """Where it stopped, if it is to go on elsewhere."""


class EndAsked(Struct, frozen=True):
    """It wants no more."""


class LookedRound(Struct, frozen=True):
    """Time has passed: is the console still there, and has a pause lasted long enough?"""


class Woken(Struct, frozen=True):
    """The time has come that was asked for."""


class TurnInherited(Struct, frozen=True, kw_only=True):
    """An engine enlists with a turn that an earlier director gave it."""

    turn: GivenTurn
    preloaded: bool
    """It has yet to be asked for by the console that was redirected there."""
    mark: Mark
    first_packet: int
    """With which packet of its segment it began."""
    handing_over: bool
    """All of it may have been sent, and the next engine may have been told to start."""


class GaveUp(Struct, frozen=True):
    """Another director has been appointed."""


Event: TypeAlias = (
    PlayAsked
    | EngineFound
    | NobodyFound
    | GotReady
    | NotReady
    | StartAnswered
    | TurnAssumed
    | NextAsked
    | ExchangeAsked
    | TurnStopped
    | SenderReported
    | SenderUnnamed
    | EngineLost
    | TurnSettled
    | ConsoleHeard
    | PauseAsked
    | ResumeAsked
    | SeekAsked
    | ScaleAsked
    | EndAsked
    | PauseInherited
    | LookedRound
    | Woken
    | TurnInherited
    | GaveUp
)
