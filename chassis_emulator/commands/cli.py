"""`chassis-emulator`: a network of media stations on this laptop."""

from typing import Any

import click

from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.errors import AnotherIsUp
from media_network.cli import InUse, UserError
from media_network.command_group import Program, add_completion
from media_network.deferred_commands import Deferred

_COMMANDS = {
    "up": Deferred(
        "chassis_emulator.commands.up:up",
        "Bring up the network that TOPOLOGY describes: a YAML file, or the name of an example.",
    ),
    "ps": Deferred(
        "chassis_emulator.commands.processes:ps",
        "List the processes of the network, and where each answers.",
    ),
    "ls": Deferred(
        "chassis_emulator.commands.networks:list_networks",
        "List the networks of this laptop, up or down, and the numbers that others have taken.",
    ),
    "inspect": Deferred(
        "chassis_emulator.commands.inspect:inspect",
        "Show all that is known of a part of the network: its process, its slot, its lights, its readings.",
    ),
    "restart": Deferred(
        "chassis_emulator.commands.processes:restart",
        "End processes in order and start them again, with their lines and their state.",
    ),
    "down": Deferred("chassis_emulator.commands.down:down", "End every process of the network."),
    "logs": Deferred(
        "chassis_emulator.commands.logs:logs",
        "Show what a process printed, or what all of them did, in the order of time.",
    ),
    "events": Deferred(
        "chassis_emulator.commands.events:events",
        "Show what has happened to the chassis of the network: their event logs, in the order of time.",
    ),
    "credentials": Deferred(
        "chassis_emulator.commands.credentials:credentials",
        "Show the users that were generated for the network; of several centers, each and its stations have their own.",
    ),
    "nms-settings": Deferred(
        "chassis_emulator.commands.credentials:write_nms_settings",
        "Print the settings with which a network management system sees the network.",
    ),
    "demo": Deferred(
        "chassis_emulator.commands.demo:demo",
        "Do the main job once: bring a network up, a program in, and play it both ways.",
    ),
    "pull": Deferred("chassis_emulator.commands.chassis:pull", "Take a blade out of its slot."),
    "insert": Deferred(
        "chassis_emulator.commands.chassis:insert",
        "Put a blade back into its slot, its handle closed.",
    ),
    "power": Deferred(
        "chassis_emulator.commands.chassis:power",
        "Have the chassis manager switch a blade's main board on or off, or off and on.",
    ),
    "reset": Deferred(
        "chassis_emulator.commands.chassis:reset",
        "Have the chassis manager reset a blade's main board.",
    ),
    "identify": Deferred("chassis_emulator.commands.chassis:identify", "Let a blade blink, so that it is found."),
    "fault": Deferred(
        "chassis_emulator.commands.faults:fault",
        "Break something on purpose: a line, a blade, its disks, its cooling or its power.",
    ),
    "faults": Deferred("chassis_emulator.commands.faults:faults", "List what is broken on purpose."),
    "scenario": Deferred(
        "chassis_emulator.commands.scenario:scenario",
        "Play SCENARIO on the network: a YAML file, or the name of an example.",
    ),
}


class _Commands(Program):
    """The same of what the emulator finds wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AnotherIsUp as error:
            raise InUse(str(error), error.hint) from error
        except EmulatorError as error:
            raise UserError(str(error), error.hint) from error


@click.group(cls=_Commands, deferred=_COMMANDS)
@click.version_option(package_name="media-station")
def main() -> None:
    """A network of media stations on this laptop: every blade a real process, on its own loopback address.

    \b
    Example:
      chassis-emulator up
      chassis-emulator ps
      chassis-emulator pull north/3
      chassis-emulator down
    """


add_completion(main, "chassis-emulator")
