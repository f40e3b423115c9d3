"""What is booted, and what becomes of an update: a pure state and the moves that it can make.

A board has two system slots. One of them, the *good* one, holds a system that has shown that it works; nothing is ever
written there, so that there is always one to boot. The other one is written, tried and given up. What is tried has so
many tries; the boot loader counts one down before it boots it, and boots the good one when there is none left. Only who
runs from the slot that is tried may commit it, and only then does the lowest release that is taken rise.
"""

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from blade_agent.boot.release import Release

TRIES = 3
"""How often an update is tried, where nobody says otherwise."""
TRIES_MAX = 9


class SystemSlot(Enum):
    """One of the two places for a system."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "SystemSlot":
        """The one beside it."""
        return SystemSlot.B if self is SystemSlot.A else SystemSlot.A


class Standing(Enum):
    """What is in the slot that is not the good one."""

    EMPTY = "empty"
    """Nothing that could be booted, or something that is being written."""
    STAGED = "staged"
    """A whole update that nobody has asked for to be tried."""
    PENDING = "pending"
    """An update that is tried."""
    FAILED = "failed"
    """An update that was given up. It is not tried again; it may be staged again."""
    FORMER = "former"
    """The system that was the good one before, to go back to."""


class UpdateEvent(Enum):
    """What may happen to it."""

    BEGIN = "it begins to be written"
    STAGE = "it is whole, and what it should be"
    APPLY = "it is to be tried"
    BOOT = "the boot loader chooses"
    COMMIT = "who runs from it says that it works"
    ROLLBACK = "the other one is wanted back"


_S, _E = Standing, UpdateEvent
MOVES: Mapping[Standing, Mapping[UpdateEvent, frozenset[Standing]]] = {
    _S.EMPTY: {_E.BEGIN: frozenset({_S.EMPTY}), _E.STAGE: frozenset({_S.STAGED}), _E.BOOT: frozenset({_S.EMPTY})},
    _S.STAGED: {_E.BEGIN: frozenset({_S.EMPTY}), _E.APPLY: frozenset({_S.PENDING}), _E.BOOT: frozenset({_S.STAGED})},
    _S.PENDING: {
        _E.BOOT: frozenset({_S.PENDING, _S.FAILED}),
        _E.COMMIT: frozenset({_S.FORMER}),
        _E.ROLLBACK: frozenset({_S.FAILED}),
    },
    _S.FAILED: {_E.BEGIN: frozenset({_S.EMPTY}), _E.BOOT: frozenset({_S.FAILED})},
    _S.FORMER: {
        _E.BEGIN: frozenset({_S.EMPTY}),
        _E.BOOT: frozenset({_S.FORMER}),
        _E.ROLLBACK: frozenset({_S.FAILED}),
    },
}
"""Where each event may lead; one that is not there is refused."""


class BootState(Struct, frozen=True, kw_only=True):
    """All that a boot loader and an agent know of the two slots."""

    good: SystemSlot
    other: Standing = Standing.EMPTY
    tries: int = 0
    """Left to what is pending; 0 for all else."""
    good_release: Release
    other_release: Release | None = None
    """None where nothing is in there."""
    minimum: Release
    """Nothing older is staged, and nothing older is gone back to."""
    staged_minimum: Release | None = None
    """What `minimum` rises to when the update is committed."""

    def __post_init__(self) -> None:
        """Refuse what no moves lead to; ValueError says what it is."""
        if (self.other_release is None) != (self.other is Standing.EMPTY):
            raise ValueError(f"a slot that is {self.other.value} has a release, and an empty one has none")
        if not 0 <= self.tries <= TRIES_MAX:
            raise ValueError(f"tries are from 0 to {TRIES_MAX}")
        if self.tries and self.other is not Standing.PENDING:
            raise ValueError("what is not pending has no tries")
        if self.good_release < self.minimum:
            raise ValueError("the good slot is older than the lowest release that is taken")
        if (self.staged_minimum is not None) != (self.other in (Standing.STAGED, Standing.PENDING)):
            raise ValueError("an update says what the lowest release will be, and nothing else does")


class UpdateRefused(Exception):
    """A move that cannot be made; `str()` says why, in a clause."""


def begin(state: BootState) -> BootState:
    """Give up what is in the other slot: it is about to be written. Raises UpdateRefused."""
    _may(state, UpdateEvent.BEGIN)
    return replace(state, other=Standing.EMPTY, other_release=None, staged_minimum=None)


def stage(state: BootState, release: Release, minimum: Release) -> BootState:
    """Note that the other slot holds a whole update, after which nothing older than `minimum` is to be taken.

    Raises UpdateRefused: nothing was begun, it is older than what is taken, or contradicts itself.
    """
    _may(state, UpdateEvent.STAGE)
    if release < state.minimum:
        raise UpdateRefused(f"release {release} is older than {state.minimum}, the lowest that is taken")
    if release < minimum:
        raise UpdateRefused(f"release {release} says that nothing older than {minimum} is to be taken")
    return replace(state, other=Standing.STAGED, other_release=release, staged_minimum=minimum)


def apply(state: BootState, tries: int = TRIES) -> BootState:
    """Have what is staged tried at the next boots, so many times. Raises UpdateRefused."""
    _may(state, UpdateEvent.APPLY)
    if not 1 <= tries <= TRIES_MAX:
        raise UpdateRefused(f"{tries} tries are not from 1 to {TRIES_MAX}")
    return replace(state, other=Standing.PENDING, tries=tries)


def boot(state: BootState) -> tuple[SystemSlot, BootState]:
    """Choose what is booted, and what has to be kept before it is: the same state where nothing is pending."""
    if state.other is not Standing.PENDING:
        return state.good, state
    if state.tries:
        return state.good.other, replace(state, tries=state.tries - 1)
    return state.good, replace(state, other=Standing.FAILED, staged_minimum=None)


def commit(state: BootState, running: SystemSlot | None) -> BootState:
    """Make the update the good one: who runs from it says that it works. Raises UpdateRefused."""
    _may(state, UpdateEvent.COMMIT)
    if running is None:
        raise UpdateRefused("this system does not run from a slot")
    if running is state.good or state.other_release is None:
        raise UpdateRefused(f"this is slot {running.value}, and the update is in slot {state.good.other.value}")
    return BootState(
        good=state.good.other,
        other=Standing.FORMER,
        good_release=state.other_release,
        other_release=state.good_release,
        minimum=max(state.minimum, state.staged_minimum or state.minimum),
    )


def rollback(state: BootState) -> BootState:
    """Give an update up, or go back from one that was committed to the system before. Raises UpdateRefused."""
    _may(state, UpdateEvent.ROLLBACK)
    if state.other is Standing.PENDING:
        return replace(state, other=Standing.FAILED, tries=0, staged_minimum=None)
    if state.other_release is None or state.other_release < state.minimum:
        raise UpdateRefused(f"release {state.other_release} is older than {state.minimum}, the lowest that is taken")
    return replace(
        state,
        good=state.good.other,
        other=Standing.FAILED,
        good_release=state.other_release,
        other_release=state.good_release,
    )


_REASONS = {
    UpdateEvent.BEGIN: "an update is being tried; it is to be committed or rolled back first",
    UpdateEvent.STAGE: "nothing has begun to be written",
    UpdateEvent.APPLY: "no update is staged",
    UpdateEvent.COMMIT: "no update is being tried",
    UpdateEvent.ROLLBACK: "there is nothing to go back to",
}


def _may(state: BootState, event: UpdateEvent) -> None:
    if event not in MOVES[state.other]:
        raise UpdateRefused(_REASONS[event])
