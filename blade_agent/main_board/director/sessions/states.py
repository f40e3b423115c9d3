"""The states of a pushed session. What is known in a state is in it; there is nothing beside it."""

from typing import ClassVar, TypeAlias

from msgspec import Struct

from blade_agent.main_board.director.sessions.aim import ONWARDS, Aim
from blade_agent.main_board.director.sessions.course import NORMAL, Course
from blade_agent.main_board.director.sessions.events import NextAsked
from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.position import Position
from media_network.address import Address
from media_network.messages.watching import SessionState


class State(Struct, frozen=True, kw_only=True):
    """What all have."""

    shown: ClassVar[SessionState]
    """How others see it."""

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """The turns whose engines have the stream in their load: who sends or sent last, and who may be next."""
        return ()

    @property
    def sender(self) -> GivenTurn | None:
        """The turn that is being sent, by an engine that is not taken for lost."""
        return None

    @property
    def offer(self) -> GivenTurn | None:
        """The turn that an engine may assume."""
        return None

    @property
    def settling(self) -> GivenTurn | None:
        """The turn whose end is being found out: its engine is not to begin sending it any more."""
        return None


class Opening(State, frozen=True, kw_only=True):
    """A console has asked; an engine is being found that gets ready for it. `offered` is being asked."""

    shown = SessionState.REDIRECTED
    offered: GivenTurn | None = None
    tried: frozenset[Address] = frozenset()

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return (self.offered,) if self.offered else ()


class Redirected(State, frozen=True, kw_only=True):
    """The console has been told an engine; nothing has been sent yet."""

    shown = SessionState.REDIRECTED
    offered: GivenTurn

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return (self.offered,)

    @property
    def offer(self) -> GivenTurn:
        """See `State`."""
        return self.offered


class Streaming(State, frozen=True, kw_only=True):
    """An engine sends. Its next one may have been named."""

    shown = SessionState.STREAMING
    holder: GivenTurn
    heard_at: float
    """When the director heard that the holder has the stream, by the event loop's time."""
    next: GivenTurn | None = None
    unnamed_since: float | None = None
    """Since when the holder's engine reports without naming the stream."""
    unsettled_until: float | None = None
    """Of a holder whose director before may have let it hand over: until then an engine may have the stream that has
    yet to enlist. By the event loop's time."""

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return (self.holder, self.next) if self.next else (self.holder,)

    @property
    def sender(self) -> GivenTurn:
        """See `State`."""
        return self.holder

    @property
    def offer(self) -> GivenTurn | None:
        """See `State`."""
        return self.next


class Doubting(State, frozen=True, kw_only=True):
    """The sender does not know whether its next one took the stream: that turn is withdrawn, and its end found out."""

    shown = SessionState.STREAMING
    holder: GivenTurn
    heard_at: float
    doubted: GivenTurn
    unsettled_until: float | None = None
    asked: tuple[NextAsked, ...]
    """What the sender waits to be answered."""

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return self.holder, self.doubted

    @property
    def sender(self) -> GivenTurn:
        """See `State`."""
        return self.holder

    @property
    def settling(self) -> GivenTurn:
        """See `State`."""
        return self.doubted


class AwaitingEnlistment(State, frozen=True, kw_only=True):
    """As `Doubting`, of a turn that the director before offered. Who has it enlists before the leases have ended."""

    shown = SessionState.STREAMING
    holder: GivenTurn
    next: GivenTurn | None
    until: float
    asked: tuple[NextAsked, ...]

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return (self.holder, self.next) if self.next else (self.holder,)

    @property
    def sender(self) -> GivenTurn:
        """See `State`."""
        return self.holder

    @property
    def offer(self) -> GivenTurn | None:
        """See `State`."""
        return self.next


class Resuming(State, frozen=True, kw_only=True):
    """The sender was lost, or the console wants it to stop. Nobody sends while another is found, but for one that was
    handed to unheard."""

    shown = SessionState.RESUMING
    lost: GivenTurn | None
    """Who sent last; None: an earlier director knew."""
    next: GivenTurn | None = None
    """Who was named as its next one, or is to go on."""
    aim: Aim = ONWARDS
    """How it goes on."""

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return tuple(turn for turn in (self.lost, self.next) if turn)


class SettlingSender(Resuming, frozen=True, kw_only=True):
    """How far the lost sender got is being found out: it is made to stop."""

    lost: GivenTurn
    withdrawn: GivenTurn | None = None
    """Who was named as its next one, and has been told to cease."""
    unsettled_until: float | None = None

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return tuple(turn for turn in (self.lost, self.next, self.withdrawn) if turn)

    @property
    def offer(self) -> GivenTurn | None:
        """See `State`."""
        return self.next

    @property
    def settling(self) -> GivenTurn:
        """See `State`."""
        return self.lost


class AwaitingLeases(Resuming, frozen=True, kw_only=True):
    """The lost sender may have handed over under the director before, to an engine that has yet to enlist."""

    withdrawn: GivenTurn | None = None
    """Who was named as its next one, and has been told to cease."""
    until: float

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return tuple(turn for turn in (self.lost, self.next, self.withdrawn) if turn)

    @property
    def offer(self) -> GivenTurn | None:
        """See `State`."""
        return self.next


class SettlingNext(Resuming, frozen=True, kw_only=True):
    """The lost sender may have handed over just before, and the word of it is on its way."""

    next: GivenTurn
    position: Position | None
    """Where the stream goes on if it has not."""

    @property
    def settling(self) -> GivenTurn:
        """See `State`."""
        return self.next


class Seeking(Resuming, frozen=True, kw_only=True):
    """Nobody sends, and nobody may: an engine is sought that goes on from `position`."""

    position: Position
    """Of the program, whatever the speed."""
    course: Course = NORMAL
    left: Position | None = None
    """Where the stream stopped, if it is not there."""
    tried: frozenset[Address] = frozenset()


class Readying(Resuming, frozen=True, kw_only=True):
    """An engine preloads."""

    next: GivenTurn
    tried: frozenset[Address]


class Starting(Resuming, frozen=True, kw_only=True):
    """An engine is directed to start."""

    next: GivenTurn

    @property
    def offer(self) -> GivenTurn:
        """See `State`."""
        return self.next


class SettlingStart(Resuming, frozen=True, kw_only=True):
    """Whether it did start is being found out."""

    next: GivenTurn

    @property
    def settling(self) -> GivenTurn:
        """See `State`."""
        return self.next


class Paused(State, frozen=True, kw_only=True):
    """Nobody sends, and nobody may; no engine has anything of it. It goes on from `position`."""

    shown = SessionState.PAUSED
    last: GivenTurn | None
    """Who sent last; None: an earlier director knew."""
    position: Position
    left: Position | None
    """Where the stream stopped, if it is not there."""
    since: float
    """By the event loop's time."""


class Left(State, frozen=True, kw_only=True):
    """Another director has been appointed: the stream is that one's business."""

    shown = SessionState.RESUMING
    last: tuple[GivenTurn, ...]

    @property
    def turns(self) -> tuple[GivenTurn, ...]:
        """See `State`."""
        return self.last


class Ended(State, frozen=True, kw_only=True):
    """Nobody is to send any more."""

    shown = SessionState.ENDED
    at: float
    last: GivenTurn | None
    """Who sent last, or was to."""


AnyState: TypeAlias = (
    Opening
    | Redirected
    | Streaming
    | Doubting
    | AwaitingEnlistment
    | SettlingSender
    | AwaitingLeases
    | SettlingNext
    | Seeking
    | Readying
    | Starting
    | SettlingStart
    | Paused
    | Left
    | Ended
)
