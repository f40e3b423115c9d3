"""A conversation with the headquarters of several centers, and where it is."""

from pathlib import Path
from typing import TypeVar

import click

from distribution_center.commands.conversation import REFUSAL_HINTS, Converse, talk_at
from media_network.address import Address
from media_network.cli import Command, UserError, state_dir_option
from media_network.refusal import Reason
from media_network.whereabouts import find_mam

_Result = TypeVar("_Result")

_IS_IT_UP = "Is the headquarters up? `chassis-emulator ps` shows a network on this laptop."
_HINTS = {**REFUSAL_HINTS, Reason.UNKNOWN_PROGRAM: "`distribution-center mam programs` lists what there is."}


def mam_option(command: Command) -> Command:
    """`--mam` and `--state-dir`: where the headquarters is."""
    address = click.option("--mam", metavar="HOST:PORT", help="Address of the headquarters, if not on this laptop.")
    return address(state_dir_option(command))


def talk_with_mam(mam: str | None, state_dir: Path, converse: Converse[_Result]) -> _Result:
    """Have a conversation with the headquarters that the options name. Raises UserError."""
    return talk_at(_address(mam, state_dir), state_dir, converse, is_it_up=_IS_IT_UP, hints=_HINTS)


def _address(mam: str | None, state_dir: Path) -> Address:
    if mam:
        try:
            return Address.parse(mam)
        except ValueError as error:
            raise UserError(str(error), "Name the headquarters as HOST:PORT.") from error
    address = find_mam(state_dir)
    if address is None:
        raise UserError(
            f"no headquarters has run in {state_dir}",
            "Bring one up with `chassis-emulator up headquarters`, or name one with --mam.",
        )
    return address
