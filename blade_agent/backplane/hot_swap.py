"""Hot swap of a blade (PICMG 3.0, 3.2.4): states, events, the table of transitions, and the diagram drawn from it.

The CBC drives the table with causes (the handle, the commands, its main board). The chassis manager keeps a view of
each slot and drives the same table with reports, and with the loss of communication, which is its word alone.
"""

from collections.abc import Callable, Mapping
from enum import Enum, IntEnum
from types import MappingProxyType


class HotSwapState(IntEnum):
    """States with the numbers that PICMG gave them."""

    M0_NOT_INSTALLED = 0
    M1_INACTIVE = 1
    M2_ACTIVATION_REQUEST = 2
    M3_ACTIVATION_IN_PROGRESS = 3
    M4_ACTIVE = 4
    M5_DEACTIVATION_REQUEST = 5
    M6_DEACTIVATION_IN_PROGRESS = 6
    M7_COMMUNICATION_LOST = 7


class HotSwapEvent(Enum):
    """What moves a blade, and what moves the chassis manager's view of it."""

    INSERTED = "inserted"
    HANDLE_CLOSED = "handle closed"
    HANDLE_OPENED = "handle opened"
    ACTIVATE = "activate"
    """Set FRU Activation: activate."""
    DEACTIVATE = "deactivate"
    """Set FRU Activation: deactivate."""
    MAIN_BOARD_READY = "main board ready"
    MAIN_BOARD_RELEASED = "main board released"
    EXTRACTED = "extracted"
    COMMUNICATION_LOST = "communication lost"
    REPORTED_M1 = "reported M1"
    REPORTED_M2 = "reported M2"
    REPORTED_M3 = "reported M3"
    REPORTED_M4 = "reported M4"
    REPORTED_M5 = "reported M5"
    REPORTED_M6 = "reported M6"


_S = HotSwapState
_E = HotSwapEvent

_BY_CAUSE: Mapping[HotSwapState, Mapping[HotSwapEvent, HotSwapState]] = {
    _S.M0_NOT_INSTALLED: {_E.INSERTED: _S.M1_INACTIVE},
    _S.M1_INACTIVE: {_E.HANDLE_CLOSED: _S.M2_ACTIVATION_REQUEST},
    _S.M2_ACTIVATION_REQUEST: {
        _E.HANDLE_OPENED: _S.M1_INACTIVE,
        _E.ACTIVATE: _S.M3_ACTIVATION_IN_PROGRESS,
        _E.DEACTIVATE: _S.M1_INACTIVE,
    },
    _S.M3_ACTIVATION_IN_PROGRESS: {
        _E.HANDLE_OPENED: _S.M6_DEACTIVATION_IN_PROGRESS,
        _E.DEACTIVATE: _S.M6_DEACTIVATION_IN_PROGRESS,
        _E.MAIN_BOARD_READY: _S.M4_ACTIVE,
    },
    _S.M4_ACTIVE: {
        _E.HANDLE_OPENED: _S.M5_DEACTIVATION_REQUEST,
        _E.DEACTIVATE: _S.M6_DEACTIVATION_IN_PROGRESS,
    },
    _S.M5_DEACTIVATION_REQUEST: {
        _E.HANDLE_CLOSED: _S.M4_ACTIVE,
        _E.ACTIVATE: _S.M4_ACTIVE,
        _E.DEACTIVATE: _S.M6_DEACTIVATION_IN_PROGRESS,
    },
    _S.M6_DEACTIVATION_IN_PROGRESS: {_E.MAIN_BOARD_RELEASED: _S.M1_INACTIVE},
    _S.M7_COMMUNICATION_LOST: {},
}

REPORT_OF: Mapping[HotSwapState, HotSwapEvent] = MappingProxyType(
    {
        _S.M1_INACTIVE: _E.REPORTED_M1,
        _S.M2_ACTIVATION_REQUEST: _E.REPORTED_M2,
        _S.M3_ACTIVATION_IN_PROGRESS: _E.REPORTED_M3,
        _S.M4_ACTIVE: _E.REPORTED_M4,
        _S.M5_DEACTIVATION_REQUEST: _E.REPORTED_M5,
        _S.M6_DEACTIVATION_IN_PROGRESS: _E.REPORTED_M6,
    }
)
"""The states that a blade can report: one that is not there, or not heard, reports nothing."""


