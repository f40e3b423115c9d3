"""A chassis manager as a process: its lines opened, managed, answered for to IPMI tools and orders, and given back."""

import asyncio
import hashlib
import logging
import os
from contextlib import AbstractContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random

from blade_agent.chassis_manager.keeping.epoch_file import keep_epoch
from blade_agent.chassis_manager.lan.server import lan_server
from blade_agent.chassis_manager.manager import ChassisManager
from blade_agent.chassis_manager.order_desk import OrderDesk
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.chassis_manager.slots.lines import close_lines, open_lines
from blade_agent.hardware.profile import load_profile
from blade_agent.snmp.manager_link import chassis_snmp
from blade_agent.systemd import told_to_systemd
from blade_agent.version import installed_version
from media_network.address import Address
from media_network.holding import holding_folders, holding_name
from media_network.local_orders import take_orders
from media_network.snmp.agent import answering

logger = logging.getLogger(__name__)


async def run_manager(settings: ManagerSettings, rng: Random) -> None:
    """Manage a chassis until cancelled.

    Raises AlreadyHeld, LineUnavailable, ProfileError, OSError, ValueError.
    """
    profile = load_profile(settings.profile) if settings.profile else None
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(holding_folders(settings.state_folder))
        stack.enter_context(_holding_epoch_file(Path(settings.epoch_file)))
        lines = await open_lines(settings)
        stack.callback(close_lines, lines)
        manager = ChassisManager(settings, lines, rng, profile)
        if settings.lan:
            await stack.enter_async_context(
                lan_server(
                    Address(settings.lan.address, settings.lan.port),
                    manager=manager,
                    guid=settings.guid[::-1],
                    users=settings.lan.users,
                    rng=rng,
                    consoles=settings.consoles,
                )
            )
        if settings.orders:
            path = Path(settings.orders)
            path.parent.mkdir(parents=True, exist_ok=True)
            await stack.enter_async_context(take_orders(path, OrderDesk(manager).answers))
        if settings.snmp:
            await stack.enter_async_context(answering(partial(chassis_snmp, settings.snmp, manager, settings, rng)))
        await stack.enter_async_context(told_to_systemd(manager.begun))
        _say_hello(settings)
        try:
            await manager.run()
        finally:
            logger.info("chassis manager of %s ends", settings.station)


def _say_hello(settings: ManagerSettings) -> None:
    logger.info(
        "chassis manager %s of station %s with %d slots: center %s, orders at %s, state in %s",
        installed_version(),
        settings.station,
        len(settings.slots),
        settings.center or "none",
        settings.orders or "no socket",
        settings.state_folder,
    )


async def set_kept_epoch(settings: ManagerSettings, epoch: int) -> None:
    """Keep an epoch for a manager that is not running. Raises AlreadyHeld: it is; OSError."""
    path = Path(settings.epoch_file)
    with _holding_epoch_file(path):
        await asyncio.get_running_loop().run_in_executor(None, keep_epoch, path, epoch)


def _holding_epoch_file(path: Path) -> AbstractContextManager[None]:
    """Have the file, which need not lie in the state folder. Each change replaces it: its path is what is held."""
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    return holding_name(f"epoch/{name}", f"epoch file {path}")
