"""How a command shows what it has looked up: as a table for people or as JSON, once or again and again."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import click
import msgspec

from media_network.cli import Command, echo_json

_LOOK_EVERY_S = 1.0
_TO_THE_TOP = "\033[H\033[J"
"""The cursor goes to the upper left corner, and everything below it is cleared (ECMA-48)."""

Seen = TypeVar("Seen")


def watch_option(command: Command) -> Command:
    """`--watch`, which commands take that show what changes."""
    words = "Show it again every second, until Ctrl-C; with --json a line each."
    return click.option("--watch", is_flag=True, help=words)(command)


def present(look: Callable[[], Seen], as_text: Callable[[Seen], str], *, as_json: bool, watch: bool = False) -> None:
    """Show what `look` sees; with `watch` every second until Ctrl-C, which is how that ends in order.

    Raises whatever `look` raises.
    """
    if not watch:
        seen = look()
        if as_json:
            echo_json(seen)
        else:
            click.echo(as_text(seen))
        return
    on_terminal = _is_watched() and not as_json
    try:
        while True:
            seen = look()
            text = msgspec.json.encode(seen).decode() if as_json else as_text(seen)
            click.echo(f"{_TO_THE_TOP if on_terminal else ''}{text}")
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        return


def _is_watched() -> bool:
    return sys.stdout.isatty()