def _transitions_from(state: HotSwapState) -> dict[HotSwapEvent, HotSwapState]:
    stay = dict.fromkeys(HotSwapEvent, state)
    reports = {event: reported for reported, event in REPORT_OF.items()}
    gone = {_E.EXTRACTED: _S.M0_NOT_INSTALLED}
    lost = {} if state is _S.M0_NOT_INSTALLED else {_E.COMMUNICATION_LOST: _S.M7_COMMUNICATION_LOST}
    return {**stay, **reports, **gone, **lost, **_BY_CAUSE[state]}


TRANSITIONS: Mapping[HotSwapState, Mapping[HotSwapEvent, HotSwapState]] = MappingProxyType(
    {state: MappingProxyType(_transitions_from(state)) for state in HotSwapState}
)
"""Every state answers every event; one without a meaning there leaves it as it is."""


class HotSwap:
    """Hot swap of one blade as its CBC drives it."""

    def __init__(self, moved: Callable[[HotSwapState, HotSwapEvent], None] | None = None) -> None:
        """`moved` is told the state before and what ended it."""
        self._moved = moved
        self.state = HotSwapState.M0_NOT_INSTALLED
        self.handle_closed = False
        self.activation_locked = False
        self.deactivation_locked = False

    def apply(self, event: HotSwapEvent) -> bool:
        """Move by an event; tell whether it changed the state."""
        before = self.state
        self.state = TRANSITIONS[self.state][event]
        if self.state is before:
            return False
        if self._moved is not None:
            self._moved(before, event)
        return True

    def insert(self) -> None:
        """Note that the blade stands in its slot, its handle as it is."""
        self.apply(HotSwapEvent.INSERTED)
        self._follow_handle()

    def move_handle(self, *, closed: bool) -> None:
        """Note where the handle's switch is."""
        self.handle_closed = closed
        if not closed:
            self.activation_locked = False
        self._follow_handle()

    def deactivate(self) -> None:
        """Leave service by command.

        With the handle still closed the blade would ask for activation again at once: that is held back until the
        handle is opened or the policy is changed.
        """
        if self.apply(HotSwapEvent.DEACTIVATE) and self.handle_closed:
            self.activation_locked = True

    def lock(self, *, activation: bool, deactivation: bool) -> None:
        """Hold the handle's requests back, or let them through (PICMG 3.0, Set FRU Activation Policy)."""
        self.activation_locked = activation
        self.deactivation_locked = deactivation
        self._follow_handle()

    def release(self) -> None:
        """Note that the main board is done (M6 to M1), and go by the handle again."""
        self.apply(HotSwapEvent.MAIN_BOARD_RELEASED)
        self._follow_handle()

    def _follow_handle(self) -> None:
        if self.handle_closed:
            if not (self.activation_locked and self.state is HotSwapState.M1_INACTIVE):
                self.apply(HotSwapEvent.HANDLE_CLOSED)
        elif not (self.deactivation_locked and self.state is HotSwapState.M4_ACTIVE):
            self.apply(HotSwapEvent.HANDLE_OPENED)


def diagram() -> str:
    """Draw the table as a Mermaid state diagram: what leaves a state where it is, is left out.

    Extraction and loss are drawn once, with the states they lead from. Reports, which lead from any state to the
    reported one, are drawn from M7.
    """
    lines = ["stateDiagram-v2", "    [*] --> M0"]
    lines += [f"    {_short(state)}: {_words(state)}" for state in HotSwapState]
    lines += [_arrow(state, event) for state, row in _BY_CAUSE.items() for event in row]
    lines += [_arrow(HotSwapState.M7_COMMUNICATION_LOST, event) for event in REPORT_OF.values()]
    for event in (_E.COMMUNICATION_LOST, _E.EXTRACTED):
        sources = [state for state, row in TRANSITIONS.items() if row[event] is not state]
        lines.append(f"{_arrow(sources[0], event)}, from {' '.join(map(_short, sources))}")
    return "\n".join(lines) + "\n"


def _arrow(state: HotSwapState, event: HotSwapEvent) -> str:
    return f"    {_short(state)} --> {_short(TRANSITIONS[state][event])}: {event.value}"


def _short(state: HotSwapState) -> str:
    return f"M{state.value}"


def _words(state: HotSwapState) -> str:
    return state.name.partition("_")[2].replace("_", " ").lower()
