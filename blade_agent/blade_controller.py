"""The CBC of a blade together with what it stands on: its board, its switch of the main board, and what it keeps."""

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blade_agent.cbc.blade import SelfCheck, SelfTestFault
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity, SlotAddress, installed_version
from blade_agent.cbc.role import MainBoardState
from blade_agent.files import Files
from blade_agent.hardware.board import Board
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.profiled_board.actions import BoardCommands
from blade_agent.profiled_board.board import ProfiledBoard
from blade_agent.profiled_board.guard import guard
from blade_agent.profiled_board.inventory import open_inventory
from blade_agent.profiled_board.kept_file import KeptFile
from blade_agent.profiled_board.power import KeptPower
from blade_agent.settings import BladeSettings
from blade_agent.switched_main_board import LimitedMainBoard, SwitchedMainBoard
from blade_agent.wires import Wires


@dataclass(frozen=True)
class KeptState:
    """What a CBC keeps in the state folder."""

    events: KeptFile
    fru: KeptFile
    power: KeptFile

    @classmethod
    async def open(cls, files: Files, folder: Path) -> "KeptState":
        """Read what is there."""
        return cls(*[await KeptFile.open(files, folder / name) for name in ("events", "fru", "power")])

    async def settle(self) -> None:
        """Wait until the disk has it all."""
        for kept in (self.events, self.fru, self.power):
            await kept.settle()


class BladeController:
    """A CBC on its board."""

    def __init__(
        self,
        settings: BladeSettings,
        *,
        board: Board,
        hardware: ProfiledBoard,
        controller: Controller,
        main_board: SwitchedMainBoard,
        kept: KeptState,
    ) -> None:
        self._settings = settings
        self._board = board
        self._hardware = hardware
        self._controller = controller
        self._kept = kept
        self.main_board = main_board
        """The main board as it shows itself: off when it was switched off."""

    @classmethod
    async def open(
        cls,
        settings: BladeSettings,
        profile: HardwareProfile,
        main_board: LimitedMainBoard,
        files: Files,
        rng: random.Random,
        *,
        disks_work: Callable[[], bool],
    ) -> "BladeController":
        """Read what was kept and what the board says, and be ready to serve lines."""
        kept = await KeptState.open(files, Path(settings.state))
        power = KeptPower(kept.power)
        switched = SwitchedMainBoard(main_board, is_on=power.choice.on)
        board = Board(profile, Path(settings.root))
        commands = BoardCommands(reset=settings.reset_command, power_off=settings.power_off_command)
        hardware = ProfiledBoard(board, switched, power, commands)
        identity = identity_of(settings, profile)
        serial_number = settings.serial_number or identity.guid[-8:].hex()
        controller = Controller(
            identity=identity,
            address=SlotAddress(settings.slot),
            main_board=switched,
            boot_id=rng.getrandbits(64),
            hardware=hardware,
            fru=await open_inventory(board, kept.fru, serial_number=serial_number, version=identity.firmware_version),
            event_log=kept.events,
            self_checks=[
                SelfCheck(SelfTestFault.FRU_DEVICE, lambda: disks_work() and kept.fru.works),
                SelfCheck(SelfTestFault.SEL_DEVICE, lambda: kept.events.works),
            ],
            handle_closed=not await hardware.read_handle(),
        )
        switched.tell(begins_anew=lambda: controller.blade.main_board_booted(rng.getrandbits(64)))
        return cls(settings, board=board, hardware=hardware, controller=controller, main_board=switched, kept=kept)

    def serve(self, wires: Wires) -> None:
        """Answer on these lines from now on."""
        self._controller.serve_backplane(wires.backplane, wires.framing)
        if wires.service_port:
            self._controller.serve_service_port(wires.service_port)

    async def run(self) -> None:
        """Measure, show, cool and guard the board until cancelled."""
        watchdog = self._board.profile.watchdog
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hardware.run(self._controller.settle, self._handle_moved), name="board")
            if watchdog and self._settings.watchdog:
                tasks.create_task(guard(self._board.root, watchdog.identity, self._is_well), name="watchdog")

    async def close(self) -> None:
        """Give the lines back, and wait until what is kept is on the disk."""
        self._controller.close()
        await self._kept.settle()

    def _handle_moved(self, is_open: bool) -> None:  # noqa: FBT001 -- as the board tells it
        self._controller.move_handle(closed=not is_open)

    def _is_well(self) -> bool:
        """Whether the board may go on; that this is asked at all says that the event loop does."""
        return self.main_board.status().state is not MainBoardState.FAILED


def identity_of(settings: BladeSettings, profile: HardwareProfile) -> Identity:
    """The profile's identity, with a GUID that stays the blade's own over restarts."""
    serial = settings.serial_number or f"{settings.address} slot {settings.slot}"
    return Identity(
        device_id=profile.identity.device_id,
        device_revision=profile.identity.device_revision,
        manufacturer=profile.identity.manufacturer,
        product=profile.identity.product,
        guid=hashlib.sha256(f"{profile.title}\n{serial}".encode()).digest()[:16],
        firmware_version=installed_version(),
    )
