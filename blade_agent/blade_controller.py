"""The CBC of a blade together with what it stands on: its board, its switch of the main board, and what it keeps."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blade_agent.backplane.command import Command
from blade_agent.backplane.guid import guid_of
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, Completion, Request
from blade_agent.backplane.role import MainBoardState
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.self_test import SelfCheck, SelfTestFault
from blade_agent.hardware.board import Board, LedReading
from blade_agent.hardware.profile import HardwareProfile
from blade_agent.profiled_board.actions import BoardCommands
from blade_agent.profiled_board.board import ProfiledBoard
from blade_agent.profiled_board.guard import guard
from blade_agent.profiled_board.inventory import open_inventory
from blade_agent.profiled_board.kept_file import KeptFile
from blade_agent.profiled_board.measurements import Measurements
from blade_agent.profiled_board.power import KeptPower
from blade_agent.settings import BladeSettings
from blade_agent.switched_main_board import LimitedMainBoard, SwitchedMainBoard
from blade_agent.version import installed_version
from blade_agent.wires import Wires
from media_network.callback import do_nothing
from media_network.files import Files

_REBUILT = {
    "events": "the event log begins anew",
    "fru": "the inventory is what EEPROM, profile and settings say",
    "power": "the main board is on",
    "counters": "the time that the board has been on is counted from now on",
}
"""What becomes of what is kept, in the order of `KeptState`, if it is damaged."""


@dataclass(frozen=True)
class KeptState:
    """What a CBC keeps in the state folder."""

    events: KeptFile
    fru: KeptFile
    power: KeptFile
    counters: KeptFile

    @classmethod
    async def open(cls, files: Files, folder: Path) -> "KeptState":
        """Read what is there."""
        return cls(*[await KeptFile.open(files, folder / name, rebuilt=then) for name, then in _REBUILT.items()])

    async def settle(self) -> None:
        """Wait until the disk has it all."""
        for kept in (self.events, self.fru, self.power, self.counters):
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
        self.changed: Callable[[], None] = do_nothing
        """Called when hot swap, role or the main board's state is another one."""
        self.looked = asyncio.Event()
        """Set for whoever waits, and cleared at once, after every look at the board."""
        self._state: tuple[object, ...] = ()
        self._handle_is_open = not controller.blade.hot_swap.handle_closed
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
            counters=kept.counters,
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
            tasks.create_task(self._hardware.run(self._settle, self._handle_moved), name="board")
            if watchdog and self._settings.watchdog:
                tasks.create_task(guard(self._board.root, watchdog.identity, self.is_well), name="watchdog")

    @property
    def blade(self) -> Blade:
        """The blade as its CBC knows it."""
        return self._controller.blade

    @property
    def measurements(self) -> Measurements:
        """What the board measured last."""
        return self._hardware.measurements

    @property
    def serial_number(self) -> str:
        """Of the blade, as its settings have it, or made up of its address."""
        return self._settings.serial_number or self.blade.identity.guid[-8:].hex()

    def lights(self) -> tuple[LedReading, ...]:
        """What the lights show, the blue one first where there is one."""
        return self._hardware.light_readings()

    def ask_for_service(self) -> None:
        """Go by the handle again: in service where it is closed."""
        self._controller.move_handle(closed=not self._handle_is_open)

    def ask_to_leave(self) -> None:
        """Leave service in an orderly way, as when the handle is opened."""
        self._controller.move_handle(closed=False)

    def order(self, command: Command[Any, Any], body: object) -> Completion:
        """Carry out a command as if it had come in on a line; give its completion code."""
        request = Request(
            responder=self.blade.address.ipmb_address,
            requester=CHASSIS_MANAGER_ADDRESS,
            net_fn=command.code.net_fn,
            command=command.code.number,
            sequence=0,
            data=command.request_data(body),
        )
        return command.completion(self._controller.answer(request).completion)

    async def close(self) -> None:
        """Give the lines back, and wait until what is kept is on the disk."""
        self._controller.close()
        await self._kept.settle()

    def _settle(self) -> None:
        self._controller.settle()
        self.looked.set()
        self.looked.clear()
        blade = self.blade
        state = (blade.hot_swap.state, blade.post.held, self.main_board.status().state)
        if state != self._state:
            self._state = state
            self.changed()

    def _handle_moved(self, is_open: bool) -> None:  # noqa: FBT001 -- as the board tells it
        self._handle_is_open = is_open
        self._controller.move_handle(closed=not is_open)
        self._settle()

    def is_well(self) -> bool:
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
        guid=guid_of(f"{profile.title}\n{serial}"),
        firmware_version=installed_version(),
    )
