"""A chassis manager as a process: its lines opened, managed, answered for to IPMI tools, and given back."""

import hashlib
from contextlib import AsyncExitStack
from random import Random

from blade_agent.cbc.identity import Identity, installed_version
from blade_agent.chassis_manager.lan.server import lan_server
from blade_agent.chassis_manager.manager import ChassisManager, close_lines, open_lines
from blade_agent.chassis_manager.settings import ManagerSettings
from media_network.address import Address

_DEVICE_ID = 0x10
"""This project's number for a chassis manager; a blade's is its profile's."""


async def run_manager(settings: ManagerSettings, rng: Random) -> None:
    """Manage a chassis until cancelled. Raises LineUnavailableError, EpochFileError, OSError, ValueError."""
    async with AsyncExitStack() as stack:
        lines = await open_lines(settings)
        stack.callback(close_lines, lines)
        manager = ChassisManager(settings, lines, rng)
        if settings.lan:
            await stack.enter_async_context(
                lan_server(
                    Address(settings.lan.address, settings.lan.port),
                    manager=manager,
                    identity=_identity(settings.station),
                    users=settings.lan.users,
                    rng=rng,
                )
            )
        await manager.run()


def _identity(station: str) -> Identity:
    """Maker and product are unspecified; the GUID stays the station's own over restarts."""
    return Identity(
        device_id=_DEVICE_ID,
        device_revision=0,
        manufacturer=0,
        product=0,
        guid=hashlib.sha256(f"chassis manager\n{station}".encode()).digest()[:16],
        firmware_version=installed_version(),
    )
