"""A chassis manager as a process: its lines opened, managed, and given back."""

from random import Random

from blade_agent.chassis_manager.manager import close_lines, manage, open_lines
from blade_agent.chassis_manager.settings import ManagerSettings


async def run_manager(settings: ManagerSettings, rng: Random) -> None:
    """Manage a chassis until cancelled. Raises LineUnavailableError, EpochFileError, OSError."""
    lines = await open_lines(settings)
    try:
        await manage(settings, lines, rng)
    finally:
        close_lines(lines)
