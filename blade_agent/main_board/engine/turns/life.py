"""The life of one turn of a stream, as a table.

A turn is one segment, or a part of one, sent by one engine. Whoever holds the newest turn sends; a turn that is over
never sends again.
"""

from enum import Enum, auto


class TurnState(Enum):
    """Where a turn is."""

    PRELOADED = auto()
    """Ready to be started; nothing has been sent."""
    STREAMING = auto()
    NEAR_END = auto()
    """Still sending; the next engine is being prepared."""
    HANDING_OVER = auto()
    """Everything has been sent; the next engine is told to start."""
    HANDED_OVER = auto()
    """The next turn has been assumed."""
    STOPPED = auto()


class TurnEvent(Enum):
    """What can happen to a turn."""

    STARTED = auto()
    """A console requested it, or the engine before us has sent its last packet."""
    NEAR_END = auto()
    """What remains plays no longer than the lead time."""
    ALL_SENT = auto()
    TAKEN = auto()
    """The next engine has it."""
    NOT_TAKEN = auto()
    """No engine took over within the segment: the rest of it is still ours to send."""
    STOP = auto()
    """Ceased, revoked, out of lease, superseded, at the end of the program, or failed."""


TRANSITIONS: dict[TurnState, dict[TurnEvent, TurnState]] = {
    TurnState.PRELOADED: {
        TurnEvent.STARTED: TurnState.STREAMING,
        TurnEvent.STOP: TurnState.STOPPED,
    },
    TurnState.STREAMING: {
        TurnEvent.NEAR_END: TurnState.NEAR_END,
        TurnEvent.STOP: TurnState.STOPPED,
    },
    TurnState.NEAR_END: {
        TurnEvent.ALL_SENT: TurnState.HANDING_OVER,
        TurnEvent.STOP: TurnState.STOPPED,
    },
    TurnState.HANDING_OVER: {
        TurnEvent.TAKEN: TurnState.HANDED_OVER,
        TurnEvent.NOT_TAKEN: TurnState.NEAR_END,
        TurnEvent.STOP: TurnState.STOPPED,
    },
    TurnState.HANDED_OVER: {TurnEvent.STOP: TurnState.HANDED_OVER},
    TurnState.STOPPED: {TurnEvent.STOP: TurnState.STOPPED},
}
"""What is not here cannot happen; `next_state` takes it for a defect."""

SENDING = frozenset({TurnState.STREAMING, TurnState.NEAR_END})
ACTIVE = SENDING | {TurnState.HANDING_OVER}
"""The turn is ours: reports name it and renew its lease."""


class ImpossibleEvent(Exception):
    """An event that cannot happen in this state."""

    def __init__(self, state: TurnState, event: TurnEvent) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event

    def __str__(self) -> str:
        return f"{self.event.name} in state {self.state.name}"


def next_state(state: TurnState, event: TurnEvent) -> TurnState:
    """The state after an event. Raises ImpossibleEvent."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise ImpossibleEvent(state, event) from None
