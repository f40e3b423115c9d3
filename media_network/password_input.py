"""A password from a person or a file: never from an argument, which everybody on the machine may read."""

import sys
from pathlib import Path

import click

from media_network.cli import Command, UserError
from media_network.os_trouble import in_words


def password_option(command: Command) -> Command:
    """`--password-file`, for where nobody sits at a terminal."""
    return click.option(
        "--password-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File whose first line is the password; `-` is the standard input.  [default: it is asked for]",
    )(command)


def read_password(file: Path | None, most: int, *, confirm: bool = False) -> str:
    """The password, of at most so many characters; asked for twice if a new one is to be confirmed.

    Raises UserError.
    """
    if file is None:
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True)
    else:
        password = _first_line(file)
    if not 0 < len(password) <= most:
        raise UserError("there is no password, or too much of one", f"Give one of 1 to {most} characters.")
    return password


def _first_line(file: Path) -> str:
    try:
        text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be read: {in_words(error)}", "Name a file with a password in it.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no UTF-8 text", "Name a file with a password in it.") from error
    return text.split("\n", 1)[0].rstrip("\r")
