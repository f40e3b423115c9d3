"""What an engine has of one stream: a turn that is preloaded, one that is being sent, and what is past."""

from enum import Enum, auto
from typing import TypeAlias

from msgspec import Struct

from media_network.messages.streaming import HandOver, Preload


class Sent(Enum):
    """How far a turn is."""

    GOING = auto()
    NEAR_END = auto()
    """What remains plays no longer than the lead time, or is to be handed over: the next engine is prepared."""
    ALL = auto()
    """It has left the machine."""


class Active(Struct, frozen=True, kw_only=True):
    """The stream is ours: reports name it and renew its lease. What is said meanwhile tells the states apart."""

    order: Preload
    first_packet: int
    sent: Sent = Sent.GOING
    hurried: bool = False
    """The engine drains: it is to be handed over within the segment."""
    foreseen: bool = False
    """It will need more of the segment than has arrived by then: whoever has all of it is to take its place."""

    @property
    def turn(self) -> int:
        """Its number."""
        return self.order.turn


class Assuming(Active, frozen=True, kw_only=True):
    """The director has not said yet that it knows."""


class Underway(Active, frozen=True, kw_only=True):
    """Nothing has to be said before the end is near."""


class Asking(Active, frozen=True, kw_only=True):
    """The director is asked what comes next, and where."""

    failed: tuple[str, ...] = ()
    """Engines that were named and certainly did not take it."""
    doubtful: str | None = None
    """The one whose answer is missing."""


class Preloading(Active, frozen=True, kw_only=True):
    """The next engine is notified to preload."""

    offer: HandOver
    failed: tuple[str, ...]


class Prepared(Active, frozen=True, kw_only=True):
    """The next engine is ready; the last packet has yet to leave."""

    offer: HandOver
    failed: tuple[str, ...]
    cut: bool
    """It ends before its segment does, where the next engine goes on."""


class HandingOver(Active, frozen=True, kw_only=True):
    """Everything has been sent; the next engine is directed to start."""

    offer: HandOver
    failed: tuple[str, ...]
    cut: bool


class Finishing(Active, frozen=True, kw_only=True):
    """The program ends with this turn."""


class Absent(Struct, frozen=True):
    """Nothing is being sent here."""


class Given(Struct, frozen=True, kw_only=True):
    """A stream that is handed over from here when another one begins, which came in exchange for it."""

    session: str
    turn: int
    """The one that is being sent."""
    offer: HandOver
    """Where it goes on: its engine is ready."""


AnyActive: TypeAlias = Absent | Assuming | Underway | Asking | Preloading | Prepared | HandingOver | Finishing


class Stand(Struct, frozen=True, kw_only=True):
    """Where a turn that ended here stood: every packet before `packet` of `segment` has left."""

    turn: int
    segment: int
    packet: int


class Past(Struct, frozen=True, kw_only=True):
    """What is remembered so that nothing is ever sent again."""

    over: int = -1
    """Turns up to this one were ceased."""
    started: int = -1
    """The newest that was started here."""
    stand: Stand | None = None
    """Where the newest that ended here stood."""
