"""`chassis-emulator scenario`: play a timed list of faults and orders."""

import asyncio
import sys
from pathlib import Path

import click

from chassis_emulator.commands import names
from chassis_emulator.commands.progress_line import ProgressLine
from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import state_dir_option
from media_network.interrupting import INTERRUPTED_STATUS


class ScenarioBroken(EmulatorError):
    """Some steps of a scenario could not be done."""

    hint = "The steps above say why; `chassis-emulator ps` and `chassis-emulator faults` show how the network is now."

    def __init__(self, name: str, failed: int, steps: int) -> None:
        super().__init__(name, failed, steps)
        self.name = name
        self.failed = failed
        self.steps = steps

    def __str__(self) -> str:
        return f"{self.failed} of the {self.steps} steps of {self.name} could not be done."


@click.command()
@click.argument("scenario", shell_complete=names.scenario_names)
@state_dir_option
def scenario(scenario: str, state_dir: Path) -> None:
    """Play SCENARIO on the network: a YAML file, or the name of an example.

    It is played in real time and ends with its last step; what it broke is mended then. The same file can be played in
    virtual time, under a seed: python -m chassis_emulator.simulation --scenario FILE

    \b
    Keys: name, steps [{at, action, ...}]; actions with their keys:
      fault     kind, target, for, name, and the options of that kind
      clear     name (without: all that this scenario broke)
      pull      target, surprise
      insert    target
      power     target, power (on, off or cycle)
      reset     target
      identify  target, seconds

    \b
    Example:
      chassis-emulator scenario warm-evening
    """
    from chassis_emulator.scenario.player import Player
    from chassis_emulator.scenario.reader import find_scenario, read_scenario

    read = read_scenario(find_scenario(scenario))
    progress = ProgressLine(sys.stderr)

    def tell(line: str) -> None:
        progress.end()
        click.echo(line)

    player = Player(StateFolder(state_dir), read, tell, progress.show)
    try:
        asyncio.run(player.play())
    except ExceptionGroup as errors:
        # Several steps may have found out at once that the network is gone.
        raise errors.exceptions[0] from errors
    except KeyboardInterrupt:
        progress.end()
        click.echo(
            "\nStopped: what it broke is mended. Blades that it has pulled or switched stay as they are.", err=True
        )
        raise SystemExit(INTERRUPTED_STATUS) from None
    finally:
        progress.end()
    if player.failed:
        raise ScenarioBroken(read.name, player.failed, len(read.steps))
    click.echo(f"{read.name}: all {len(read.steps)} steps done.")
