"""What a CBC asks of the main board beside it."""

from typing import Protocol

from blade_agent.backplane.role import MainBoardStatus, RoleAssignment


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
