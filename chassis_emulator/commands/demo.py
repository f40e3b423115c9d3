"""`chassis-emulator demo`: the main job from beginning to end, in a network of its own."""

import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from click.core import ParameterSource

from chassis_emulator.commands import names
from chassis_emulator.commands.demonstration import Demo, DemoFailed
from chassis_emulator.data import DEFAULT_EXAMPLE
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.topology import Topology, find_topology, read_topology
from media_network.cli import UserError, state_dir_option
from media_network.default_state import STATE_VARIABLE
from media_network.interrupting import INTERRUPTED_STATUS, ended_like_interrupted, putting_off_interrupts


@click.command()
@click.argument("topology", default=DEFAULT_EXAMPLE, shell_complete=names.topologies)
@click.option(
    "--clip",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The video that goes in, and comes out again.",
)
@click.option("--keep", is_flag=True, help="Leave the network up, and say what to open, poll and play.")
@state_dir_option
@click.pass_context
def demo(context: click.Context, topology: str, *, clip: Path, keep: bool, state_dir: Path) -> None:
    """Do the main job once: bring a network up, a program in, and play it both ways.

    TOPOLOGY is a YAML file, or the name of an example, as for `up`. Where another network has its number, the demo
    takes another one. With --keep the network is in the usual state folder, or beside it where that belongs to another
    network; without, nothing of it stays. Ctrl-C ends it in order.

    \b
    Example:
      chassis-emulator demo --clip film.mp4
    """
    wanted = read_topology(find_topology(topology))
    named = context.get_parameter_source("state_dir") is ParameterSource.COMMANDLINE or STATE_VARIABLE in os.environ
    kept = (state_dir if named else _folder_for(wanted, state_dir)) if keep else None
    with ended_like_interrupted(), _state(kept) as state:
        run = Demo(topology, wanted, state, click.echo)
        try:
            program = run.play_the_main_job(clip)
            if keep:
                run.leave_up(program)
        except DemoFailed as error:
            logs = f"The logs are in {state / 'logs'}." if keep else "With --keep the network and its logs stay."
            raise UserError(str(error), logs) from error
        except KeyboardInterrupt:
            _say_what_goes_on(run, kept)
            raise SystemExit(INTERRUPTED_STATUS) from None
        finally:
            if not keep:
                _end(run)
    click.echo("demo: ok")


@contextmanager
def _state(kept: Path | None) -> Iterator[Path]:
    """The folder to keep, or one that is gone afterwards."""
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="media-station-demo-") as folder:
        yield Path(folder)


def _folder_for(wanted: Topology, usual: Path) -> Path:
    """The usual one, unless it belongs to another network."""
    record = StateFolder(usual).record()
    return usual if record is None or record.name == wanted.name else usual.with_name(f"{usual.name}-demo")


def _say_what_goes_on(run: Demo, kept: Path | None) -> None:
    if kept is None:
        click.echo("\nStopped: the network of the demo is ended, and nothing of it stays.", err=True)
        return
    with putting_off_interrupts():
        is_up = run.is_up()
    end = f"chassis-emulator down --state-dir {shlex.quote(str(kept))}"
    goes_on = (
        f"the network stays up, and goes on with what it was told; `{end}` ends it" if is_up else "no network is up"
    )
    click.echo(f"\nStopped: {goes_on}.", err=True)


def _end(run: Demo) -> None:
    """Also if Ctrl-C comes again meanwhile: a folder must not go before its network."""
    try:
        with putting_off_interrupts():
            run.take_down()
    except DemoFailed as error:
        raise UserError(str(error), "`chassis-emulator ls` shows the networks that are up.") from error
