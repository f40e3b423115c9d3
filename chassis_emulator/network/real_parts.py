"""The parts of a real network: agents, chassis managers, centers and headquarters, as everybody else runs them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from blade_agent.agent import run_blade
from blade_agent.chassis_agent import run_manager
from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.hardware.profile import load_profile, profile_names
from blade_agent.settings import BladeSettings
from blade_agent.version import installed_version
from chassis_emulator.faults.hung_channels import HangingFiles
from chassis_emulator.processes.parts import ProcessPart
from distribution_center.accounts.accounts_server import run_accounts
from distribution_center.accounts.settings import AccountsSettings
from distribution_center.authentication.authentication_server import run_authentication
from distribution_center.authentication.settings import AuthenticationSettings
from distribution_center.center import run_center
from distribution_center.headquarters.mam import run_mam
from distribution_center.headquarters.settings import MamSettings
from distribution_center.settings import CenterSettings

REAL_PARTS: Mapping[str, ProcessPart[Any]] = {
    "blade": ProcessPart(BladeSettings, partial(run_blade, files_of=HangingFiles)),
    "manager": ProcessPart(ManagerSettings, run_manager),
    "center": ProcessPart(CenterSettings, run_center),
    "mam": ProcessPart(MamSettings, run_mam),
    "accounts": ProcessPart(AccountsSettings, run_accounts),
    "authentication": ProcessPart(AuthenticationSettings, run_authentication),
}


def rehearse() -> None:
    """Do what every blade does first: what it imports and builds is then there, and shared, before the first fork."""
    installed_version()
    for name in profile_names():
        load_profile(name)
