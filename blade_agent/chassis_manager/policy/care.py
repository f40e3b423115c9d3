"""What a chassis manager has in hand with the blade of a slot."""

from msgspec import Struct


class Leaving(Struct):
    """A blade on its way out of service."""

    until: float
    ask_at: float
    drained: bool = False
    streams: int | None = None


class Care(Struct):
    """What the manager has in hand with the blade of a slot."""

    boot_id: int | None = None
    level: int = 0
    """Power level that it may be running at; 0 while it draws nothing."""
    level_known: bool = False
    """The blade has said its level, or was told it; until then it is taken to do all it can."""
    admitted: bool = False
    """It was told to come into service and has not said that it does."""
    told_out: bool = False
    leaving: Leaving | None = None
    parked: bool = False
    """It was seen out of service, as it should be: when it asks to come back, a hand has been at it."""
    freed: bool = False
    """It was told that it need not drain (any more)."""
    unlock_at: float = 0.0
    short_of_power: bool = False
    waits_for: str = ""
