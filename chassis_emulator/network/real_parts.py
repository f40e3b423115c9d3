"""The parts of a real network: the agents, the chassis managers and the center, as everybody else runs them."""

from collections.abc import Mapping
from typing import Any

from blade_agent.agent import run_blade
from blade_agent.chassis_agent import run_manager
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.hardware.profile import load_profile, profile_names
from blade_agent.settings import BladeSettings
from blade_agent.version import installed_version
from chassis_emulator.processes.parts import ProcessPart
from distribution_center.center import run_center
from distribution_center.settings import CenterSettings

REAL_PARTS: Mapping[str, ProcessPart[Any]] = {
    "blade": ProcessPart(BladeSettings, run_blade),
    "manager": ProcessPart(ManagerSettings, run_manager),
    "center": ProcessPart(CenterSettings, run_center),
}


def rehearse() -> None:
    """Do what every blade does first: what it imports and builds is then there, and shared, before the first fork."""
    installed_version()
    for name in profile_names():
        load_profile(name)
