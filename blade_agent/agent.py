"""The blade agent: chassis blade controller and main board of one blade, together (claim 9)."""

import asyncio
import hashlib
import os
import random
from pathlib import Path

from blade_agent.cbc.blade import SelfCheck, SelfTestFault
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity, SlotAddress, installed_version
from blade_agent.files import DiskFiles, Files
from blade_agent.hardware.profile import HardwareProfile, load_profile
from blade_agent.main_board.engine.store import SegmentStore
from blade_agent.main_board.main_board import Board, MainBoard
from blade_agent.settings import BladeSettings
from blade_agent.wires import Wires, open_backplane, open_service_port
from media_network.address import Address
from media_network.status import ProcessStatus, write_status

_STATUS_INTERVAL_S = 0.2


async def run_blade(settings: BladeSettings, rng: random.Random) -> None:
    """Be a blade until cancelled, on the wires that the settings name.

    Raises ProfileError, LineUnavailableError, OSError.
    """
    profile = load_profile(settings.profile)
    state = _make_folder(settings.state)
    with open_service_port(settings) as (service_port, path):
        backplane, framing = await open_backplane(settings)
        wires = Wires(backplane=backplane, framing=framing, service_port=service_port, service_port_path=path)
        agent = await Agent.open(settings, profile, wires, DiskFiles(), rng)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(agent.run(), name="agent")
            tasks.create_task(_keep_status(agent, state), name="status")


class Agent:
    """A blade on wires that are open."""

    def __init__(self, settings: BladeSettings, board: Board, controller: Controller, main_board: MainBoard) -> None:
        self._settings = settings
        self._board = board
        self._controller = controller
        self._main_board = main_board
        self._service_port_path = ""

    @classmethod
    async def open(
        cls, settings: BladeSettings, profile: HardwareProfile, wires: Wires, files: Files, rng: random.Random
    ) -> "Agent":
        """Take stock of the segment store and answer on the wires."""
        board = Board(
            slot=settings.slot,
            address=Address(settings.address, settings.http_port),
            capacity_bps=settings.capacity_bps,
            state=Path(settings.state),
            store=await SegmentStore.open(files, [Path(folder) for folder in settings.channels]),
            files=files,
        )
        main_board = MainBoard(board, rng)
        controller = Controller(
            identity=_identity(settings, profile),
            address=SlotAddress(settings.slot),
            main_board=main_board,
            boot_id=rng.getrandbits(64),
            self_checks=[SelfCheck(SelfTestFault.FRU_DEVICE, lambda: _channels_work(board.store))],
        )
        controller.serve_backplane(wires.backplane, wires.framing)
        if wires.service_port:
            controller.serve_service_port(wires.service_port)
        agent = cls(settings, board, controller, main_board)
        agent._service_port_path = wires.service_port_path
        return agent

    async def run(self) -> None:
        """Fill the roles that come over the backplane until cancelled."""
        try:
            await self._main_board.run()
        finally:
            self._controller.close()
            self._board.store.close()

    def status(self) -> ProcessStatus:
        """What the blade is doing now."""
        assignment = self._main_board.assignment
        return ProcessStatus(
            pid=os.getpid(),
            role=assignment.role.value,
            state=self._main_board.status().state.value,
            epoch=assignment.epoch,
            station=assignment.station,
            address=self._board.address.host,
            http=str(self._board.address) if assignment.station else "",
            service_port=self._service_port_path,
        )


async def _keep_status(agent: Agent, state: Path) -> None:
    """Tell whoever looks into the state folder; only when something changed."""
    told: ProcessStatus | None = None
    while True:
        status = agent.status()
        if status != told:
            write_status(state, status)
            told = status
        await asyncio.sleep(_STATUS_INTERVAL_S)


def _channels_work(store: SegmentStore) -> bool:
    return not any(channel.failure for channel in store.channels)


def _identity(settings: BladeSettings, profile: HardwareProfile) -> Identity:
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


def _make_folder(path: str) -> Path:
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
