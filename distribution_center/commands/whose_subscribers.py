"""What the commands that work on subscribers are told alike: whose they are, their names, and what one may see when."""

from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from distribution_center.commands.moment import Moment
from media_network.cli import Command, UserError, state_dir_option
from media_network.fields import ProgramId
from media_network.messages.authentication import SubscriberName


def subscribers_option(of: str, default: Path) -> Callable[[Command], Command]:
    """`--settings` and `--state-dir`: whose subscribers these are. `of` names what the settings are of."""

    def with_options(command: Command) -> Command:
        settings = click.option(
            "--settings",
            "settings",
            type=click.Path(path_type=Path),
            help=f"TOML file of {of}.  [default: of the network on this laptop, else {default}]",
        )
        return settings(state_dir_option(command))

    return with_options


def granting_options(command: Command) -> Command:
    """`NAME WHAT...`, from when until when, or no more."""
    for option in (
        click.option("--withdraw", is_flag=True, help="Take it back."),
        click.option("--until", "until_ms", type=Moment(), help="Until this time.  [default: for ever]"),
        click.option("--from", "from_ms", type=Moment(), help="Not before this time.  [default: at once]"),
        click.argument("what", nargs=-1, required=True, metavar="WHAT..."),
        click.argument("name"),
    ):
        command = option(command)
    return command


def require_subscriber_name(name: str) -> None:
    """Raises UserError for what is no name of a subscriber."""
    try:
        msgspec.convert(name, SubscriberName)
    except msgspec.ValidationError:
        legal = "Use at most 64 lower case letters, digits, and . _ @ - within."
        raise UserError(f"{name[:80]!r} is no name of a subscriber", legal) from None


def require_program_name(name: str) -> None:
    """Raises UserError for what is no name of a program or a package."""
    try:
        msgspec.convert(name, ProgramId)
    except msgspec.ValidationError:
        legal = "Use at most 64 lower case letters, digits and inner hyphens; '*' is every program."
        raise UserError(f"{name[:80]!r} is no name of a program or package", legal) from None
