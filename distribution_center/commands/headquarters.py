"""`mam`: the headquarters of several centers is run, asked, and given orders."""

import random
from pathlib import Path

import click

from distribution_center.commands.mam_catalogue import find_program, list_centers, list_programs
from distribution_center.commands.mam_orders import cancel_order, list_orders, order_download
from media_network.cli import Commands, UserError, run_until_told, saying, settings_option
from media_network.settings import SettingsError, read_settings


@click.group(cls=Commands)
def mam() -> None:
    """The media asset management of the headquarters: the catalogue of several centers, and orders to them.

    \b
    Example:
      distribution-center mam order https://vod.example/films/bunny.mp4 --center east --center west
    """


@click.command("run")
@settings_option("/etc/media-station/mam.toml", "centers, state, address")
def run_headquarters(path: Path) -> None:
    """Run the media asset management of a headquarters.

    \b
    Example:
      distribution-center mam run --settings /etc/media-station/mam.toml
    """
    from distribution_center.headquarters.mam import run_mam
    from distribution_center.headquarters.settings import MamSettings
    from distribution_center.headquarters.store import HeadquartersStoreError

    try:
        with saying("the media asset management cannot run", f"Check `address`, `port` and `state` in {path}."):
            run_until_told(run_mam(read_settings(path, MamSettings), random.SystemRandom()))
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/headquarters.md describes every key.") from error
    except HeadquartersStoreError as error:
        raise UserError(str(error), f"Check `state` in {path}.") from error


for command in (run_headquarters, order_download, cancel_order, list_orders, list_programs, find_program, list_centers):
    mam.add_command(command)
