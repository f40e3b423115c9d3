"""The command `media-console`."""

import click

from media_network.command_group import Program, add_completion
from media_network.deferred_commands import Deferred

_COMMANDS = {
    "play": Deferred(
        "chassis_emulator.media_console.commands:play",
        "Play a PROGRAM of the network on this laptop, or whatever the playlist at URL lists.",
    ),
    "login": Deferred(
        "chassis_emulator.media_console.commands:login",
        "Log in as the subscriber NAME.",
    ),
    "url": Deferred(
        "chassis_emulator.media_console.commands:url",
        "Print the address of a PROGRAM for any player, with your token in it if you have logged in.",
    ),
}


@click.group(name="media-console", cls=Program, deferred=_COMMANDS)
@click.version_option(package_name="media-station")
def main() -> None:
    """Play programs of a media station, as the set at a viewer's home does.

    \b
    Example:
      media-console play big-buck-bunny-1f3a --output bunny.ts
    """


add_completion(main, "media-console")
