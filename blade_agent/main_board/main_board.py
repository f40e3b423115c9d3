"""The main board: takes the role the CBC hands on from the chassis manager, and fills it (claims 7 and 9)."""

import asyncio
import logging
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from blade_agent.cbc.role import MainBoardState, MainBoardStatus, Role, RoleAssignment
from blade_agent.files import Files
from blade_agent.main_board.director.director import direct
from blade_agent.main_board.director.duty import DirectorDuty
from blade_agent.main_board.engine.director_link import EngineDuty
from blade_agent.main_board.engine.engine import run_engine
from blade_agent.main_board.engine.store import SegmentStore
from media_network.address import Address

_log = logging.getLogger(__name__)

_TRY_AGAIN_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Board:
    """What a main board has, whatever its role."""

    slot: int
    address: Address
    capacity_bps: int
    state: Path
    store: SegmentStore
    files: Files


class MainBoard:
    """The `MainBoard` that the CBC sees, and the task that fills the role."""

    def __init__(self, board: Board, rng: random.Random) -> None:
        self._board = board
        self._rng = rng
        self._wanted = RoleAssignment()
        self._changed = asyncio.Event()
        self._failed = False
        self._leaving = False

    def assign(self, assignment: RoleAssignment) -> None:
        """Take a role from now on; the one before is left first."""
        self._wanted = assignment
        self._leaving = True
        self._changed.set()

    def status(self) -> MainBoardStatus:
        """The state of now."""
        if self._leaving:
            state = MainBoardState.STOPPING
        elif self._failed:
            state = MainBoardState.FAILED
        else:
            state = MainBoardState.READY
        return MainBoardStatus(state=state, address=self._board.address)

    @property
    def assignment(self) -> RoleAssignment:
        """The role it fills, or is about to."""
        return self._wanted

    async def run(self) -> None:
        """Fill one role after the other until cancelled."""
        while True:
            self._changed.clear()
            self._leaving = False
            filling = asyncio.create_task(self._fill(self._wanted), name=f"fill role {self._wanted.role}")
            try:
                await self._changed.wait()
            finally:
                filling.cancel()
                await asyncio.wait([filling])

    async def _fill(self, assignment: RoleAssignment) -> None:
        """Fill a role; one that breaks down is taken up again, for nobody else will."""
        while True:
            self._failed = False
            try:
                await self._role(assignment)
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001 -- the top of a role: whatever broke it, the blade stays manageable
                _log.exception("the role of %s broke down", assignment.role)
            self._failed = True
            await asyncio.sleep(_TRY_AGAIN_S)

    def _role(self, assignment: RoleAssignment) -> Coroutine[None, None, None]:
        board = self._board
        match assignment.role:
            case Role.DIRECTOR:
                duty = DirectorDuty(
                    station=assignment.station,
                    address=board.address,
                    epoch=assignment.epoch,
                    center=assignment.center,
                    state=board.state,
                )
                return direct(duty, board.files, self._rng)
            case Role.ENGINE if assignment.director:
                return run_engine(
                    EngineDuty(
                        slot=board.slot,
                        address=board.address,
                        director=assignment.director,
                        epoch=assignment.epoch,
                        capacity_bps=board.capacity_bps,
                    ),
                    board.store,
                    self._rng,
                )
            case _:
                return _idle()


async def _idle() -> None:
    await asyncio.get_running_loop().create_future()
