"""`blade-agent`: what is flashed onto a blade, and what manages a chassis of them."""

import click

from media_network.command_group import Program, add_completion
from media_network.deferred_commands import Deferred

_COMMANDS = {
    "run": Deferred(
        "blade_agent.commands.running:run",
        "Be a blade: answer on the backplane, and fill the role that the chassis manager assigns.",
    ),
    "manage": Deferred(
        "blade_agent.commands.running:manage",
        "Manage a chassis: the other end of the backplane, which assigns the roles of its blades.",
    ),
    "set-epoch": Deferred(
        "blade_agent.commands.running:set_epoch",
        "Have a chassis manager that is not running begin after EPOCH, in place of what its epoch file says.",
    ),
    "sessions": Deferred(
        "blade_agent.commands.sessions:sessions",
        "Show what the station pushes to consoles, and which engine sends it; of what has ended the last minute.",
    ),
    "chassis": Deferred(
        "blade_agent.chassis_manager.cli:chassis",
        "A chassis as its manager sees it: on the management board itself.",
    ),
    "profile": Deferred("blade_agent.commands.profiles:profile", "Hardware profiles: what is known of a board."),
    "config": Deferred("blade_agent.configuration.cli:config", "Settings files of a blade and of a chassis manager."),
    "init": Deferred(
        "blade_agent.configuration.cli:init",
        "Begin the settings of a blade with what its board, its network and its disks say.",
    ),
    "update": Deferred("blade_agent.updating.cli:update", "The system that a board boots, and updates of it."),
    "image": Deferred("blade_agent.image.cli:image", "Images of a board."),
    "flash": Deferred(
        "blade_agent.flashing.cli:flash",
        "Write IMAGE onto a disk, and read it back; or into a file, for a machine that is emulated.",
    ),
}


@click.group(cls=Program, deferred=_COMMANDS)
@click.version_option(package_name="media-station")
def main() -> None:
    """The agent of a blade in a media station.

    \b
    Example:
      blade-agent profile probe
      blade-agent run --settings blade.toml
    """


add_completion(main, "blade-agent")
