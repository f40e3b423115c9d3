"""`chassis-emulator ls`: the networks of this laptop."""

from pathlib import Path

import click

from chassis_emulator.network.known_networks import KnownNetwork, known_networks
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import json_option, state_dir_option
from media_network.presenting import present, watch_option
from media_network.table import table_or

_HEADINGS = ("", "NETWORK", "NAME", "STATE", "STATIONS", "BLADES", "ADDRESSES", "STATE FOLDER")
_NOTHING = "There is no network yet; `chassis-emulator up` brings one up."


@click.command("ls")
@watch_option
@json_option("a list of objects, one a network")
@state_dir_option
def list_networks(*, watch: bool, as_json: bool, state_dir: Path) -> None:
    """List the networks of this laptop, up or down, and the numbers that others have taken.

    The one with a star is that of the state folder which other commands would speak to, as they are called now.

    \b
    Example:
      chassis-emulator ls
    """
    folder = StateFolder(state_dir)
    here = str(folder.path.resolve())
    present(
        lambda: known_networks(folder),
        lambda rows: table_or(_NOTHING, _HEADINGS, [_cells(row, here) for row in rows]),
        as_json=as_json,
        watch=watch,
    )


def _cells(row: KnownNetwork, here: str) -> tuple[str, ...]:
    return (
        "*" if row.folder == here else "",
        str(row.network),
        row.name or "(not known here)",
        row.state,
        "" if row.stations is None else str(row.stations),
        "" if row.blades is None else str(row.blades),
        f"127.{row.network}.x.y",
        row.folder or "",
    )
