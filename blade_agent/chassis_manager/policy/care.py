"""What a chassis manager has in hand with the blade of a slot: stages, events, and the table of transitions.

Hot swap says where a blade is. A stage says what the manager has told it on its way, and has not seen done.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct


class CareStage(Enum):
    """What is in hand with a blade."""

    NOTHING = "nothing"
    PARKED = "parked"
    """It was seen out of service, as it should be: when it asks to come back, a hand has been at it."""
    ADMITTED = "admitted"
    """It was told to come into service and has not said that it does."""
    FREED = "freed"
    """It was told, in service, that it need not drain (any more)."""
    LEAVING = "leaving"
    """It drains."""
    SENT_OUT = "sent out"
    """It was told to go out of service."""


class CareEvent(Enum):
    """What the manager does, and what it sees."""

    ADMIT = "admit"
    NOT_ADMITTED = "not admitted"
    """The blade refused to come, or did not answer."""
    CAME_IN = "came in"
    FREE = "free"
    NOT_FREED = "not freed"
    """The blade did not answer."""
    LEAVE = "leave"
    STAY = "stay"
    """Nothing keeps the blade out of service any more."""
    SEND_OUT = "send out"
    SEEN_OUT = "seen out"
    SEEN_OUT_AS_ORDERED = "seen out as ordered"
    HAND_SEEN = "hand seen"
    """Somebody wants the blade back in service: what was seen before counts no longer."""


_S = CareStage
_E = CareEvent

_FROM_ANYWHERE: Mapping[CareEvent, CareStage] = {
    _E.ADMIT: _S.ADMITTED,
    _E.FREE: _S.FREED,
    _E.LEAVE: _S.LEAVING,
    _E.SEND_OUT: _S.SENT_OUT,
    _E.SEEN_OUT: _S.NOTHING,
    _E.SEEN_OUT_AS_ORDERED: _S.PARKED,
}
_FROM: Mapping[CareStage, Mapping[CareEvent, CareStage]] = {
    _S.NOTHING: {},
    _S.PARKED: {_E.HAND_SEEN: _S.NOTHING, _E.CAME_IN: _S.NOTHING},
    _S.ADMITTED: {_E.NOT_ADMITTED: _S.NOTHING, _E.CAME_IN: _S.NOTHING},
    _S.FREED: {_E.NOT_FREED: _S.NOTHING},
    _S.LEAVING: {_E.STAY: _S.NOTHING},
    _S.SENT_OUT: {},
}

TRANSITIONS: Mapping[CareStage, Mapping[CareEvent, CareStage]] = MappingProxyType(
    {
        stage: MappingProxyType({**dict.fromkeys(CareEvent, stage), **_FROM_ANYWHERE, **_FROM[stage]})
        for stage in CareStage
    }
)
"""Every stage answers every event; one without a meaning there leaves it as it is: an answer may come late."""


class Leaving(Struct):
    """How far a blade on its way out of service is."""

    until: float
    ask_at: float
    drained: bool = False
    streams: int | None = None


class Care(Struct):
    """What the manager has in hand with the blade of a slot, and what it draws."""

    boot_id: int | None = None
    stage: CareStage = CareStage.NOTHING
    leaving: Leaving | None = None
    """Only of one that is leaving, or was sent out after it."""
    level: int = 0
    """Power level that it may be running at; 0 while it draws nothing."""
    level_known: bool = False
    """The blade has said its level, or was told it; until then it is taken to do all it can."""
    unlock_at: float = 0.0
    short_of_power: bool = False
    waits_for: str = ""

    def apply(self, event: CareEvent) -> None:
        """Move by an event."""
        self.stage = TRANSITIONS[self.stage][event]
        if not self.on_its_way_out:
            self.leaving = None

    @property
    def on_its_way_out(self) -> bool:
        """Whether the blade leaves service, by whatever was told it."""
        return self.stage in (CareStage.LEAVING, CareStage.SENT_OUT)
