"""What all commands share: errors as one sentence and a hint, options, JSON."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from media_network.whereabouts import STATE_VARIABLE, default_state_folder

Command = TypeVar("Command", bound=Callable[..., Any])


class UserError(click.ClickException):
    """One sentence for a person, and a hint what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint

    def show(self, file: Any = None) -> None:  # noqa: ARG002 -- the signature is click's
        """Print both to standard error."""
        click.echo(f"Error: {self.message}", err=True)
        if self.hint:
            click.echo(f"Hint: {self.hint}", err=True)


def state_dir_option(command: Command) -> Command:
    """`--state-dir`, which every command takes that talks to a network on this laptop; given as an absolute path."""
    return click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_state_dir,
        help=f"State of a network on this laptop (default: {STATE_VARIABLE}, or media-station under XDG_STATE_HOME).",
    )(command)


def json_option(what: str) -> Callable[[Command], Command]:
    """`--json`, which every command takes that prints data."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print JSON: {what}.")


def echo_json(document: object) -> None:
    """Print a document so that programs and people can read it."""
    click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())


def _state_dir(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path:
    return (value or default_state_folder(os.environ, Path.home())).absolute()
