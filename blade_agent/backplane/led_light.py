"""How a light shines."""

from enum import IntEnum

from msgspec import Struct


class LedColor(IntEnum):
    """Colours by their numbers (PICMG 3.0, table 3-29)."""

    BLUE = 1
    RED = 2
    GREEN = 3
    AMBER = 4
    ORANGE = 5
    WHITE = 6


class LedLight(Struct, frozen=True, kw_only=True):
    """On for `on_ms`, off for `off_ms`, and again. Without `on_ms` it is off, without `off_ms` steadily on."""

    on_ms: int
    off_ms: int
    color: LedColor
