"""What a chassis manager notices by itself and brings into the chassis' event log."""

from enum import Enum

from msgspec import Struct


class NoticeKind(Enum):
    """What was noticed."""

    MOVED = "moved"
    """A slot's hot-swap state changed as only the manager can see it: lost, found again, extracted."""
    DIRECTOR = "director"
    NO_POWER = "no power"
    """A blade waits, or was taken out of service, because the supplies cannot carry it. Over when they can."""
    SUPPLY = "supply"
    """A supply failed; over when it works again."""
    OVERHEATED = "overheated"
    """A blade was taken out of service before heat damages it."""
    LOGIN = "login"
    """Wrong passwords."""


class Notice(Struct, frozen=True, kw_only=True):
    """Something noticed."""

    kind: NoticeKind
    number: int = 0
    """Slot, or number of the supply; 0: the chassis."""
    asserted: bool = True
    detail: tuple[int, int] = (0xFF, 0xFF)
    """Two bytes: of MOVED the state of now and the one before, of DIRECTOR the epoch's lower half, of OVERHEATED the
    temperature, of LOGIN how many in all."""
