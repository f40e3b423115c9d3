"""The main board with a switch: the `MainBoard` of the CBC and the `MainBoardPower` of its board, in one.

Main board and CBC share a processor. Switched off, the main board has no role and says that it is off; switched on, it
begins anew under another boot id, as one does that really had no power.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from blade_agent.backplane.role import MainBoardState, MainBoardStatus, RoleAssignment
from blade_agent.cbc.main_board import MainBoard
from media_network.address import Address
from media_network.callback import do_nothing


class LimitedMainBoard(MainBoard, Protocol):
    """A main board that can be told to send less."""

    def limit(self, share: float) -> None:
        """Send no more than this share of its capacity."""
        ...


class SwitchedMainBoard:
    """A main board that can be switched."""

    def __init__(self, main_board: LimitedMainBoard, *, is_on: bool) -> None:
        self._main_board = main_board
        self._is_on = is_on
        self._starting = False
        self._begins_anew: Callable[[], None] = do_nothing

    def tell(self, begins_anew: Callable[[], None]) -> None:
        """Call this whenever it loses its role with its power, and when it begins anew."""
        self._begins_anew = begins_anew

    # As the CBC's main board

    def assign(self, assignment: RoleAssignment) -> None:
        """See `MainBoard`. One that is off takes no role: it is asked for again when it is back."""
        if self._is_on or assignment == RoleAssignment(epoch=assignment.epoch):
            self._main_board.assign(assignment)

    def drain(self, draining: bool) -> int:  # noqa: FBT001 -- the field of the message
        """See `MainBoard`."""
        return self._main_board.drain(draining) if self._is_on else 0

    def know_blades(self, blades: Mapping[int, Address]) -> None:
        """See `MainBoard`."""
        self._main_board.know_blades(blades)

    def status(self) -> MainBoardStatus:
        """See `MainBoard`."""
        status = self._main_board.status()
        if not self._is_on:
            return MainBoardStatus(state=MainBoardState.OFF, address=None)
        if self._starting and status.state is MainBoardState.STOPPING:
            return MainBoardStatus(state=MainBoardState.STARTING, address=None)
        self._starting = False
        return status

    # As its power

    @property
    def is_on(self) -> bool:
        """See `MainBoardPower`."""
        return self._is_on

    def on(self) -> None:
        """See `MainBoardPower`."""
        if not self._is_on:
            self._is_on = self._starting = True
            self._main_board.drain(False)  # noqa: FBT003
            self._begins_anew()

    def off(self) -> None:
        """See `MainBoardPower`."""
        if self._is_on:
            self._is_on = False
            self._begins_anew()

    def hand_over(self) -> int:
        """See `MainBoardPower`."""
        return self.drain(True)  # noqa: FBT003

    def limit(self, share: float) -> None:
        """See `MainBoardPower`."""
        self._main_board.limit(share)
