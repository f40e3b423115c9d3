"""The role that the chassis manager gives a main board, and what that board says of itself."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import Address

LONGEST_STATION_BYTES = 32
STATION_PATTERN = r"^[!-~]{1,32}$"
StationName = Annotated[
    str, Meta(pattern=STATION_PATTERN, description="1 to 32 printable ASCII characters without blanks")
]
"""Name of a media station on the backplane: at most 32 printable ASCII characters, no blank."""


class Role(StrEnum):
    """What a main board is in its media station (claim 7)."""

    UNASSIGNED = "unassigned"
    DIRECTOR = "director"
    ENGINE = "engine"


HIGHEST_EPOCH = (1 << 32) - 1
"""What four bytes hold. There is none after it."""


class RoleAssignment(Struct, frozen=True, kw_only=True):
    """A role and all that is needed to fill it."""

    role: Role = Role.UNASSIGNED
    epoch: int = 0
    """Counts the directors of the station: a higher one fences off what older ones still say. 0: never assigned."""
    station: str = ""
    director: Address | None = None
    center: Address | None = None


class MainBoardState(StrEnum):
    """How far the main board is."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    """Its HTTP servers listen; it can take a role, or fills one."""
    STOPPING = "stopping"
    """Finishing what it does before it is without a role."""
    FAILED = "failed"


class MainBoardStatus(Struct, frozen=True, kw_only=True):
    """What the main board says of itself."""

    state: MainBoardState
    address: Address | None
    """Where machines speak to it, its control port; None until they can."""
    streams: int = 0
    """That it sends."""
