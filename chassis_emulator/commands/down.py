"""`chassis-emulator down`: a network of media stations goes."""

from pathlib import Path

import click

from chassis_emulator.network.launch import tell_to_end, wait_until_ended
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import state_dir_option
from media_network.interrupting import INTERRUPTED_STATUS


@click.command()
@click.option("--delete", is_flag=True, help="Delete its state too: programs, logs, users, everything.")
@state_dir_option
def down(*, delete: bool, state_dir: Path) -> None:
    """End every process of the network. Its state stays, for the next `up`.

    With --delete nothing of it stays, also where it is down already. What is not the emulator's in the state folder is
    left alone.

    \b
    Examples:
      chassis-emulator down
      chassis-emulator down --delete
    """
    folder = StateFolder(state_dir)
    was_up = _end(folder)
    if delete:
        _delete(folder)
    else:
        click.echo(f"The network in {state_dir} is down." if was_up else f"No network was up in {state_dir}.")


def _end(folder: StateFolder) -> bool:
    told = False
    try:
        was_up = tell_to_end(folder)
        told = True
        wait_until_ended(folder)
    except KeyboardInterrupt:
        if told:
            click.echo("\nThe network goes on ending; `chassis-emulator down` waits for that.", err=True)
        else:
            click.echo("\nStopped; `chassis-emulator ls` shows whether the network has been ended.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    return was_up


def _delete(folder: StateFolder) -> None:
    from chassis_emulator.network.deleting import delete_network

    try:
        left = delete_network(folder)
    except KeyboardInterrupt:
        click.echo("\nStopped; `chassis-emulator down --delete` deletes what is left of it.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    if left is None:
        click.echo(f"There is no network in {folder.path}: nothing was deleted.")
    elif left:
        click.echo(f"The network in {folder.path} is deleted. Not the emulator's, and still there: {', '.join(left)}")
    else:
        click.echo(f"The network in {folder.path} is deleted.")
