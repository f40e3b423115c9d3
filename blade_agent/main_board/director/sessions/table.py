"""Where each event may lead a pushed session from each of its states. `Session.on` keeps to it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias, get_args

from blade_agent.main_board.director.sessions.events import (
    EndAsked,
    EngineFound,
    EngineLost,
    Event,
    GaveUp,
    GotReady,
    LookedRound,
    NextAsked,
    NobodyFound,
    NotReady,
    PauseAsked,
    PauseInherited,
    ResumeAsked,
    ScaleAsked,
    SeekAsked,
    SenderUnnamed,
    StartAnswered,
    TurnAssumed,
    TurnInherited,
    TurnSettled,
    TurnStopped,
    Woken,
)
from blade_agent.main_board.director.sessions.states import (
    AwaitingEnlistment,
    AwaitingLeases,
    Doubting,
    Ended,
    Left,
    Opening,
    Paused,
    Readying,
    Redirected,
    Resuming,
    Seeking,
    SettlingNext,
    SettlingSender,
    SettlingStart,
    Starting,
    State,
    Streaming,
)

EVENTS: tuple[type[Event], ...] = get_args(Event)

_Ways: TypeAlias = frozenset[type[State]]


def _to(*states: type[State]) -> _Ways:
    return frozenset(states)


_NEVER: _Ways = frozenset()
"""The event is the answer to an effect of other states only."""
_GOES_ON = _to(Seeking, Paused, Ended)
_NEXT_IS_SETTLED = _GOES_ON | _to(SettlingNext)
_SENDER_IS_SETTLED = _NEXT_IS_SETTLED | _to(AwaitingLeases)
_IS_SENT = _to(Streaming, SettlingSender)
"""An engine turns out to have the stream; it is made to stop where its console wants that."""

_WAYS: Mapping[type[State], Mapping[type[Event], _Ways]] = {
    Opening: {
        PauseInherited: _to(Paused),
        NobodyFound: _to(Ended),
        GotReady: _to(Opening, Redirected),
        LookedRound: _to(Opening, Ended),
        GaveUp: _to(Ended),
        TurnInherited: _to(Redirected, Streaming),
    },
    Redirected: {
        TurnAssumed: _to(Redirected, Streaming),
        NextAsked: _to(Redirected, Streaming, AwaitingEnlistment),
        TurnStopped: _to(Seeking, Ended, Redirected),
        EngineLost: _to(Redirected, Ended),
        LookedRound: _to(Redirected, Ended),
        TurnInherited: _to(Redirected, Streaming),
    },
    Streaming: {
        NextAsked: _to(Streaming, Doubting, AwaitingEnlistment),
        TurnStopped: _SENDER_IS_SETTLED | _to(Streaming),
        SenderUnnamed: _to(Streaming, SettlingSender),
        EngineLost: _to(Streaming, SettlingSender),
        LookedRound: _to(Streaming, Ended),
        PauseAsked: _to(SettlingSender),
        SeekAsked: _to(SettlingSender),
        ScaleAsked: _to(Streaming, SettlingSender),
    },
    Doubting: {
        TurnStopped: _SENDER_IS_SETTLED | _to(Doubting),
        SenderUnnamed: _to(Doubting, SettlingSender),
        EngineLost: _to(Doubting, SettlingSender),
        TurnSettled: _GOES_ON | _to(Doubting, Streaming, AwaitingLeases),
        LookedRound: _to(Doubting, Ended),
        PauseAsked: _to(SettlingSender),
        SeekAsked: _to(SettlingSender),
        ScaleAsked: _to(Doubting, SettlingSender),
    },
    AwaitingEnlistment: {
        TurnAssumed: _to(AwaitingEnlistment, Streaming),
        NextAsked: _to(AwaitingEnlistment, Streaming),
        TurnStopped: _SENDER_IS_SETTLED | _to(AwaitingEnlistment),
        SenderUnnamed: _to(AwaitingEnlistment, SettlingSender),
        EngineLost: _to(AwaitingEnlistment, SettlingSender),
        LookedRound: _to(AwaitingEnlistment, Ended),
        Woken: _NEXT_IS_SETTLED | _to(AwaitingEnlistment),
        TurnInherited: _to(AwaitingEnlistment, Streaming),
        PauseAsked: _to(SettlingSender),
        SeekAsked: _to(SettlingSender),
        ScaleAsked: _to(AwaitingEnlistment, SettlingSender),
    },
    SettlingSender: {
        TurnAssumed: _IS_SENT,
        NextAsked: _IS_SENT,
        TurnStopped: _GOES_ON | _to(SettlingSender),
        TurnSettled: _SENDER_IS_SETTLED | _to(SettlingSender, Paused),
        TurnInherited: _IS_SENT,
    },
    AwaitingLeases: {
        TurnAssumed: _IS_SENT | _to(AwaitingLeases),
        NextAsked: _IS_SENT | _to(AwaitingLeases),
        TurnStopped: _GOES_ON | _to(AwaitingLeases, SettlingSender),
        Woken: _NEXT_IS_SETTLED | _to(AwaitingLeases, Paused),
        TurnInherited: _IS_SENT | _to(AwaitingLeases),
    },
    SettlingNext: {TurnSettled: _GOES_ON | _to(SettlingNext, Paused)},
    Seeking: {
        EngineFound: _to(Readying),
        PauseAsked: _to(Paused),
        ScaleAsked: _to(Seeking, Paused),
    },
    Readying: {
        GotReady: _to(Readying, Starting),
        NotReady: _to(Readying, Seeking),
        PauseAsked: _to(Paused),
        SeekAsked: _to(Seeking),
        ScaleAsked: _to(Readying, Seeking, Paused),
    },
    Starting: {
        StartAnswered: _to(Starting, Streaming, SettlingStart, Seeking),
        TurnAssumed: _to(Starting, Streaming),
        NextAsked: _to(Starting, Streaming),
        TurnStopped: _GOES_ON | _to(Starting),
        PauseAsked: _to(SettlingStart),
        SeekAsked: _to(SettlingStart),
        ScaleAsked: _to(SettlingStart),
    },
    SettlingStart: {TurnSettled: _GOES_ON | _to(SettlingStart, Paused)},
    Paused: {ResumeAsked: _to(Seeking), ScaleAsked: _to(Seeking, Paused), LookedRound: _to(Paused, Ended)},
    Left: {},
    Ended: {},
}
"""What is not here leaves a session where it is."""


def _table() -> Mapping[type[State], Mapping[type[Event], _Ways]]:
    table: dict[type[State], dict[type[Event], _Ways]] = {}
    for state, ways in _WAYS.items():
        row = table[state] = dict.fromkeys(EVENTS, _to(state))
        if state not in (Opening, Streaming, Seeking):
            row |= {EngineFound: _NEVER, NobodyFound: _NEVER}
        if state not in (Opening, Ended):
            row[GaveUp] = _to(Left)
        if state not in (Left, Ended):
            row[EndAsked] = _to(Ended)
        if issubclass(state, Resuming):
            row[LookedRound] = _to(state, Ended)
        row |= ways
    return MappingProxyType(table)


TABLE = _table()
"""Where each event may lead from each state: the whole of it, and `Session.on` keeps to it."""


def diagram() -> str:
    """Draw the table as a Mermaid state diagram: what leaves a state where it is, is left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {Opening.__name__}"]
    for shown in dict.fromkeys(state.shown for state in TABLE):
        inside = [state for state in TABLE if state.shown is shown]
        if len(inside) > 1:
            lines += [f"    state {shown} {{", *(f"        {state.__name__}" for state in inside), "    }"]
    for state, row in TABLE.items():
        for after in TABLE:
            events = [event.__name__ for event, ways in row.items() if after in ways]
            if events and after is not state:
                lines.append(f"    {state.__name__} --> {after.__name__}: {', '.join(events)}")
    lines.append(f"    {Ended.__name__} --> [*]")
    return "\n".join(lines) + "\n"
