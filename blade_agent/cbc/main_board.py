"""What a CBC asks of the main board beside it."""

from collections.abc import Mapping
from typing import Protocol

from blade_agent.backplane.role import MainBoardStatus, RoleAssignment
from media_network.address import Address


class MainBoard(Protocol):
    """The main board as the CBC sees it. No call waits."""

    def assign(self, assignment: RoleAssignment) -> None:
        """Take this role from now on; called only when it differs from the last one."""
        ...

    def drain(self, draining: bool) -> int:  # noqa: FBT001 -- the field of the message
        """Hand over what it carries and take nothing new, or take work again; returns what it still carries."""
        ...

    def know_blades(self, blades: Mapping[int, Address]) -> None:
        """Know from now on where the blades of the station are, by slot; called on a director's only."""
        ...

    def status(self) -> MainBoardStatus:
        """Tell the state of now."""
        ...
