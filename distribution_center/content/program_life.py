"""The life of a program (claim 11): one total table, and the state that follows from what is known of a program.

Nothing keeps a state. It is what the table makes of all that has happened, in the order of a life; a fact that is taken
back (a time that is put off, a copy that is lost) is not among the facts any more, and the state is another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import reduce

from media_network.messages.content import ProgramState


class LifeEvent(Enum):
    """What happens to a program, in the order of a life."""

    FETCHED = "its film is being fetched"
    CUT = "it is cut, and registered"
    KEPT = "the home station holds all of it"
    ORDERED = "it is ordered to stations"
    DISTRIBUTED = "they all hold it"
    BEGAN = "its publish time has come"
    ENDED = "its window has ended"
    WITHDRAWN = "it is withdrawn"
    LET_GO = "nobody holds anything of it any more"


_ANNOUNCED, _DOWNLOADING, _STORED = ProgramState.ANNOUNCED, ProgramState.DOWNLOADING, ProgramState.STORED
_INACTIVE, _DISTRIBUTING, _READY = ProgramState.INACTIVE, ProgramState.DISTRIBUTING, ProgramState.READY
_PUBLISHED, _EXPIRING = ProgramState.PUBLISHED, ProgramState.EXPIRING
_WITHDRAWN, _DELETED = ProgramState.WITHDRAWN, ProgramState.DELETED

# What an event does not concern stays as it is. A name that was withdrawn can be used again.
_MOVES: dict[ProgramState, dict[LifeEvent, ProgramState]] = {
    _ANNOUNCED: {LifeEvent.FETCHED: _DOWNLOADING, LifeEvent.CUT: _STORED, LifeEvent.WITHDRAWN: _WITHDRAWN},
    _DOWNLOADING: {LifeEvent.CUT: _STORED, LifeEvent.WITHDRAWN: _WITHDRAWN},
    _STORED: {
        LifeEvent.KEPT: _INACTIVE,
        LifeEvent.ORDERED: _DISTRIBUTING,
        LifeEvent.BEGAN: _PUBLISHED,
        LifeEvent.WITHDRAWN: _WITHDRAWN,
    },
    _INACTIVE: {
        LifeEvent.ORDERED: _DISTRIBUTING,
        LifeEvent.BEGAN: _PUBLISHED,
        LifeEvent.WITHDRAWN: _WITHDRAWN,
    },
    _DISTRIBUTING: {
        LifeEvent.DISTRIBUTED: _READY,
        LifeEvent.BEGAN: _PUBLISHED,
        LifeEvent.WITHDRAWN: _WITHDRAWN,
    },
    _READY: {LifeEvent.ORDERED: _DISTRIBUTING, LifeEvent.BEGAN: _PUBLISHED, LifeEvent.WITHDRAWN: _WITHDRAWN},
    _PUBLISHED: {LifeEvent.ENDED: _EXPIRING, LifeEvent.WITHDRAWN: _WITHDRAWN},
    _EXPIRING: {LifeEvent.BEGAN: _PUBLISHED, LifeEvent.WITHDRAWN: _WITHDRAWN},
    _WITHDRAWN: {LifeEvent.LET_GO: _DELETED, LifeEvent.FETCHED: _DOWNLOADING, LifeEvent.CUT: _STORED},
    _DELETED: {LifeEvent.FETCHED: _DOWNLOADING, LifeEvent.CUT: _STORED},
}
TABLE: dict[tuple[ProgramState, LifeEvent], ProgramState] = {
    (state, event): moves.get(event, state) for state, moves in _MOVES.items() for event in LifeEvent
}
"""From every state, by every event."""


@dataclass(frozen=True, kw_only=True)
class LifeFacts:
    """What is known of a program at a moment: which events have happened, and are not taken back."""

    fetched: bool = False
    cut: bool = False
    kept: bool = False
    ordered: bool = False
    distributed: bool = False
    began: bool = False
    ended: bool = False
    withdrawn: bool = False
    let_go: bool = False

    def events(self) -> Iterator[LifeEvent]:
        """In the order of a life."""
        return (event for event in LifeEvent if getattr(self, event.name.lower()))


def state_of(facts: LifeFacts) -> ProgramState:
    """Where a program is in its life."""
    return reduce(lambda state, event: TABLE[state, event], facts.events(), _ANNOUNCED)


def diagram() -> str:
    """The table for the documents."""
    lines = ["stateDiagram-v2", f"    [*] --> {_ANNOUNCED}: its metadata are known"]
    for (state, event), following in TABLE.items():
        if following is not state:
            lines.append(f"    {state} --> {following}: {event.value}")
    return "\n".join(lines) + "\n"
