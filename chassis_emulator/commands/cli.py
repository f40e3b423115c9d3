"""`chassis-emulator`: a network of media stations on this laptop."""

from typing import Any

import click

from chassis_emulator.commands.chassis import identify, insert, power, pull, reset
from chassis_emulator.commands.credentials import credentials, write_nms_settings
from chassis_emulator.commands.demo import demo
from chassis_emulator.commands.events import events
from chassis_emulator.commands.faults import fault, faults
from chassis_emulator.commands.logs import logs
from chassis_emulator.commands.network import down, ps, up
from chassis_emulator.commands.scenario import scenario
from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.errors import AnotherIsUp
from media_network.cli import Commands, InUse, UserError


class _Commands(Commands):
    """The same of what the emulator finds wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AnotherIsUp as error:
            raise InUse(str(error), error.hint) from error
        except EmulatorError as error:
            raise UserError(str(error), error.hint) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="media-station")
def main() -> None:
    """A network of media stations on this laptop: every blade a real process, on its own loopback address."""


for _verb in (
    up,
    ps,
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
