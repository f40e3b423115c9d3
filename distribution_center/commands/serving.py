"""`run` and `nms run`: a center, and a network management system."""

import random
from pathlib import Path

import click

from media_network.cli import Commands, UserError, run_until_told, saying, settings_option
from media_network.settings import SettingsError, read_settings


@click.command()
@settings_option("/etc/media-station/center.toml", "name, address, state, home")
def run(path: Path) -> None:
    """Run a distribution center.

    \b
    Example:
      distribution-center run --settings /etc/media-station/center.toml
    """
    from distribution_center.center import run_center
    from distribution_center.content.providers.providers import ProviderUnfit
    from distribution_center.registry.repository import RepositoryError
    from distribution_center.settings import CenterSettings

    try:
        with saying("the center cannot run", f"Check `address` and `state` in {path}."):
            run_until_told(run_center(read_settings(path, CenterSettings), random.SystemRandom()))
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/center.md describes every key.") from error
    except ProviderUnfit as error:
        raise UserError(str(error), f"Check `providers` in {path}; docs/operations/center.md has a section.") from error
    except RepositoryError as error:
        raise UserError(
            str(error), f"Check `registry` in {path}; docs/operations/center.md has a section on it."
        ) from error


@click.group(cls=Commands)
def nms() -> None:
    """The network management system: sees every station, chassis and blade.

    \b
    Example:
      distribution-center nms run --settings nms.toml
    """


@nms.command("run")
@settings_option("/etc/media-station/nms.toml", "centers, state, user")
def run_management(path: Path) -> None:
    """Run a network management system, and its page.

    \b
    Example:
      distribution-center nms run --settings /etc/media-station/nms.toml
    """
    from distribution_center.network_management.history import HistoryError
    from distribution_center.network_management.run import run_nms
    from distribution_center.network_management.settings import NmsSettings

    try:
        with saying("the network management system cannot run", f"Check the addresses and `state` in {path}."):
            run_until_told(run_nms(read_settings(path, NmsSettings), random.SystemRandom()))
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/nms.md describes every key.") from error
    except HistoryError as error:
        raise UserError(str(error), "docs/operations/nms.md has a section on the history.") from error
