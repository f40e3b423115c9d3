"""`chassis-emulator`: a network of media stations on this laptop."""

from typing import Any

import click

from chassis_emulator.commands.chassis import identify, insert, power, pull, reset
from chassis_emulator.commands.credentials import credentials, write_nms_settings
from chassis_emulator.commands.demo import demo
from chassis_emulator.commands.down import down
from chassis_emulator.commands.events import events
from chassis_emulator.commands.faults import fault, faults
from chassis_emulator.commands.inspect import inspect
from chassis_emulator.commands.logs import logs
from chassis_emulator.commands.networks import list_networks
from chassis_emulator.commands.processes import ps, restart
from chassis_emulator.commands.scenario import scenario
from chassis_emulator.commands.up import up
from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.errors import AnotherIsUp
from media_network.cli import InUse, UserError
from media_network.command_group import Program, add_completion


class _Commands(Program):
    """The same of what the emulator finds wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AnotherIsUp as error:
            raise InUse(str(error), error.hint) from error
        except EmulatorError as error:
            raise UserError(str(error), error.hint) from error


@click.group(cls=_Commands)
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


for _verb in (
    up,
    ps,
    list_networks,
    inspect,
    restart,
    down,
    logs,
    events,
    credentials,
    write_nms_settings,
    demo,
    pull,
    insert,
    power,
    reset,
    identify,
    fault,
    faults,
    scenario,
):
    main.add_command(_verb)
add_completion(main, "chassis-emulator")
