"""`blade-agent run|manage|set-epoch`: be a blade, or manage a chassis of them."""

import random
from pathlib import Path

import click

from blade_agent.backplane.role import HIGHEST_EPOCH
from blade_agent.configuration.cli import BLADE_FILE, CHASSIS_FILE
from blade_agent.hardware.profile import ProfileError
from media_network.cli import UserError, WholeRange, run_until_told, saying, settings_option
from media_network.settings import SettingsError, read_settings


@click.command()
@settings_option(BLADE_FILE, "slot, address, backplane, state, channels")
def run(path: Path) -> None:
    """Be a blade: answer on the backplane, and fill the role that the chassis manager assigns.

    Says what it is and where its service port is when it is there, and ends at Ctrl-C or SIGTERM.

    \b
    Example:
      blade-agent run --settings /etc/media-station/blade.toml
    """
    # What a command does not need is not imported: `--version` and `--help` answer at once on a small board.
    from blade_agent.agent import run_blade
    from blade_agent.backplane.serial_line import LineUnavailable
    from blade_agent.introduction import what_it_is
    from blade_agent.settings import BladeSettings

    try:
        settings = read_settings(path, BladeSettings)
        with saying("the blade cannot run", f"Check the addresses and folders in {path}."):
            on_wires = lambda board, port: click.echo(what_it_is(settings, board, port))  # noqa: E731
            run_until_told(run_blade(settings, random.SystemRandom(), on_wires))
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/blade.md describes every key.") from error
    except ProfileError as error:
        raise UserError(str(error), "Choose one with `profile` in the settings file.") from error
    except LineUnavailable as error:
        raise UserError(str(error), "Check `backplane` and `service_port` in the settings file.") from error


@click.command()
@settings_option(CHASSIS_FILE, "station, slots, epoch_file, center, profile, lan, orders")
def manage(path: Path) -> None:
    """Manage a chassis: the other end of the backplane, which assigns the roles of its blades.

    \b
    Example:
      blade-agent manage --settings /etc/media-station/chassis.toml
    """
    from blade_agent.backplane.serial_line import LineUnavailable
    from blade_agent.chassis_agent import run_manager
    from blade_agent.chassis_manager.settings import ManagerSettings

    try:
        with saying("the chassis cannot be managed", f"Check the addresses, folders and files in {path}."):
            run_until_told(run_manager(read_settings(path, ManagerSettings), random.SystemRandom()))
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/chassis.md describes every key.") from error
    except ProfileError as error:
        raise UserError(str(error), "Choose one with `profile` in the settings file.") from error
    except LineUnavailable as error:
        raise UserError(str(error), f"Check `slots` in {path}.") from error


@click.command()
@click.argument("epoch", type=WholeRange(0, HIGHEST_EPOCH))
@settings_option(CHASSIS_FILE, "epoch_file")
def set_epoch(epoch: int, path: Path) -> None:
    """Have a chassis manager that is not running begin after EPOCH, in place of what its epoch file says.

    For a file that was damaged, where neither what was kept before it nor any blade knew the epoch, so that the center
    refuses the director: `distribution-center stations` shows the epoch that the center knows.

    \b
    Example:
      blade-agent set-epoch 17 --settings /etc/media-station/chassis.toml
    """
    from blade_agent.chassis_agent import set_kept_epoch
    from blade_agent.chassis_manager.settings import ManagerSettings

    try:
        with saying("the epoch cannot be kept", f"Check `epoch_file` in {path}."):
            run_until_told(set_kept_epoch(read_settings(path, ManagerSettings), epoch))
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/chassis.md describes every key.") from error
