"""The role that the chassis manager gives a main board, and what the CBC must know of that board."""

from enum import StrEnum
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from blade_agent.backplane.message import CompletionCode
from media_network.address import Address

LONGEST_STATION_BYTES = 32
STATION_PATTERN = r"^[!-~]{1,32}$"
StationName = Annotated[str, Meta(pattern=STATION_PATTERN)]
"""Name of a media station on the backplane: at most 32 printable ASCII characters, no blank."""


class Role(StrEnum):
    """What a main board is in its media station (claim 7)."""

    UNASSIGNED = "unassigned"
    DIRECTOR = "director"
    ENGINE = "engine"


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


class MainBoard(Protocol):
    """The main board as the CBC sees it. No call waits."""

    def assign(self, assignment: RoleAssignment) -> None:
        """Take this role from now on; called only when it differs from the last one."""
        ...

    def drain(self, draining: bool) -> int:  # noqa: FBT001 -- the field of the message
        """Hand over what it carries and take nothing new, or take work again; returns what it still carries."""
        ...

    def status(self) -> MainBoardStatus:
        """Tell the state of now."""
        ...


class RoleRefusedError(Exception):
    """An assignment that may not be taken."""

    def __init__(self, code: CompletionCode, held: RoleAssignment, offered: RoleAssignment) -> None:
        super().__init__(f"{offered.role} at epoch {offered.epoch}, while {held.role} at epoch {held.epoch} is held")
        self.code = code
        self.held = held
        self.offered = offered


def check_fence(held: RoleAssignment, offered: RoleAssignment) -> None:
    """Let an assignment pass only if no other director can believe in the same epoch.

    Raises:
        RoleRefusedError: the epoch is older than the held one, or the directorship changes within an epoch.
    """
    if offered.epoch < held.epoch:
        raise RoleRefusedError(CompletionCode.STALE_EPOCH, held, offered)
    if offered.epoch == held.epoch and (offered.role is Role.DIRECTOR) != (held.role is Role.DIRECTOR):
        raise RoleRefusedError(CompletionCode.ROLE_CONFLICT, held, offered)
