"""Where each event may lead the turn that an engine sends, from each of its states. `EngineStream.on` keeps to it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias, get_args

from blade_agent.main_board.engine.turns.events import (
    AllLeft,
    AssumptionAnswered,
    CeaseOrdered,
    DrainOrdered,
    DutyLeft,
    EndNeared,
    Event,
    GivenAway,
    LeaseEnded,
    NeighbourAnswered,
    NeighbourStarted,
    NextAnswered,
    SegmentUnreadable,
    StartOrdered,
    TurnRevoked,
    UnderrunAverted,
    UnderrunForeseen,
)
from blade_agent.main_board.engine.turns.states import (
    Absent,
    AnyActive,
    Asking,
    Assuming,
    Finishing,
    HandingOver,
    Preloading,
    Prepared,
    Underway,
)

EVENTS: tuple[type[Event], ...] = get_args(Event)
STATES: tuple[type[AnyActive], ...] = get_args(AnyActive)

_Ways: TypeAlias = frozenset[type[AnyActive]]


def _to(*states: type[AnyActive]) -> _Ways:
    return frozenset(states)


_WAYS: Mapping[type[AnyActive], Mapping[type[Event], _Ways]] = {
    Absent: {},
    Assuming: {AssumptionAnswered: _to(Assuming, Underway, Asking, Absent)},
    Underway: {
        EndNeared: _to(Underway, Asking),
        AllLeft: _to(Underway, Asking),
        DrainOrdered: _to(Asking),
        UnderrunForeseen: _to(Underway, Asking),
        GivenAway: _to(Underway, Prepared),
    },
    Asking: {NextAnswered: _to(Asking, Preloading, Finishing, Absent), UnderrunAverted: _to(Asking, Underway)},
    Preloading: {NeighbourAnswered: _to(Preloading, Prepared, HandingOver, Asking)},
    Prepared: {AllLeft: _to(Prepared, HandingOver)},
    HandingOver: {NeighbourStarted: _to(HandingOver, Asking, Underway, Absent)},
    Finishing: {AllLeft: _to(Finishing, Absent)},
}
"""What is not here leaves a turn as it is, or ends it as any other."""


def _table() -> Mapping[type[AnyActive], Mapping[type[Event], _Ways]]:
    table: dict[type[AnyActive], Mapping[type[Event], _Ways]] = {}
    for state, ways in _WAYS.items():
        row = dict.fromkeys(EVENTS, _to(state))
        row[StartOrdered] = _to(state, Assuming)
        row |= dict.fromkeys((CeaseOrdered, TurnRevoked, SegmentUnreadable), _to(state, Absent))
        row |= dict.fromkeys((LeaseEnded, DutyLeft), _to(Absent))
        row |= ways
        table[state] = row
    return MappingProxyType(table)


TABLE = _table()
"""Where each event may lead from each state: the whole of it."""


def diagram() -> str:
    """Draw the table as a Mermaid state diagram: what leaves a state where it is, or ends any turn, is left out."""
    lines = ["stateDiagram-v2", "    [*] --> Assuming: StartOrdered"]
    for state, row in _WAYS.items():
        for after in STATES:
            events = [event.__name__ for event, ways in row.items() if after in ways]
            if events and after is not state:
                target = "[*]" if after is Absent else after.__name__
                lines.append(f"    {state.__name__} --> {target}: {', '.join(events)}")
    return "\n".join(lines) + "\n"
