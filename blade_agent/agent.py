"""The blade agent: chassis blade controller and main board of one blade, together (claim 9)."""

import asyncio
import logging
import os
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext, suppress
from functools import partial
from pathlib import Path

from blade_agent.blade_controller import BladeController
from blade_agent.channel_files import ChannelFiles, channels_there
from blade_agent.hardware.probe import profile_for
from blade_agent.hardware.profile import HardwareProfile, load_profile
from blade_agent.main_board.accounts.station_accounts import StationAccounts
from blade_agent.main_board.director.duty import WaterMarks
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.issuer_keys import IssuerKeys
from blade_agent.main_board.main_board import Equipment, RunningMainBoard
from blade_agent.main_board.service_address import ServiceAddress
from blade_agent.settings import BladeSettings, ChannelSettings
from blade_agent.snmp.blade_link import BladeView, board_snmp
from blade_agent.systemd import told_to_systemd
from blade_agent.version import installed_version
from blade_agent.wires import Wires, open_backplane, open_service_port
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.files import Files
from media_network.holding import holding_folders
from media_network.identity.credentials import credentials_of
from media_network.identity.identification import Identification
from media_network.snmp.agent import OpenAnswering, answering
from media_network.status import ChannelStatus, ProcessStatus, StatusTeller

logger = logging.getLogger(__name__)

_STATUS_EAGER_S = 0.2
_STATUS_IDLE_S = 2.0
_TRAFFIC_INTERVAL_S = 1.0
_EAGER_FOR_S = 3.0


async def run_blade(
    settings: BladeSettings,
    rng: random.Random,
    on_wires: Callable[[str, str], None] = do_nothing,
    files_of: Callable[[Sequence[ChannelSettings]], Files] = ChannelFiles,
) -> None:
    """Be a blade until cancelled, on the wires that the settings name.

    `on_wires` is called with what the board is and the path of the service port, which may be empty, when all wires
    are open; `files_of` gives the file system that the channels of the settings are on.
    Raises ProfileError, AlreadyHeld, LineUnavailable, CredentialsUnfit, OSError.
    """
    profile = load_profile(settings.profile or profile_for(Path(settings.root)))
    state = Path(settings.state)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(holding_folders(state, *channels_there(settings.disks)))
        service_port, path = stack.enter_context(open_service_port(settings))
        backplane, framing = await open_backplane(settings)
        wires = Wires(backplane=backplane, framing=framing, service_port=service_port, service_port_path=path)
        agent = await BladeAgent.open(settings, profile, wires, files_of(settings.disks), rng)
        _say_hello(settings, profile, path)
        on_wires(profile.title, path)
        begun = asyncio.Event()
        begun.set()
        await stack.enter_async_context(told_to_systemd(begun, agent.is_well))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(agent.run(), name="agent")
                tasks.create_task(_keep_status(agent, state), name="status")
        finally:
            logger.info("blade agent in slot %d ends", settings.slot)


def _say_hello(settings: BladeSettings, profile: HardwareProfile, service_port: str) -> None:
    logger.info(
        "blade agent %s in slot %d on %s: at %s, ports %d (consoles) and %d (machines); backplane %s, service port %s",
        installed_version(),
        settings.slot,
        profile.title,
        settings.address,
        settings.media_port,
        settings.control_port,
        settings.backplane,
        service_port or "none",
    )
    logger.info(
        "segments are in %s; state is in %s", ", ".join(channel.path for channel in settings.disks), settings.state
    )


