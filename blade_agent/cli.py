"""`blade-agent`: what is flashed onto a blade, and what manages a chassis of them."""

import random
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from blade_agent.backplane.role import HIGHEST_EPOCH
from blade_agent.chassis_manager.cli import chassis
from blade_agent.hardware.profile import ProfileError, load_profile, profile_names
from media_network.cli import UserError, echo_json, json_option, run_until_told, saying, settings_option
from media_network.command_group import Program, add_completion
from media_network.settings import SettingsError, read_settings
from media_network.table import table_or


@click.group(cls=Program)
@click.version_option(package_name="media-station")
def main() -> None:
    """The agent of a blade in a media station.

    \b
    Example:
      blade-agent profile probe
      blade-agent run --settings blade.toml
    """


@main.command()
@settings_option("/etc/media-station/blade.toml", "slot, address, backplane, state, channels")
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


@main.command()
@settings_option("/etc/media-station/chassis.toml", "station, slots, epoch_file, center, profile, lan, orders")
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


@main.command()
@click.argument("epoch", type=click.IntRange(0, HIGHEST_EPOCH))
@settings_option("/etc/media-station/chassis.toml", "epoch_file")
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


main.add_command(chassis)


def _profiles_or_files(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """What a shell completes."""
    found = [CompletionItem(name) for name in profile_names() if name.startswith(begun)]
    return [*found, CompletionItem(begun, type="file")]


@main.group()
def profile() -> None:
    """Hardware profiles: what is known of a board.

    \b
    Example:
      blade-agent profile probe raspberry-pi-5
    """


@profile.command(name="list")
@json_option("a list of objects")
def list_profiles(*, as_json: bool) -> None:
    """List the profiles that come with the agent.

    \b
    Example:
      blade-agent profile list --json
    """
    rows = [(name, load_profile(name).title) for name in profile_names()]
    if as_json:
        echo_json([{"profile": name, "title": title} for name, title in rows])
        return
    click.echo(table_or("There is no profile.", ("PROFILE", "BOARD"), rows))


@profile.command()
@click.argument("name", shell_complete=_profiles_or_files)
@json_option("an object with `profile` and `title`")
def lint(name: str, *, as_json: bool) -> None:
    """Check a profile (a name, or a TOML file) against the schema.

    \b
    Example:
      blade-agent profile lint generic-x86
    """
    try:
        found = load_profile(name)
    except ProfileError as error:
        raise UserError(str(error), "hw_profiles/README.md describes the schema.") from error
    if as_json:
        echo_json({"profile": name, "title": found.title})
        return
    click.echo(f"{name}: {found.title}: follows the schema")


@profile.command(name="probe")
@click.argument("name", required=False, shell_complete=_profiles_or_files)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    help="Folder that holds sys and proc: of this board, or copied from another.",
)
@json_option("an object")
def probe_board(name: str | None, root: Path, *, as_json: bool) -> None:
    """Show what this board offers, and what a profile (a name, or a TOML file) reads of it.

    Without a name the profile is the one for what the device tree says, if there is one. Nothing is set or started.

    \b
    Example:
      blade-agent profile probe raspberry-pi-5 --json
    """
    from blade_agent.hardware.probe import describe, probe

    try:
        found = probe(root, name)
    except ProfileError as error:
        raise UserError(str(error), "hw_profiles/README.md describes the schema.") from error
    if as_json:
        echo_json(found)
        return
    for line in describe(found):
        click.echo(line)


add_completion(main, "blade-agent")
