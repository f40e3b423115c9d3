"""What a pushed session wants done: messages to be said, moments to be woken at, and facts for whoever counts."""

from enum import Enum, auto
from typing import TypeAlias

from msgspec import Struct

from blade_agent.main_board.director.sessions.events import NextAsked, Sought
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from media_network.address import Address
from media_network.refusal import Refused


class SeekEngine(Struct, frozen=True):
    """Choose an engine: `EngineFound` or `NobodyFound`."""

    sought: Sought


class GetReady(Struct, frozen=True, kw_only=True):
    """Have the engine of a turn preload: `GotReady` or `NotReady`."""

    turn: GivenTurn
    redirected: bool
    """Whether the console will be redirected there."""


class BeginTurn(Struct, frozen=True):
    """Direct the engine of a turn to start: `StartAnswered`."""

    turn: GivenTurn


class SettleTurn(Struct, frozen=True):
    """Order the engine of a turn to cease, until it answers or can no longer be sending: `TurnSettled`."""

    turn: GivenTurn


class CeaseTurn(Struct, frozen=True):
    """Let the engine of a turn send nothing more of it. No answer is waited for."""

    turn: GivenTurn


class SuspectEngine(Struct, frozen=True):
    """Somebody could not reach this engine."""

    engine: Address


class RedirectConsole(Struct, frozen=True):
    """Tell the console, which has asked, the engine of its first turn."""

    turn: GivenTurn


class TurnAway(Struct, frozen=True):
    """Tell the console, which has asked, that there is nothing for it."""

    refused: Refused


class NameNext(Struct, frozen=True, kw_only=True):
    """Answer the sender's question with its next turn; None where the program ends."""

    asked: NextAsked
    next: GivenTurn | None


class RefuseNext(Struct, frozen=True, kw_only=True):
    """Answer the sender's question with a refusal."""

    asked: NextAsked
    refused: Refused


class WakeAt(Struct, frozen=True):
    """Say `Woken` at this moment of the event loop's time. A later one takes the place of an earlier."""

    at: float


class TurnTaken(Struct, frozen=True, kw_only=True):
    """An engine has the stream in this turn, from `packet` on."""

    turn: GivenTurn
    packet: int


class Fact(Enum):
    """What is worth counting."""

    HANDED_OVER = auto()
    """The stream went from one sender to another."""
    SENDER_LOST = auto()
    RESUMED = auto()
    """After a loss."""
    PAUSED = auto()
    WENT_ON = auto()
    """After a pause, or elsewhere: as its console wanted."""
    ENDED = auto()
    """As it should: at its end, or by its console."""
    LOST = auto()
    """Its console waited in vain for somebody to send, or to go on."""


class Count(Struct, frozen=True):
    """Something happened."""

    fact: Fact


Effect: TypeAlias = (
    SeekEngine
    | GetReady
    | BeginTurn
    | SettleTurn
    | CeaseTurn
    | SuspectEngine
    | RedirectConsole
    | TurnAway
    | NameNext
    | RefuseNext
    | WakeAt
    | TurnTaken
    | Count
)
Effects: TypeAlias = tuple[Effect, ...]