class BladeAgent:
    """A blade on wires that are open."""

    def __init__(
        self,
        settings: BladeSettings,
        *,
        board: Equipment,
        main_board: RunningMainBoard,
        controller: BladeController,
        wires: Wires,
        snmp: OpenAnswering | None,
    ) -> None:
        self._settings = settings
        self._board = board
        self._controller = controller
        self._main_board = main_board
        self._snmp = snmp
        self._measured = (0, 0)
        self._measured_s = -_TRAFFIC_INTERVAL_S
        self._service_port_path = wires.service_port_path

    @classmethod
    async def open(
        cls, settings: BladeSettings, profile: HardwareProfile, wires: Wires, files: Files, rng: random.Random
    ) -> "BladeAgent":
        """Take stock of the segment store and of the board, and answer on the wires."""
        identification = credentials_of(settings.identity)
        board = Equipment(
            slot=settings.slot,
            address=Address(settings.address, settings.control_port),
            media=Address(settings.address, settings.media_port),
            capacity_bps=settings.capacity_bps,
            state=Path(settings.state),
            store=await SegmentStore.open(files, [Path(channel.path) for channel in settings.disks]),
            files=files,
            service=_service_of(settings),
            rtsp_port=settings.rtsp_port,
            pause_s=settings.pause_s,
            allow_elsewhere=settings.allow_elsewhere,
            playlists_name_engines=settings.playlists_name_engines,
            zone=settings.zone,
            water=WaterMarks(high_percent=settings.high_water_percent, low_percent=settings.low_water_percent),
            issuer=_issuer_of(settings, files, rng),
            identification=identification,
            accounts=_accounts_of(settings, files, rng, identification),
        )
        main_board = RunningMainBoard(board, rng)
        controller = await BladeController.open(
            settings, profile, main_board, files, rng, disks_work=lambda: _channels_work(board.store)
        )
        controller.serve(wires)
        snmp = None
        if settings.snmp:
            view = BladeView(controller, main_board, profile, settings.capacity_bps)
            snmp = partial(board_snmp, settings.snmp, Path(settings.state), view, rng)
        return cls(settings, board=board, main_board=main_board, controller=controller, wires=wires, snmp=snmp)

    async def run(self) -> None:
        """Fill the roles that come over the backplane until cancelled."""
        try:
            async with answering(self._snmp), self._accounts(), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._main_board.run(), name="main board")
                tasks.create_task(self._controller.run(), name="controller")
                if self._board.identification:
                    tasks.create_task(self._board.identification.keep_fresh(), name="identity")
                if self._board.issuer:
                    tasks.create_task(self._board.issuer.run(), name="issuer keys")
        finally:
            await self._controller.close()
            self._board.store.close()

    def _accounts(self) -> AbstractAsyncContextManager[None]:
        """They outlive the roles: what an engine sent last is recorded."""
        return self._board.accounts.running() if self._board.accounts else nullcontext()

    def is_well(self) -> bool:
        """Whether CBC and main board work; whoever asks runs in the same event loop."""
        return self._controller.is_well()

    def status(self) -> ProcessStatus:
        """What the blade is doing now."""
        assignment = self._main_board.assignment
        sent_bytes, streams = self._traffic()
        serves = bool(assignment.station)
        return ProcessStatus(
            pid=os.getpid(),
            role=assignment.role.value,
            state=self._controller.main_board.status().state.value,
            epoch=assignment.epoch,
            station=assignment.station,
            address=self._board.address.host,
            control=str(self._board.address) if serves else "",
            media=str(self._board.media) if serves else "",
            sent_bytes=sent_bytes,
            streams=streams,
            service_port=self._service_port_path,
            channels=tuple(ChannelStatus(name=one.name, state=one.state) for one in self._board.store.figures()),
        )

    async def next_look(self) -> None:
        """Wait until the board has been looked at, which wakes the agent anyway, or its driver takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_STATUS_IDLE_S):
                await self._controller.looked.wait()

    def _traffic(self) -> tuple[int, int]:
        """What was sent and is being sent, measured once a second: the status is written when it changes."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._measured_s >= _TRAFFIC_INTERVAL_S:
            figures = self._main_board.figures()
            self._measured, self._measured_s = (figures.engine.sent_bytes, figures.streams), now_s
        return self._measured


async def _keep_status(agent: BladeAgent, state: Path) -> None:
    """Tell whoever looks into the state folder; only when something changed, and less eagerly when nothing does."""
    loop = asyncio.get_running_loop()
    teller = StatusTeller(state)
    changed_s = loop.time()
    while True:
        if teller.tell(agent.status()):
            changed_s = loop.time()
        if loop.time() - changed_s < _EAGER_FOR_S:
            await asyncio.sleep(_STATUS_EAGER_S)
        else:
            await agent.next_look()


def _issuer_of(settings: BladeSettings, files: Files, rng: random.Random) -> IssuerKeys | None:
    if settings.authentication is None:
        return None
    return IssuerKeys(settings.authentication, Path(settings.state), files, rng, settings.address)


def _accounts_of(
    settings: BladeSettings, files: Files, rng: random.Random, identification: Identification | None
) -> StationAccounts | None:
    if settings.accounts is None:
        return None
    own = Address(settings.address, settings.control_port)
    return StationAccounts(settings.accounts, Path(settings.state), files, rng, own, identification=identification)


def _service_of(settings: BladeSettings) -> ServiceAddress | None:
    service = settings.service
    if service is None:
        return None
    return ServiceAddress(
        address=Address(service.address, settings.media_port),
        take_command=service.take_command,
        leave_command=service.leave_command,
        listen=service.listen,
        rtp_port=service.rtp_port,
    )


def _channels_work(store: SegmentStore) -> bool:
    return all(channel.usable for channel in store.channels)
